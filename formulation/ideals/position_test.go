package ideals

import (
	"testing"

	"pgregory.net/rapid"
)

// What a position keeps from step to step is what its sets say.
func TestPositionKeepsItsCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newCore(drawProblem(t, 14))
		p := newPosition(k, k.weightings())
		base, stage := make(bitset, k.words), []int32{}
		p.acts = p.all
		ready := func(v int32) bool { return p.missing[v] == 0 && !p.in.has(int(v)) }
		anyReady := func() int32 {
			for _, v := range rapid.Permutation(indices(k.n)).Draw(t, "next") {
				if ready(int32(v)) {
					return int32(v)
				}
			}
			return -1
		}
		for range rapid.IntRange(1, 3).Draw(t, "bases") {
			clear(base)
			for range rapid.IntRange(0, k.n).Draw(t, "size") { // along the order, or from its end
				if v := anyReady(); v >= 0 {
					p.rebase(v, 1)
					base.add(int(v))
				}
			}
			copy(base, p.in)
			for v := k.n - 1; v >= 0 && rapid.Bool().Draw(t, "out"); v-- {
				if p.in.has(v) {
					p.rebase(int32(v), -1)
					base.drop(v)
				}
			}
			p.c = rapid.IntRange(0, len(k.classes)-1).Draw(t, "class")
			p.class = &k.classes[p.c]
			p.load, p.least, p.bytes, stage = 0, 0, 0, stage[:0]
			for range rapid.IntRange(0, 20).Draw(t, "steps") {
				if v := anyReady(); v >= 0 && p.class.time[v] != never && rapid.IntRange(0, 3).Draw(t, "take") > 0 {
					p.take(v)
					stage = append(stage, v)
				} else if len(stage) > 0 {
					p.give(stage[len(stage)-1])
					stage = stage[:len(stage)-1]
				}
				checkPosition(t, p, base, stage)
			}
			for len(stage) > 0 {
				p.give(stage[len(stage)-1])
				stage = stage[:len(stage)-1]
			}
			checkPosition(t, p, base, stage)
		}
	})
}

func checkPosition(t *rapid.T, p *position, base bitset, stage []int32) {
	k := p.k
	in := append(bitset(nil), base...)
	load, bytes, received := int64(0), int64(0), int64(0)
	for _, v := range stage {
		in.add(int(v))
		load += p.class.time[v]
		bytes += k.size.weight[v]
	}
	open := make([]int64, len(k.classes))
	receives := make([][]int64, len(k.classes))
	for c := range receives {
		receives[c] = make([]int64, k.n)
	}
	for e, pins := range k.pins {
		inside, before := 0, 0
		for _, v := range pins {
			if base.has(int(v)) {
				before++
			} else if in.has(int(v)) {
				inside++
			}
		}
		if inside > 0 && inside < len(pins) {
			load += p.class.cost[e]
			if before > 0 {
				received += p.class.cost[e]
			}
		}
		for c := range k.classes {
			if before > 0 && before < len(pins) && (inside == 0 || c != p.c) {
				open[c] += k.classes[c].cost[e]
			}
			if before+inside > 0 {
				receives[c][k.last[e]] += k.classes[c].cost[e]
			}
		}
	}
	if load != p.load || bytes != p.bytes || p.least > load || p.least < received {
		t.Fatalf("load %d, at least %d, %d bytes; want %d, more than %d, %d", p.load, p.least, p.bytes, load, received, bytes)
	}
	for c := range open {
		if open[c] != p.open[c] {
			t.Fatalf("class %d: open %d, want %d", c, p.open[c], open[c])
		}
	}
	for a, m := range p.measures {
		want := int64(0)
		for v := range k.n {
			switch {
			case in.has(v):
			case p.pays(int32(a)):
				want += p.weights[a].weigh(k, int32(v), receives)
			default:
				want += m.weight[v]
			}
		}
		if want != p.rest[a] {
			t.Fatalf("measure %d: %d remain, want %d", a, p.rest[a], want)
		}
	}
	for v := range k.n {
		missing := int32(0)
		for _, u := range k.preds[v] {
			if !in.has(int(u)) {
				missing++
			}
		}
		if missing != p.missing[v] || in.has(v) != p.in.has(v) {
			t.Fatalf("super-node %d: %d missing, want %d", v, p.missing[v], missing)
		}
	}
}
