package path

import "fmt"

// parts groups the counted resources: those of one part are counted together. Where
// the order of the stages changes nothing (order free), the parts that no packing
// links are counted one after the other, so that a state holds the counts of one part;
// otherwise there is a single part.
type parts struct {
	list   []part
	of     []int   // of each resource
	stride []int64 // of each resource in the index of a state of its part; 0: not counted
	free   bool
}

// part is a set of resources whose used vectors are the states 0 … states-1.
type part struct {
	resources []int
	packings  []int
	states    int64
}

func (c *compiled) makeParts() error {
	p := c.p
	x := parts{of: make([]int, len(p.Resources)), stride: make([]int64, len(p.Resources))}
	count := 1
	if c.alike() {
		if n := c.components(x.of); n > 1 {
			count, x.free = n, true
		} else {
			clear(x.of)
		}
	}
	x.list = make([]part, count)
	for i := range x.list {
		x.list[i].states = 1
	}
	for k, capacity := range c.capacity {
		if c.slack[k] {
			continue
		}
		t := &x.list[x.of[k]]
		if t.states > infinite/int64(capacity+1) {
			return fmt.Errorf("path: resource capacity %d: want numbers whose product stays in range", p.Resources[k].Capacity)
		}
		x.stride[k] = t.states
		t.states *= int64(capacity + 1)
		t.resources = append(t.resources, k)
	}
	for i, k := range p.Packings {
		if len(k.Resources) > 0 {
			t := &x.list[x.of[k.Resources[0]]]
			t.packings = append(t.packings, i)
		}
	}
	c.parts = x
	return nil
}

// alike tells that stages may be put in any order: intervals that touch neither end
// cost by their length alone, and no send depends on what follows.
func (c *compiled) alike() bool {
	n := c.p.Boundaries
	if c.groups > 1 {
		return false
	}
	for a := 1; a < n-1; a++ {
		for b := a + 1; b < n-1; b++ {
			if c.kindOf[a*n+b] != c.kindOf[n+1+b-a] {
				return false
			}
		}
	}
	return true
}

// components numbers, in out, the sets of resources that packings link; resources that
// are not counted go with the first. It returns how many sets there are.
func (c *compiled) components(out []int) int {
	root := make([]int, len(out))
	for k := range root {
		root[k] = k
	}
	find := func(k int) int {
		for root[k] != k {
			k = root[k]
		}
		return k
	}
	for _, x := range c.p.Packings {
		for _, k := range x.Resources {
			root[find(k)] = find(x.Resources[0])
		}
	}
	number, count := map[int]int{}, 0
	for k := range out {
		out[k] = 0
		if c.slack[k] {
			continue
		}
		r := find(k)
		if _, known := number[r]; !known {
			number[r] = count
			count++
		}
		out[k] = number[r]
	}
	return count
}

// use writes the units used in a state of a part into out, by resource.
func (c *compiled) use(t int, state int64, out []int) {
	for _, k := range c.parts.list[t].resources {
		out[k] = int(state/c.parts.stride[k]%int64(c.capacity[k]+1)) * c.grain[k]
	}
}

// complete reports whether a part may be left in a state: exact resources used up,
// groups packable into nodes.
func (c *compiled) complete(t int, state int64) bool {
	used := make([]int, len(c.p.Resources))
	c.use(t, state, used)
	for _, k := range c.parts.list[t].resources {
		if r := c.p.Resources[k]; r.Exact && used[k] != r.Capacity {
			return false
		}
	}
	for _, i := range c.parts.list[t].packings {
		if !c.p.Packings[i].admits(used) {
			return false
		}
	}
	return true
}

// usedUp reports whether the units used of each resource may be those of a path.
func (p *Problem) usedUp(used []int) bool {
	for k, r := range p.Resources {
		if used[k] > r.Capacity || r.Exact && used[k] != r.Capacity {
			return false
		}
	}
	for _, k := range p.Packings {
		if !k.admits(used) {
			return false
		}
	}
	return true
}

// admits checks the units used of each resource against total and bins.
func (k Packing) admits(used []int) bool {
	counts, total := make([]int, len(k.Resources)), 0
	for i, r := range k.Resources {
		counts[i] = used[r]
		total += used[r]
	}
	return (k.Total < 0 || total == k.Total) && k.Fits(counts)
}
