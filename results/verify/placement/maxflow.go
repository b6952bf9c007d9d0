package placement

import "math"

// network is a directed graph with capacities, for maximum flows by blocking flows over
// shortest paths (Dinic).
type network struct {
	arcs [][]int // by node: indices into to and room; arc i^1 runs the other way
	to   []int
	room []float64
}

func newNetwork(nodes int) *network { return &network{arcs: make([][]int, nodes)} }

func (n *network) arc(from, to int, capacity float64) {
	n.arcs[from] = append(n.arcs[from], len(n.to))
	n.arcs[to] = append(n.arcs[to], len(n.to)+1)
	n.to = append(n.to, to, from)
	n.room = append(n.room, capacity, 0)
}

// maximum is the maximum flow, which must be finite. Filling up an arc leaves exactly
// nothing, so rounding does not keep it from ending.
func (n *network) maximum(source, sink int) float64 {
	total := 0.0
	for {
		level := n.levels(source)
		if level[sink] < 0 {
			return total
		}
		next := make([]int, len(n.arcs))
		for {
			x := n.push(source, sink, math.Inf(1), level, next)
			if x == 0 {
				break
			}
			total += x
		}
	}
}

// levels are the distances from the source over arcs with room; -1: out of reach.
func (n *network) levels(source int) []int {
	level := make([]int, len(n.arcs))
	for i := range level {
		level[i] = -1
	}
	level[source] = 0
	queue := []int{source}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, a := range n.arcs[queue[0]] {
			if v := n.to[a]; n.room[a] > 0 && level[v] < 0 {
				level[v] = level[queue[0]] + 1
				queue = append(queue, v)
			}
		}
	}
	return level
}

// push sends up to amount from v on to the sink; next remembers which arcs lead nowhere.
func (n *network) push(v, sink int, amount float64, level, next []int) float64 {
	if v == sink {
		return amount
	}
	for ; next[v] < len(n.arcs[v]); next[v]++ {
		a := n.arcs[v][next[v]]
		w := n.to[a]
		if n.room[a] == 0 || level[w] != level[v]+1 {
			continue
		}
		if x := n.push(w, sink, min(amount, n.room[a]), level, next); x > 0 {
			n.room[a] -= x
			n.room[a^1] += x
			return x
		}
	}
	return 0
}
