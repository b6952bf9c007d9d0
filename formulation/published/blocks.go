package published

import (
	"context"

	"partita/solver/path"
)

// blocks is a chain with the machines of a type side by side. All layers are alike, so a
// pipeline keeps its worth when its stages change places: some best pipeline has each
// type in one block, and an arc is a block. Each type is then used once at most, where
// counting machines would take the product of the counts.
type blocks struct {
	problem *path.Problem
	types   [][][]step // of each type, by machines used, by layers held
}

// step is the best way of so many machines to hold so many layers: its slowest machine by
// rank (0: there is none), and the layers of the last machine.
type step struct {
	rank   int64
	layers int
}

// blocks makes the stage graph; the error is that of the context.
func (s *series) blocks(ctx context.Context) (*blocks, error) {
	x := &blocks{types: make([][][]step, len(s.chain.Machines))}
	options := make([][]path.Option, s.chain.Layers)
	for k := range s.chain.Machines {
		table := s.table(k)
		ranks := make([]int64, len(table))
		for i, tokens := range table {
			ranks[i] = s.rank(tokens)
		}
		rows := [][]step{make([]step, s.chain.Layers+1)}
		for used := 1; len(table) > 0 && used <= min(s.chain.Machines[k].Count, s.chain.Layers); used++ {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			rows = append(rows, oneMore(rows[used-1], ranks, used))
		}
		x.types[k] = rows
		for layers := 1; layers <= s.chain.Layers; layers++ {
			if used := fastest(rows, layers); used > 0 {
				options[layers-1] = append(options[layers-1], path.Option{
					Resource: int32(k), Units: 1, Time: [2]int64{rows[used][layers].rank, 0}, Ref: int32(k),
				})
			}
		}
	}
	x.problem = s.graph(options, func(int) int { return 1 })
	return x, nil
}

// oneMore adds a machine to the best ways of one less.
func oneMore(last []step, ranks []int64, used int) []step {
	row := make([]step, len(last))
	for layers := used; layers < len(row); layers++ {
		for i, rank := range ranks[:min(len(ranks), layers)] {
			before := last[layers-i-1].rank
			if before == 0 && (used > 1 || layers != i+1) {
				continue
			}
			if slowest := max(rank, before); row[layers].rank == 0 || slowest < row[layers].rank {
				row[layers] = step{slowest, i + 1}
			}
		}
	}
	return row
}

// fastest is how many machines hold the layers best, the fewest of equals; 0 where none
// can.
func fastest(rows [][]step, layers int) int {
	best := 0
	for used := 1; used < len(rows); used++ {
		if r := rows[used][layers].rank; r > 0 && (best == 0 || r < rows[best][layers].rank) {
			best = used
		}
	}
	return best
}

// apart takes the blocks of a path apart into the machines of the chain as it stands.
func (x *blocks) apart(plain *path.Problem, chosen []path.Stage) []path.Stage {
	var out []path.Stage
	for _, block := range chosen {
		k := x.problem.Options[block.Class][block.Option].Ref
		at, rows := block.From, x.types[k]
		for used := fastest(rows, block.To-block.From); at < block.To; used-- {
			layers := rows[used][block.To-at].layers
			st := path.Stage{From: at, To: at + layers, Class: int32(layers - 1)}
			for i, o := range plain.Options[st.Class] {
				if o.Ref == k {
					st.Option = int32(i)
				}
			}
			out = append(out, st)
			at += layers
		}
	}
	return out
}
