package training

import (
	"sort"

	"partita/formulation/cost"
	"partita/inputs/knowledge"
)

// stageLevels are the levels of rules that speak of the layers of one stage, or of where its
// rank lies.
const stageLevels = knowledge.OfLayers | knowledge.OfPlace | knowledge.OfNodes

// InFlight is how many micro-batches rank i keeps activations of, counted in its whole
// share of the model: 1F1B min(m, pp − i); interleaved (2(pp − i − 1) + (v − 1)·pp + 1)/v of
// at most m (Narayanan et al. 2021, "Efficient Large-Scale Language Model Training on GPU
// Clusters Using Megatron-LM", section 2.2; the warm-up of Megatron Core's schedule).
func InFlight(i, pp, virtual, microBatches int) float64 {
	if virtual == 1 {
		return float64(min(microBatches, pp-i))
	}
	parts := 2*(pp-i-1) + (virtual-1)*pp + 1
	return float64(min(microBatches*virtual, parts)) / float64(virtual)
}

// chunks are the sizes of the stages of rank i that holds so many layers: as a strategy
// states them, else equal but for one unit more on the last ones.
func (n *network) chunks(i, layers int) []int {
	if cut := n.x.cut(&n.s); cut != nil {
		return sizes(i, n.pp, cut)
	}
	out := make([]int, n.s.Virtual)
	for c := range out {
		out[c] = (layers/n.unit + c) / n.s.Virtual * n.unit
	}
	return out
}

// rank prices rank i, so many of its pool being before it, holding so many layers from a
// boundary on (where v > 1: with its first stage there, and the others among the layers of
// one kind).
func (b *builder) rank(pool, position, i, from, layers int) *rank {
	key := rankKey{pool: int8(pool), index: int16(i), from: int16(from), layers: int16(layers)}
	if !b.placed {
		key.from = int16(min(from, b.x.tail))
	}
	if b.noded {
		key.position = int16(position)
	}
	if r, ok := b.memos[key]; ok {
		return r
	}
	r := b.price(pool, position, i, from, layers)
	b.memos[key] = r
	return r
}

func (b *builder) price(pool, position, i, from, layers int) *rank {
	out := &rank{}
	first, last := i == 0, i == b.pp-1
	parts := b.chunks(i, layers)
	counts := make([]int, len(b.x.kinds))
	b.held, b.at = b.held[:0], b.at[:0]
	inFlight := InFlight(i, b.pp, b.s.Virtual, b.m)
	for c, n := range parts {
		at := from
		switch {
		case b.firsts != nil:
			at = b.firsts[i+c*b.pp]
		case c > 0:
			at = b.x.layers() - n // any layers where kinds repeat
		}
		h := cost.TrainHeld{Counts: b.x.counts(at, at+n), First: first && c == 0, Last: last && c == len(parts)-1, InFlight: inFlight}
		for kind, k := range h.Counts {
			counts[kind] += k
		}
		b.held, b.at = append(b.held, h), append(b.at, at)
	}
	if b.ruled && b.forbidden(pool, position) {
		return out
	}
	shape, step := b.s.Shape(), b.x.step(&b.s)
	if m := b.fastest(pool, b.mixes(pool, i), shape, step); m != nil {
		out.ok, out.time, out.recompute = true, b.x.ticks(m.seconds, b.tick), m.recompute
	}
	if !out.ok {
		out.full = true // too slow, or too much: more layers are no less
		return out
	}
	out.once[0] = b.x.ticks(b.x.costs.TrainSync(pool, counts, first, last, shape, step, b.m), b.tick)
	out.once[1] = b.x.ticks(b.x.costs.TrainUpdate(pool, counts, first, last, shape), b.tick)
	return out
}

// fastest is the first of some mixes that fits; nil where none does. From one to the next
// the stages keep less, so what fits is found by halves; but the last one, where the first
// stage too makes its layers again, which may be of a kind that needs more room for that.
func (b *builder) fastest(pool int, list []mix, shape cost.TrainShape, step cost.TrainStep) *mix {
	capacity := b.x.costs.Capacity(pool)
	fits := func(m *mix) bool {
		for c, r := range m.recompute {
			b.held[c].Recompute = recomputes[r]
		}
		return b.x.costs.TrainMemory(pool, shape, step, b.held).Total() <= capacity
	}
	n := len(list)
	switch {
	case n == 0:
		return nil
	case fits(&list[0]):
		return &list[0]
	case n > 2 && fits(&list[n-2]):
		return &list[1+sort.Search(n-3, func(k int) bool { return fits(&list[1+k]) })]
	case n > 1 && fits(&list[n-1]):
		return &list[n-1]
	}
	return nil
}

// forbidden reports whether a rule about layers or nodes rules out a stage of the rank at
// hand. Where a rule asks for the place of a stage it is known: v = 1, or a strategy states
// the stages.
func (b *builder) forbidden(pool, position int) bool {
	v := b.x.valuesOf(&b.s, pool)
	v.SetNodes(b.berths[pool][position].nodes)
	for c, h := range b.held {
		if b.x.breaksStage(&v, h.Counts, h.First, h.Last, b.at[c]) {
			return true
		}
	}
	return false
}
