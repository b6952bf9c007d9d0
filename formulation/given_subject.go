package formulation

import (
	"fmt"
	"slices"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
	"partita/results/verify"
)

// subject is a strategy ready to be priced: alike replicas of these stages. Numbers of
// micro-batches and decode groups of 0 are for the evaluation to choose, as it does for
// the heuristics.
type subject struct {
	replicas      int
	parts         []stagegraph.Part
	micro, groups int
	// ids are the GPUs of every stage, replica by replica, where a plan names them;
	// oneHost then says that each replica lies on one host.
	ids     [][]string
	oneHost bool
}

func (s *subject) proposal() heuristic.Proposal {
	return heuristic.Proposal{Replicas: s.replicas, Parts: s.parts}
}

// counts is how many GPUs it takes of each pool, over all replicas.
func (s *subject) counts(pools int) []int {
	out := make([]int, pools)
	for _, pt := range s.parts {
		out[pt.Pool] += pt.Shape.GPUs() * s.replicas
	}
	return out
}

// fromReading lays the stages of a reading onto layers and pools. Problems are what
// keeps it from being priced.
func (e *evaluation) fromReading(s *inputs.Strategy, r *reading) *subject {
	layers := e.cutOf(s, len(r.shapes))
	if layers == nil {
		return nil
	}
	out := &subject{replicas: r.replicas, micro: s.MicroBatches, groups: s.DecodeGroups}
	if s.MicroBatchSize > 0 && out.micro == 0 {
		out.micro = ceilDiv(ceilDiv(e.c.Workload.Batch, r.replicas), s.MicroBatchSize)
	}
	pools := e.poolsOf(s, r)
	at := 0
	for i, sh := range r.shapes {
		out.parts = append(out.parts, stagegraph.Part{First: at, Last: at + layers[i] - 1, Pool: pools[i], Shape: sh})
		at += layers[i]
	}
	return out
}

// cutOf is the number of layers on each stage; nil, with the problem, where the
// stated ones are not those of the model.
func (e *evaluation) cutOf(s *inputs.Strategy, stages int) []int {
	have := len(e.c.Model.Layers)
	if len(s.Layers) == 0 {
		if stages > have {
			e.problem(e.at("pp"), by(stages-have), "layers missing", "%d stages for %d layers: some would hold none", stages, have)
			return nil
		}
		cut := heuristic.EngineCut(have, stages)
		if have%stages != 0 {
			e.assume("layers of each stage", joined(cut, "+"), "not stated: cut as vLLM does where they do not divide")
		}
		return cut
	}
	sum := 0
	for _, n := range s.Layers {
		sum += n
	}
	if sum != have {
		unit := "layers missing"
		if sum > have {
			unit = "layers too many"
		}
		e.problem(e.at("layers"), by(max(have-sum, sum-have)), unit, "%s are %d layers, the model has %d", joined(s.Layers, "+"), sum, have)
		return nil
	}
	return s.Layers
}

// poolsOf is the pool of each stage: as stated, or the pools filled in their order.
func (e *evaluation) poolsOf(s *inputs.Strategy, r *reading) []int {
	have := e.c.Cluster.Pools
	out := make([]int, len(r.shapes))
	if len(s.Pools) > 0 {
		for i := range out {
			name := s.Pools[min(i, len(s.Pools)-1)]
			out[i] = slices.IndexFunc(have, func(p inputs.Pool) bool { return p.Name == name })
		}
		return out
	}
	if len(have) == 1 {
		return out
	}
	k, used := 0, 0
	for i, sh := range r.shapes {
		q := sh.GPUs() * r.replicas
		for k+1 < len(have) && have[k].Count.Max > 0 && used+q > have[k].Count.Max {
			k, used = k+1, 0
		}
		out[i] = k
		used += q
	}
	var names []string
	for _, k := range out {
		names = append(names, have[k].Name)
	}
	e.assume("pool of each stage", joinedNames(names), "not stated: the pools are filled in the order of the condition")
	return out
}

// fromPlan takes the stages of a plan as they stand. Its own figures are not looked
// at; what its strategy says and the stages do not bear out is a warning.
func (e *evaluation) fromPlan(p *results.Plan) (*subject, error) {
	found, err := verify.Stages(p, e.c)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	for _, b := range found.Broken {
		e.problem(e.source, nil, "", "%s: %s", b.Rule, b.Got)
	}
	if p.Condition != e.c.Name {
		e.warn("the plan was made for the condition %q", p.Condition)
	}
	ph := &p.Phases[0]
	if ph.Phase != e.c.Workload.Phase {
		e.warn("the plan is for the phase %s, the workload's is %s", ph.Phase, e.c.Workload.Phase)
	}
	stages := slices.Clone(ph.Stages)
	slices.SortStableFunc(stages, func(a, b results.Stage) int {
		if a.Replica != b.Replica {
			return a.Replica - b.Replica
		}
		return a.Index - b.Index
	})
	out := &subject{oneHost: found.OneHost}
	for _, s := range stages {
		out.replicas = max(out.replicas, s.Replica+1)
		e.needed += len(s.GPUs)
	}
	if len(found.Broken) > 0 {
		return nil, nil
	}
	for _, s := range stages {
		pool := slices.IndexFunc(e.c.Cluster.Pools, func(x inputs.Pool) bool { return x.Name == s.Pool })
		pt := stagegraph.Part{First: s.FirstLayer, Last: s.LastLayer, Pool: pool, Shape: shapeOfStage(&s)}
		if s.Replica == 0 {
			out.parts = append(out.parts, pt)
		} else if pt != out.parts[s.Index] {
			e.problem(e.source, nil, "", "replica %d stage %d is not like that of replica 0: replicas of a plan are alike", s.Replica, s.Index)
			return nil, nil
		}
		out.ids = append(out.ids, s.GPUs)
	}
	for _, b := range found.Stale {
		e.warn("the plan's own words are not those of its stages, which count: %s: %s", b.Rule, b.Got)
	}
	if ph.Phase == e.c.Workload.Phase {
		out.micro, out.groups = ph.Strategy.MicroBatches, ph.Strategy.DecodeGroups
	}
	return out, nil
}
