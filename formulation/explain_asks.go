package formulation

import (
	"math"
	"slices"

	"partita/inputs"
)

// asks is what is asked in place of what a condition states: demands are left out, or
// take another value.
type asks struct {
	left  []bool    // by demand: not asked
	value []float64 // by demand: asked instead; 0: as stated, or nothing at all where left
	// formats of weights and cache instead of the model's; "": the model's.
	weights, kv inputs.DType
}

func asStated(demands []demand) asks {
	return asks{left: make([]bool, len(demands)), value: make([]float64, len(demands))}
}

// without leaves out demands too.
func (a asks) without(demands ...int) asks {
	a.left = slices.Clone(a.left)
	for _, i := range demands {
		a.left[i] = true
	}
	return a
}

// keeping asks for demands that were left out.
func (a asks) keeping(demands ...int) asks {
	a.left = slices.Clone(a.left)
	for _, i := range demands {
		a.left[i] = false
	}
	return a
}

// with asks for a value of a demand.
func (a asks) with(i int, v float64) asks {
	a.left, a.value = slices.Clone(a.left), slices.Clone(a.value)
	a.left[i], a.value[i] = false, v
	return a
}

// upTo leaves out the number of GPUs of a pool up to a value.
func (a asks) upTo(i int, v float64) asks {
	a = a.with(i, v)
	a.left[i] = true
	return a
}

// box is a range of workloads: sequences in flight and the longest prompt.
type box struct{ batch, input inputs.Range }

func (b box) point() bool { return b.batch.Min == b.batch.Max && b.input.Min == b.input.Max }

// boxOf are the workloads that the demands admit. Where tokens a second are asked, they
// are of prompts as long as stated.
func (e *explainer) boxOf(a asks) box {
	w := &e.base.Workload
	b := box{inputs.Range{Min: w.Batch, Max: w.Batch}, inputs.Range{Min: w.Input.Max, Max: w.Input.Max}}
	for i, d := range e.demands {
		var r *inputs.Range
		least := 1
		switch d.kind {
		case asksBatch:
			r = &b.batch
		case asksInput:
			r = &b.input
			if w.Phase == inputs.Decode {
				least = 0
			}
		default:
			continue
		}
		if a.left[i] && (d.kind == asksBatch || !e.countsPrompts(a)) {
			r.Min = least
		} else if v := int(a.value[i]); v > 0 {
			*r = inputs.Range{Min: v, Max: v}
		}
	}
	return b
}

// countsPrompts reports whether a rate is asked that counts the tokens of prompts.
func (e *explainer) countsPrompts(a asks) bool {
	for i, d := range e.demands {
		if d.kind == asksRequirement && !a.left[i] {
			switch e.base.Goal.Requirements[d.index].Kind {
			case inputs.TokensPerSecond, inputs.TokensPerSGPU:
				return e.base.Workload.Phase != inputs.Decode
			}
		}
	}
	return false
}

// variant is one of several ways in which a demand that is left out may be met: what
// is met in any of them is met.
type variant struct {
	pad  int // degree that heads are padded for; 0: as they are
	more int // the pool whose number of GPUs may grow; -1: none
}

// variants lists the ways to meet what is asked. Of several pools one may grow at a time.
func (e *explainer) variants(a asks) []variant {
	pads, pools := []int{0}, []int{}
	for i, d := range e.demands {
		switch {
		case d.kind == asksHeads && a.left[i]:
			pads = append(pads, padsOf(e.base)...)
		case d.kind == asksHeads && a.value[i] > 0:
			pads = []int{int(a.value[i])}
		case d.kind == asksCount && a.left[i]:
			pools = append(pools, d.index)
		}
	}
	if !slices.ContainsFunc(pools, e.growsEvenly) {
		pools = append(pools, -1) // more GPUs lie in other nodes than those there are
	}
	var out []variant
	for _, pad := range pads {
		for _, k := range pools {
			out = append(out, variant{pad, k})
		}
	}
	return out
}

