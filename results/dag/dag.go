package dag

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"partita/inputs"
	"partita/results"
)

// Options choose how a plan is drawn.
type Options struct {
	// Folded draws once what is alike: layers, replicas, experts of a GPU.
	Folded bool
}

// Errors of a plan that cannot be drawn.
var (
	ErrNoPlan = errors.New("there is no plan to draw: solve first")
	// ErrNoDeployment is the error of a plan of format 1.
	ErrNoDeployment = errors.New("the plan has no deployment (format_version 1): it does not say which model it is for; solve the condition again with this version")
	// ErrLanes is the error of machines that share layers.
	ErrLanes = errors.New("the plan is of lanes: a graph draws one way through the GPUs, and sequences take several")
	// ErrTraining is the error of a training step of a model of layers.
	ErrTraining = errors.New("the plan is of a training step: graphs of operators are those of serving, one pass forward")
)

// Write draws a plan: one graph a phase, one after the other. Same plan, same bytes.
func Write(w io.Writer, p *results.Plan, o Options) error {
	if isNetwork(p) {
		g, err := newNetwork(p)
		if err != nil {
			return err
		}
		out := &pen{w: w, folded: o.Folded, weight: 1}
		g.draw(out, o.Folded)
		return out.err
	}
	phases, err := phasesOf(p)
	if err != nil {
		return err
	}
	out := &pen{w: w, folded: o.Folded, weight: 1}
	for i := range phases {
		phases[i].draw(out, o.Folded)
	}
	return out.err
}

// Nodes is the number of nodes that Write draws, over all graphs of the file. Layers and
// replicas that are alike are counted once and multiplied.
func Nodes(p *results.Plan, o Options) (int64, error) {
	if isNetwork(p) {
		g, err := newNetwork(p)
		if err != nil {
			return 0, err
		}
		count := &pen{folded: o.Folded, weight: 1}
		g.draw(count, o.Folded)
		return count.nodes, nil
	}
	phases, err := phasesOf(p)
	if err != nil {
		return 0, err
	}
	count := &pen{folded: o.Folded}
	for i := range phases {
		phases[i].draw(count, o.Folded)
	}
	return count.nodes, nil
}

// graph is one phase of a plan as it is drawn.
type graph struct {
	plan     *results.Plan
	phase    *results.PhasePlan
	model    *inputs.Model
	cluster  *inputs.Cluster
	decode   bool
	batch    int // sequences in flight over all replicas
	parts    int // micro-batches of a replica, or decode groups
	seqLen   int // new tokens of a sequence
	context  int // tokens that a new one may attend to, in decode
	replicas [][]*results.Stage
	pools    map[string]*inputs.Pool
	names    *names
	gpus     int // of all replicas
}

// phasesOf lists the graphs of a plan: prefill and decode of what serves both.
func phasesOf(p *results.Plan) ([]graph, error) {
	if p == nil || len(p.Phases) == 0 {
		return nil, ErrNoPlan
	}
	if p.Deployment == nil {
		return nil, ErrNoDeployment
	}
	var out []graph
	for i := range p.Phases {
		ph := &p.Phases[i]
		if ph.Phase == inputs.Training {
			return nil, ErrTraining
		}
		if ph.Lanes != nil {
			return nil, ErrLanes
		}
		if ph.Phase != inputs.Decode {
			g, err := newGraph(p, ph, false)
			if err != nil {
				return nil, err
			}
			out = append(out, *g)
		}
		if ph.Phase != inputs.Prefill {
			g, err := newGraph(p, ph, true)
			if err != nil {
				return nil, err
			}
			out = append(out, *g)
		}
	}
	return out, nil
}

