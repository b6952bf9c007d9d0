package stagegraph

import "fmt"

// class is a sort of interval: intervals of one class cost the same on every shape.
type class struct {
	counts      []int // layers of each kind
	first, last bool
}

// classes maps intervals to classes; layers of one kind are counted, not indexed.
type classes struct {
	list []class
	of   []int32 // [a, b) at a·(layers+1)+b; -1 where a ≥ b
}

func (s *Space) makeClasses() {
	n := s.layers + 1
	s.classes.of = make([]int32, n*n)
	index := map[string]int32{}
	for a := range n {
		for b := range n {
			if b <= a {
				s.classes.of[a*n+b] = -1
				continue
			}
			c := class{counts: make([]int, len(s.prefix)), first: a == 0, last: b == s.layers}
			for k := range s.prefix {
				c.counts[k] = s.prefix[k][b] - s.prefix[k][a]
			}
			key := fmt.Sprint(c.counts, c.first, c.last)
			id, ok := index[key]
			if !ok {
				id = int32(len(s.classes.list))
				index[key] = id
				s.classes.list = append(s.classes.list, c)
			}
			s.classes.of[a*n+b] = id
		}
	}
}

// countsOf is the number of layers of each kind in [a, b).
func (s *Space) countsOf(a, b int) []int {
	return s.classes.list[s.classes.of[a*(s.layers+1)+b]].counts
}
