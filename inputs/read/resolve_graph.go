package read

import (
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"partita/inputs"
	"partita/inputs/opgraph"
)

// readGraph reads the operator graph that a condition names; its path is relative to the
// file that names it.
func (d *draft) readGraph() {
	if path, data, ok := d.named(d.graphFile); ok {
		d.operatorGraph(path, data, d.graphFile.rank)
	}
}

// operatorGraph reads a graph as the model. One of a higher rank replaces another.
func (d *draft) operatorGraph(file string, data []byte, r rank) {
	if d.graph != nil && d.graphRank == r {
		d.problem(inputs.Place{File: file}, "an operator graph is given here and by "+d.graphSource, "one model", "keep one of them")
		return
	}
	if d.graph != nil && d.graphRank > r {
		return
	}
	m, err := opgraph.ParseModel(file, untabbed(data))
	if err != nil {
		if problems, ok := err.(inputs.Diagnostics); ok {
			d.problems = append(d.problems, problems...)
		}
		return
	}
	d.graph, d.graphSource, d.graphRank = m, file, r
	s := d.say(inputs.Place{File: file, Line: 1}, fmt.Sprintf("%d nodes, %d edges", len(m.Graph.Nodes), len(m.Graph.Edges)))
	d.used(s, "model: operator graph")
	for _, field := range m.Ignored {
		d.used(d.say(inputs.Place{File: file, Line: 1}, field), "not used: the devices are those of the condition")
	}
}

// resolveGraph makes the condition of an operator graph: its costs are in the file, so all
// that speaks of tokens or of a chain of layers is a problem, told where it stands.
func (d *draft) resolveGraph(lib library, c *inputs.Condition) {
	c.Model = d.graphModel()
	c.Places = inputs.Places{}
	c.Cluster = d.resolveCluster(lib, c.Model, c.Places)
	c.Workload.Phase = inputs.Inference
	if c.Model.Graph.Training() {
		c.Workload.Phase = inputs.Training
	}
	c.Goal = d.graphGoal()
	d.checkPrices(c.Goal, c.Cluster)
	d.refuseForGraph("workload.", "an operator graph has no tokens: its costs are those of a sample", "leave it out")
	d.refuseForGraph("strategy.", "an operator graph takes no given strategy", "leave it out: `partita solve` finds the best placement")
	d.refuseForGraph("engine", "no serving engine takes an operator graph", "leave it out")
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		if !p.Count.Stated() {
			d.problem(c.Places.First(inputs.PoolKey(k, inputs.PoolCount)), fmt.Sprintf("the number of GPUs of pool %q is not one number", p.Name), "a stated number for an operator graph", "such as `count: 8`")
		}
	}
	d.checkTimes(c)
}

