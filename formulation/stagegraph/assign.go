package stagegraph

import (
	"fmt"
	"slices"
)

// slot is one GPU.
type slot struct{ host, gpu string }

// bin is the part of a node that belongs to one pool, with the GPUs still free.
type bin struct {
	host string
	free []slot
}

// assignment hands out GPUs by name.
type assignment struct {
	s     *Space
	bins  [][]bin // by pool
	index []map[string]int
	taken [][]slot
}

func (s *Space) newAssignment(replicas int, parts []Part) *assignment {
	a := &assignment{s: s, bins: make([][]bin, len(s.pools)), taken: make([][]slot, replicas*len(parts))}
	for k := range s.pools {
		p := &s.Condition.Cluster.Pools[k]
		for _, n := range p.Nodes {
			b := bin{host: n.Host}
			for _, g := range n.GPUs {
				b.free = append(b.free, slot{n.Host, g})
			}
			a.bins[k] = append(a.bins[k], b)
		}
		if len(p.Nodes) > 0 {
			continue
		}
		a.makeNodes(k, replicas, parts)
	}
	for k := range a.bins {
		index := make(map[string]int, len(a.bins[k]))
		for i := range a.bins[k] {
			index[a.bins[k][i].host] = i
		}
		a.index = append(a.index, index)
	}
	return a
}

// makeNodes makes the nodes of a pool whose number is ours to choose: enough for
// one group a node, named over all pools.
func (a *assignment) makeNodes(k, replicas int, parts []Part) {
	node := a.s.pools[k].node
	need := 0
	for _, pt := range parts {
		if pt.Pool == k {
			need += ceilDiv(pt.Shape.GPUs(), node)
		}
	}
	need *= replicas
	if bins := a.s.pools[k].bins; len(bins) > 0 {
		need = min(need, len(bins))
	}
	for range need {
		size := node
		if bins := a.s.pools[k].bins; len(bins) > 0 {
			size = bins[len(a.bins[k])]
		}
		prefix := ""
		if len(a.s.pools) > 1 {
			prefix = a.s.Condition.Cluster.Pools[k].Name + "/"
		}
		b := bin{host: fmt.Sprintf("%snode-%d", prefix, len(a.bins[k]))}
		for j := range size {
			b.free = append(b.free, slot{b.host, fmt.Sprintf("%s/gpu-%d", b.host, j)})
		}
		a.bins[k] = append(a.bins[k], b)
	}
}

// byHost places each replica on one host.
func (a *assignment) byHost(parts []Part, replicas int) bool {
	need := make([]int, len(a.bins))
	for _, pt := range parts {
		need[pt.Pool] += pt.Shape.GPUs()
	}
	from := 0 // hosts before this one have no room left
	for rep := range replicas {
		host, ok := a.hostWith(need, &from)
		if !ok {
			return false
		}
		for i, pt := range parts {
			b := a.binOn(pt.Pool, host)
			q := pt.Shape.GPUs()
			a.taken[rep*len(parts)+i], b.free = b.free[:q:q], b.free[q:]
		}
	}
	return true
}

// hostWith finds the first host with room for a replica. All replicas are alike, so
// a host without room stays without.
func (a *assignment) hostWith(need []int, from *int) (string, bool) {
	for k := range a.bins {
		if need[k] == 0 {
			continue
		}
		for ; *from < len(a.bins[k]); *from++ {
			host := a.bins[k][*from].host
			fits := true
			for j := range a.bins {
				if need[j] > 0 {
					b := a.binOn(j, host)
					fits = fits && b != nil && len(b.free) >= need[j]
				}
			}
			if fits {
				return host, true
			}
		}
		return "", false
	}
	return "", false
}

func (a *assignment) binOn(pool int, host string) *bin {
	if i, ok := a.index[pool][host]; ok {
		return &a.bins[pool][i]
	}
	return nil
}

// byGroup packs the groups of all replicas into nodes, the largest first; whole
// nodes for groups beyond a node.
func (a *assignment) byGroup(parts []Part, replicas int) bool {
	for k := range a.bins {
		var groups []int // indices into taken
		for rep := range replicas {
			for i, pt := range parts {
				if pt.Pool == k {
					groups = append(groups, rep*len(parts)+i)
				}
			}
		}
		size := func(g int) int { return parts[g%len(parts)].Shape.GPUs() }
		slices.SortStableFunc(groups, func(x, y int) int { return size(y) - size(x) })
		if !a.pack(k, groups, size) {
			return false
		}
	}
	return true
}

