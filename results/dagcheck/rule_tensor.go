package dagcheck

import (
	"slices"
	"strings"
)

func checkResidual(c *check) {
	adds := func(n int32) bool { return c.op(n) == opResidualAdd || c.op(n) == opSharedAdd }
	c.all(adds, func(n int32) {
		var from []int32
		for _, e := range c.in(n) {
			if !c.edges[e].dashed {
				from = append(from, c.edges[e].from)
			}
		}
		in, out := c.inputs(n), c.outputs(n)
		switch {
		case len(from) != 2:
			c.wrongNode(n, "has %d edges to it; expected two: the branch, and what goes past it", len(from))
		case from[0] == from[1]:
			c.wrongNode(n, "adds %s to itself; expected two sources", c.place(from[0]))
		case in.problem != "" || out.problem != "":
		case len(in.distinct) != 1 || !slices.Equal(in.distinct, out.distinct):
			c.wrongNode(n, "adds %s to %s; expected two inputs and an output of one shape", c.tensorNames(in.tensors), c.tensorNames(out.tensors))
		}
	})
	if c.applied == 0 {
		c.unchecked = "no residual add"
	}
}

// alongSequence are the names of dimensions along a sequence.
var alongSequence = []string{"seq_len", "kv_len"}

func checkDecode(c *check) {
	if c.phaseName() != "decode" {
		c.unchecked = "the graph is no decode step"
		return
	}
	stated := func(n int32) bool { return c.inputs(n).problem == "" && c.outputs(n).problem == "" }
	c.all(stated, func(n int32) {
		in, out := c.inputs(n), c.outputs(n)
		for _, t := range slices.Concat(in.distinct, out.distinct) {
			if size, ok := c.tensor(t).size("seq_len"); ok && size != 1 {
				c.wrongNode(n, "has %s; expected seq_len=1: a step makes one token of each sequence", c.tensor(t).text)
				break
			}
		}
		title := strings.ToLower(c.titles.texts[c.nodes[n].title])
		if strings.Contains(title, "sequence parallel") || strings.Contains(title, "context parallel") || strings.Contains(title, "ring attention") {
			c.wrongNode(n, "splits sequences; expected none of that in decode")
			return
		}
		if !c.moves(n) && !c.routes(n) {
			return
		}
		for _, i := range in.distinct {
			for _, o := range out.distinct {
				d := c.tensor(i).differing(c.tensor(o))
				if d >= 0 && slices.Contains(alongSequence, c.tensor(i).dims[d].name) {
					c.wrongNode(n, "splits or joins %s along %s; expected whole sequences in decode", c.tensor(i).text, c.tensor(i).dims[d].name)
					return
				}
			}
		}
	})
	if bare := len(c.nodes) - c.applied; bare > 0 {
		c.unchecked = counted(bare, "node") + " without dimensions"
	}
}

func checkConservation(c *check) {
	for i := range c.nodes {
		n := int32(i)
		in, out := c.inputs(n), c.outputs(n)
		if in.problem != "" || out.problem != "" {
			continue
		}
		switch o := c.op(n); o {
		case opInput, opOutput, opAllReduce, opSend, opReceive, opSoftmax, opNorm:
			c.applied++
			if !slices.Equal(in.distinct, out.distinct) {
				c.wrongNode(n, "takes %s and gives %s; expected %s to keep the shape", c.tensorNames(in.distinct), c.tensorNames(out.distinct), o)
			}
		case opAllGather:
			c.applied++
			c.adds(n, out.distinct, in.distinct, c.in(n), "gives", "brought", c.part)
		case opReduceScatter:
			c.applied++
			c.adds(n, in.distinct, out.distinct, c.out(n), "takes", "handed out", c.within)
		case opSplit, opConcat:
			c.applied++
			c.whole(n, in, out)
		case opSlice:
			c.applied++
			if len(in.distinct) != 1 || len(out.distinct) != 1 || !c.part(out.distinct[0], in.distinct[0]) {
				c.wrongNode(n, "takes %s and gives %s; expected a part along one dimension", c.tensorNames(in.distinct), c.tensorNames(out.distinct))
			}
		}
	}
	if c.applied == 0 {
		c.unchecked = "nothing that keeps or splits shapes"
	}
}

