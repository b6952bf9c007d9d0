package encode

import (
	"context"
	"fmt"
	"slices"

	"partita/solver/path"
)

// arc is a stage candidate between two nodes of the network, sends included.
type arc struct {
	from, to        int32 // nodes
	begin, end      int32 // boundaries: the layers [begin, end)
	class, option   int32 // handle on path.Problem.Options
	resource, units int32
	time            [2]int64 // τ of each phase, ticks
	fee             int64
}

// network is the stage graph of one problem. A node is a boundary, and where the
// send to the next stage depends on the group that runs it, a boundary and a kind
// of successor. Node 0 is boundary 0, the last node is the last boundary; arcs are
// sorted by begin, so that a pass over them is a pass in topological order.
type network struct {
	p      *path.Problem
	arcs   []arc
	nodes  int
	kinds  int     // kinds of successor
	kindOf []int32 // kind by group; nil where Send is nil
	// ctx is that of the search; nil outside of one. What passes over the network many
	// times looks at it, so that a search is over within a tenth of a second.
	ctx context.Context
	// names, where set, names the variables of stages (ModelOptions.Name).
	names func(s path.Stage, next int) string
}

// newNetwork builds the network: every arc that lies on some path and that no other
// arc makes superfluous. The error says what is wrong with the problem.
func newNetwork(p *path.Problem) (*network, error) { return newNetworkIn(context.Background(), p) }

// newNetworkIn builds the network of a search; the error is also the end of its context.
func newNetworkIn(ctx context.Context, p *path.Problem) (*network, error) {
	if err := validate(p); err != nil {
		return nil, err
	}
	n := &network{p: p, kinds: 1, ctx: ctx}
	n.groupKinds()
	layers := p.Boundaries - 1
	n.nodes = 2 + max(0, layers-1)*n.kinds
	for a := range layers {
		if n.ended() {
			return nil, ctx.Err()
		}
		for b := a + 1; b <= layers; b++ {
			if class := p.ClassOf(a, b); class >= 0 {
				n.addInterval(a, b, class)
			}
		}
	}
	all := make([]int32, len(n.arcs))
	for i := range all {
		all[i] = int32(i)
	}
	live := n.reachable(all)
	for i, j := range live {
		n.arcs[i] = n.arcs[j]
	}
	n.arcs = n.arcs[:len(live)]
	return n, nil
}

// groupKinds gives the groups that every sender charges alike the same kind.
func (n *network) groupKinds() {
	send := n.p.Send
	if send == nil {
		return
	}
	n.kindOf = make([]int32, len(send))
	var first []int // a group of each kind
	for g := range send {
		kind := slices.IndexFunc(first, func(h int) bool {
			for i := range send {
				if send[i][g] != send[i][h] {
					return false
				}
			}
			return true
		})
		if kind < 0 {
			kind = len(first)
			first = append(first, g)
		}
		n.kindOf[g] = int32(kind)
	}
	n.kinds = max(1, len(first))
}

// ended says that the search is to be given up: what is known by now has to do.
func (n *network) ended() bool { return n.ctx != nil && n.ctx.Err() != nil }

func (n *network) kind(group int32) int32 {
	if n.kindOf == nil {
		return 0
	}
	return n.kindOf[group]
}

func (n *network) node(boundary int, kind int32) int32 {
	switch boundary {
	case 0:
		return 0
	case n.p.Boundaries - 1:
		return int32(n.nodes - 1)
	}
	return int32(1+(boundary-1)*n.kinds) + kind
}

// addInterval adds an arc for each option of the interval and each kind of successor.
func (n *network) addInterval(a, b int, class int32) {
	p := n.p
	start := len(n.arcs)
	successors := n.kinds
	if b == p.Boundaries-1 {
		successors = 1
	}
	for o, opt := range p.Options[class] {
		if int(opt.Units) > p.Resources[opt.Resource].Capacity {
			continue
		}
		for k := range int32(successors) {
			time := opt.Time
			if p.Send != nil && b < p.Boundaries-1 {
				to := slices.Index(n.kindOf, k)
				time[0] += p.Send[opt.Group][to][0]
				time[1] += p.Send[opt.Group][to][1]
			}
			n.arcs = append(n.arcs, arc{
				from: n.node(a, n.kind(opt.Group)), to: n.node(b, k), begin: int32(a), end: int32(b),
				class: class, option: int32(o), resource: opt.Resource, units: opt.Units, time: time, fee: opt.Fee,
			})
		}
	}
	kept := start
	for i := start; i < len(n.arcs); i++ {
		if !n.superfluous(i, start) {
			n.arcs[kept] = n.arcs[i]
			kept++
		}
	}
	n.arcs = n.arcs[:kept]
}

// superfluous: another arc between the same nodes does as well in every respect, so
// that it can take the place of arc i in any path. Equal arcs leave the first.
func (n *network) superfluous(i, start int) bool {
	a := &n.arcs[i]
	for j := start; j < len(n.arcs); j++ {
		b := &n.arcs[j]
		if i == j || a.from != b.from || a.to != b.to || a.resource != b.resource {
			continue
		}
		// A shorter time 1 can break the balance, fewer units an exact count.
		no := b.time[0] > a.time[0] || b.time[1] > a.time[1] || b.fee > a.fee || b.units > a.units ||
			b.time[1] < a.time[1] && n.p.BalanceNum > 0 || b.units < a.units && n.countsExactly(a.resource)
		same := a.time == b.time && a.fee == b.fee && a.units == b.units
		if !no && (!same || j < i) {
			return true
		}
	}
	return false
}

// countsExactly: using fewer units of the resource can make a path forbidden.
func (n *network) countsExactly(r int32) bool {
	if n.p.Resources[r].Exact {
		return true
	}
	return slices.ContainsFunc(n.p.Packings, func(k path.Packing) bool {
		return k.Total >= 0 && slices.Contains(k.Resources, int(r))
	})
}

// reachable keeps the arcs that lie on a path from the first to the last node.
func (n *network) reachable(arcs []int32) []int32 {
	from, to := make([]bool, n.nodes), make([]bool, n.nodes)
	from[0], to[n.nodes-1] = true, true
	for _, i := range arcs {
		a := &n.arcs[i]
		from[a.to] = from[a.to] || from[a.from]
	}
	for _, i := range slices.Backward(arcs) {
		a := &n.arcs[i]
		to[a.from] = to[a.from] || to[a.to]
	}
	var live []int32
	for _, i := range arcs {
		if a := &n.arcs[i]; from[a.from] && to[a.to] {
			live = append(live, i)
		}
	}
	return live
}

// stage is the arc as the problem names it.
func (a *arc) stage() path.Stage {
	return path.Stage{From: int(a.begin), To: int(a.end), Class: a.class, Option: a.option}
}

// next is a group of the kind that the arc hands over to, -1 where its send does not
// depend on that.
func (n *network) next(a *arc) int {
	if n.kinds == 1 || int(a.to) == n.nodes-1 {
		return -1
	}
	return slices.Index(n.kindOf, n.successor(a))
}

func (a *arc) name(n *network) string {
	if n.names != nil {
		return n.names(a.stage(), n.next(a))
	}
	if n.kinds == 1 {
		return fmt.Sprintf("x_%d_%d_%d", a.begin, a.end, a.option)
	}
	return fmt.Sprintf("x_%d_%d_%d_n%d", a.begin, a.end, a.option, a.to)
}
