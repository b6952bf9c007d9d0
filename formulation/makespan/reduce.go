package makespan

import (
	"math"
	"slices"

	"partita/inputs/opgraph"
)

// problem is a graph made small without losing an optimum. Its nodes are those of the
// graph, by the same index, in three roles:
//
//   - dropped: a node without work and cost to send whose predecessors are dropped
//     too: on the CPU it is done at 0 and nobody pays for its output;
//   - optional: a node without CPU work at the rim, of a class of its own, that is
//     either on the CPU or with its only neighbour (see option);
//   - of an item: nodes of one class that can always be done right after each other.
//     Nodes a, b of one class are one item where b is the only successor of a, or a the
//     only predecessor of b: on the CPU one of them can wait for, or follow at once, the
//     other; on an accelerator they are together anyway.
type problem struct {
	g        *opgraph.Graph
	order    []int     // all nodes in topological order
	cpu, acc []float64 // ms of a node; +Inf: not there
	succ     [][]int   // among nodes of items
	pred     [][]int
	blocks   int     // most blocks of a plan
	edge     []int32 // number of a node's first edge, the others follow; one more at the end
	target   []int32 // of an edge
	itemOf   []int   // of a node; -1: dropped or optional
	items    []item
	sinks    []option   // by node: what spares its output
	sources  [][]option // by item
	classes  [][]int    // items of a class, of classes of several
}

// item is a set of nodes that are done together.
type item struct {
	nodes      []int // in topological order
	succ, pred []int // items
	class      int   // index of problem.classes; -1: a class of one item
	work       float64
	bytes      int64
	cpu        bool // all nodes can run on the CPU
}

// option is a set of nodes that a block may take in to be spared a transfer: the sinks
// of one node (all or none), or one source. Whatever it costs, they are better on the
// CPU than on another accelerator.
type option struct {
	nodes []int
	saves float64 // ms of the block; where ≤ 0 the option is never taken
	bytes int64
	pays  bool // sinks only: there are some, so the node sends unless they are taken in
}

func reduce(g *opgraph.Graph, order []int) *problem {
	n := len(g.Nodes)
	p := &problem{g: g, order: order, cpu: make([]float64, n), acc: make([]float64, n), itemOf: make([]int, n), sinks: make([]option, n)}
	for v := range g.Nodes {
		p.cpu[v], p.acc[v] = math.Inf(1), math.Inf(1)
		if g.CPUs > 0 {
			p.cpu[v] = g.Nodes[v].CPUTime
		}
		if g.Nodes[v].OnAccelerator && g.Accelerators > 0 && g.Nodes[v].Bytes <= g.AcceleratorBytes {
			p.acc[v] = g.Nodes[v].AcceleratorTime
		}
	}
	r := &reducer{problem: p, out: make([]bool, n)}
	r.members = map[int]int{}
	for v := range g.Nodes {
		if c := g.Nodes[v].Colour; c != opgraph.NoColour {
			r.members[c]++
		}
	}
	r.succAll, r.predAll = g.Successors(), g.Predecessors()
	r.drop()
	sinkOf := r.optionalSinks()
	r.neighbours()
	r.merge()
	r.optionalSources()
	r.finish(sinkOf)
	return p
}

// reducer is the work of reduce.
type reducer struct {
	*problem
	members          map[int]int // nodes of a colour
	out              []bool      // dropped or optional
	succAll, predAll [][]int
	leader           []int // union-find of items
	optional         []int // sources
}

func (r *reducer) alone(v int) bool {
	c := r.g.Nodes[v].Colour
	return c == opgraph.NoColour || r.members[c] == 1
}

// left are the neighbours that are in items.
func (r *reducer) left(list []int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(v int) bool { return r.out[v] })
}

func (r *reducer) drop() {
	for _, v := range r.order {
		if r.alone(v) && r.cpu[v] == 0 && r.g.Nodes[v].Send == 0 && len(r.left(r.predAll[v])) == 0 {
			r.out[v] = true
		}
	}
}

