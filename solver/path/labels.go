package path

import (
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
	state     int64 // used vector
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
	arcs   []arc
	c      *compiled
	box    *box
	priced *priced
	counts *counts // nil where the states are hashed
	bounds []rest  // per node, where counts is nil
	best   int64   // value to beat
	chain  []arc   // of the best found
	labels []label
	at     []map[int64][]int32 // per node: labels of each used vector, hashed
	order  [][]int64           // per node: used vectors in order of discovery
	width  int                 // > 0: a beam that keeps so many labels a state
	apart  bool                // sums must be compared one by one
	peaks  [2]bool
	lows   bool
	limit  int // labels this box may make
}

func (c *compiled) newLabeling(b *box, pr *priced, s *counts, arcs []arc, best int64, width int) *labeling {
	l := &labeling{c: c, arcs: arcs, box: b, priced: pr, counts: s, best: best, width: width, limit: maxLabels}
	l.at = make([]map[int64][]int32, c.nodes)
	l.order = make([][]int64, c.nodes)
	l.apart = c.p.Cap != nil
	for ph, f := range c.p.Phases {
		l.apart = l.apart || c.p.Limit[ph] != NoLimit || (f.Sum > 0 && f.Rate > f.Peak)
		l.peaks[ph] = c.bottleneck[ph] && b.lo[ph] < b.hi[ph]
	}
	l.lows = c.balance && c.floor(b)*c.p.BalanceDen < c.p.BalanceNum*c.high(b, 1)
	if s == nil {
		l.bounds = c.nodeBounds(arcs, &pr.form)
	}
	return l
}

// nodeBounds are completions without counts, for hashed states.
func (c *compiled) nodeBounds(arcs []arc, f *costForm) []rest {
	out := make([]rest, c.nodes)
	for i := range out {
		out[i] = noRest
	}
	out[c.sink] = rest{}
	for k := len(arcs) - 1; k >= 0; k-- {
		x := &arcs[k]
		t, r := &out[x.to], &out[x.from]
		if t.form >= infinite {
			continue
		}
		r.form = min(r.form, f.of(x.leg)+t.form)
		r.sum0 = min(r.sum0, x.time[0]+t.sum0)
		r.sum1 = min(r.sum1, x.time[1]+t.sum1)
		r.peak0 = min(r.peak0, max(x.time[0], t.peak0))
		r.peak1 = min(r.peak1, max(x.time[1], t.peak1))
	}
	return out
}

// run extends labels node by node. Nodes are in topological order.
func (l *labeling) run(ctx context.Context) outcome {
	c, arcs := l.c, l.arcs
	for g := range c.groups {
		l.insert(int32(g), label{low: infinite, parent: -1, arc: -1})
	}
	steps := 0
	for k := 0; k < len(arcs); {
		n := arcs[k].from
		end := k
		for end < len(arcs) && arcs[end].from == n {
			end++
		}
		for _, state := range l.order[n] {
			for _, id := range l.kept(n, state) {
				if l.labels[id].dead {
					continue
				}
				for i := k; i < end; i++ {
					l.extend(id, int32(i))
				}
				if steps++; steps&63 == 0 && ctx.Err() != nil {
					return stopped
				}
				if len(l.labels) > l.limit {
					return tooMany
				}
			}
		}
		l.at[n] = nil
		k = end
	}
	l.finish()
	return finished
}

// kept lists the labels of a state that go on: all, or the beam's best.
func (l *labeling) kept(n int32, state int64) []int32 {
	ids := l.at[n][state]
	if l.width == 0 || len(ids) <= l.width {
		return ids
	}
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b int32) int {
		x, y := l.bound(n, &l.labels[a]), l.bound(n, &l.labels[b])
		switch {
		case x != y:
			return int(min(1, max(-1, x-y)))
		default:
			return int(a - b)
		}
	})
	return sorted[:l.width]
}

