package dag

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
	"partita/results"
)

// network is a plan of an operator graph as it is drawn: each operator once a replica, on
// the GPU of its stage, and a send and a receive for every output that another GPU takes.
//
// A tensor is the output of one operator, [node_<id>=1], with its bytes where the graph
// has them: the graph knows no other dimensions. layer is the place of an operator in the
// order of the stages, as first_layer and last_layer of the plan count.
type network struct {
	plan     *results.Plan
	phase    *results.PhasePlan
	graph    *inputs.Graph
	next     [][]int // consumers of a node, each once
	before   [][]int
	replicas [][]*results.Stage
	home     [][]int // stage of a node, by replica
	place    []int   // of a node in the order of the stages
	names    *names
}

// isNetwork reports whether a plan is of an operator graph.
func isNetwork(p *results.Plan) bool {
	return p != nil && p.Deployment != nil && p.Deployment.Model.Graph != nil
}

func newNetwork(p *results.Plan) (*network, error) {
	if len(p.Phases) != 1 {
		return nil, fmt.Errorf("the plan cannot be drawn: %d phases of an operator graph", len(p.Phases))
	}
	g := &network{plan: p, phase: &p.Phases[0], graph: p.Deployment.Model.Graph}
	n := len(g.graph.Nodes)
	index := make(map[int]int, n)
	for v := range g.graph.Nodes {
		index[g.graph.Nodes[v].ID] = v
	}
	g.next, g.before, g.place = make([][]int, n), make([][]int, n), make([]int, n)
	seen := make(map[inputs.GraphEdge]bool, len(g.graph.Edges))
	for _, e := range g.graph.Edges {
		if e.From < 0 || e.To < 0 || e.From >= n || e.To >= n {
			return nil, fmt.Errorf("the plan cannot be drawn: an edge of node %d of %d", max(e.From, e.To), n)
		}
		if !seen[e] {
			seen[e] = true
			g.next[e.From], g.before[e.To] = append(g.next[e.From], e.To), append(g.before[e.To], e.From)
		}
	}
	var ids []string
	for i := range g.phase.Stages {
		s := &g.phase.Stages[i]
		if s.Replica == len(g.replicas) {
			g.replicas = append(g.replicas, nil)
			g.home = append(g.home, slices.Repeat([]int{-1}, n))
		}
		if s.Replica != len(g.replicas)-1 || s.Index != len(g.replicas[s.Replica]) || len(s.GPUs) != 1 {
			return nil, fmt.Errorf("the plan cannot be drawn: replica %d, stage %d: stages are not in order, or not on one GPU each", s.Replica, s.Index)
		}
		for k, id := range s.Nodes {
			v, known := index[id]
			if !known || g.home[s.Replica][v] >= 0 {
				return nil, fmt.Errorf("the plan cannot be drawn: replica %d, stage %d: node %d is unknown or drawn already", s.Replica, s.Index, id)
			}
			g.home[s.Replica][v], g.place[v] = s.Index, s.FirstLayer+k
		}
		g.replicas[s.Replica] = append(g.replicas[s.Replica], s)
		ids = append(ids, s.GPUs...)
	}
	for r := range g.home {
		if v := slices.Index(g.home[r], -1); v >= 0 {
			return nil, fmt.Errorf("the plan cannot be drawn: replica %d: %s is on no stage", r, g.graph.Nodes[v].Label())
		}
	}
	if len(g.replicas) == 0 {
		return nil, ErrNoPlan
	}
	g.names = newNames(ids)
	return g, nil
}

// sets are the replicas that are drawn as one: all that hold the same, or each alone.
func (g *network) sets(folded bool) [][]int {
	var out [][]int
	for r := range g.replicas {
		i := slices.IndexFunc(out, func(set []int) bool { return folded && slices.Equal(g.home[set[0]], g.home[r]) })
		if i < 0 {
			out = append(out, []int{r})
		} else {
			out[i] = append(out[i], r)
		}
	}
	return out
}

// gpusOf are the GPUs of a stage in a set of replicas.
func (g *network) gpusOf(set []int, stage int) []string {
	var gpus []string
	for _, r := range set {
		gpus = append(gpus, g.names.of(g.replicas[r][stage].GPUs[0]))
	}
	return gpus
}

// tensorOf is the output of a node.
func (g *network) tensorOf(v int) Tensor {
	n := &g.graph.Nodes[v]
	dims := []Dim{{fmt.Sprintf("node_%d", n.ID), 1}}
	if n.OutputBytes != nil && *n.OutputBytes >= 1 {
		dims = append(dims, Dim{"bytes", int(*n.OutputBytes)})
	}
	return tensor(dims...)
}

// sample is what the operators without predecessors take.
func sample() []Tensor { return []Tensor{tensor(Dim{"sample", 1})} }

// operatorName is how an operator is called in the graph: its name and id.
func operatorName(n *inputs.GraphNode) string {
	if name := escaped(n.Name); name != "" {
		return fmt.Sprintf("%s (node %d)", name, n.ID)
	}
	return fmt.Sprintf("node %d", n.ID)
}

