package dagcheck

import (
	"fmt"

	"partita/results/dagcheck/dot"
)

// rule is one rule of a deployment DAG.
type rule struct {
	name  string
	about string // what holds where it holds
	unit  string // what it is counted on
	check func(c *check)
}

// rules in the order of the report.
func rules() []rule {
	return []rule{
		{"phase", "directed; one graph a phase", "graph", checkPhase},
		{"shape", "the outline fits what the node does", "node", checkShape},
		{"gpu", "each GPU named, each with a cluster", "node", checkGPU},
		{"cluster", "one cluster a GPU, its work inside", "node", checkCluster},
		{"dimensions", "Input and Output with their dimensions", "node", checkDimensions},
		{"agreement", "shapes agree; all tensors come and go", "edge", checkAgreement},
		{"traffic", "only communication between GPUs", "edge", checkTraffic},
		{"participants", "collectives name the GPUs they join", "node", checkParticipants},
		{"layers", "layers ascend, and labels say the same", "node", checkLayers},
		{"residual", "two inputs of one shape from two sources", "node", checkResidual},
		{"acyclic", "no way leads back", "node", checkAcyclic},
		{"ends", "one input, one output, no loose ends", "node", checkEnds},
		{"decode", "one new token, no sequence split", "node", checkDecode},
		{"kv", "KV written on its GPU before it is read", "node", checkKV},
		{"gate", "selections dashed, and nothing else", "edge", checkGate},
		{"experts", "a home for every expert", "layer", checkExperts},
		{"conservation", "collectives, splits, joins lose nothing", "node", checkConservation},
		{"plan", "GPUs, layers, stages as in the plan", "node", checkPlan},
	}
}

// check is one rule at work on one graph.
type check struct {
	*graph
	rule    *rule
	options Options
	file    *Report
	applied int
	broken  int
	found   []Finding
	// unchecked says why the rule could not be checked, on the graph or on some of it.
	unchecked string
}

// wrong notes that the rule is broken somewhere.
func (c *check) wrong(at dot.Pos, format string, args ...any) {
	c.broken++
	if len(c.found) < c.options.Most {
		c.found = append(c.found, Finding{File: c.file.File, Line: int(at.Line), Col: int(at.Col), Rule: c.rule.name, Message: fmt.Sprintf(format, args...)})
	}
}

// wrongNode is wrong at a node; the message goes on after its name.
func (c *check) wrongNode(n int32, format string, args ...any) {
	c.broken++
	if len(c.found) < c.options.Most {
		c.broken--
		c.wrong(c.nodes[n].at, "%s %s", c.describe(n), fmt.Sprintf(format, args...))
	}
}

// describe names a node in a message.
func (g *graph) describe(n int32) string {
	if title := g.titles.texts[g.nodes[n].title]; title != "" {
		return fmt.Sprintf("%q (%s)", clip(g.names[n]), clip(title))
	}
	return fmt.Sprintf("%q", clip(g.names[n]))
}

// all applies a rule to every node that it is about.
func (c *check) all(about func(n int32) bool, do func(n int32)) {
	for i := range c.nodes {
		if n := int32(i); about == nil || about(n) {
			c.applied++
			do(n)
		}
	}
}

// moves reports whether a node is communication: by its operator, or else its outline.
func (g *graph) moves(n int32) bool {
	if s := g.nodes[n].op.shape(); s != noShape {
		return s == ellipse
	}
	return g.nodes[n].shape == ellipse
}

// routes reports whether a node is routing, splitting or joining.
func (g *graph) routes(n int32) bool {
	if s := g.nodes[n].op.shape(); s != noShape {
		return s == parallelogram
	}
	return g.nodes[n].shape == parallelogram
}

// names lists GPUs in a message.
func (g *graph) gpuNames(ids []uint32) string {
	const most = 8
	text := ""
	for i, id := range ids {
		if i == most {
			return fmt.Sprintf("%s and %d more", text, len(ids)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += clip(g.gpus.names.texts[id])
	}
	if text == "" {
		return "none"
	}
	return text
}
