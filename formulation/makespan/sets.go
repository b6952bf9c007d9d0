package makespan

import "math/bits"

// set is a set of small whole numbers: nodes or items.
type set []uint64

func (s set) has(v int) bool { return s[v>>6]>>(v&63)&1 != 0 }
func (s set) add(v int)      { s[v>>6] |= 1 << (v & 63) }
func (s set) union(t set) {
	for i, x := range t {
		s[i] |= x
	}
}

func (s set) meets(t set) bool {
	for i, x := range t {
		if s[i]&x != 0 {
			return true
		}
	}
	return false
}

func (s set) each(visit func(v int)) {
	for i, x := range s {
		for ; x != 0; x &= x - 1 {
			visit(i<<6 + bits.TrailingZeros64(x))
		}
	}
}

func newSets(n int) []set {
	words := (n + 63) / 64
	all := make(set, n*words)
	out := make([]set, n)
	for v := range out {
		out[v] = all[v*words : (v+1)*words : (v+1)*words]
	}
	return out
}
