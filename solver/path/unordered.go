package path

// Where the order is free the stages are listed part by part. A node is (part, step,
// ends, layers): layers counts those run so far, ends says whether the first stage of
// the chain (1) and its last (2) are among them, and in each part the step is
//
//	0  the first stage of the chain may be taken now, or never in this part
//	1  the same for the last
//	2  any number of stages that touch neither end, then the next part
//
// Every multiset of stages has one such listing up to the order within step 2, and any
// chain of its stages costs the same.
const (
	firstStep, lastStep, innerStep = 0, 1, 2
	steps                          = 3
	endSets                        = 4
)

// unorderedNode numbers (part, step, ends, layers).
func (g *graph) unorderedNode(t, step, ends, layers int) int {
	return ((t*steps+step)*endSets+ends)*g.c.p.Boundaries + layers
}

// pricedLegs are the legs of a kind by part, with their prices.
type pricedLegs struct {
	legs   [][]*leg
	prices [][]int64
	least  []int64
}

func (g *graph) byPart(legs []leg) pricedLegs {
	n := len(g.c.parts.list)
	out := pricedLegs{make([][]*leg, n), make([][]int64, n), make([]int64, n)}
	for t := range out.least {
		out.least[t] = infinite
	}
	for i := range legs {
		x := &legs[i]
		t, price := g.c.parts.of[x.resource], g.price(x)
		out.legs[t], out.prices[t] = append(out.legs[t], x), append(out.prices[t], price)
		out.least[t] = min(out.least[t], price)
	}
	return out
}

// lengths are the legs of each sort of stage by its number of layers.
type lengths struct{ first, last, inner []pricedLegs }

func (g *graph) lengths(kinds [][]leg) lengths {
	c, n := g.c, g.c.p.Boundaries
	known := map[int32]pricedLegs{}
	of := func(a, b int) pricedLegs {
		k := c.kindOf[a*n+b]
		if k < 0 {
			k = -1
		}
		x, ok := known[k]
		if !ok {
			if k >= 0 {
				x = g.byPart(kinds[k])
			} else {
				x = g.byPart(nil)
			}
			known[k] = x
		}
		return x
	}
	out := lengths{make([]pricedLegs, n), make([]pricedLegs, n), make([]pricedLegs, n)}
	for l := 1; l < n; l++ {
		out.first[l] = of(0, l)
		out.last[l] = of(n-1-l, n-1)
		if l < n-2 {
			out.inner[l] = of(1, 1+l)
		}
	}
	return out
}

// unordered is the graph of an order that is free.
func (g *graph) unordered(kinds [][]leg) {
	n, count := g.c.p.Boundaries, len(g.c.parts.list)
	g.nodes = count*steps*endSets*n + 1
	g.end = int32(g.nodes - 1)
	g.starts = []int32{0}
	g.partOf = make([]int32, g.nodes)
	for i := range g.partOf {
		g.partOf[i] = int32(i / (steps * endSets * n))
	}
	by := g.lengths(kinds)
	g.completions(&by)
	grow := g.grow()
	for t := range count {
		for step := range steps {
			for ends := range endSets {
				for a := range n {
					if grow.from[g.unorderedNode(t, step, ends, a)] < infinite {
						g.leave(grow, &by, t, step, ends, a)
					}
				}
			}
		}
	}
}

// move is where a node goes without a stage: the next step, the next part, the end.
func (g *graph) move(t, step, ends, a int) int {
	switch {
	case step != innerStep:
		return g.unorderedNode(t, step+1, ends, a)
	case t+1 < len(g.c.parts.list):
		return g.unorderedNode(t+1, firstStep, ends, a)
	case ends == endSets-1 && a == g.c.p.Boundaries-1:
		return int(g.end)
	}
	return -1
}

// stages calls f with what can be taken at a node: the legs, their length and where
// they lead.
func (g *graph) stages(by *lengths, t, step, ends, a int, f func(x *pricedLegs, length, to int)) {
	last := g.c.p.Boundaries - 1
	switch step {
	case firstStep:
		if ends&1 > 0 {
			return
		}
		for l := 1; l+a < last; l++ {
			f(&by.first[l], l, g.unorderedNode(t, lastStep, ends|1, a+l))
		}
		if ends == 0 && a == 0 {
			f(&by.first[last], last, g.unorderedNode(t, lastStep, 3, last))
		}
		if ends == 2 && a < last {
			f(&by.first[last-a], last-a, g.unorderedNode(t, lastStep, 3, last))
		}
	case lastStep:
		if ends&2 > 0 {
			return
		}
		for l := 1; l+a < last || l+a == last && ends == 1 && a > 0; l++ {
			f(&by.last[l], l, g.unorderedNode(t, innerStep, ends|2, a+l))
		}
	case innerStep:
		for l := 1; l+a < last || l+a == last && ends == 3; l++ {
			if l < last-1 {
				f(&by.inner[l], l, g.unorderedNode(t, innerStep, ends, a+l))
			}
		}
	}
}

// completions fills toEnd.
func (g *graph) completions(by *lengths) {
	g.toEnd = make([]int64, g.nodes)
	n, count := g.c.p.Boundaries, len(g.c.parts.list)
	for t := count - 1; t >= 0; t-- {
		for step := steps - 1; step >= 0; step-- {
			for ends := endSets - 1; ends >= 0; ends-- {
				for a := n - 1; a >= 0; a-- {
					best := int64(infinite)
					if to := g.move(t, step, ends, a); to >= 0 {
						best = g.toEnd[to]
					}
					g.stages(by, t, step, ends, a, func(x *pricedLegs, _, to int) {
						if x.least[t] < infinite && g.toEnd[to] < infinite {
							best = min(best, x.least[t]+g.toEnd[to])
						}
					})
					g.toEnd[g.unorderedNode(t, step, ends, a)] = best
				}
			}
		}
	}
}

// leave adds the arcs of a node.
func (g *graph) leave(grow *grower, by *lengths, t, step, ends, a int) {
	node := g.unorderedNode(t, step, ends, a)
	if to := g.move(t, step, ends, a); to >= 0 {
		grow.add(nil, 0, node, to, a, a)
	}
	g.stages(by, t, step, ends, a, func(x *pricedLegs, length, to int) {
		if least := x.least[t]; least >= infinite || g.toEnd[to] >= infinite || grow.from[node]+least+g.toEnd[to] > g.limit {
			return
		}
		for i, leg := range x.legs[t] {
			grow.add(leg, x.prices[t][i], node, to, a, a+length)
		}
	})
}

// chainOf puts the arcs of a path through the graph into an order of the chain: the
// stage with the first layer, those that touch neither end, the one with the last layer.
func (g *graph) chainOf(path []arc) []arc {
	var sorted [steps][]arc
	for _, x := range path {
		if x.leg == nil {
			continue
		}
		step := innerStep
		switch {
		case !g.c.parts.free: // the order is that of the path
		case g.stepOf(x.from) == firstStep:
			step = firstStep
		case g.stepOf(x.from) == lastStep:
			step = lastStep
		}
		sorted[step] = append(sorted[step], x)
	}
	chain := append(append(sorted[firstStep], sorted[innerStep]...), sorted[lastStep]...)
	a := int32(0)
	for i := range chain {
		b := a + chain[i].b - chain[i].a
		chain[i].a, chain[i].b = a, b
		a = b
	}
	return chain
}

func (g *graph) stepOf(node int32) int { return int(node) / (endSets * g.c.p.Boundaries) % steps }
