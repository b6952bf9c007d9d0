package formulation_test

import (
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
)

// candidate is one deployment plan as docs/cost-model.md prices it.
type candidate struct {
	replicas, micro, groups int
	path                    []step
	gpus                    int     // over all replicas
	price                   float64 // US dollars an hour
	ttft, round             float64 // seconds
	ratio                   float64 // shortest over longest stage in the rate phase
	all                     bool    // every GPU of a stated number is used
	// wide: beyond what the search promises to look at (a shape that another beats,
	// a network send that could stay on the host); it may be found, it need not be.
	wide bool
}

// step is one stage of a candidate.
type step struct {
	from, to, pool int
	shape          cost.Shape
}

// oracle enumerates every plan of a tiny condition: all replicas, cuts, pools,
// shapes, micro-batches and groups. It shares the price of an operator with the
// search and nothing else.
type oracle struct {
	c      *inputs.Condition
	calc   *cost.Calculator
	shapes [][]option // by pool
	most   int        // GPUs of an unlimited pool that are looked at
	bins   [][]bin    // by pool; nil: nodes as needed
	laws   []law
}

// option is a shape that a pool offers.
type option struct {
	shape cost.Shape
	wide  bool
}

// bin is a node's share of a pool.
type bin struct {
	host string
	gpus int
}

func newOracle(c *inputs.Condition, most int) (*oracle, error) {
	calc, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	o := &oracle{c: c, calc: calc, most: most}
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		var bins []bin
		for _, n := range p.Nodes {
			bins = append(bins, bin{n.Host, len(n.GPUs)})
		}
		if len(p.Nodes) == 0 {
			for left := p.Count.Max; left > 0; left -= p.GPUsPerNode {
				bins = append(bins, bin{p.Name + string(rune('a'+len(bins))), min(left, p.GPUsPerNode)})
			}
		}
		o.bins = append(o.bins, bins)
		o.shapes = append(o.shapes, o.options(k))
	}
	return o, nil
}

// options lists all shapes of a pool: a group inside a node, or whole nodes.
func (o *oracle) options(k int) []option {
	p := &o.c.Cluster.Pools[k]
	most := p.Count.Max
	if most == 0 {
		most = o.most
	}
	var out []option
	for q := 1; q <= most; q++ {
		for tp := 1; tp <= q; tp++ {
			for cp := 1; tp*cp <= q; cp++ {
				for ep := 1; ep <= q; ep++ {
					if q%(tp*cp) != 0 || q%ep != 0 {
						continue
					}
					sh := cost.Shape{TP: tp, CP: cp, DPAttention: q / tp / cp, EP: ep, ETP: q / ep}
					if ok, _ := cost.ValidPhase(o.c.Workload.Phase, sh); !ok || !o.someKind(sh) {
						continue
					}
					out = append(out, option{sh, !o.promised(p, sh)})
				}
			}
		}
	}
	size := func(x option) int { return x.shape.GPUs() }
	if !dividing(out, size, o.bins[k], p.GPUsPerNode) {
		for i := range out {
			out[i].wide = out[i].wide || size(out[i]) > p.GPUsPerNode
		}
	}
	return out
}

// someKind reports whether some kind of layer can be split like this.
func (o *oracle) someKind(sh cost.Shape) bool {
	for kind := range o.c.Model.Kinds {
		if ok, _ := cost.ValidShape(&o.c.Model, kind, sh); ok {
			return true
		}
	}
	return false
}

// promised reports whether the search says that it looks at a shape.
func (o *oracle) promised(p *inputs.Pool, sh cost.Shape) bool {
	q, node := sh.GPUs(), p.GPUsPerNode
	for kind := range o.c.Model.Kinds {
		if ok, _ := cost.ValidShape(&o.c.Model, kind, sh); !ok {
			return false
		}
	}
	if sh.CP > 1 && sh.DPAttention > 1 {
		return false
	}
	if q <= node {
		nodes := len(p.Nodes)
		if nodes == 0 && p.Count.Max > 0 {
			nodes = (p.Count.Max + node - 1) / node
		}
		return nodes == 1 || node%q == 0 || sh.TP == q
	}
	if q%node != 0 || q > 64 || sh.TP > 2*node || (sh.TP > node && sh.TP%node != 0) || (sh.TP <= node && node%sh.TP != 0) {
		return false
	}
	nodes := q / node
	moe := slices.ContainsFunc(o.c.Model.Kinds, func(k inputs.LayerKind) bool { return k.FFN.Experts > 0 })
	return nodes&(nodes-1) == 0 && (nodes <= 2 || moe)
}

// dividing reports whether groups over several nodes leave whole nodes behind: equal
// nodes, and sizes inside a node that divide one another and the node.
func dividing(list []option, size func(option) int, bins []bin, node int) bool {
	if len(bins) < 2 {
		return true
	}
	for _, b := range bins {
		if b.gpus != node {
			return false
		}
	}
	var sizes []int
	for _, x := range list {
		if !x.wide && size(x) <= node {
			sizes = append(sizes, size(x))
		}
	}
	slices.Sort(sizes)
	sizes = append(slices.Compact(sizes), node)
	for i := 1; i < len(sizes); i++ {
		if sizes[i]%sizes[i-1] != 0 {
			return false
		}
	}
	return true
}

// capacity is how many GPUs of a pool all replicas together may take.
func (o *oracle) capacity(k int) int {
	if n := o.c.Cluster.Pools[k].Count.Max; n > 0 {
		return n
	}
	return o.most
}

