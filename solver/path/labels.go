package path

import (
	"cmp"
	"context"
	"slices"
)

// maxLabels bounds the labels of one box; a box that needs more is split, or where
// it cannot be split counted as open. 6 M labels are about 600 MB.
const maxLabels = 6 << 20

// label is a partial path: its sums, bottlenecks, smallest rate time and fee.
type label struct {
	sum, peak [2]int64
	low, fee  int64
	state     int64 // of the part of its node
	rank      int64 // of a beam: priced cost of the cheapest path through it, scaled
	parent    int32
	arc       int32
	stages    int32
	dead      bool
}

// outcome says how an enumeration of labels ended.
type outcome int

const (
	finished outcome = iota
	tooMany
	stopped
)

// labeling enumerates the paths of one box by label setting.
type labeling struct {
	g      *graph
	c      *compiled
	box    *box
	counts *counts // nil where only the completions of nodes are known
	bounds []rest  // per node, where counts is nil
	best   int64   // value to beat
	chain  []arc   // of the best found
	labels []label
	at     []labelled // per node
	width  int        // > 0: a beam that keeps so many labels a node
	apart  bool       // sums must be compared one by one
	peaks  [2]bool
	lows   bool
	limit  int  // labels this box may make
	open   bool // labels stay at their nodes, and none is a whole path
}

// labelled are the labels at a node, by state in order of discovery.
type labelled struct {
	slots  slots
	states []int64
	ids    [][]int32
}

func newLabeling(g *graph, b *box, s *counts, best int64, width int) *labeling {
	c := g.c
	l := &labeling{g: g, c: c, box: b, counts: s, best: best, width: width, limit: maxLabels}
	l.at = make([]labelled, g.nodes)
	l.apart = c.p.Cap != nil
	for ph, f := range c.p.Phases {
		l.apart = l.apart || c.p.Limit[ph] != NoLimit || (f.Sum > 0 && f.Rate > f.Peak)
		l.peaks[ph] = c.bottleneck[ph] && b.lo[ph] < b.hi[ph]
	}
	l.lows = c.balance && c.floor(b)*c.p.BalanceDen < c.p.BalanceNum*c.high(b, 1)
	if s == nil {
		l.bounds = g.nodeBounds()
		l.counts = newCounts(g, 0) // looks at states only
	}
	return l
}

// nodeBounds are completions without counts.
func (g *graph) nodeBounds() []rest {
	out := make([]rest, g.nodes)
	for i := range out {
		out[i] = noRest
	}
	out[g.end] = rest{}
	for _, n := range g.ends {
		out[n] = rest{}
	}
	for k := len(g.arcs) - 1; k >= 0; k-- {
		x := &g.arcs[k]
		t := out[x.to]
		if t.form >= infinite {
			continue
		}
		if x.leg != nil {
			t = t.before(x.leg, &g.form)
		}
		out[x.from].least(&t)
	}
	return out
}

// run extends labels node by node. Nodes are in topological order.
func (l *labeling) run(ctx context.Context) outcome {
	arcs := l.g.arcs
	for _, n := range l.g.starts {
		l.insert(n, label{low: infinite, parent: -1, arc: -1})
	}
	steps := 0
	for k := 0; k < len(arcs); {
		n := arcs[k].from
		end := k
		for end < len(arcs) && arcs[end].from == n {
			end++
		}
		at := &l.at[n]
		if l.width > 0 {
			l.thin(at)
		}
		for i, state := range at.states {
			l.counts.look(n, state)
			for _, id := range at.ids[i] {
				if l.labels[id].dead {
					continue
				}
				for j := k; j < end; j++ {
					l.extend(id, int32(j))
				}
				if steps++; steps&15 == 0 && ctx.Err() != nil {
					return stopped
				}
				if len(l.labels) > l.limit {
					return tooMany
				}
			}
		}
		if !l.open {
			l.at[n] = labelled{}
		}
		k = end
	}
	l.finish()
	return finished
}

// thin leaves the labels of the least ranks, as many as the beam is wide.
func (l *labeling) thin(at *labelled) {
	var all []int32
	for _, ids := range at.ids {
		all = append(all, ids...)
	}
	if len(all) <= l.width {
		return
	}
	slices.SortFunc(all, func(a, b int32) int {
		return cmp.Or(cmp.Compare(l.labels[a].rank, l.labels[b].rank), cmp.Compare(a, b))
	})
	for _, id := range all[l.width:] {
		l.labels[id].dead = true
	}
}

func (l *labeling) extend(id, i int32) {
	c := l.c
	from, x := &l.labels[id], &l.g.arcs[i]
	state, ok := l.counts.next(x, from.state)
	if !ok {
		return
	}
	next := *from
	next.state, next.parent, next.arc = state, id, i
	if x.leg != nil {
		next.take(x.leg)
		if l.lows && !c.balanced(next.low, next.peak[1]) {
			return // both only get worse
		}
		if most := c.p.MaxStages; most > 0 && (int(next.stages) > most || int(next.stages) == most && int(x.b) < c.p.Boundaries-1) {
			return
		}
		if int(next.stages)+c.p.Boundaries-1-int(x.b) < c.p.MinStages {
			return // not even a stage for each of the layers left makes them enough
		}
	}
	if l.lowest(x, &next) >= l.best {
		return
	}
	l.insert(x.to, next)
}

