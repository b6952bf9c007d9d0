package published

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"partita/formulation/encode"
	"partita/inputs/instance"
	"partita/results"
	"partita/solver"
	"partita/solver/path"
)

// series is a chain as stage graphs. Only the order of the throughputs matters for the
// slowest stage, so the time of a stage is the rank of its throughput: an integer that
// rounds nothing. The tables need not fall with the layers: every entry counts, and none
// is left out for a longer one.
type series struct {
	chain  *instance.Chain
	ranked []float64 // tokens/s by rank, fastest first
}

func newSeries(c *instance.Chain) *series {
	s := &series{chain: c}
	for k := range c.Machines {
		s.ranked = append(s.ranked, s.table(k)...)
	}
	slices.Sort(s.ranked)
	s.ranked = slices.Compact(s.ranked)
	slices.Reverse(s.ranked)
	return s
}

// table is the part of a type's table that can be used.
func (s *series) table(k int) []float64 {
	m := &s.chain.Machines[k]
	if m.Count == 0 {
		return nil
	}
	return m.Throughput[:min(len(m.Throughput), s.chain.Layers)]
}

// rank counts from 1, the fastest.
func (s *series) rank(tokens float64) int64 {
	i, _ := slices.BinarySearchFunc(s.ranked, tokens, func(x, want float64) int {
		switch {
		case x > want:
			return -1
		case x < want:
			return 1
		}
		return 0
	})
	return int64(i) + 1
}

// graph is a stage graph whose arcs of one length cost the same; options are by length,
// from 1.
func (s *series) graph(options [][]path.Option, capacity func(k int) int) *path.Problem {
	n := s.chain.Layers + 1
	p := &path.Problem{
		Boundaries: n, Class: make([]int32, n*n), Options: options,
		Phases: [2]path.Phase{{Peak: 1}, {}}, Weight: [2]int64{1, 0}, Limit: [2]int64{path.NoLimit, path.NoLimit},
	}
	for a := range n {
		for b := range n {
			p.Class[a*n+b] = -1
			if layers := b - a; layers > 0 && layers <= len(options) && len(options[layers-1]) > 0 {
				p.Class[a*n+b] = int32(layers - 1)
			}
		}
	}
	for k := range s.chain.Machines {
		p.Resources = append(p.Resources, path.Resource{Capacity: capacity(k)})
	}
	return p
}

// machines is the chain as it stands: an arc is a machine, those of a type are counted.
func (s *series) machines() *path.Problem {
	var options [][]path.Option
	for k := range s.chain.Machines {
		for i, tokens := range s.table(k) {
			if i == len(options) {
				options = append(options, nil)
			}
			options[i] = append(options[i], path.Option{Resource: int32(k), Units: 1, Time: [2]int64{s.rank(tokens), 0}, Ref: int32(k)})
		}
	}
	return s.graph(options, func(k int) int { return s.chain.Machines[k].Count })
}

// solution is a path over machines in the numbers of the chain, with its slowest stage.
func (s *series) solution(p *path.Problem, stages []path.Stage) (*results.PlacedSolution, float64) {
	out, slowest := &results.PlacedSolution{}, s.ranked[0]
	used := make([]int, len(s.chain.Machines))
	for _, st := range stages {
		k := p.Options[st.Class][st.Option].Ref
		m := s.chain.Machines[k]
		tokens := m.Throughput[st.To-st.From-1]
		slowest = min(slowest, tokens)
		out.Stages = append(out.Stages, results.PlacedStage{FirstLayer: st.From, LastLayer: st.To - 1, Machine: m.Type, Index: used[k], TokensPerS: tokens})
		used[k]++
	}
	return out, slowest
}

// confirmLimit bounds the second proof of auto.
const confirmLimit = 10 * time.Second

func solveSeries(ctx context.Context, c *instance.Chain, o Options, a *answer) error {
	var note string
	var value float64
	if c.Recorded != nil {
		value, note = c.Recorded.Value, c.Recorded.Note
	}
	a.known(value, note, c.SeriesOptimum)
	s := newSeries(c)
	if len(s.ranked) == 0 { // no machine at all
		a.Backend, a.status, a.Because = Labels, solver.Infeasible, "there is no machine"
		return nil
	}
	plain := s.machines()
	r, name, err := s.prove(ctx, plain, o)
	if err != nil {
		return err
	}
	a.Backend, a.status = name, r.Status
	if r.Stages != nil {
		a.found(s.solution(plain, r.Stages))
	}
	if r.HasBound && r.Status != solver.Infeasible {
		i := min(max(r.Bound, 1), int64(len(s.ranked)))
		a.bounded(s.ranked[i-1])
	}
	switch r.Status {
	case solver.Optimal:
		a.Because = "no path of the stage graph has a faster slowest stage"
	case solver.Infeasible:
		a.Because = "the machines cannot hold all layers"
	default:
		return nil
	}
	a.AgreedBy = []string{name}
	return s.confirm(ctx, plain, r, o, a)
}

// prove solves the chain by the backend that is asked for; the stages are machines. ILP
// takes the machines as they stand; labels and SAT, which count badly over many unlike
// resources, take whole blocks (blocks.go), which changes no optimum.
func (s *series) prove(ctx context.Context, plain *path.Problem, o Options) (path.Result, string, error) {
	solve, name := path.Solve, Labels
	if o.Backend == ILP || o.Backend == SAT {
		b, err := o.open(o.Backend)
		if err != nil {
			return path.Result{}, "", err
		}
		solve, name = encode.Prover(b, o.Log), o.Backend
	}
	if name == ILP {
		r, err := solve(ctx, plain, path.Options{})
		return r, name, err
	}
	x, err := s.blocks(ctx)
	if err != nil { // the context ended
		return path.Result{Status: solver.ContextStatus(ctx)}, name, nil
	}
	p := x.once()
	if name == SAT {
		if p = x.inOrder(); p == nil {
			return path.Result{}, "", refuse("--backend sat takes chains of up to %d types × layers; want labels or ilp", mostOrdered)
		}
	}
	r, err := solve(ctx, p, path.Options{})
	if err == nil && r.Stages != nil {
		r.Stages = x.apart(p, plain, r.Stages)
		r.Value, err = plain.Evaluate(r.Stages)
	}
	return r, name, err
}

// confirm has a second backend prove the answer of auto again: SAT, whose refutations are
// exact, or ILP where there is none or the chain is too large for it. One that contradicts
// the first is an error: one of them is wrong, nothing is proved.
func (s *series) confirm(ctx context.Context, plain *path.Problem, first path.Result, o Options, a *answer) error {
	if o.Backend != "" && o.Backend != Auto {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	for _, name := range []string{SAT, ILP} {
		o.Backend = name
		o.log("%s: second proof by %s", a.Name, name)
		second, _, err := s.prove(ctx, plain, o)
		var refused *RefusedError
		switch {
		case errors.As(err, &refused): // not built in, or too large for it
			continue
		case err != nil: // the first proof stands alone
			o.log("%s: second proof by %s: %v", a.Name, name, err)
		case second.Status == first.Status && second.Value.Objective == first.Value.Objective:
			a.AgreedBy = append(a.AgreedBy, name)
		case second.Status == solver.Optimal || second.Status == solver.Infeasible:
			return fmt.Errorf("%s: %s and %s contradict each other; one of them is wrong, so nothing is reported as optimal", a.Name, a.Backend, name)
		}
		return nil
	}
	return nil
}