// graphModel is a graph as the model. Beside it the name and the number formats may be
// stated: the format decides the peak compute that work in FLOP is priced at.
func (d *draft) graphModel() inputs.Model {
	m := inputs.Model{Graph: d.graph.Graph, Provenance: "operator graph " + d.graphSource, FFNScale: 1, Kinds: []inputs.LayerKind{}, Layers: []int{}}
	name, stated := get[string](d, "model.name")
	switch {
	case stated:
		m.Name = name
	case d.graph.Name != "":
		m.Name = d.graph.Name
	default:
		base := filepath.Base(d.graphSource)
		m.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if d.model != nil {
		d.problem(inputs.Place{File: d.modelSource}, "a config.json beside the operator graph "+d.graphSource, "one model", "keep one of them")
	}
	for _, path := range d.paths("model.") {
		switch path {
		case "model.name", "model.precision", "model.activation_precision":
			continue
		}
		d.problem(d.place(path), path+" beside an operator graph", "the graph alone: its nodes have the costs", "leave it out")
	}
	if m.Weights, stated = get[inputs.DType](d, "model.precision"); !stated {
		m.Weights = inputs.BF16
		if d.worked() {
			d.assume("number format", string(m.Weights), "no precision is stated: it decides the peak compute that the graph's FLOP are priced at")
		}
	}
	if m.Activation, stated = get[inputs.DType](d, "model.activation_precision"); !stated {
		m.Activation = inputs.BF16
		if m.Weights.Bytes() >= 2 {
			m.Activation = m.Weights
		}
	}
	m.KV = m.Activation
	return m
}

// worked reports whether a node states its work rather than a time alone.
func (d *draft) worked() bool {
	return slices.ContainsFunc(d.graph.Graph.Nodes, func(n inputs.GraphNode) bool { return n.FLOPs != nil })
}

// paths are the stated keys under a prefix, sorted.
func (d *draft) paths(prefix string) []string {
	var out []string
	for path := range d.facts {
		if strings.HasPrefix(path, prefix) {
			out = append(out, path)
		}
	}
	sort.Strings(out)
	return out
}

// refuseForGraph reports what is stated and says nothing of an operator graph.
func (d *draft) refuseForGraph(prefix, why, hint string) {
	for _, path := range d.paths(prefix) {
		d.problem(d.place(path), path+": "+why, "a condition without it", hint)
	}
}

// graphGoal reads the goal. The proved objective is the throughput of the pipeline, and of
// the requirements those are judged that it decides.
func (d *draft) graphGoal() inputs.Goal {
	stated := d.has("goal.objective")
	if !stated {
		d.assume("objective", string(inputs.Throughput), "the objective that is proved for an operator graph: most samples per second")
	}
	before := len(d.assumptions)
	g := d.resolveGoal()
	d.assumptions = d.assumptions[:before] // "balanced" is not what holds here
	switch {
	case !stated:
		g.Objective = inputs.Throughput
	case g.Objective != inputs.Throughput:
		d.problem(d.place("goal.objective"), fmt.Sprintf("objective %s for an operator graph", g.Objective), string(inputs.Throughput), "the latency of a sample is reported beside it")
	}
	for _, path := range d.paths("goal.weights.") {
		d.problem(d.place(path), path+": an operator graph is placed for throughput alone", "no weights", "leave it out")
	}
	if g.Placement != "" && g.Placement != inputs.Pipeline {
		d.problem(d.place("goal.placement"), fmt.Sprintf("placement %s of an operator graph", g.Placement), string(inputs.Pipeline), "leave it out")
	}
	if g.Balance != nil {
		d.problem(d.place("goal.balance"), "a balance cannot be asked of an operator graph", "no balance", "leave it out: the fullest stage is the least there is, and the report has the balance")
	}
	for _, q := range g.Requirements {
		switch q.Kind {
		case inputs.SamplesPerS, inputs.CostUSDPerHour:
		case inputs.EndToEnd:
			d.problem(q.Place, "requirement e2e: the latency of a sample is reported, not searched for", "samples_per_s or cost_per_hour", "leave it out")
		default:
			d.problem(q.Place, fmt.Sprintf("requirement %s: an operator graph has no tokens", q.Kind), "samples_per_s or cost_per_hour", "state samples per second")
		}
	}
	return g
}

// checkTimes asks that every node has a time on every pool, and tells where one figure
// stands for unlike GPUs.
func (d *draft) checkTimes(c *inputs.Condition) {
	known := map[string]bool{}
	for k := range c.Cluster.Pools {
		known[c.Cluster.Pools[k].Accelerator.Name] = true
	}
	anywhere := 0
	for i := range c.Model.Graph.Nodes {
		n := &c.Model.Graph.Nodes[i]
		if n.FLOPs == nil && n.TimeMS != nil {
			anywhere++
		}
		for k := range c.Cluster.Pools {
			p := &c.Cluster.Pools[k]
			if _, measured := n.TimesMS[p.Accelerator.Name]; measured || n.FLOPs != nil || n.TimeMS != nil {
				continue
			}
			d.problem(n.Place, fmt.Sprintf("%s has no time on %q", n.Label(), p.Accelerator.Name), "times."+p.Accelerator.Name+" in ms, or flops", "")
		}
	}
	if anywhere > 0 && len(known) > 1 {
		d.warn("%s has one time for %d nodes and does not say on which accelerator: it is taken for each of the unlike GPUs; state times by accelerator, or flops", d.graphSource, anywhere)
	}
}