// enumerate lists every plan that fits: GPU counts within their upper ends, memory,
// nodes. Requirements, balance and using all GPUs are left to the judge.
func (o *oracle) enumerate() []candidate {
	total := 0
	for k := range o.bins {
		total += o.capacity(k)
	}
	var out []candidate
	for r := 1; r <= min(total, o.c.Workload.Batch); r++ {
		paths := o.paths(r)
		n := (o.c.Workload.Batch + r - 1) / r
		micros, groups := []int{0}, []int{0}
		if o.c.Workload.Phase != inputs.Decode {
			micros = partsOf(n, n, o.mentions("micro_batches"))
		}
		if o.c.Workload.Phase != inputs.Prefill {
			groups = partsOf(n, min(len(o.c.Model.Layers), total/r), o.mentions("decode_groups"))
		}
		for _, m0 := range micros {
			for _, m1 := range groups {
				pr := o.priced(r, m0, m1)
				for i := range paths {
					out = pr.add(out, &paths[i])
				}
			}
		}
	}
	return out
}

// partsOf lists the numbers of parts, up to most, that change the largest part, or all.
func partsOf(n, most int, all bool) []int {
	var out []int
	size := map[int]bool{}
	for m := 1; m <= min(n, most); m++ {
		if b := (n + m - 1) / m; all || !size[b] {
			size[b] = true
			out = append(out, m)
		}
	}
	return out
}

// route is a path that packs, with what does not depend on the parts.
type route struct {
	steps []step
	used  []int // of one replica
	local bool  // all replicas can lie on one host each
	wide  bool
	all   bool
}

// paths enumerates the cuts, pools and shapes of one replica such that r of them fit.
func (o *oracle) paths(r int) []route {
	var out []route
	used := make([]int, len(o.bins))
	var walk func(at int, steps []step, wide bool)
	walk = func(at int, steps []step, wide bool) {
		if at == len(o.c.Model.Layers) {
			if o.packs(steps, r) {
				x := route{steps: slices.Clone(steps), used: slices.Clone(used), wide: wide, local: o.local(used, r), all: true}
				enough := true
				for k, n := range used {
					count := o.c.Cluster.Pools[k].Count
					x.all = x.all && (!count.Stated() || n*r == count.Max)
					enough = enough && (count.Stated() || n*r >= count.Min)
				}
				if enough {
					out = append(out, x)
				}
			}
			return
		}
		for to := at + 1; to <= len(o.c.Model.Layers); to++ {
			for k := range o.shapes {
				for _, x := range o.shapes[k] {
					q := x.shape.GPUs()
					if (used[k]+q)*r > o.capacity(k) || !o.validOn(at, to, x.shape) {
						continue
					}
					used[k] += q
					walk(to, append(steps, step{at, to, k, x.shape}), wide || x.wide)
					used[k] -= q
				}
			}
		}
	}
	walk(0, nil, false)
	return out
}

func (o *oracle) validOn(from, to int, sh cost.Shape) bool {
	for _, kind := range o.c.Model.Layers[from:to] {
		if ok, _ := cost.ValidShape(&o.c.Model, kind, sh); !ok {
			return false
		}
	}
	return true
}

// packs reports whether the groups of r replicas fit into the nodes.
func (o *oracle) packs(steps []step, r int) bool {
	for k := range o.bins {
		if o.c.Cluster.Pools[k].Count.Unlimited() {
			continue // nodes as needed
		}
		var groups []int
		for _, s := range steps {
			if s.pool == k {
				for range r {
					groups = append(groups, s.shape.GPUs())
				}
			}
		}
		var free []int
		for _, b := range o.bins[k] {
			free = append(free, b.gpus)
		}
		if !fill(groups, free, slices.Clone(free), o.c.Cluster.Pools[k].GPUsPerNode) {
			return false
		}
	}
	return true
}

// fill places groups one by one: inside a node, or on whole empty nodes.
func fill(groups, free, whole []int, node int) bool {
	if len(groups) == 0 {
		return true
	}
	q := groups[0]
	if q > node {
		next := slices.Clone(free)
		for i := range next {
			if q > 0 && next[i] == whole[i] && whole[i] == node {
				next[i] = 0
				q -= node
			}
		}
		return q == 0 && fill(groups[1:], next, whole, node)
	}
	for i, f := range free {
		if f >= q && !slices.Contains(free[:i], f) {
			free[i] -= q
			ok := fill(groups[1:], free, whole, node)
			free[i] += q
			if ok {
				return true
			}
		}
	}
	return false
}

// local reports whether r replicas with these GPUs can lie on one host each.
func (o *oracle) local(used []int, r int) bool {
	hosts := map[string][]int{}
	for k, bins := range o.bins {
		if used[k] > 0 && o.c.Cluster.Pools[k].Count.Unlimited() {
			return used[k] <= o.c.Cluster.Pools[k].GPUsPerNode && sum(used) == used[k]
		}
		for _, b := range bins {
			if hosts[b.host] == nil {
				hosts[b.host] = make([]int, len(used))
			}
			hosts[b.host][k] += b.gpus
		}
	}
	room := 0
	for _, have := range hosts {
		fit := r
		for k, n := range used {
			if n > 0 {
				fit = min(fit, have[k]/n)
			}
		}
		room += fit
	}
	return room >= r
}

func sum(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}