// optionalSinks are nodes without CPU work and successor that have one predecessor.
// Away from it on an accelerator such a node makes that one wait and receive, for
// nothing; on the CPU it is done when the predecessor is.
func (r *reducer) optionalSinks() map[int][]int {
	of := map[int][]int{}
	var taken []int
	for _, v := range r.order {
		if r.out[v] || !r.alone(v) || r.cpu[v] != 0 || len(r.succAll[v]) > 0 {
			continue
		}
		if from := r.left(r.predAll[v]); len(from) == 1 {
			of[from[0]] = append(of[from[0]], v)
			taken = append(taken, v)
		}
	}
	for _, v := range taken {
		r.out[v] = true
	}
	return of
}

func (r *reducer) neighbours() {
	r.succ, r.pred = make([][]int, len(r.order)), make([][]int, len(r.order))
	for v := range r.order {
		if !r.out[v] {
			r.succ[v], r.pred[v] = r.left(r.succAll[v]), r.left(r.predAll[v])
		}
	}
}

// merge joins nodes of one class as far as the rule of items goes.
func (r *reducer) merge() {
	r.leader = make([]int, len(r.order))
	nodes := make([][]int, len(r.order)) // of a leader
	for v := range r.leader {
		r.leader[v], nodes[v] = v, []int{v}
	}
	colour := func(v int) int { return r.g.Nodes[v].Colour }
	// only is the only leader next to a set along an adjacency, itself aside; -1: none or several.
	only := func(set []int, along [][]int) int {
		found := -1
		for _, v := range set {
			for _, w := range along[v] {
				if l := r.leader[w]; l != r.leader[v] && l != found {
					if found >= 0 {
						return -1
					}
					found = l
				}
			}
		}
		return found
	}
	for changed := true; changed; {
		changed = false
		for _, v := range r.order {
			if r.out[v] || r.leader[v] != v || colour(v) == opgraph.NoColour || r.members[colour(v)] == 1 {
				continue
			}
			for _, along := range [][][]int{r.succ, r.pred} {
				w := only(nodes[v], along)
				if w < 0 || colour(w) != colour(v) {
					continue
				}
				for _, u := range nodes[w] {
					r.leader[u] = v
				}
				nodes[v], nodes[w] = append(nodes[v], nodes[w]...), nil
				changed = true
			}
		}
	}
}

// optionalSources are nodes without CPU work and predecessor whose successors are in
// one item. On another accelerator than theirs they make that one send, for nothing.
func (r *reducer) optionalSources() {
	for _, v := range r.order {
		if r.out[v] || !r.alone(v) || r.cpu[v] != 0 || len(r.pred[v]) > 0 || len(r.succ[v]) == 0 || r.hasSinks(v) {
			continue
		}
		to := r.leader[r.succ[v][0]]
		if !slices.ContainsFunc(r.succ[v], func(w int) bool { return r.leader[w] != to }) {
			r.optional = append(r.optional, v)
		}
	}
}

// hasSinks reports whether an optional sink hangs on a node.
func (r *reducer) hasSinks(v int) bool {
	return slices.ContainsFunc(r.succAll[v], func(w int) bool { return r.out[w] })
}