func newGraph(p *results.Plan, ph *results.PhasePlan, decode bool) (*graph, error) {
	d := p.Deployment
	g := &graph{plan: p, phase: ph, model: &d.Model, cluster: &d.Cluster, decode: decode,
		batch: p.BatchOf(ph), parts: ph.Strategy.MicroBatches, seqLen: d.Workload.Input.Max, pools: map[string]*inputs.Pool{}}
	if decode {
		// The context of a decode step is the one that it is priced at.
		g.parts, g.seqLen = ph.Strategy.DecodeGroups, 1
		g.context = d.Workload.Input.Mid() + ceil(d.Workload.Output.Mid(), 2) + 1
	}
	for k := range d.Cluster.Pools {
		g.pools[d.Cluster.Pools[k].Name] = &d.Cluster.Pools[k]
	}
	var ids []string
	for i := range ph.Stages {
		s := &ph.Stages[i]
		if err := g.place(s); err != nil {
			return nil, fmt.Errorf("the plan cannot be drawn: replica %d, stage %d: %w", s.Replica, s.Index, err)
		}
		ids = append(ids, s.GPUs...)
	}
	if len(g.replicas) == 0 || g.parts < 1 || g.batch < len(g.replicas) || g.seqLen < 1 {
		return nil, fmt.Errorf("the plan cannot be drawn: %d replicas, %d micro-batches or groups of each, %d sequences of %d new tokens",
			len(g.replicas), g.parts, g.batch, g.seqLen)
	}
	for r, stages := range g.replicas {
		if last := stages[len(stages)-1].LastLayer; last != len(d.Model.Layers)-1 {
			return nil, fmt.Errorf("the plan cannot be drawn: replica %d ends with layer %d of %d", r, last, len(d.Model.Layers))
		}
	}
	g.names, g.gpus = newNames(ids), len(ids)
	return g, nil
}

// place adds a stage to its replica, if it can be drawn there.
func (g *graph) place(s *results.Stage) error {
	first := 0
	switch {
	case s.Replica == len(g.replicas) && s.Index == 0:
		g.replicas = append(g.replicas, nil)
	case s.Replica != len(g.replicas)-1 || s.Index != len(g.replicas[s.Replica]):
		return errors.New("stages are not in order")
	default:
		first = g.replicas[s.Replica][s.Index-1].LastLayer + 1
	}
	if s.FirstLayer != first || s.LastLayer < first || s.LastLayer >= len(g.model.Layers) {
		return fmt.Errorf("layers %d to %d where layer %d of %d is next", s.FirstLayer, s.LastLayer, first, len(g.model.Layers))
	}
	if min(s.TP, s.CP, s.DPAttention, s.EP, s.ETP) < 1 || s.TP*s.CP*s.DPAttention != len(s.GPUs) || s.EP*s.ETP != len(s.GPUs) {
		return fmt.Errorf("%d GPUs for TP %d × CP %d × attention DP %d, experts EP %d × ETP %d", len(s.GPUs), s.TP, s.CP, s.DPAttention, s.EP, s.ETP)
	}
	if g.decode && s.CP > 1 {
		return fmt.Errorf("CP %d splits new tokens, and a decode step has one", s.CP)
	}
	if g.pools[s.Pool] == nil {
		return fmt.Errorf("pool %q is not in the deployment", s.Pool)
	}
	var seen []int
	for _, kind := range g.model.Layers[s.FirstLayer : s.LastLayer+1] {
		if slices.Contains(seen, kind) {
			continue
		}
		seen = append(seen, kind)
		if err := divides(&g.model.Kinds[kind], s); err != nil {
			return err
		}
	}
	g.replicas[s.Replica] = append(g.replicas[s.Replica], s)
	return nil
}

// divides tells whether a kind of layer splits into whole numbers.
func divides(k *inputs.LayerKind, s *results.Stage) error {
	f := &k.FFN
	type split struct {
		what         string
		width, parts int
	}
	splits := []split{{"attention heads", k.Attention.Heads, s.TP}}
	if f.Experts > 0 {
		splits = append(splits, split{"experts", f.Experts, s.EP}, split{"the width of an expert", f.Intermediate, s.ETP}, split{"the width of shared experts", f.Shared, s.TP})
	} else {
		splits = append(splits, split{"the feed-forward width", f.Intermediate, s.TP})
	}
	for _, p := range splits {
		if p.width%p.parts != 0 {
			return fmt.Errorf("%s, %d, do not divide over %d GPUs", p.what, p.width, p.parts)
		}
	}
	return nil
}
