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

// UpTo lists the layouts that leave GPUs idle: replicas that lie on one host each
// where that can be, and replicas that take what they like.
func (s *Space) UpTo(replicas int) []*Layout {
	gpus := make([]int, len(s.pools))
	any := false
	for k := range gpus {
		gpus[k] = s.pools[k].total / replicas
		any = any || gpus[k] > 0
	}
	if !any {
		return nil
	}
	var out []*Layout
	if s.oneHost(replicas, gpus) {
		return append(out, &Layout{Replicas: replicas, GPUs: gpus, Total: -1, SameHost: true})
	}
	seen := [][]int{}
	for i := range s.hosts {
		alike := 0
		for j := range s.hosts {
			if slices.Equal(s.hosts[i].gpus, s.hosts[j].gpus) {
				alike++
			}
		}
		share := make([]int, len(gpus))
		each := ceilDiv(replicas, alike)
		any := false
		for k := range share {
			share[k] = s.hosts[i].gpus[k] / each
			any = any || share[k] > 0
		}
		if !any || slices.ContainsFunc(seen, func(x []int) bool { return slices.Equal(x, share) }) {
			continue
		}
		seen = append(seen, share)
		if s.oneHost(replicas, share) {
			out = append(out, &Layout{Replicas: replicas, GPUs: share, Total: -1, SameHost: true})
		}
	}
	return append(out, &Layout{Replicas: replicas, GPUs: gpus, Total: -1})
}

// oneHost reports whether so many replicas with these GPUs fit each into one host.
func (s *Space) oneHost(replicas int, gpus []int) bool {
	if len(s.hosts) == 0 {
		// Nodes are made as needed: one pool (several would not share a host).
		return len(gpus) == 1 && gpus[0] <= s.pools[0].node
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