// finish numbers the items in topological order and fills in what they are.
func (r *reducer) finish(sinkOf map[int][]int) {
	p := r.problem
	for _, v := range r.optional {
		r.out[v] = true
	}
	byLeader := make([][]int, len(r.order))
	for _, v := range r.order {
		if p.itemOf[v] = -1; !r.out[v] {
			byLeader[r.leader[v]] = append(byLeader[r.leader[v]], v)
		}
	}
	// An item stands where its last node does or earlier: Kahn over the items.
	waits := make([]int, len(r.order))
	to := make([][]int, len(r.order))
	for v := range r.order {
		for _, w := range r.succ[v] {
			if a, b := r.leader[v], r.leader[w]; !r.out[v] && !r.out[w] && a != b {
				to[a] = append(to[a], b)
			}
		}
	}
	for a := range to {
		slices.Sort(to[a])
		to[a] = slices.Compact(to[a])
		for _, b := range to[a] {
			waits[b]++
		}
	}
	var order []int
	for _, v := range r.order {
		if l := r.leader[v]; byLeader[l] != nil && byLeader[l][0] == v && waits[l] == 0 {
			order = append(order, l)
		}
	}
	number := make([]int, len(r.order))
	for i := 0; i < len(order); i++ {
		number[order[i]] = i
		for _, b := range to[order[i]] {
			if waits[b]--; waits[b] == 0 {
				order = append(order, b)
			}
		}
	}
	p.blocks = min(p.g.Accelerators, len(order))
	p.items, p.sources = make([]item, len(order)), make([][]option, len(order))
	classOf := map[int]int{}
	for i, l := range order {
		it := item{nodes: byLeader[l], class: -1, cpu: true}
		for _, v := range it.nodes {
			p.itemOf[v] = i
			it.work += p.acc[v]
			it.bytes += p.g.Nodes[v].Bytes
			it.cpu = it.cpu && !math.IsInf(p.cpu[v], 1)
		}
		for _, b := range to[l] {
			it.succ = append(it.succ, number[b])
			p.items[number[b]].pred = append(p.items[number[b]].pred, i)
		}
		it.pred = p.items[i].pred
		slices.Sort(it.succ)
		if c := p.g.Nodes[l].Colour; c != opgraph.NoColour && r.members[c] > len(it.nodes) {
			class, there := classOf[c]
			if !there {
				class = len(p.classes)
				classOf[c], p.classes = class, append(p.classes, nil)
			}
			it.class = class
			p.classes[class] = append(p.classes[class], i)
		}
		p.items[i] = it
	}
	for i := range p.items {
		slices.Sort(p.items[i].pred)
	}
	p.keepOff()
	r.options(sinkOf)
	p.edge = []int32{0}
	for v := range p.succ { // optional sources are out of the graph from here on
		p.succ[v], p.pred[v] = r.left(p.succ[v]), r.left(p.pred[v])
		if r.out[v] {
			p.succ[v], p.pred[v] = nil, nil
		}
		for _, w := range p.succ[v] {
			p.target = append(p.target, int32(w))
		}
		p.edge = append(p.edge, int32(len(p.target)))
	}
}

// keepOff bars items from accelerators whose class cannot be on one as a whole.
func (p *problem) keepOff() {
	work, bytes := make([]float64, len(p.classes)), make([]int64, len(p.classes))
	for _, it := range p.items {
		if it.class >= 0 {
			work[it.class] += it.work
			bytes[it.class] += it.bytes
		}
	}
	for i := range p.items {
		it := &p.items[i]
		if c := it.class; it.bytes > p.g.AcceleratorBytes || c >= 0 && (math.IsInf(work[c], 1) || bytes[c] > p.g.AcceleratorBytes) {
			it.work = math.Inf(1)
		}
		if math.IsInf(it.work, 1) {
			for _, v := range it.nodes {
				p.acc[v] = math.Inf(1)
			}
		}
	}
}

// options fills in what the optional nodes save and need.
func (r *reducer) options(sinkOf map[int][]int) {
	make1 := func(nodes []int, cost float64) option {
		o := option{nodes: nodes, saves: cost}
		for _, v := range nodes {
			o.saves -= r.acc[v] // -Inf where an accelerator cannot run it
			o.bytes += r.g.Nodes[v].Bytes
		}
		return o
	}
	for v := range r.order {
		if nodes := sinkOf[v]; len(nodes) > 0 {
			r.sinks[v] = make1(nodes, r.g.Nodes[v].Send)
			r.sinks[v].pays = true
		}
	}
	for _, v := range r.optional {
		to := r.itemOf[r.succ[v][0]]
		r.sources[to] = append(r.sources[to], make1([]int{v}, r.g.Nodes[v].Send))
	}
}
