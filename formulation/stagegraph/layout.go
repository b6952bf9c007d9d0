package stagegraph

import "slices"

// Layout is the outer choice of how GPUs are given to replicas. All replicas are
// alike.
type Layout struct {
	Replicas int
	// GPUs each replica has of every pool: exactly so many, or at most where Exact
	// is false.
	GPUs  []int
	Exact bool
	// Total asks for so many GPUs of a replica over all pools; -1: no such demand.
	Total int
	// SameHost: every replica lies on one host, so sends stay inside it.
	SameHost bool
	// Case is what rules have all stages share; nil where they ask for nothing.
	Case *Case
	base *Layout // the layout without its case; nil: itself
}

// Base is the layout as it is without rules: several cases are made of one.
func (l *Layout) Base() *Layout {
	if l.base == nil {
		return l
	}
	return l.base
}

// Used is the most GPUs a replica of the layout can have.
func (l *Layout) Used() int {
	if l.Total >= 0 {
		return l.Total
	}
	n := 0
	for _, g := range l.GPUs {
		n += g
	}
	return n
}

// Choice is one outer choice: a layout with the number of prefill micro-batches and
// of decode groups of a replica (0 where the phase has none).
type Choice struct {
	Layout *Layout
	Micro  int
	Groups int
}

// Exact gives every replica exactly gpus[k] GPUs of pool k. False where the nodes
// cannot hold so many replicas.
func (s *Space) Exact(replicas int, gpus []int) (*Layout, bool) {
	for k, g := range gpus {
		if t := s.pools[k].total; t > 0 && g*replicas > t {
			return nil, false
		}
	}
	return &Layout{Replicas: replicas, GPUs: slices.Clone(gpus), Exact: true, Total: -1, SameHost: s.oneHost(replicas, gpus)}, true
}

// UpTo lists the layouts that leave GPUs idle: replicas that lie on one host each,
// for every way to have most GPUs so, and replicas that take what they like.
func (s *Space) UpTo(replicas int) []*Layout {
	gpus := make([]int, len(s.pools))
	for k := range gpus {
		gpus[k] = s.pools[k].total / replicas
	}
	if !slices.ContainsFunc(gpus, func(n int) bool { return n > 0 }) {
		return nil
	}
	if s.oneHost(replicas, gpus) {
		return []*Layout{{Replicas: replicas, GPUs: gpus, Total: -1, SameHost: true}}
	}
	var out []*Layout
	for _, share := range s.shares(replicas) {
		out = append(out, &Layout{Replicas: replicas, GPUs: share, Total: -1, SameHost: true})
	}
	return append(out, &Layout{Replicas: replicas, GPUs: gpus, Total: -1})
}

// shares lists the most GPUs of each pool that so many replicas can have on one host
// each. There are several such vectors where hosts hold unlike GPUs.
func (s *Space) shares(replicas int) [][]int {
	values := make([][]int, len(s.pools)) // what an even split of a host can give, most first
	for k := range s.pools {
		values[k] = []int{0}
		for i := range s.hosts {
			for n := 1; n <= min(replicas, s.hosts[i].gpus[k]); n++ {
				values[k] = append(values[k], s.hosts[i].gpus[k]/n)
			}
		}
		slices.SortFunc(values[k], func(a, b int) int { return b - a })
		values[k] = slices.Compact(values[k])
	}
	var out [][]int
	share := make([]int, len(s.pools))
	var walk func(k int)
	walk = func(k int) {
		if k == len(share) {
			if !slices.ContainsFunc(out, func(x []int) bool { return within(share, x) }) {
				out = append(out, slices.Clone(share))
			}
			return
		}
		for _, share[k] = range values[k] {
			if s.oneHost(replicas, share) { // with nothing of the pools to come
				walk(k + 1)
			}
		}
		share[k] = 0
	}
	walk(0)
	return slices.DeleteFunc(out, func(x []int) bool { return !slices.ContainsFunc(x, func(n int) bool { return n > 0 }) })
}

// within reports whether no entry of a exceeds that of b.
func within(a, b []int) bool {
	for i := range a {
		if a[i] > b[i] {
			return false
		}
	}
	return true
}

// oneHost reports whether so many replicas with these GPUs fit each into one host.
func (s *Space) oneHost(replicas int, gpus []int) bool {
	pools := 0
	for _, g := range gpus {
		if g > 0 {
			pools++
		}
	}
	for k, g := range gpus {
		if g > 0 && s.pools[k].total == 0 {
			// Nodes are made as needed, and several pools share none of them.
			return pools == 1 && g <= s.pools[k].node
		}
	}
	room := 0
	for i := range s.hosts {
		fit := replicas
		for k, g := range gpus {
			if g > 0 {
				fit = min(fit, s.hosts[i].gpus[k]/g)
			}
		}
		room += fit
		if room >= replicas {
			return true
		}
	}
	return false
}
