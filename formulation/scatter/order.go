package scatter

// longestNarrow bounds the clusters that narrowOrder is asked for; it looks at all that
// touch an open net at every step.
const longestNarrow = 5000

// narrowOrder is an order of the clusters in which few nets are open at a time: begun
// and not ended. The next cluster is the one that opens the fewest, ties by index.
func narrowOrder(p *problem) []int {
	n := len(p.clusters)
	left := make([]int, len(p.nets))
	for i := range p.nets {
		left[i] = 1 + len(p.nets[i].sinks)
	}
	opened := make([]bool, len(p.nets))
	placed := make([]bool, n)
	near := make([]bool, n) // touches an open net
	var front []int         // the clusters that do, not placed yet
	order := make([]int, 0, n)
	growth := func(c int) int {
		g := 0
		for _, list := range [2][]int32{p.asSource[c], p.asSink[c]} {
			for _, i := range list {
				switch {
				case opened[i] && left[i] == 1:
					g--
				case !opened[i] && left[i] > 1:
					g++
				}
			}
		}
		return g
	}
	reach := func(c int32) {
		if !near[c] {
			near[c] = true
			front = append(front, int(c))
		}
	}
	fresh := 0
	for len(order) < n {
		best := -1
		if len(front) == 0 {
			for placed[fresh] {
				fresh++
			}
			best = fresh
		} else {
			least := 0
			for _, c := range front {
				if g := growth(c); best < 0 || g < least || g == least && c < best {
					best, least = c, g
				}
			}
		}
		placed[best], near[best] = true, true
		order = append(order, best)
		for _, list := range [2][]int32{p.asSource[best], p.asSink[best]} {
			for _, i := range list {
				left[i]--
				if !opened[i] {
					opened[i] = true
					reach(p.nets[i].source)
					for _, s := range p.nets[i].sinks {
						reach(s)
					}
				}
			}
		}
		kept := front[:0]
		for _, c := range front {
			if !placed[c] {
				kept = append(kept, c)
			}
		}
		front = kept
	}
	return order
}

// forwardOrder is the order in which the first nodes of the clusters come in a
// topological order of the graph.
func forwardOrder(p *problem) []int {
	of := make([]int, len(p.g.Nodes))
	for i := range p.clusters {
		for _, v := range p.clusters[i].nodes {
			of[v] = i
		}
	}
	nodes, _ := p.g.Topological() // the reader refuses cycles
	seen := make([]bool, len(p.clusters))
	order := make([]int, 0, len(p.clusters))
	for _, v := range nodes {
		if c := of[v]; !seen[c] {
			seen[c] = true
			order = append(order, c)
		}
	}
	return order
}
