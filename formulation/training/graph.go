package training

import (
	"context"
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// mostBoundaries is the largest stage graph that is handed to a solver of integer models:
// its table of intervals takes 64 MiB.
const mostBoundaries = 4000

// graph is the network as a stage graph, for solvers that know nothing of training: its
// boundaries are the nodes that lie on a path with U ≤ update, and (S1) without U is
//
//	F_0 = Λ + (m·v − 1)·T over τ,   F_1 = v·S over σ,   J = F_0 + F_1
//
// Options refer to arcs of the network. nil: there is no such path, or where the graph
// would be too large without them, none that may have a value of at most most. The error
// says that it is too large all the same.
func (n *network) graph(most, update int64) (*path.Problem, error) {
	p, err := n.graphOf(n.useful(far, update))
	if err != nil {
		return n.graphOf(n.useful(most, update))
	}
	return p, nil
}

// graphOf is the stage graph of some arcs.
func (n *network) graphOf(keep []bool) (*path.Problem, error) {
	number := make([]int, n.nodes)
	used := make([]bool, n.nodes)
	for i := range n.arcs {
		if keep[i] {
			used[n.arcs[i].from], used[n.arcs[i].to] = true, true
		}
	}
	if n.end < 0 || !used[n.end] {
		return nil, nil
	}
	count := 1
	for _, s := range n.start {
		used[s] = false // all are boundary 0
	}
	for id := range used {
		if used[id] && int32(id) != n.end {
			number[id] = count
			count++
		}
	}
	number[n.end] = count
	count++
	if count > mostBoundaries {
		return nil, fmt.Errorf("%d boundaries, over %d", count, mostBoundaries)
	}
	p := &path.Problem{
		Boundaries: count, Class: make([]int32, count*count), Resources: []path.Resource{{Capacity: n.pp}},
		Phases: [2]path.Phase{{Sum: 1, Peak: n.peakWeight()}, {Peak: int64(n.s.Virtual)}},
		Weight: [2]int64{1, 1}, Limit: [2]int64{path.NoLimit, path.NoLimit},
	}
	for i := range p.Class {
		p.Class[i] = -1
	}
	for i := range n.arcs {
		if !keep[i] {
			continue
		}
		a := &n.arcs[i]
		p.Class[number[a.from]*count+number[a.to]] = int32(len(p.Options))
		p.Options = append(p.Options, []path.Option{{Units: 1, Time: [2]int64{a.time, a.once[0]}, Ref: int32(i)}})
	}
	return p, nil
}

// useful tells which arcs lie on a path with U ≤ update that may have a value of at most
// most, by the least sums on both sides and the least T, S and U of all paths.
func (n *network) useful(most, update int64) []bool {
	keep := make([]bool, len(n.arcs))
	w := &walker{n: n}
	within := caps{far, [2]int64{far, update}}
	flat := w.least(peakOfTimes, within)
	if flat == nil {
		return keep
	}
	low := [2]int64{w.least(peakOfSync, within).once[0], w.least(peakOfUpdate, within).once[1]}
	there, back := make([]int64, n.nodes), make([]int64, n.nodes)
	for i := range there {
		there[i], back[i] = far, far
	}
	for _, s := range n.start {
		there[s] = 0
	}
	back[n.end] = 0
	for i := range n.arcs {
		if a := &n.arcs[i]; a.once[1] <= update {
			there[a.to] = min(there[a.to], there[a.from]+a.time)
		}
	}
	for i := len(n.arcs) - 1; i >= 0; i-- {
		if a := &n.arcs[i]; a.once[1] <= update {
			back[a.from] = min(back[a.from], back[a.to]+a.time)
		}
	}
	for i := range n.arcs {
		a := &n.arcs[i]
		if a.once[1] > update || there[a.from] >= far || back[a.to] >= far {
			continue
		}
		once := [2]int64{max(low[0], a.once[0]), max(low[1], a.once[1])}
		keep[i] = n.value(there[a.from]+a.time+back[a.to], max(flat.peak, a.time), once) <= most
	}
	return keep
}

// trip is the path of stages of the graph.
func (n *network) trip(p *path.Problem, stages []path.Stage) *trip {
	t := &trip{}
	for _, s := range stages {
		i := p.Options[s.Class][s.Option].Ref
		t.add(i, &n.arcs[i])
	}
	return t
}

// pathSolver solves stage graphs as path.Solve does.
type pathSolver func(ctx context.Context, p *path.Problem, opts path.Options) (path.Result, error)

// bestBy is best by a solver of stage graphs: for each bound u on U the best path without
// U. A path worth less than the best one with U ≤ u has a smaller U than that, so the next u
// is below it. The status is Optimal, Infeasible (no path of at most most) or that of the
// solver where it gave up.
func (n *network) bestBy(ctx context.Context, solve pathSolver, most int64) (best *trip, status solver.Status, err error) {
	light := (&walker{n: n}).least(peakOfUpdate, free)
	if light == nil {
		return nil, solver.Infeasible, nil
	}
	fee := int64(n.s.Virtual) * light.once[1]
	for update := int64(far); update >= light.once[1]; {
		p, err := n.graph(most, update)
		if err != nil {
			return nil, solver.Unsupported, err
		}
		if p == nil {
			break
		}
		var opts path.Options
		if most < far {
			below := most - fee + 1
			opts.Cutoff = &below
		}
		res, err := solve(ctx, p, opts)
		if err != nil {
			return nil, solver.Unknown, err
		}
		var t *trip
		if res.Stages != nil {
			t = n.trip(p, res.Stages)
			if v := n.value(t.sum, t.peak, t.once); v <= most {
				best, most = t, v-1
			}
		}
		switch {
		case res.Status == solver.Infeasible:
			update = -1
		case res.Status != solver.Optimal:
			return best, res.Status, nil
		default:
			update = t.once[1] - 1
		}
	}
	if best == nil {
		return nil, solver.Infeasible, nil
	}
	return best, solver.Optimal, nil
}