// together reports whether each replica lies on one host.
func (a *assignment) together(stages int) bool {
	for i, slots := range a.taken {
		first := a.taken[i-i%stages][0].host
		for _, x := range slots {
			if x.host != first {
				return false
			}
		}
	}
	return true
}

// spread moves one group to another host, where there is room. A layout across hosts
// is priced by the network, so a deployment of it must not lie on one host by chance:
// whether it is better there is for the layouts on one host to say.
func (a *assignment) spread(parts []Part) {
	if len(parts) == 1 {
		return // nothing is sent
	}
	for g, slots := range a.taken {
		pool, q := parts[g%len(parts)].Pool, len(slots)
		for i := range a.bins[pool] {
			b := &a.bins[pool][i]
			if b.host == slots[0].host || len(b.free) < q || q > a.s.pools[pool].node {
				continue
			}
			old := a.binOn(pool, slots[0].host)
			a.taken[g], b.free = b.free[:q:q], b.free[q:]
			old.free = append(old.free, slots...)
			return
		}
	}
}

// Astray reports whether replicas of a layout across hosts can only lie on one host each:
// there they are faster than they were priced, so their balance is another.
func (s *Space) Astray(ch Choice, parts []Part) bool {
	if ch.Layout.SameHost || len(parts) == 1 {
		return false
	}
	a := s.newAssignment(ch.Layout.Replicas, parts)
	if !a.byGroup(parts, ch.Layout.Replicas) || !a.together(len(parts)) {
		return false
	}
	a.spread(parts)
	return a.together(len(parts))
}

func (a *assignment) pack(k int, groups []int, size func(int) int) bool {
	sizes := make([]int, len(groups))
	for i, g := range groups {
		sizes[i] = size(g)
	}
	node := a.s.pools[k].node
	free := make([]int, len(a.bins[k]))
	for i := range free {
		free[i] = len(a.bins[k][i].free)
	}
	where := make([]int, len(groups))
	next := 0
	for ; next < len(groups) && sizes[next] > node; next++ {
		// A group over whole nodes takes the next free ones.
		for left := sizes[next]; left > 0; left -= node {
			i := slices.Index(free, node)
			if i < 0 || left < node {
				return false
			}
			free[i] = 0
			g := groups[next]
			a.taken[g] = append(a.taken[g], a.bins[k][i].free...)
		}
	}
	if !firstFit(sizes[next:], free, where[next:]) {
		search := packer{sizes: sizes[next:], free: free, where: where[next:], dead: map[string]bool{}}
		if !search.place(0) {
			return false
		}
	}
	for j := next; j < len(groups); j++ {
		b := &a.bins[k][where[j]]
		a.taken[groups[j]], b.free = b.free[:sizes[j]:sizes[j]], b.free[sizes[j]:]
	}
	return true
}

// firstFit puts each group into the first node with room; false where one has none.
// Sizes descend, and what divides evenly always fits this way.
func firstFit(sizes, free, where []int) bool {
	left := slices.Clone(free)
	from, last := 0, 0
	for j, q := range sizes {
		if q != last {
			from, last = 0, q
		}
		for from < len(left) && left[from] < q {
			from++
		}
		if from == len(left) {
			return false
		}
		left[from] -= q
		where[j] = from
	}
	return true
}

// packer is the exact search for sizes that do not divide one another.
type packer struct {
	sizes, free, where []int
	dead               map[string]bool
}

func (p *packer) place(j int) bool {
	if j == len(p.sizes) {
		return true
	}
	sorted := slices.Clone(p.free)
	slices.Sort(sorted)
	key := fmt.Sprint(j, sorted)
	if p.dead[key] {
		return false
	}
	tried := map[int]bool{}
	for i, f := range p.free {
		if f < p.sizes[j] || tried[f] {
			continue
		}
		tried[f] = true
		p.free[i] -= p.sizes[j]
		p.where[j] = i
		if p.place(j + 1) {
			return true
		}
		p.free[i] += p.sizes[j]
	}
	p.dead[key] = true
	return false
}