// part reports whether a tensor is a part of another one, along one dimension.
func (c *check) part(t, of uint32) bool {
	d := c.tensor(t).differing(c.tensor(of))
	return d >= 0 && c.tensor(t).dims[d].size < c.tensor(of).dims[d].size
}

// within reports whether a tensor is a part of another one, along any dimensions.
func (c *check) within(t, of uint32) bool {
	p, w := c.tensor(t).dims, c.tensor(of).dims
	return c.tensor(t).elements < c.tensor(of).elements && slices.EqualFunc(p, w, func(a, b dim) bool { return a.name == b.name && a.size <= b.size })
}

// adds checks that each whole of a collective is the sum of the parts that its edges
// carry, a part a GPU. How many GPUs a folded graph stands for is not in its edges: there
// the shapes alone count.
func (c *check) adds(n int32, wholes, parts []uint32, edges []int32, verb, carried string, part func(p, w uint32) bool) {
	for _, p := range parts {
		if !slices.ContainsFunc(wholes, func(w uint32) bool { return part(p, w) }) {
			c.wrongNode(n, "has %s, which is no part of what it %s: %s; expected a part", c.tensor(p).text, verb, c.tensorNames(wholes))
			return
		}
	}
	for _, w := range wholes {
		ofWhole := slices.DeleteFunc(slices.Clone(parts), func(p uint32) bool { return !part(p, w) })
		if len(ofWhole) == 0 {
			c.wrongNode(n, "%s %s without parts; expected what makes it up", verb, c.tensor(w).text)
			continue
		}
		if all, known := c.elements(n, ofWhole, edges); known && !c.folded && all != c.tensor(w).elements {
			c.wrongNode(n, "%s %s, %d elements, but the parts %s hold %d; expected them to make up the whole", verb, c.tensor(w).text, c.tensor(w).elements, carried, all)
		}
	}
}

// elements is what the parts that edges carry hold. What a GPU brings or gets counts once,
// however many edges it has; an edge to another node outside of the clusters stands for
// the GPUs that both name. False where such an edge carries parts of several sizes.
func (c *check) elements(n int32, parts []uint32, edges []int32) (all int64, known bool) {
	type brought struct {
		cluster int32
		tensor  uint32
	}
	seen := map[brought]bool{}
	for _, i := range edges {
		end, list := c.edges[i].from, &shapes{}
		if end == n {
			end = c.edges[i].to
			list = c.inputs(end)
		} else {
			list = c.outputs(end)
		}
		in, sizes := c.cluster(end), 0
		for _, p := range list.distinct {
			if !slices.Contains(parts, p) || in != none && seen[brought{in, p}] {
				continue
			}
			seen[brought{in, p}] = true
			times := int64(1)
			if in == none && c.moves(end) {
				sizes++
				times = int64(common(c.named(n).ids, c.named(end).ids))
			}
			all = sum(all, product(times, c.tensor(p).elements))
		}
		if sizes > 1 {
			return 0, false
		}
	}
	return all, true
}

// whole checks that a split or a join holds as many elements before as after.
func (c *check) whole(n int32, in, out *shapes) {
	if c.folded {
		return
	}
	total := func(s *shapes) (all int64) {
		for _, t := range s.tensors {
			all = sum(all, c.tensor(t).elements)
		}
		return all
	}
	if a, b := total(in), total(out); a != b {
		c.wrongNode(n, "takes %d elements (%s) and gives %d (%s); expected as many", a, c.tensorNames(in.tensors), b, c.tensorNames(out.tensors))
	}
}
