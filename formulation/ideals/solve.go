package ideals

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
)

// Resolution is the relative difference of values below which Solve does not tell two
// placements apart; every node adds a little, for values are sums of floating point
// numbers. The search itself counts in ticks, of 2^-58 of the sum of all times or less.
const (
	Resolution      = 1e-12
	roundingPerNode = 1.0 / (1 << 51)
)

// Options of a search; the zero value is the default.
type Options struct {
	// Memory is about how many bytes the ideals and labels of the search may take; 0:
	// 512 MiB.
	Memory int64
	// Workers expand ideals at the same time where there are many; 0: as many as Go runs
	// threads. The solution is the same for any number.
	Workers int
	// Stages is the number of stages after whose visit the search gives up; 0: none. Unlike
	// a deadline it stops the search at the same place every time.
	Stages int64
	// Below: only placements whose largest load is less are of interest, in ms; 0: all.
	// Where none is the status is Infeasible, and that is proved.
	Below float64
}

const defaultMemory = 512 << 20

// Solve finds the contiguous placement with the smallest largest load and proves it.
//
// It is anytime: when the context ends, or one of the limits of opts is reached, it
// returns what it has and a bound; Status is TimeLimit or Interrupted, and Unknown at a
// limit of opts. An error is a problem that makes no sense.
func Solve(ctx context.Context, p *Problem, opts Options) (*Solution, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if opts.Memory <= 0 {
		opts.Memory = defaultMemory
	}
	if opts.Stages <= 0 {
		opts.Stages = math.MaxInt64
	}
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{ctx: ctx, p: p, k: newCore(p), workers: opts.Workers, memory: opts.Memory, stages: opts.Stages}
	r.best.Value = math.Inf(1)
	if opts.Below > 0 {
		r.best.Value = opts.Below
	}
	r.weights = r.k.weightings()
	r.finish(r.solve())
	return &r.best, nil
}

// Place solves a graph of the dnn-partitioning form; devices are numbered as the graph
// numbers them.
func Place(ctx context.Context, g *opgraph.Graph, opts Options) (assignment.Result, error) {
	s, err := Solve(ctx, FromGraph(g), opts)
	if err != nil {
		return assignment.Result{}, fmt.Errorf("%s: %w", g.Name, err)
	}
	out := assignment.Result{Status: s.Status, Value: math.Inf(1), Bound: s.Bound, Explored: s.Explored, Because: s.Because}
	if s.Stages == nil {
		return out, nil
	}
	next := [2]int{accelerators: 0, cores: g.Accelerators}
	out.Device, out.Value = make([]int, len(g.Nodes)), 0
	for _, stage := range s.Stages {
		for _, v := range stage.Nodes {
			out.Device[v] = next[stage.Class]
		}
		next[stage.Class]++
	}
	for _, load := range assignment.Loads(g, out.Device) {
		out.Value = max(out.Value, load)
	}
	return out, nil
}
