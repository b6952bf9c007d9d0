package scatter

import (
	"cmp"
	"context"
	"slices"
)

// tree tries all assignments of clusters to devices, depth first: the largest cluster
// first, of equal empty devices only the first, and nothing below a node whose loads
// already reach the best value or whose rest has no room under it. It settles small
// graphs, those that memory makes impossible among them.
type tree struct {
	p      *problem
	upper  int64 // only assignments with a smaller largest load are of use
	effort int64
	// bytesFirst orders the clusters by what they take of the memory, not by their work.
	bytesFirst bool

	order  []int
	device []int32 // −1: not yet
	load   []int64
	bytes  []int64
	used   []int   // clusters on a device
	count  []int32 // sinks of a net on a device
	placed []int32 // sinks of a net that are placed
	rest   []int64 // by depth: work that is not placed, for accelerators only
	best   []int32
	nodes  int64
	spent  int64
	failed bool // stopped before the end
}

// run reports whether the tree was gone through to the end.
func (t *tree) run(ctx context.Context) bool {
	p := t.p
	n := len(p.clusters)
	t.order = make([]int, n)
	for i := range t.order {
		t.order[i] = i
	}
	slices.SortStableFunc(t.order, func(a, b int) int {
		x, y := &p.clusters[a], &p.clusters[b]
		work, bytes := cmp.Compare(y.work, x.work), cmp.Compare(y.bytes, x.bytes)
		if t.bytesFirst {
			return cmp.Or(bytes, work)
		}
		return cmp.Or(work, bytes)
	})
	t.device = slices.Repeat([]int32{-1}, n)
	t.load, t.bytes = make([]int64, p.devices()), make([]int64, p.devices())
	t.used = make([]int, p.devices())
	t.count = make([]int32, len(p.nets)*p.devices())
	t.placed = make([]int32, len(p.nets))
	t.rest = make([]int64, n+1)
	for i := n - 1; i >= 0; i-- {
		t.rest[i] = t.rest[i+1]
		if c := &p.clusters[t.order[i]]; !c.onCore {
			t.rest[i] += c.work
		}
	}
	t.visit(ctx, 0)
	return !t.failed
}

func (t *tree) visit(ctx context.Context, depth int) {
	p := t.p
	t.nodes++
	t.spent += 20
	if t.nodes%256 == 0 && ctx.Err() != nil || t.spent > t.effort {
		t.failed = true
	}
	if t.failed {
		return
	}
	if depth == len(t.order) {
		t.best = append(t.best[:0], t.device...)
		t.upper = slices.Max(t.load)
		return
	}
	room := int64(0)
	for d := range p.accelerators {
		room += t.upper - 1 - t.load[d]
	}
	if t.rest[depth] > room {
		return
	}
	c := t.order[depth]
	emptyAccelerator, emptyCore := false, false
	for d := range p.devices() {
		if t.used[d] == 0 {
			seen := &emptyAccelerator
			if p.isCore(d) {
				seen = &emptyCore
			}
			if *seen {
				continue
			}
			*seen = true
		}
		if !p.allowed(c, d) || !p.isCore(d) && t.bytes[d]+p.clusters[c].bytes > p.g.AcceleratorBytes {
			continue
		}
		if t.place(c, d); slices.Max(t.load) < t.upper {
			t.visit(ctx, depth+1)
		}
		t.remove(c, d)
		if t.failed {
			return
		}
	}
}

func (t *tree) place(c, d int) {
	t.charge(c, -1)
	t.device[c] = int32(d)
	t.used[d]++
	t.bytes[d] += t.p.clusters[c].bytes
	t.load[d] += t.p.time(c, d)
	for _, i := range t.p.asSink[c] {
		t.count[int(i)*t.p.devices()+d]++
		t.placed[i]++
	}
	t.charge(c, 1)
}

func (t *tree) remove(c, d int) {
	t.charge(c, -1)
	t.device[c] = -1
	t.used[d]--
	t.bytes[d] -= t.p.clusters[c].bytes
	t.load[d] -= t.p.time(c, d)
	for _, i := range t.p.asSink[c] {
		t.count[int(i)*t.p.devices()+d]--
		t.placed[i]--
	}
	t.charge(c, 1)
}

// charge adds, or with −1 takes back, what the nets of a cluster cost for certain: those
// whose source is placed, by the sinks that are.
func (t *tree) charge(c int, sign int64) {
	for _, nets := range [2][]int32{t.p.asSource[c], t.p.asSink[c]} {
		for _, i := range nets {
			n := &t.p.nets[i]
			from := t.device[n.source]
			if from < 0 {
				continue
			}
			count := t.count[int(i)*t.p.devices() : (int(i)+1)*t.p.devices()]
			t.spent++
			if count[from] < t.placed[i] && !t.p.isCore(int(from)) {
				t.load[from] += sign * n.cost
			}
			for d := range t.p.accelerators {
				if int32(d) != from && count[d] > 0 {
					t.load[d] += sign * n.cost
				}
			}
		}
	}
}
