package dagcheck

import (
	"fmt"
	"slices"
	"strings"
)

// phases that a graph may draw.
var phases = []string{"prefill", "decode", "inference", "training"}

// phaseName is the phase of a graph: its attribute, or its name where that says it.
func (g *graph) phaseName() string {
	if g.phase != "" {
		return g.phase
	}
	for _, p := range phases {
		if strings.Contains(strings.ToLower(g.header.Name), p) {
			return p
		}
	}
	return ""
}

func checkPhase(c *check) {
	c.applied++
	if !c.header.Directed {
		c.wrong(c.at, "the graph is undirected; expected a digraph: tensors go one way")
	}
	if len(c.nodes) == 0 {
		c.wrong(c.at, "the graph has no nodes; expected the operators of a phase")
	}
	phase := c.phaseName()
	if !slices.Contains(phases, phase) {
		c.wrong(c.at, "the phase is %q; expected the graph attribute phase=%s", clip(phase), strings.Join(phases, " or "))
		return
	}
	if c.file.phases == nil {
		c.file.phases = map[string]string{}
	}
	if at, twice := c.file.phases[phase]; twice {
		c.wrong(c.at, "a second graph of phase %s, after the one at %s; expected one graph a phase", phase, at)
		return
	}
	c.file.phases[phase] = c.at.String()
}

func checkShape(c *check) {
	unknown := 0
	c.all(nil, func(n int32) {
		is, o := c.nodes[n].shape, c.op(n)
		want := o.shape()
		switch {
		case o >= firstUnknown:
			c.wrongNode(n, "has the operator %q; expected one of the list in the documents", clip(c.opNames.texts[min(int(o-firstUnknown), len(c.opNames.texts)-1)]))
		case is == anotherShape:
			c.wrongNode(n, "has %s as its shape; expected box, ellipse or parallelogram", is)
		case want != noShape && is != want:
			c.wrongNode(n, "is drawn as %s; expected %s: it is %s", is, want, kindOf(want))
		case want == noShape:
			unknown++
		}
	})
	if unknown > 0 {
		c.unchecked = counted(unknown, "node") + " without an operator"
	}
}

func kindOf(s shape) string {
	switch s {
	case ellipse:
		return "communication"
	case parallelogram:
		return "routing, splitting or joining"
	}
	return "computation"
}

func checkGPU(c *check) {
	c.all(nil, func(n int32) {
		is := &c.nodes[n]
		set := c.named(n)
		switch {
		case is.gpus == 0 && is.gpu == 0:
			c.wrongNode(n, `names no GPU; expected a line "GPU: id" in its label`)
			return
		case is.gpus == 0 && is.labelled:
			c.wrongNode(n, `names its GPU in an attribute only; expected a line "GPU: id" in its label`)
		case set.problem != "":
			c.wrongNode(n, "does not name its GPUs one by one: %s; expected ids such as node-0/gpu-3, separated by commas", set.problem)
			return
		}
		for _, id := range set.ids {
			if _, ok := c.clusterOf[id]; !ok {
				c.wrongNode(n, "names the GPU %s, which has no cluster; expected one of the GPUs that the graph draws", clip(c.gpus.names.texts[id]))
				return
			}
		}
		if at := c.cluster(n); at != none {
			c.gpuInCluster(n, set, &c.clusters[at])
		}
	})
}

// gpuInCluster compares the GPUs that a node names with those of the cluster that it lies
// in. A send and a receive may name the other end too.
func (c *check) gpuInCluster(n int32, set gpuSet, in *cluster) {
	foreign := slices.ContainsFunc(set.ids, func(id uint32) bool { return !slices.Contains(in.ids, id) })
	peer := c.op(n) == opSend || c.op(n) == opReceive
	own := slices.ContainsFunc(set.ids, func(id uint32) bool { return slices.Contains(in.ids, id) })
	if !own || foreign && !peer {
		c.wrongNode(n, "names %s but lies in the cluster of %s; expected the GPU of its cluster", c.gpuNames(set.ids), clip(in.name))
	}
}

func checkCluster(c *check) {
	if len(c.clusters) == 0 && len(c.nodes) > 0 {
		c.wrong(c.at, "no GPU has a cluster; expected a subgraph cluster_gpu_<id> with the attribute gpu for each")
	}
	for i := range c.clusters {
		for _, id := range c.clusters[i].ids {
			if first := c.clusterOf[id]; first != int32(i) {
				c.wrong(c.clusters[i].at, "a second cluster of the GPU %s, after the one at %s; expected one", clip(c.gpus.names.texts[id]), c.clusters[first].at)
			}
		}
	}
	c.all(nil, func(n int32) {
		in := c.cluster(n)
		for _, also := range c.also[n] {
			if other := c.subs[also].cluster; other != none && other != in {
				c.wrongNode(n, "lies in the clusters of two GPUs: %s; expected one", c.clusterNames(in, other))
			}
		}
		o := c.op(n)
		switch {
		case in == none && (o == opSend || o == opReceive):
			c.wrongNode(n, "lies in no GPU's cluster; expected %s in that of its GPU", o)
		case in == none && !c.moves(n) && !c.routes(n):
			c.wrongNode(n, "computes outside of every GPU's cluster; expected it in that of its GPU")
		case in == none && c.routes(n) && o != opSplit && o != opConcat && o != noOp:
			c.wrongNode(n, "lies outside of every GPU's cluster; expected %s in that of its GPU", o)
		case in != none && c.moves(n) && o != opSend && o != opReceive && o != noOp:
			c.wrongNode(n, "lies in the cluster of one GPU; expected it outside, as it joins several")
		}
	})
}

func (c *check) clusterNames(in ...int32) string {
	var names []string
	for _, i := range in {
		if i != none {
			names = append(names, clip(c.clusters[i].name))
		}
	}
	return strings.Join(names, " and ")
}

func checkDimensions(c *check) {
	c.all(nil, func(n int32) {
		is := &c.nodes[n]
		if !is.labelled {
			c.wrongNode(n, "has no label; expected a name, its GPU, Input and Output")
			return
		}
		for _, side := range []struct {
			name string
			list uint32
		}{{"Input", is.input}, {"Output", is.output}} {
			switch s := &c.tensors.of[side.list]; {
			case side.list == 0:
				c.wrongNode(n, "has no %s; expected a line %q in its label", side.name, side.name+": [batch_size=4, seq_len=2048]")
			case s.problem != "":
				c.wrongNode(n, "has an %s without dimensions: %s; expected tensors such as [batch_size=4, seq_len=2048], separated by semicolons", side.name, s.problem)
			}
		}
	})
}

// place is where a node is, for a message about another one.
func (g *graph) place(n int32) string { return fmt.Sprintf("%s at %s", g.describe(n), g.nodes[n].at) }