// draw writes the graph, or counts its nodes.
func (g *network) draw(p *pen, folded bool) {
	sets := g.sets(folded)
	g.open(p, folded)
	var first, last []string // GPUs that the input goes to and the output comes from
	for _, set := range sets {
		for s := range g.replicas[set[0]] {
			in, out := g.borders(set[0], s)
			if in {
				first = append(first, g.shown(set, s)...)
			}
			if out {
				last = append(last, g.shown(set, s)...)
			}
		}
	}
	from := p.outside(&node{op: Input, name: "input", gpus: gpuLines(first), in: sample(), out: sample()})
	p.flushLoose()
	var ends []id
	for _, set := range sets {
		ends = append(ends, g.replica(p, set, from, folded)...)
	}
	var outs []Tensor
	for v := range g.graph.Nodes {
		if len(g.next[v]) == 0 {
			outs = append(outs, g.tensorOf(v))
		}
	}
	p.outside(&node{op: Output, name: "output", gpus: gpuLines(last), in: outs, out: outs}, ends...)
	p.flushLoose()
	p.text("}\n")
}

// shown are the GPUs of a stage that nodes between GPUs name: all, or the first of many.
func (g *network) shown(set []int, stage int) []string {
	gpus := g.gpusOf(set, stage)
	if len(gpus) > most {
		return gpus[:1]
	}
	return gpus
}

// borders tells whether a stage holds an operator that takes the sample, or one that gives
// a result.
func (g *network) borders(replica, stage int) (in, out bool) {
	for v, s := range g.home[replica] {
		if s == stage {
			in, out = in || len(g.before[v]) == 0, out || len(g.next[v]) == 0
		}
	}
	return in, out
}

// open writes the head of the graph.
func (g *network) open(p *pen, folded bool) {
	fold := ""
	if folded {
		fold = ", folded=true"
	}
	name := string(g.phase.Phase)
	title := fmt.Sprintf("%s: %s of %s", g.plan.Condition, name, g.plan.Deployment.Model.Name)
	p.text(fmt.Sprintf("digraph \"%s\" {\ngraph [phase=\"%s\", condition=\"%s\"%s, label=\"%s\", labelloc=t, newrank=true, fontname=\"Helvetica\"];\n",
		name, name, escaped(g.plan.Condition), fold, escaped(title)))
	p.text("node [fontname=\"Helvetica\", fontsize=10];\n")
}

// replica draws a replica, or several that are alike, and returns the operators that give
// results.
func (g *network) replica(p *pen, set []int, from id, folded bool) (ends []id) {
	home, stages := g.home[set[0]], g.replicas[set[0]]
	lanes := make([][]byte, len(stages)) // nodes, by stage
	lines := make([]string, len(stages))
	for s := range stages {
		lines[s] = gpuLine(g.shown(set, s))
	}
	drawn := make([]id, len(g.graph.Nodes))
	arrived := map[[2]int]id{} // node, stage: the receive of its output
	for v := range g.graph.Nodes {
		n := &g.graph.Nodes[v]
		in := sample()
		if len(g.before[v]) > 0 {
			in = nil
			for _, u := range g.before[v] {
				in = append(in, g.tensorOf(u))
			}
		}
		out := []Tensor{g.tensorOf(v)}
		r := &run{first: g.place[v], last: g.place[v], step: 1, attributes: fmt.Sprintf(",layer=%d", g.place[v])}
		drawn[v] = p.draw(&lanes[home[v]], &node{op: Operator, name: operatorName(n), gpus: lines[home[v]], in: in, out: out, run: r})
		if len(g.before[v]) == 0 {
			p.edge(from, drawn[v], false)
		}
		if len(g.next[v]) == 0 {
			ends = append(ends, drawn[v])
		}
	}
	for v := range g.graph.Nodes {
		out := []Tensor{g.tensorOf(v)}
		var sent id
		for _, w := range g.next[v] {
			if home[w] == home[v] {
				p.edge(drawn[v], drawn[w], false)
				continue
			}
			key := [2]int{v, home[w]}
			if arrived[key] == 0 {
				if sent == 0 {
					sent = p.draw(&lanes[home[v]], &node{op: Send, name: fmt.Sprintf("send of node %d", g.graph.Nodes[v].ID), gpus: lines[home[v]], in: out, out: out})
					p.edge(drawn[v], sent, false)
				}
				arrived[key] = p.draw(&lanes[home[w]], &node{op: Receive, name: fmt.Sprintf("receive of node %d", g.graph.Nodes[v].ID), gpus: lines[home[w]], in: out, out: out})
				p.edge(sent, arrived[key], false)
			}
			p.edge(arrived[key], drawn[w], false)
		}
	}
	g.clusters(p, set, lanes, folded)
	p.flushEdges()
	return ends
}

// clusters writes the GPUs of a replica with what is on them: replica, stage and GPU lie in
// each other.
func (g *network) clusters(p *pen, set []int, lanes [][]byte, folded bool) {
	if p.w == nil {
		return
	}
	label := fmt.Sprintf("replica %d", set[0])
	if n := len(set); n > 1 {
		label += fmt.Sprintf(", and %d like it", n-1)
	}
	p.text(fmt.Sprintf("subgraph \"cluster_replica_%d\" {label=\"%s\";\n", set[0], label))
	for s, stage := range g.replicas[set[0]] {
		gpus := g.gpusOf(set, s)
		p.text(fmt.Sprintf("subgraph \"cluster_replica_%d_stage_%d\" {\nlabel=\"stage %d: %d operators\";\n", set[0], s, s, len(stage.Nodes)))
		text := fmt.Sprintf("gpu=\"%s\"; ", gpus[0])
		if folded {
			text += fmt.Sprintf("gpus=\"%s\"; ", strings.Join(gpus, " "))
		}
		p.text(fmt.Sprintf("subgraph \"cluster_gpu_%s\" {\n%slabel=\"%s\\n%s, replica %d, stage %d\";\n", gpus[0], text, list(g.shown(set, s)), escaped(stage.Pool), set[0], s))
		p.write(lanes[s])
		p.text("}}\n")
	}
	p.text("}\n")
}
