package published

import (
	"context"

	"partita/solver/path"
)

// blocks is a chain with the machines of a type side by side. All layers are alike, so a
// pipeline keeps its worth when its stages change places: some best pipeline has each
// type in one block, and an arc is a block.
type blocks struct {
	series *series
	types  [][][]step // of each type, by machines used, by layers held
}

// step is the best way of so many machines to hold so many layers: its slowest machine by
// rank (0: there is none), and the layers of the last machine.
type step struct {
	rank   int64
	layers int
}

// blocks finds the blocks of every type; the error is that of the context.
func (s *series) blocks(ctx context.Context) (*blocks, error) {
	x := &blocks{series: s, types: make([][][]step, len(s.chain.Machines))}
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
	}
	return x, nil
}

// once is the stage graph of blocks in any order, each type used once at most: the product
// of the counts of machines becomes a power of two.
func (x *blocks) once() *path.Problem {
	options := make([][]path.Option, x.series.chain.Layers)
	for k, rows := range x.types {
		for layers := 1; layers <= len(options); layers++ {
			if used := fastest(rows, layers); used > 0 {
				options[layers-1] = append(options[layers-1], path.Option{
					Resource: int32(k), Units: 1, Time: [2]int64{rows[used][layers].rank, 0}, Ref: int32(k),
				})
			}
		}
	}
	return x.series.graph(options, func(int) int { return 1 })
}

// mostOrdered is how many boundaries inOrder may have: its table of pairs takes 256 MiB.
const mostOrdered = 8192

// inOrder is the stage graph of blocks in the order of the types: a boundary is a type and
// the layers held before it, and a type may hold none. Nothing is counted, so that a
// solver that counts badly has only a path to find. Nil where there are too many.
func (x *blocks) inOrder() *path.Problem {
	layers, kinds := x.series.chain.Layers, len(x.types)
	n := (kinds + 1) * (layers + 1)
	if n > mostOrdered {
		return nil
	}
	p := x.series.graph(nil, func(int) int { return 0 })
	p.Boundaries, p.Class = n, make([]int32, n*n)
	p.Resources = []path.Resource{{Capacity: kinds}} // one a type: never short
	for i := range p.Class {
		p.Class[i] = -1
	}
	for k, rows := range x.types {
		for held := 0; held <= layers; held++ {
			used := fastest(rows, held)
			if used == 0 && held > 0 {
				continue
			}
			for before := 0; before+held <= layers; before++ {
				from, to := k*(layers+1)+before, (k+1)*(layers+1)+before+held
				p.Class[from*n+to] = int32(len(p.Options))
			}
			p.Options = append(p.Options, []path.Option{{Units: 1, Time: [2]int64{rows[used][held].rank, 0}, Ref: int32(k)}})
		}
	}
	return p
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

// apart takes the blocks of a path of p, either stage graph, apart into the machines of the
// chain as it stands.
func (x *blocks) apart(p, plain *path.Problem, chosen []path.Stage) []path.Stage {
	var out []path.Stage
	layers := x.series.chain.Layers
	for _, block := range chosen {
		k := p.Options[block.Class][block.Option].Ref
		at, end, rows := block.From%(layers+1), block.To%(layers+1), x.types[k]
		for used := fastest(rows, end-at); at < end; used-- {
			held := rows[used][end-at].layers
			st := path.Stage{From: at, To: at + held, Class: int32(held - 1)}
			for i, o := range plain.Options[st.Class] {
				if o.Ref == k {
					st.Option = int32(i)
				}
			}
			out = append(out, st)
			at += held
		}
	}
	return out
}
