package graphplan

import (
	"context"
	"math"
	"slices"

	"partita/formulation/ideals"
)

// line is a linear order of units with what an interval of it costs a GPU.
type line struct {
	u     *units
	order []int
	nets  [][]int // nets that a node is a pin of
	pins  []int   // of the net of a node: itself and its consumers
}

func (u *units) line(order []int) *line {
	n := len(u.p.Nodes)
	l := &line{u: u, order: order, nets: make([][]int, n), pins: make([]int, n)}
	seen := make(map[ideals.Edge]bool, len(u.p.Edges))
	for v := range n {
		l.nets[v], l.pins[v] = append(l.nets[v], v), 1
	}
	for _, e := range u.p.Edges {
		if !seen[e] {
			seen[e] = true
			l.nets[e.To] = append(l.nets[e.To], e.From)
			l.pins[e.From]++
		}
	}
	return l
}

// walk visits the intervals that begin at a position, the shortest first, with their load
// on every class; +Inf where the memory does not hold it. It ends where visit says so.
func (l *line) walk(from int, visit func(to int, load []float64, least float64) bool) {
	p := l.u.p
	inside := map[int]int{}
	work, send, load := make([]float64, len(p.Classes)), make([]float64, len(p.Classes)), make([]float64, len(p.Classes))
	var bytes int64
	cut := func(net, before, after int) {
		was, is := before > 0 && before < l.pins[net], after > 0 && after < l.pins[net]
		if was == is {
			return
		}
		for k := range p.Classes {
			if t := p.Classes[k].Transfer; t != nil {
				if is {
					send[k] += t[net]
				} else {
					send[k] -= t[net]
				}
			}
		}
	}
	for to := from; to < len(l.order); to++ {
		for _, v := range l.u.nodes[l.order[to]] {
			bytes += p.Nodes[v].Bytes
			for k := range p.Classes {
				work[k] += p.Classes[k].Time[v]
			}
			for _, net := range l.nets[v] {
				inside[net]++
				cut(net, inside[net]-1, inside[net])
			}
		}
		least := math.Inf(1) // work alone, which only grows with the interval
		for k := range p.Classes {
			load[k] = work[k] + max(0, send[k])
			if p.Classes[k].Bytes < bytes || p.Classes[k].Count == 0 {
				load[k] = math.Inf(1)
				continue
			}
			least = min(least, work[k])
		}
		if math.IsInf(least, 1) || !visit(to+1, load, least) {
			return
		}
	}
}

// mostStates bounds the table of a cut: positions times counts of GPUs by class.
const mostStates = 1 << 22

// cut is the best way to cut the order into as many stages as there are devices; where no
// way has so many, into the most that one has. nil where there is none within the limit. It
// is exact along this order.
func (l *line) cut(ctx context.Context, limit float64) ([]ideals.Stage, float64) {
	classes := l.u.p.Classes
	step, states := make([]int, len(classes)), 1
	for k := range classes {
		step[k] = states
		if states *= classes[k].Count + 1; states*(len(l.order)+1) > mostStates {
			return nil, math.Inf(1)
		}
	}
	type cell struct {
		load  float64
		from  int32
		class int16
	}
	table := make([]cell, states*(len(l.order)+1))
	for i := range table {
		table[i].load = math.Inf(1)
	}
	table[0].load = 0
	room := make([][]int, len(classes)) // counts to which a class can be added
	for k := range classes {
		for c := range states {
			if c/step[k]%(classes[k].Count+1) < classes[k].Count {
				room[k] = append(room[k], c)
			}
		}
	}
	for from := range l.order {
		if ctx.Err() != nil {
			return nil, math.Inf(1)
		}
		here := table[from*states : (from+1)*states]
		if !slices.ContainsFunc(here, func(c cell) bool { return !math.IsInf(c.load, 1) }) {
			continue
		}
		l.walk(from, func(to int, load []float64, least float64) bool {
			there := table[to*states : (to+1)*states]
			for k, t := range load {
				if !(t <= limit) {
					continue
				}
				for _, c := range room[k] {
					if v := max(here[c].load, t); v < there[c+step[k]].load {
						there[c+step[k]] = cell{v, int32(from), int16(k)}
					}
				}
			}
			return least <= limit
		})
	}
	end := table[len(l.order)*states:]
	best, most := -1, 0
	for c := range end {
		used := 0
		for k := range classes {
			used += c / step[k] % (classes[k].Count + 1)
		}
		if math.IsInf(end[c].load, 1) || best >= 0 && (used < most || used == most && end[c].load >= end[best].load) {
			continue
		}
		best, most = c, used
	}
	if best < 0 {
		return nil, math.Inf(1)
	}
	value := end[best].load
	var stages []ideals.Stage
	for to, c := len(l.order), best; to > 0; {
		at := table[to*states+c]
		stages = append(stages, l.stage(int(at.from), to, int(at.class)))
		to, c = int(at.from), c-step[at.class]
	}
	slices.Reverse(stages)
	return stages, value
}

// stage is an interval of the order on a device of a class.
func (l *line) stage(from, to, class int) ideals.Stage {
	s := ideals.Stage{Class: class}
	for _, unit := range l.order[from:to] {
		s.Nodes = append(s.Nodes, l.u.nodes[unit]...)
	}
	slices.Sort(s.Nodes)
	return s
}