// growsEvenly reports whether more GPUs of a pool include the plans on those there are:
// they lie in nodes of the same size.
func (e *explainer) growsEvenly(k int) bool {
	p := &e.base.Cluster.Pools[k]
	return e.usable == 0 && p.GPUsPerNode >= defaultNode && !slices.ContainsFunc(p.Nodes, func(n inputs.Node) bool { return len(n.GPUs) != p.GPUsPerNode })
}

// condition is the condition with these asks, for one workload and variant.
func (e *explainer) condition(a asks, batch, input int, v variant) *inputs.Condition {
	c := *e.base
	c.Goal.Requirements, c.Rules = nil, nil
	c.Cluster.Pools = slices.Clone(c.Cluster.Pools)
	c.Workload.Batch = batch
	c.Workload.Input = inputs.Range{Min: min(c.Workload.Input.Min, input), Max: input}
	if a.weights != "" {
		c.Model.Weights, c.Model.Dense, c.Model.Projections = a.weights, "", ""
	}
	if a.kv != "" {
		c.Model.KV = a.kv
	}
	if v.pad > 0 {
		c.Model = padded(c.Model, v.pad)
	}
	for i, d := range e.demands {
		left, value := a.left[i], a.value[i]
		switch d.kind {
		case asksRequirement:
			if q := e.base.Goal.Requirements[d.index]; !left {
				if value > 0 {
					q.Value = value
				}
				c.Goal.Requirements = append(c.Goal.Requirements, q)
			}
		case asksRule:
			if !left {
				c.Rules = append(c.Rules, e.base.Rules[d.index])
			}
		case asksBalance:
			if left {
				c.Goal.Balance = nil
			} else if value > 0 {
				c.Goal.Balance = &value
			}
		case asksAllUsed:
			c.Goal.AllowIdle = c.Goal.AllowIdle || left
		case asksMemory, asksNodes, asksCount:
			e.changePool(&c.Cluster.Pools[d.index], &d, a, i, v)
		}
	}
	return &c
}

// changePool applies what is asked of a pool. Nodes and whether all GPUs work come before
// numbers in the list of demands, so a number is of nodes of the size asked for.
func (e *explainer) changePool(p *inputs.Pool, d *demand, a asks, i int, v variant) {
	left, value := a.left[i], a.value[i]
	switch {
	case d.kind == asksCount:
		e.changeCount(p, d, a, i, v)
	case d.kind == asksMemory && left:
		p.MemoryBytes = plenty
	case d.kind == asksMemory && value > 0:
		p.MemoryBytes = int64(math.Round(value * gib))
	case d.kind == asksNodes && left:
		p.GPUsPerNode, p.Nodes = widerNode(e.base, d.index), nil
	case d.kind == asksNodes && value > 0:
		p.GPUsPerNode, p.Nodes = int(value), nil
	}
}

// manyTimes is how many times as many GPUs one of several pools may have.
const manyTimes = 4

// changeCount sets how many GPUs a pool may have and how many of them have to work.
func (e *explainer) changeCount(p *inputs.Pool, d *demand, a asks, i int, v variant) {
	single := len(e.base.Cluster.Pools) == 1
	idle := e.base.Goal.AllowIdle && p.Count.Stated()
	for j, other := range e.demands {
		idle = idle || other.kind == asksAllUsed && a.left[j]
	}
	n := p.Count
	switch value := int(a.value[i]); {
	case !a.left[i] && value > 0:
		*p = unbounded(*p)
		p.Count = inputs.Count{Min: value, Max: value}
	case a.left[i] && (v.more == d.index || value > 0):
		*p = unbounded(*p)
		if p.Count = (inputs.Count{Min: n.Min, Max: value}); value == 0 && !single {
			p.Count.Max = manyTimes * n.Max
		}
		if e.usable > 0 {
			p.Count.Min = min(n.Min, e.usable)
		}
		if idle && single {
			p.Count.Min = 1
		} else if idle { // stated with idle ones: the layouts are few
			p.Count.Min = p.Count.Max
		}
	case idle && !n.Stated():
		p.Count.Min = int(bit(single))
	}
}

// plenty is the memory of a GPU that nothing fills: a pebibyte.
const plenty = 1 << 50