// take adds a stage.
func (x *label) take(y *leg) {
	x.low, x.fee, x.stages = min(x.low, y.time[1]), x.fee+y.fee, x.stages+1
	for ph := range 2 {
		x.sum[ph] += y.time[ph]
		x.peak[ph] = max(x.peak[ph], y.time[ph])
	}
}

// lowest is a lower bound on J of any path through the label, which the arc has led to;
// infinite where limits cannot be kept.
func (l *labeling) lowest(a *arc, x *label) int64 {
	c, n := l.c, a.to
	var t rest
	if l.bounds == nil {
		at := &l.counts.at[n]
		i, ok := at.slots.find(x.state)
		if !ok || at.rest == nil {
			return infinite
		}
		t = at.rest[i]
	} else {
		t = l.bounds[n]
	}
	if t.form >= infinite {
		return infinite
	}
	sum := [2]int64{x.sum[0] + t.sum0, x.sum[1] + t.sum1}
	peak := [2]int64{max(x.peak[0], t.peak0), max(x.peak[1], t.peak1)}
	if !c.allowed(sum, peak) {
		return infinite
	}
	v := c.objective(sum, peak, x.fee)
	f := &l.g.form
	own := f.coef[0]*x.sum[0] + f.coef[1]*x.sum[1] + x.fee
	// The form counts the bottleneck at the box's low end; what this path already
	// knows of it goes on top.
	extra := f.constant
	for ph := range c.p.Phases {
		extra += c.steep(f, ph) * max(0, peak[ph]-c.low(l.box, ph))
	}
	v = max(v, own+t.form+extra)
	if l.bounds != nil {
		rest := l.g.toEnd[n] - l.left(a)
		x.rank = own*priceScale + rest
		v = max(v, own+ceilDiv(rest, priceScale)+extra)
	}
	return v
}

// left is Σ λ·(capacity − used) where an arc leads to from the state at hand.
func (l *labeling) left(x *arc) int64 {
	switch t := l.g.partOf[x.from]; {
	case x.leg != nil:
		return l.counts.left - l.g.lambda[x.resource]*int64(x.units)
	case l.g.partOf[x.to] == t:
		return l.counts.left
	default:
		return l.g.later[t]
	}
}

// insert adds a label to its state unless another dominates it.
func (l *labeling) insert(n int32, x label) {
	at := &l.at[n]
	i, known := at.slots.find(x.state)
	if !known {
		i = int32(len(at.states))
		at.slots.add(x.state, i)
		at.states = append(at.states, x.state)
		at.ids = append(at.ids, nil)
	}
	ids := at.ids[i]
	kept := ids[:0]
	for k, id := range ids {
		y := &l.labels[id]
		if l.dominates(y, &x) {
			at.ids[i] = append(kept, ids[k:]...)
			return
		}
		if l.dominates(&x, y) {
			y.dead = true
			continue
		}
		kept = append(kept, id)
	}
	at.ids[i] = append(kept, int32(len(l.labels)))
	l.labels = append(l.labels, x)
}

// dominates reports that whatever completes y completes x no worse. Bottlenecks
// below the box's low end count as the low end: such paths belong to other boxes.
func (l *labeling) dominates(x, y *label) bool {
	c := l.c
	if l.apart {
		if x.sum[0] > y.sum[0] || x.sum[1] > y.sum[1] || x.fee > y.fee {
			return false
		}
	} else {
		f := &c.p.Phases
		w := &c.p.Weight
		if w[0]*f[0].Sum*x.sum[0]+w[1]*f[1].Sum*x.sum[1]+x.fee > w[0]*f[0].Sum*y.sum[0]+w[1]*f[1].Sum*y.sum[1]+y.fee {
			return false
		}
	}
	for ph := range 2 {
		if l.peaks[ph] && max(x.peak[ph], c.low(l.box, ph)) > max(y.peak[ph], c.low(l.box, ph)) {
			return false
		}
	}
	if l.lows && x.low < y.low {
		return false
	}
	// More stages are as good once they are enough, fewer as long as they are not too many.
	return (c.p.MaxStages == 0 || x.stages <= y.stages) && x.stages >= min(y.stages, int32(c.p.MinStages))
}

// finish takes the best complete path.
func (l *labeling) finish() {
	c := l.c
	if l.g.ends != nil {
		return // no state is known to be complete there
	}
	for _, ids := range l.at[l.g.end].ids {
		for _, id := range ids {
			x := &l.labels[id]
			if x.dead || !c.balanced(x.low, x.peak[1]) || !c.allowed(x.sum, x.peak) {
				continue
			}
			if v := c.objective(x.sum, x.peak, x.fee); v < l.best {
				l.best = v
				l.chain = l.chainOf(id)
			}
		}
	}
}

func (l *labeling) chainOf(id int32) []arc { return l.g.chainOf(l.pathOf(id)) }

// pathOf lists the arcs that have led to a label.
func (l *labeling) pathOf(id int32) []arc {
	var path []arc
	for ; l.labels[id].arc >= 0; id = l.labels[id].parent {
		path = append(path, l.g.arcs[l.labels[id].arc])
	}
	slices.Reverse(path)
	return path
}
