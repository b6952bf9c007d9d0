package ideals

// states are the numbers of devices used, by class, that the search meets; each has a
// number of its own.
type states struct {
	k       *core
	limit   int64
	weights []weighting
	packs   bool // numbers of devices fit one byte each of a word
	known   map[string]int32
	all     []state
}

// state is a number of devices used of every class.
type state struct {
	used, left []int32
	packed     uint64  // used, a byte for each class
	next       []int32 // by class: the state with one more; none, unknown
	// What remains must fit the devices left: the weightings that say so, and how much
	// of each they take.
	acts []int32
	caps []int64
	// must are the super-nodes after which too much would remain.
	must bitset
	last bool // no device is left
}

const (
	none    = int32(-1)
	unknown = int32(-2)
)

func newStates(k *core, limit int64, weights []weighting) *states {
	s := &states{k: k, limit: limit, weights: weights, known: map[string]int32{}, packs: len(k.classes) <= 8}
	for c := range k.classes {
		s.packs = s.packs && k.classes[c].count < 128
	}
	return s
}

// of is the state with devices used.
func (s *states) of(used []int32) int32 {
	key := make([]byte, 0, 4*len(used))
	for _, n := range used {
		key = append(key, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	if i, there := s.known[string(key)]; there {
		return i
	}
	i := int32(len(s.all))
	s.known[string(key)] = i
	s.all = append(s.all, s.newState(used))
	return i
}

func (s *states) newState(used []int32) state {
	n := len(s.k.classes)
	st := state{used: used, left: make([]int32, n), next: make([]int32, n), must: make(bitset, s.k.words)}
	support := uint64(0)
	for c := range s.k.classes {
		st.left[c] = int32(s.k.classes[c].count) - used[c]
		st.next[c] = unknown
		if st.left[c] > 0 {
			support |= 1 << c
		} else {
			st.next[c] = none
		}
	}
	if s.packs {
		for c, n := range used {
			st.packed |= uint64(n) << (8 * c)
		}
	}
	if st.last = support == 0; st.last {
		for v := range s.k.n {
			st.must.add(v)
		}
		return st
	}
	for i := range s.weights {
		w := &s.weights[i]
		// With every set of classes at hand only the tightest one is needed.
		if support&^w.mask != 0 || (len(s.k.classes) <= mostMasks && support != w.mask) {
			continue
		}
		most := w.most(st.left, s.limit)
		st.acts, st.caps = append(st.acts, int32(i)), append(st.caps, most)
		for v, tail := range w.tail {
			if tail > most {
				st.must.add(v)
			}
		}
	}
	return st
}

// after is the state with one more device of a class used, none where all are.
func (s *states) after(i int32, class int) int32 {
	if next := s.all[i].next[class]; next != unknown {
		return next
	}
	used := append([]int32(nil), s.all[i].used...)
	used[class]++
	next := s.of(used)
	s.all[i].next[class] = next
	return next
}

// bytes is about what the states take.
func (s *states) bytes() int64 {
	const each = 200
	return int64(len(s.all)) * int64(each+8*s.k.words+12*len(s.k.classes))
}

// within reports whether a label uses no more devices of any class than another.
func (s *states) within(a, b *label) bool {
	if s.packs { // no byte of b minus that of a borrows
		const high = 0x8080808080808080
		return ((b.used|high)-a.used)&high == high
	}
	for c, n := range s.all[a.state].used {
		if n > s.all[b.state].used[c] {
			return false
		}
	}
	return true
}