func (l *labeling) extend(id, i int32) {
	c := l.c
	from, x := &l.labels[id], &l.arcs[i]
	r := x.resource
	if stride := c.stride[r]; stride > 0 && from.state/stride%int64(c.capacity[r]+1)+int64(x.units) > int64(c.capacity[r]) {
		return
	}
	next := label{
		low: min(from.low, x.time[1]), fee: from.fee + x.fee, state: from.state + x.delta,
		parent: id, arc: i, stages: from.stages + 1,
	}
	for ph := range 2 {
		next.sum[ph] = from.sum[ph] + x.time[ph]
		next.peak[ph] = max(from.peak[ph], x.time[ph])
	}
	if l.lows && !c.balanced(next.low, next.peak[1]) {
		return // both only get worse
	}
	if most := c.p.MaxStages; most > 0 && (int(next.stages) > most || int(next.stages) == most && x.to != c.sink) {
		return
	}
	if int(next.stages)+c.p.Boundaries-1-int(x.b) < c.p.MinStages {
		return // not even a stage for each of the layers left makes them enough
	}
	if l.bound(x.to, &next) >= l.best {
		return
	}
	l.insert(x.to, next)
}

// bound is a lower bound on J of any path through the label; infinite where limits
// cannot be kept.
func (l *labeling) bound(n int32, x *label) int64 {
	c := l.c
	var t rest
	if l.counts != nil {
		if l.counts.rest[n] == nil {
			return infinite
		}
		t = l.counts.rest[n][x.state]
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
	f := &l.priced.form
	own := f.coef[0]*x.sum[0] + f.coef[1]*x.sum[1] + x.fee
	// The form counts the bottleneck at the box's low end; what this path already
	// knows of it goes on top.
	extra := f.constant
	for ph, p := range c.p.Phases {
		over := max(0, peak[ph]-c.low(l.box, ph))
		if f.coef[ph] > 0 || p.Sum == 0 {
			extra += c.p.Weight[ph] * p.Peak * over
		} else {
			extra += c.p.Weight[ph] * p.Rate * over
		}
	}
	v = max(v, own+t.form+extra)
	if l.counts == nil {
		rest := l.priced.toSink[n]
		for r, price := range l.priced.lambda {
			capacity := int64(c.p.Resources[r].Capacity)
			used := int64(0)
			if c.stride[r] > 0 {
				used = x.state / c.stride[r] % (capacity + 1)
			}
			rest -= price * (capacity - used)
		}
		v = max(v, own+ceilDiv(rest, priceScale)+extra)
	}
	return v
}

// insert adds a label to its state unless another dominates it.
func (l *labeling) insert(n int32, x label) {
	if l.at[n] == nil {
		l.at[n] = map[int64][]int32{}
	}
	ids, known := l.at[n][x.state]
	if !known {
		l.order[n] = append(l.order[n], x.state)
	}
	kept := ids[:0]
	for k, id := range ids {
		y := &l.labels[id]
		if l.dominates(y, &x) {
			l.at[n][x.state] = append(kept, ids[k:]...)
			return
		}
		if l.dominates(&x, y) {
			y.dead = true
			continue
		}
		kept = append(kept, id)
	}
	l.at[n][x.state] = append(kept, int32(len(l.labels)))
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
	for _, state := range l.order[c.sink] {
		if !c.complete(state) {
			continue
		}
		for _, id := range l.at[c.sink][state] {
			x := &l.labels[id]
			if !c.balanced(x.low, x.peak[1]) || !c.allowed(x.sum, x.peak) {
				continue
			}
			if v := c.objective(x.sum, x.peak, x.fee); v < l.best {
				l.best = v
				l.chain = l.chainOf(id)
			}
		}
	}
}

func (l *labeling) chainOf(id int32) []arc {
	var chain []arc
	for ; l.labels[id].arc >= 0; id = l.labels[id].parent {
		chain = append(chain, l.arcs[l.labels[id].arc])
	}
	slices.Reverse(chain)
	return chain
}
