package graphplan

import (
	"container/heap"
	"slices"

	"partita/formulation/ideals"
)

// units are the sets of nodes that the search keeps together, with the order between them.
// A linear order of them is cut into stages without looking at colours any more.
type units struct {
	p     *ideals.Problem
	nodes [][]int // of a unit, ascending
	of    []int   // unit of a node
	next  [][]int // units that come later
}

func unitsOf(p *ideals.Problem) *units {
	members, before := ideals.Units(p)
	u := &units{p: p, nodes: members, of: make([]int, len(p.Nodes)), next: make([][]int, len(members))}
	for i, set := range members {
		for _, v := range set {
			u.of[v] = i
		}
		for _, j := range before[i] {
			u.next[j] = append(u.next[j], i)
		}
	}
	return u
}

// order is a linear order of the units that keeps their order; of those that are ready the
// one of least rank comes next.
func (u *units) order(rank func(unit int) int) []int {
	waiting := make([]int, len(u.nodes))
	for _, list := range u.next {
		for _, j := range list {
			waiting[j]++
		}
	}
	ready := &ranked{rank: rank}
	for i, n := range waiting {
		if n == 0 {
			heap.Push(ready, i)
		}
	}
	out := make([]int, 0, len(u.nodes))
	for len(ready.list) > 0 {
		i := heap.Pop(ready).(int)
		out = append(out, i)
		for _, j := range u.next[i] {
			if waiting[j]--; waiting[j] == 0 {
				heap.Push(ready, j)
			}
		}
	}
	return out
}

// ranked is a heap of units by rank, then by number.
type ranked struct {
	list []int
	rank func(int) int
}

func (r *ranked) Len() int { return len(r.list) }
func (r *ranked) Less(i, j int) bool {
	a, b := r.rank(r.list[i]), r.rank(r.list[j])
	return a < b || a == b && r.list[i] < r.list[j]
}
func (r *ranked) Swap(i, j int) { r.list[i], r.list[j] = r.list[j], r.list[i] }
func (r *ranked) Push(x any)    { r.list = append(r.list, x.(int)) }
func (r *ranked) Pop() any {
	x := r.list[len(r.list)-1]
	r.list = r.list[:len(r.list)-1]
	return x
}

// along is the order in which a placement has the units: stage by stage.
func (u *units) along(stages []ideals.Stage) []int {
	stage := make([]int, len(u.nodes))
	for s := range stages {
		for _, v := range stages[s].Nodes {
			stage[u.of[v]] = s
		}
	}
	return u.order(func(i int) int { return stage[i] })
}

// chain reports whether the units have one order alone.
func (u *units) chain() bool {
	order := u.byFile()
	for i := 1; i < len(order); i++ {
		if !slices.Contains(u.next[order[i-1]], order[i]) {
			return false
		}
	}
	return true
}

// byFile is the order of the file as far as edges allow.
func (u *units) byFile() []int { return u.order(func(i int) int { return u.nodes[i][0] }) }

// inDepth is an order that follows a branch to its end before the next.
func (u *units) inDepth() []int {
	rank := make([]int, len(u.nodes))
	for i := range rank {
		rank[i] = len(u.nodes)
	}
	waiting := make([]int, len(u.nodes))
	for _, list := range u.next {
		for _, j := range list {
			waiting[j]++
		}
	}
	var stack []int
	for i := len(u.nodes) - 1; i >= 0; i-- {
		if waiting[i] == 0 {
			stack = append(stack, i)
		}
	}
	for at := 0; len(stack) > 0; at++ {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		rank[i] = at
		for k := len(u.next[i]) - 1; k >= 0; k-- {
			j := u.next[i][k]
			if waiting[j]--; waiting[j] == 0 {
				stack = append(stack, j)
			}
		}
	}
	return u.order(func(i int) int { return rank[i] })
}
