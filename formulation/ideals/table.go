package ideals

// table holds the ideals that the search has reached, by their hash. A chain's ideals
// are told apart by their number of nodes, and their sets are not kept.
type table struct {
	words int // of a kept set; 0 for a chain
	size  []int32
	hash  []uint64
	first []int32 // newest label of the ideal; -1: none
	pages [][]uint64
	slots []int32 // ideal + 1 by hash, open addressing; 0: free
}

// pageIdeals is the number of ideals whose sets lie in one page: growing copies nothing.
const pageIdeals = 1024

func newTable(words int) *table {
	return &table{words: words, slots: make([]int32, 64)}
}

func (t *table) set(ideal int32) bitset {
	at := int(ideal) % pageIdeals * t.words
	return bitset(t.pages[ideal/pageIdeals][at : at+t.words])
}

func (t *table) same(ideal int32, set bitset) bool {
	if t.words == 0 {
		return true
	}
	for i, w := range t.set(ideal) {
		if set[i] != w {
			return false
		}
	}
	return true
}

// find is the ideal with a set, -1 where it has not been reached.
func (t *table) find(hash uint64, size int32, set bitset) int32 {
	mask := uint64(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		i := t.slots[at] - 1
		if i < 0 {
			return -1
		}
		if t.hash[i] == hash && t.size[i] == size && t.same(i, set) {
			return i
		}
	}
}

// add makes an ideal of a set that is not in the table.
func (t *table) add(hash uint64, size int32, set bitset) int32 {
	i := int32(len(t.hash))
	if int(i)*2 >= len(t.slots) {
		t.grow()
	}
	if t.words > 0 {
		if i%pageIdeals == 0 {
			t.pages = append(t.pages, make([]uint64, pageIdeals*t.words))
		}
	}
	t.hash, t.size, t.first = append(t.hash, hash), append(t.size, size), append(t.first, -1)
	if t.words > 0 {
		copy(t.set(i), set)
	}
	t.put(i)
	return i
}

func (t *table) put(i int32) {
	mask := uint64(len(t.slots) - 1)
	at := t.hash[i] & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = i + 1
}

func (t *table) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	for i := range t.hash {
		t.put(int32(i))
	}
}

// bytes is about what the table takes.
func (t *table) bytes() int64 {
	return int64(len(t.hash))*int64(8*t.words+16) + int64(4*len(t.slots))
}
