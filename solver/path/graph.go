package path

// graph is what a box searches: the arcs that a path below the cutoff may use, between
// nodes in topological order. Every node belongs to a part and has that part's states;
// a move from part to part asks for a complete state and starts the next one at 0.
type graph struct {
	c      *compiled
	form   costForm
	lambda []int64
	nodes  int
	starts []int32
	end    int32   // reached by moves only
	ends   []int32 // in place of it, of a graph that is read from its end
	partOf []int32
	arcs   []arc   // ascending by from
	toEnd  []int64 // per node, scaled: cheapest priced completion
	later  []int64 // per part: Σ λ·capacity of the parts after it
	limit  int64   // most priced cost of a path below the cutoff, Σ λ·capacity included
}

// graphOf lists the arcs over the selected legs whose best priced path is below the cutoff.
func (c *compiled) graphOf(kinds [][]leg, pr *priced, cutoff int64) *graph {
	g := &graph{c: c, form: pr.form, lambda: pr.lambda, limit: (cutoff - 1 - pr.form.constant) * priceScale}
	g.later = make([]int64, len(c.parts.list))
	for k, r := range c.p.Resources {
		g.limit += pr.lambda[k] * int64(r.Capacity)
		for t := range c.parts.of[k] {
			g.later[t] += pr.lambda[k] * int64(r.Capacity)
		}
	}
	if c.parts.free {
		g.unordered(kinds)
	} else {
		g.ordered(kinds, pr.toSink)
	}
	return g
}

func (g *graph) price(x *leg) int64 {
	return g.form.of(x)*priceScale + g.lambda[x.resource]*int64(x.units)
}

// grower adds arcs in the order of their first nodes, and keeps the cheapest way to
// each node so far.
type grower struct {
	*graph
	from []int64
}

func (g *graph) grow() *grower {
	x := &grower{g, make([]int64, g.nodes)}
	for i := range x.from {
		x.from[i] = infinite
	}
	for _, n := range g.starts {
		x.from[n] = 0
	}
	return x
}

// add keeps an arc if a path through it can be below the cutoff.
func (g *grower) add(x *leg, price int64, from, to, a, b int) {
	v := g.from[from] + price
	if g.toEnd[to] >= infinite || v+g.toEnd[to] > g.limit {
		return
	}
	g.from[to] = min(g.from[to], v)
	g.arcs = append(g.arcs, arc{leg: x, from: int32(from), to: int32(to), a: int32(a), b: int32(b)})
}

// ordered is the graph of boundaries as they are.
func (g *graph) ordered(kinds [][]leg, toSink []int64) {
	c := g.c
	n := c.p.Boundaries
	g.nodes, g.end = c.nodes+1, int32(c.nodes)
	for i := range c.groups {
		g.starts = append(g.starts, int32(i))
	}
	g.partOf = make([]int32, g.nodes)
	g.partOf[g.end] = int32(len(c.parts.list))
	g.toEnd = append(toSink[:c.nodes:c.nodes], 0)
	grow := g.grow()
	for a := range n - 1 {
		for group := range c.groups {
			node := a*c.groups + group
			if grow.from[node] >= infinite {
				continue
			}
			for b := a + 1; b < n; b++ {
				k := c.kindOf[a*n+b]
				if k < 0 {
					continue
				}
				for i := range kinds[k] {
					x := &kinds[k][i]
					if int(x.group) == group {
						grow.add(x, g.price(x), node, int(c.node(b, x.next)), a, b)
					}
				}
			}
		}
	}
	grow.add(nil, 0, int(c.sink), int(g.end), n-1, n-1)
}
