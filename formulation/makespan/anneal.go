package makespan

import (
	"context"
	"math"
	"math/rand/v2"

	"partita/inputs/opgraph"
)

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
