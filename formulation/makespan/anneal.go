package makespan

import (
	"context"
	"math"
	"math/rand/v2"

	"partita/inputs/opgraph"
)

// timer computes makespans of assignments over and over, without allocating.
type timer struct {
	g          *opgraph.Graph
	succ       [][]int
	length     []float64 // by step: the accelerators, then every node on its own
	start      []float64
	waits      []int32
	sent       []int32 // by accelerator: the last source counted
	ready      []int32
	blockNodes [][]int32
}

func newTimer(g *opgraph.Graph) *timer {
	steps := g.Accelerators + len(g.Nodes)
	return &timer{g: g, succ: g.Successors(), length: make([]float64, steps), start: make([]float64, steps), waits: make([]int32, steps),
		sent: make([]int32, g.Accelerators), blockNodes: make([][]int32, g.Accelerators)}
}

// makespan of an assignment that keeps to memory and classes; false where blocks wait
// for each other.
func (t *timer) makespan(device []int) (float64, bool) {
	k := t.g.Accelerators
	clear(t.start)
	clear(t.waits)
	for d := range k {
		t.length[d], t.sent[d], t.blockNodes[d] = 0, -1, t.blockNodes[d][:0]
	}
	for u := range t.g.Nodes {
		d := min(device[u], k)
		if d < k {
			t.blockNodes[d] = append(t.blockNodes[d], int32(u))
			t.length[d] += t.g.Nodes[u].AcceleratorTime
		} else {
			t.length[k+u] = t.g.Nodes[u].CPUTime
		}
		sends := false
		for _, w := range t.succ[u] {
			to := min(device[w], k)
			if d == to && to < k {
				continue
			}
			sends = true
			if to == k {
				t.waits[k+w]++
				continue
			}
			t.waits[to]++
			if t.sent[to] != int32(u) {
				t.sent[to] = int32(u)
				t.length[to] += t.g.Nodes[u].Send
			}
		}
		if sends && d < k {
			t.length[d] += t.g.Nodes[u].Send
		}
	}
	t.ready = t.ready[:0]
	steps := 0
	for d := range k {
		if len(t.blockNodes[d]) > 0 {
			if steps++; t.waits[d] == 0 {
				t.ready = append(t.ready, int32(d))
			}
		}
	}
	for v := range t.g.Nodes {
		if device[v] >= k {
			if steps++; t.waits[k+v] == 0 {
				t.ready = append(t.ready, int32(k+v))
			}
		}
	}
	makespan := 0.0
	for ; len(t.ready) > 0; steps-- {
		s := int(t.ready[len(t.ready)-1])
		t.ready = t.ready[:len(t.ready)-1]
		finish := t.start[s] + t.length[s]
		makespan = max(makespan, finish)
		if s >= k {
			t.release(s-k, k, device, finish)
			continue
		}
		for _, u := range t.blockNodes[s] {
			t.release(int(u), s, device, finish)
		}
	}
	return makespan, steps == 0
}

// release tells the successors of a node of a step that it is done.
func (t *timer) release(u, own int, device []int, finish float64) {
	k := t.g.Accelerators
	for _, w := range t.succ[u] {
		to := min(device[w], k)
		if to == k {
			to = k + w
		} else if to == own {
			continue
		}
		t.start[to] = max(t.start[to], finish)
		if t.waits[to]--; t.waits[to] == 0 {
			t.ready = append(t.ready, int32(to))
		}
	}
}

// annealing moves classes between blocks and the CPU, to where a neighbour is or
// anywhere, and at first takes some moves that cost time.
type annealing struct {
	*timer
	device []int
	bytes  []int64 // by accelerator
	units  [][]int // nodes that move together
	unitOf []int
}

const (
	annealRounds = 8
	annealMoves  = 500     // of a round, for every unit, up to
	annealMost   = 100_000 // in all
	annealFirst  = 1e-2    // temperature, of the makespan
	annealLast   = 1e-4    // at the end of a round
)

func newAnnealing(g *opgraph.Graph, device []int) *annealing {
	a := &annealing{timer: newTimer(g), device: append([]int(nil), device...), bytes: make([]int64, g.Accelerators), unitOf: make([]int, len(g.Nodes))}
	of := map[int]int{}
	for v := range g.Nodes {
		c := g.Nodes[v].Colour
		unit, there := of[c]
		if c == opgraph.NoColour || !there {
			unit = len(a.units)
			a.units = append(a.units, nil)
			of[c] = unit
		}
		a.units[unit] = append(a.units[unit], v)
		a.unitOf[v] = unit
		if device[v] < g.Accelerators {
			a.bytes[device[v]] += g.Nodes[v].Bytes
		}
	}
	return a
}

// move puts a unit on a device if that holds it.
func (a *annealing) move(unit, to int) bool {
	from, bytes := min(a.device[a.units[unit][0]], a.g.Accelerators), int64(0)
	for _, v := range a.units[unit] {
		bytes += a.g.Nodes[v].Bytes
		if to < a.g.Accelerators && !a.g.Nodes[v].OnAccelerator {
			return false
		}
	}
	if to == from || to < a.g.Accelerators && a.bytes[to]+bytes > a.g.AcceleratorBytes || to == a.g.Accelerators && a.g.CPUs == 0 {
		return false
	}
	if from < a.g.Accelerators {
		a.bytes[from] -= bytes
	}
	if to < a.g.Accelerators {
		a.bytes[to] += bytes
	}
	for _, v := range a.units[unit] {
		a.device[v] = to
	}
	return true
}

// run calls better with every assignment that is faster than all before it.
func (a *annealing) run(ctx context.Context, value float64, better func(value float64, device []int)) {
	if len(a.g.Edges) == 0 || a.g.Accelerators == 0 {
		return
	}
	r := rand.New(rand.NewPCG(uint64(len(a.g.Nodes)), uint64(len(a.g.Edges))))
	best, at := value, value
	kept := append([]int(nil), a.device...)
	moves := min(annealMoves*len(a.units), annealMost)
	for range annealRounds {
		a.reset(kept)
		at = best
		for i := range moves {
			if i&31 == 0 && ctx.Err() != nil {
				return
			}
			unit, to := r.IntN(len(a.units)), r.IntN(a.g.Accelerators+1)
			if e := a.g.Edges[r.IntN(len(a.g.Edges))]; r.IntN(2) == 0 {
				unit, to = a.unitOf[e.From], min(a.device[e.To], a.g.Accelerators)
			} else if r.IntN(2) == 0 {
				unit, to = a.unitOf[e.To], min(a.device[e.From], a.g.Accelerators)
			}
			from := min(a.device[a.units[unit][0]], a.g.Accelerators)
			if !a.move(unit, to) {
				continue
			}
			temperature := best * annealFirst * math.Pow(annealLast/annealFirst, float64(i)/float64(moves))
			next, ok := a.makespan(a.device)
			if !ok || next > at && r.Float64() >= math.Exp((at-next)/temperature) {
				a.move(unit, from)
				continue
			}
			if at = next; at < best*(1-resolution) {
				best = at
				copy(kept, a.device)
				better(best, kept)
			}
		}
	}
}

// reset goes back to an assignment.
func (a *annealing) reset(device []int) {
	copy(a.device, device)
	clear(a.bytes)
	for v, d := range device {
		if d < a.g.Accelerators {
			a.bytes[d] += a.g.Nodes[v].Bytes
		}
	}
}
