package stagegraph

import (
	"encoding/binary"
	"slices"

	"partita/inputs/knowledge"
)

// class is a sort of interval: intervals of one class cost the same on every shape.
type class struct {
	counts      []int // layers of each kind
	first, last bool
	from, to    int // the interval, where a rule tells layers apart by their number; else 0
}

// classes maps intervals to classes; layers of one kind are counted, not indexed.
type classes struct {
	list []class
	of   []int32 // [a, b) at a·(layers+1)+b; -1 where a ≥ b
}

func (s *Space) makeClasses() {
	n, kinds := s.layers+1, len(s.prefix)
	s.classes.of = make([]int32, n*n)
	index := map[string]int32{}
	counts := make([]int, kinds)
	var key []byte
	placed := s.ruled.rules.Uses(knowledge.OfPlace)
	for a := range n {
		for b := range n {
			if b <= a {
				s.classes.of[a*n+b] = -1
				continue
			}
			first, last := a == 0, b == s.layers
			key = append(key[:0], byte(bit(first)+2*bit(last)))
			for k := range s.prefix {
				counts[k] = s.prefix[k][b] - s.prefix[k][a]
				key = binary.AppendUvarint(key, uint64(counts[k]))
			}
			from, to := 0, 0
			if placed {
				from, to = a, b
				key = binary.AppendUvarint(key, uint64(a))
			}
			id, ok := index[string(key)]
			if !ok {
				id = int32(len(s.classes.list))
				index[string(key)] = id
				s.classes.list = append(s.classes.list, class{counts: slices.Clone(counts), first: first, last: last, from: from, to: to})
			}
			s.classes.of[a*n+b] = id
		}
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// countsOf is the number of layers of each kind in [a, b).
func (s *Space) countsOf(a, b int) []int {
	return s.classes.list[s.classes.of[a*(s.layers+1)+b]].counts
}
