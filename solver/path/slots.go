package path

// slots finds the place of a state in a list: an open-addressing table from states to
// places, grown as it fills. The zero value is empty.
type slots struct {
	keys  []int64 // state + 1; 0: free
	place []int32
	count int
	shift uint
}

// hash spreads the states over the table (Fibonacci hashing: 2⁶⁴ by the golden ratio).
func (s *slots) hash(state int64) int {
	return int(uint64(state) * 0x9e3779b97f4a7c15 >> s.shift)
}

func (s *slots) find(state int64) (int32, bool) {
	if len(s.keys) == 0 {
		return 0, false
	}
	mask := len(s.keys) - 1
	for i := s.hash(state); ; i = (i + 1) & mask {
		switch s.keys[i] {
		case state + 1:
			return s.place[i], true
		case 0:
			return 0, false
		}
	}
}

// add enters a state that is not there yet.
func (s *slots) add(state int64, place int32) {
	if 2*s.count >= len(s.keys) {
		s.grow()
	}
	s.count++
	s.put(state+1, place)
}

func (s *slots) put(key int64, place int32) {
	mask := len(s.keys) - 1
	i := s.hash(key - 1)
	for s.keys[i] != 0 {
		i = (i + 1) & mask
	}
	s.keys[i], s.place[i] = key, place
}

func (s *slots) grow() {
	old := *s
	if s.keys == nil {
		s.shift = 64 - 3
		s.keys, s.place = make([]int64, 8), make([]int32, 8)
		return
	}
	s.shift--
	s.keys, s.place = make([]int64, 2*len(old.keys)), make([]int32, 2*len(old.keys))
	for i, key := range old.keys {
		if key != 0 {
			s.put(key, old.place[i])
		}
	}
}
