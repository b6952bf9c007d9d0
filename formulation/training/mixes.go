package training

import (
	"cmp"
	"slices"

	"partita/inputs"
)

// mix is what each stage of a rank recomputes, and the seconds of the rank without its
// sends.
type mix struct {
	recompute []int8
	seconds   float64
}

// mixes are the ways that the stages of the rank at hand may recompute within the limit, the
// fastest first: all alike, or the last ones, which are the larger ones, one step more than
// the others. A strategy that says it stage by
// stage, or rank by rank, leaves one way.
func (b *builder) mixes(pool, i int) []mix {
	v := len(b.held)
	times := make([][len(recomputes)]float64, v)
	for c := range b.held {
		times[c] = b.stageSeconds(pool, c)
	}
	var out []mix
	add := func(of func(c int) int) {
		m := mix{recompute: make([]int8, v)}
		for c := range v {
			r := of(c)
			m.recompute[c] = int8(r)
			m.seconds += times[c][r]
		}
		if b.x.ticks(m.seconds, b.tick) <= b.limit {
			out = append(out, m)
		}
	}
	list := b.x.pinnedRecompute()
	switch {
	case len(list) == b.pp && len(list) > 1: // rank by rank
		add(func(int) int { return indexOf(list[i]) })
		return out
	case len(list) == b.pp*v && len(list) > 1:
		add(func(c int) int { return indexOf(list[i+c*b.pp]) })
		return out
	case len(list) > 1:
		return nil // it speaks of other numbers of stages
	}
	choices := b.x.choices(times[v-1])
	for k, r := range choices {
		add(func(int) int { return r })
		if k > 0 {
			for last := 1; last < v; last++ {
				add(func(c int) int {
					if c >= v-last {
						return r
					}
					return choices[k-1]
				})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b mix) int { return cmp.Compare(a.seconds, b.seconds) })
	return out
}

// stageSeconds is the time of a stage of the rank at hand by recompute.
func (b *builder) stageSeconds(pool, c int) (out [len(recomputes)]float64) {
	h := &b.held[c]
	for r := range out {
		for kind, n := range h.Counts {
			out[r] += float64(n) * b.t.layer[pool][kind][r]
		}
		if h.First {
			out[r] += b.t.embedding[pool]
		}
		if h.Last {
			out[r] += b.t.head[pool]
		}
	}
	return out
}

// choices are the recomputes that stages of such times may have. Attention that keeps no
// scores has nothing to recompute of them: selective recompute that takes no time saves
// nothing, and is left out beside none.
func (x *space) choices(seconds [len(recomputes)]float64) []int {
	none, selective := indexOf(inputs.NoRecompute), indexOf(inputs.SelectiveRecompute)
	var out []int
	for r := range recomputes {
		if x.allowed[r] && (r != selective || !x.allowed[none] || seconds[r] != seconds[none]) {
			out = append(out, r)
		}
	}
	return out
}
