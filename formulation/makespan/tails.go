package makespan

import (
	"context"
	"math"
	"slices"
)

// Lower bounds on what is still to come.
//
// Along any path every node takes the shorter of its two times, the CPU's where no
// accelerator is left, whatever else is in its block. On one path through the graph more
// is known: a block meets it in one interval. Such an interval brings all nodes between
// its ends and their classes with it, has to fit, receives what crosses into it and sends
// what leaves it; the shortest way over the path with at most a such intervals is a
// bound (pathTails). It counts from a place of the path where one block has ended and the next
// has not begun, so it belongs to an edge: to one from what is done to what is not.

// tails[a] are for a accelerators left, in ms.
type tails struct {
	// from, by node: least time that it and what depends on it add to what a block that
	// may have them did before, or to when their inputs are there.
	from [][]float64
	// over, by edge: least time from the finish of its source, which is done, to the end;
	// the target is not begun.
	over  [][]float64
	start []float64 // least time from the start
}

// maxPath is the most nodes of a path, maxSquare the most nodes of a graph, whose
// intervals are looked at: there are as many as pairs, and sets between the nodes of each.
// maxOver is the most figures that are kept for them, maxVisits the most nodes of
// intervals that are looked at.
const (
	maxPath   = 1_500
	maxSquare = 12_000
	maxOver   = 5_000_000
	maxVisits = 40_000_000
)

// newTails has the sums along paths.
func newTails(p *problem) *tails {
	n := p.blocks + 1
	t := &tails{from: make([][]float64, n), over: make([][]float64, n), start: make([]float64, n)}
	order := p.nodesInOrder()
	for a := range n {
		if a < 2 {
			t.from[a] = p.sums(order, a)
			t.over[a] = make([]float64, len(p.target))
			for e, w := range p.target {
				t.over[a][e] = t.from[a][w]
			}
			t.start[a] = slices.Max(append(t.from[a], 0))
		} else { // the same for any number but 0
			t.from[a], t.over[a], t.start[a] = t.from[1], t.over[1], t.start[1]
		}
	}
	return t
}

// paths raises the tails by what is known of some paths.
func (t *tails) paths(ctx context.Context, p *problem) {
	order := p.nodesInOrder()
	if p.blocks == 0 || len(order) > maxSquare || len(t.over)*int(p.edge[len(p.itemOf)]) > maxOver {
		return
	}
	for a := range t.over {
		t.over[a] = slices.Clone(t.over[a])
	}
	between := newClosures(p, order)
	for _, weight := range []func(v int) float64{
		func(v int) float64 { return min(p.cpu[v], p.acc[v]) },
		func(v int) float64 { return p.cpu[v] },
		func(v int) float64 { return p.g.Nodes[v].Send },
	} {
		path := p.longestPath(order, weight)
		if len(path) == 0 || len(path) > maxPath || ctx.Err() != nil {
			continue
		}
		for a, row := range p.pathTails(ctx, path, between) {
			t.start[a] = max(t.start[a], row[0])
			for i, v := range path[1:] {
				e := p.edge[path[i]] + int32(slices.Index(p.succ[path[i]], v))
				t.over[a][e] = max(t.over[a][e], row[i+1])
			}
		}
	}
}

// nodesInOrder are the nodes of items in topological order.
func (p *problem) nodesInOrder() []int {
	return slices.DeleteFunc(slices.Clone(p.order), func(v int) bool { return p.itemOf[v] < 0 })
}

// sums are the times from every node along any path, with a accelerators left.
func (p *problem) sums(order []int, a int) []float64 {
	from := make([]float64, len(p.itemOf))
	for _, v := range slices.Backward(order) {
		for _, w := range p.succ[v] {
			from[v] = max(from[v], from[w])
		}
		if a == 0 {
			from[v] += p.cpu[v]
		} else {
			from[v] += min(p.cpu[v], p.acc[v])
		}
	}
	return from
}

// longestPath goes from a source to a sink with the most weight on its nodes.
func (p *problem) longestPath(order []int, weight func(v int) float64) []int {
	best := make([]float64, len(p.itemOf))
	next := make([]int, len(p.itemOf))
	at := -1
	for i := len(order) - 1; i >= 0; i-- {
		v := order[i]
		next[v] = -1
		for _, w := range p.succ[v] {
			if next[v] < 0 || best[w] > best[next[v]] {
				next[v] = w
			}
		}
		best[v] = min(weight(v), math.MaxFloat64/float64(len(order)+1))
		if next[v] >= 0 {
			best[v] += best[next[v]]
		}
		if len(p.pred[v]) == 0 && (at < 0 || best[v] > best[at]) {
			at = v
		}
	}
	var path []int
	for ; at >= 0; at = next[at] {
		path = append(path, at)
	}
	return path
}

// pathTails[a][i] is the least time over the nodes path[i:] with a accelerators.
func (p *problem) pathTails(ctx context.Context, path []int, between *closures) [][]float64 {
	n, k := len(path), p.blocks
	rows := make([][]float64, k+1)
	for a := range rows {
		rows[a] = make([]float64, n+1)
	}
	for i := n - 1; i >= 0; i-- {
		for a := range rows {
			rows[a][i] = p.cpu[path[i]] + rows[a][i+1]
		}
		between.intervals(ctx, path, i, func(j int, length float64) {
			for a := 1; a <= k; a++ {
				rows[a][i] = min(rows[a][i], length+rows[a-1][j+1])
			}
		})
		if between.over(ctx) { // unfinished: 0 for what was not reached
			for a := range rows {
				clear(rows[a][:i+1])
			}
			return rows
		}
	}
	return rows
}
