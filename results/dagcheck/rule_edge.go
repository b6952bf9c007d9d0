package dagcheck

import "slices"

func checkAgreement(c *check) {
	bare := 0
	for i := range c.edges {
		e := &c.edges[i]
		out, in := c.outputs(e.from), c.inputs(e.to)
		if out.problem != "" || in.problem != "" {
			bare++
			continue
		}
		c.applied++
		if e.dashed {
			continue // a selection may carry nothing
		}
		if !slices.ContainsFunc(out.distinct, func(t uint32) bool { return slices.Contains(in.distinct, t) }) {
			c.wrong(e.at, "nothing that %s gives is what %s takes: %s; expected a tensor of the output among the inputs %s",
				c.describe(e.from), c.place(e.to), c.tensorNames(out.distinct), c.tensorNames(in.distinct))
		}
	}
	for i := range c.nodes {
		n := int32(i)
		if len(c.in(n)) > 0 {
			c.carried(n, c.inputs(n), c.in(n), func(e *edge) *shapes { return c.outputs(e.from) }, "takes %s, which no edge brings; expected a node before it with that output")
		}
		if len(c.out(n)) > 0 {
			c.carried(n, c.outputs(n), c.out(n), func(e *edge) *shapes { return c.inputs(e.to) }, "gives %s, which no edge takes on; expected a node after it with that input")
		}
	}
	if bare > 0 {
		c.unchecked = counted(bare, "edge") + " at nodes without dimensions"
	}
}

// carried tells of the tensors of one side of a node that none of its edges carries.
func (c *check) carried(n int32, own *shapes, edges []int32, other func(*edge) *shapes, format string) {
	for _, t := range own.distinct {
		if !slices.ContainsFunc(edges, func(e int32) bool { return slices.Contains(other(&c.edges[e]).distinct, t) }) {
			c.wrongNode(n, format, c.tensor(t).text)
		}
	}
}

// tensorNames lists tensors in a message.
func (g *graph) tensorNames(ids []uint32) string {
	const most = 3
	text := ""
	for i, id := range ids {
		if i == most {
			return text + "; …"
		}
		if i > 0 {
			text += "; "
		}
		text += g.tensor(id).text
	}
	return text
}

func checkTraffic(c *check) {
	if len(c.clusters) == 0 {
		c.unchecked = "no GPU has a cluster"
		return
	}
	for i := range c.edges {
		e := &c.edges[i]
		from, to := c.cluster(e.from), c.cluster(e.to)
		if from == to {
			continue
		}
		c.applied++
		switch {
		case from != none && to != none:
			if c.op(e.from) != opSend || c.op(e.to) != opReceive {
				c.wrong(e.at, "the edge from %s to %s goes from %s to %s; expected a send and a receive, or a collective, between GPUs",
					c.describe(e.from), c.place(e.to), clip(c.clusters[from].name), clip(c.clusters[to].name))
			}
		case from != none:
			c.joins(e, e.to, from)
		default:
			c.joins(e, e.from, to)
		}
	}
	if c.applied == 0 {
		c.unchecked = "no edge leaves a GPU"
	}
}

// joins checks an edge between a GPU's cluster and a node outside, which must name the GPU.
func (c *check) joins(e *edge, outside, in int32) {
	set := c.named(outside)
	if set.problem == "" && common(set.ids, c.clusters[in].ids) == 0 {
		c.wrong(e.at, "the edge joins %s with the GPU %s, which it does not name; expected it among %s",
			c.place(outside), clip(c.clusters[in].name), c.gpuNames(set.ids))
	}
	if !c.moves(outside) && !c.routes(outside) {
		c.wrong(e.at, "the edge leaves the GPU %s for %s, which is no communication", clip(c.clusters[in].name), c.place(outside))
	}
}

// common counts what two sorted sets have in common.
func common(a, b []uint32) (n int) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			n++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return n
}

func checkParticipants(c *check) {
	if len(c.clusters) == 0 {
		c.unchecked = "no GPU has a cluster"
		return
	}
	outside := func(n int32) bool { return c.cluster(n) == none && (c.moves(n) || c.routes(n)) }
	c.all(outside, func(n int32) {
		set := c.named(n)
		if set.problem != "" || len(set.ids) == 0 {
			return // the rule of GPUs tells
		}
		gives, nearGives := c.touched(c.in(n), func(e *edge) int32 { return e.from })
		gets, nearGets := c.touched(c.out(n), func(e *edge) int32 { return e.to })
		for _, id := range set.ids {
			at, ok := c.clusterOf[id]
			if !ok {
				continue
			}
			give, get := gives[at] || nearGives[id], gets[at] || nearGets[id]
			switch {
			case !give && !get:
				c.wrongNode(n, "names the GPU %s, which no edge joins to it; expected the GPUs that take part and no others", clip(c.gpus.names.texts[id]))
			case c.op(n) == opAllReduce && !(give && get):
				c.wrongNode(n, "joins the GPU %s one way only; expected each GPU of an all-reduce to give and to get", clip(c.gpus.names.texts[id]))
			}
		}
	})
	if c.applied == 0 {
		c.unchecked = "no node lies between GPUs"
	}
}

// touched are the clusters at the other ends of edges, and the GPUs that ends outside of
// all clusters name.
func (c *check) touched(edges []int32, end func(*edge) int32) (clusters map[int32]bool, near map[uint32]bool) {
	clusters, near = map[int32]bool{}, map[uint32]bool{}
	for _, i := range edges {
		n := end(&c.edges[i])
		if in := c.cluster(n); in != none {
			clusters[in] = true
			continue
		}
		for _, id := range c.named(n).ids {
			near[id] = true
		}
	}
	return clusters, near
}

func checkGate(c *check) {
	selects := func(o op) bool { return o == opGate || o == opTopK }
	chosen := map[int32]bool{} // gates with a selection
	for i := range c.edges {
		e := &c.edges[i]
		from, to := c.op(e.from), c.op(e.to)
		if e.dashed {
			c.applied++
			if selects(from) && (to == opDispatch || to == opExpert || to == opAllToAll) {
				chosen[e.from] = true
				continue
			}
			if from != noOp && to != noOp {
				c.wrong(e.at, "the edge from %s to %s is dashed; expected only a gate's selection of tokens to be", c.describe(e.from), c.place(e.to))
			}
			continue
		}
		if selects(from) && (to == opDispatch || to == opExpert) {
			c.applied++
			c.wrong(e.at, "the selection from %s to %s is solid; expected style=dashed", c.describe(e.from), c.place(e.to))
			chosen[e.from] = true
		}
	}
	// A gate selects itself, or by the top-k after it; behind an all-gather of the scores
	// that is on another node.
	for i := range c.nodes {
		n := int32(i)
		if c.op(n) == opTopK && !chosen[n] {
			c.applied++
			c.wrongNode(n, "selects nothing; expected a dashed edge to the dispatch of tokens to experts")
		}
	}
	if c.applied == 0 {
		c.unchecked = "no gate and no dashed edge"
	}
}
