package formulation

import (
	"fmt"
	"slices"

	"partita/inputs"
)

// demandKind tells what a demand is about.
type demandKind int

const (
	asksRequirement demandKind = iota
	asksBalance
	asksRule
	asksCount   // at most so many GPUs of a pool
	asksAllUsed // all GPUs of a stated number work
	asksBatch   // sequences in flight
	asksInput   // prompt length
	asksMemory  // what a GPU of a pool holds
	asksNodes   // GPUs of a node
	asksHeads   // degrees divide heads and widths
)

// demand is one thing that a condition asks and could ask less of.
type demand struct {
	kind  demandKind
	index int // of the requirement, rule or pool
	name  string
	place inputs.Place
	want  float64 // in the unit; 0: no amount
	unit  string
}

// demandsOf lists the demands of a condition. Facts are left out in this order, so where
// there is a choice a conflict keeps the later ones; and what makes questions long once it
// is left out (larger nodes, more GPUs) comes late.
func demandsOf(c *inputs.Condition) []demand {
	var out []demand
	pools := c.Cluster.Pools
	add := func(kind demandKind, k int, name, value string, want float64, unit string) {
		if len(pools) > 1 {
			name += " of " + pools[k].Name
		}
		out = append(out, demand{kind: kind, index: k, name: name, want: want, unit: unit, place: c.Places.First(inputs.PoolKey(k, value))})
	}
	for k := range pools {
		add(asksMemory, k, "memory", inputs.PoolMemory, float64(pools[k].MemoryBytes)/gib, "GiB")
	}
	w := &c.Workload
	if w.Phase != inputs.Decode && w.Input.Max > 1 || w.Phase == inputs.Decode && w.Input.Max > 0 {
		out = append(out, demand{kind: asksInput, name: "input", want: float64(w.Input.Max), unit: "tokens", place: c.Places.First("workload.input", "workload.sequence")})
	}
	if w.Batch > 1 {
		out = append(out, demand{kind: asksBatch, name: "batch", want: float64(w.Batch), unit: "sequences", place: c.Places.First("workload.batch")})
	}
	if total, asked := mustWork(c); asked {
		out = append(out, demand{kind: asksAllUsed, name: "all_gpus", want: float64(total), unit: "GPUs", place: c.Places.First("goal.allow_idle", inputs.PoolKey(0, inputs.PoolCount))})
	}
	if len(padsOf(c)) > 0 {
		a := &c.Model.Kinds[0].Attention
		out = append(out, demand{kind: asksHeads, name: "heads", want: float64(a.Heads), unit: "heads", place: c.Places.First("model.heads", "model.catalog")})
	}
	for k := range pools {
		if widerNode(c, k) > 0 {
			add(asksNodes, k, "nodes", inputs.PoolNode, float64(pools[k].GPUsPerNode), "GPUs of a node")
		}
	}
	for k := range pools {
		if !pools[k].Count.Unlimited() {
			add(asksCount, k, "gpus", inputs.PoolCount, float64(pools[k].Count.Max), "GPUs")
		}
	}
	for i := range c.Rules {
		out = append(out, demand{kind: asksRule, index: i, name: "rule " + c.Rules[i].Name, place: c.Rules[i].Place})
	}
	if b := c.Goal.Balance; b != nil {
		out = append(out, demand{kind: asksBalance, name: "balance", want: *b, unit: "ε", place: c.Places.First("goal.balance")})
	}
	for i, q := range c.Goal.Requirements {
		out = append(out, demand{kind: asksRequirement, index: i, name: string(q.Kind), want: q.Value, unit: unitOfRequirement(q.Kind), place: q.Place})
	}
	return out
}

// mustWork is the number of GPUs that have to work, and whether any number is asked: the
// stated ones unless idle GPUs are allowed, the lower end of a range.
func mustWork(c *inputs.Condition) (int, bool) {
	total, asked := 0, false
	for _, p := range c.Cluster.Pools {
		switch {
		case p.Count.Stated():
			total += p.Count.Max
			asked = asked || !c.Goal.AllowIdle
		case p.Count.Min > 1:
			total += p.Count.Min
			asked = true
		}
	}
	return total, asked && (total > 1 || len(c.Cluster.Pools) > 1) // one GPU alone works in any plan
}

// unitOfRequirement is the unit of a requirement's value.
func unitOfRequirement(k inputs.RequirementKind) string {
	switch k {
	case inputs.TTFT, inputs.TPOT, inputs.EndToEnd:
		return "s"
	case inputs.CostUSDPerHour:
		return "USD/h"
	case inputs.TokensPerSGPU, inputs.OutputPerSGPU:
		return "tokens/s/GPU"
	}
	return "tokens/s"
}

// largestNode is the size of node up to which nodes are made wider: beyond it there are
// racks of 72, whose groups of every size would take seconds to price.
const largestNode = 16

// widerNode is the size of node that stands for nodes without end in a pool: all its GPUs
// in one, or twice as many as there are; 0 where nodes do not matter.
func widerNode(c *inputs.Condition, k int) int {
	p := &c.Cluster.Pools[k]
	wide := max(largestNode, 2*p.GPUsPerNode)
	if n := p.Count.Max; n > 0 {
		wide = min(wide, n)
	}
	if p.GPUsPerNode > largestNode || wide <= p.GPUsPerNode && len(p.Nodes) <= 1 {
		return 0
	}
	if len(c.Cluster.Pools) > 1 && sharesHosts(c) {
		return 0 // what lies on one host with what else would have to be said anew
	}
	return wide
}

// sharesHosts reports whether two pools have GPUs on one host.
func sharesHosts(c *inputs.Condition) bool {
	seen := map[string]int{}
	for k, p := range c.Cluster.Pools {
		for _, n := range p.Nodes {
			if other, ok := seen[n.Host]; ok && other != k {
				return true
			}
			seen[n.Host] = k
		}
	}
	return false
}

// padsOf lists the degrees that the nodes would admit and the model does not: where 28
// heads do not divide over 8 GPUs, padding them to a multiple of 8 would.
func padsOf(c *inputs.Condition) []int {
	var out []int
	for _, p := range c.Cluster.Pools {
		node := p.GPUsPerNode
		if p.Count.Max > 0 {
			node = min(node, p.Count.Max)
		}
		for d := 2; d <= node; d++ {
			if node%d != 0 || slices.Contains(out, d) {
				continue
			}
			for i := range c.Model.Kinds {
				k := &c.Model.Kinds[i]
				if k.Attention.Heads%d != 0 || k.FFN.Experts == 0 && k.FFN.Intermediate%d != 0 {
					out = append(out, d)
					break
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// padded is a model whose heads and dense widths are rounded up to multiples of a degree.
func padded(m inputs.Model, degree int) inputs.Model {
	up := func(n int) int { return (n + degree - 1) / degree * degree }
	m.Kinds = slices.Clone(m.Kinds)
	for i := range m.Kinds {
		k := &m.Kinds[i]
		k.Attention.Heads = up(k.Attention.Heads)
		if k.FFN.Experts == 0 {
			k.FFN.Intermediate = up(k.FFN.Intermediate)
		}
		k.FFN.Shared = up(k.FFN.Shared)
	}
	return m
}

// asked is a demand in words: "TTFT at most 10 s".
func (d *demand) asked(c *inputs.Condition) string {
	of := ""
	if len(c.Cluster.Pools) > 1 && d.kind >= asksCount {
		of = " of " + c.Cluster.Pools[d.index].Name
	}
	switch d.kind {
	case asksRequirement:
		q := &c.Goal.Requirements[d.index]
		side := "at least"
		if q.Kind.Upper() {
			side = "at most"
		}
		return fmt.Sprintf("%s %s %s", metricName(q.Kind), side, exactly(q.Value, d.unit))
	case asksBalance:
		return fmt.Sprintf("a fastest stage within %s of the slowest", share(d.want))
	case asksRule:
		return fmt.Sprintf("the rule %s (%s)", c.Rules[d.index].Name, c.Rules[d.index].Expr)
	case asksCount:
		return fmt.Sprintf("at most %s%s", counted(int(d.want), "GPU"), of)
	case asksAllUsed:
		return fmt.Sprintf("all %d GPUs at work", int(d.want))
	case asksBatch:
		return counted(int(d.want), "sequence") + " in flight"
	case asksInput:
		return fmt.Sprintf("prompts of up to %s", counted(int(d.want), "token"))
	case asksMemory:
		p := &c.Cluster.Pools[d.index]
		s := fmt.Sprintf("%.4g GiB on each GPU%s", d.want, of)
		if p.Utilization < 1 {
			s += fmt.Sprintf(", %s of it to be filled", share(p.Utilization))
		}
		return s
	case asksNodes:
		return fmt.Sprintf("nodes of %s%s", counted(int(d.want), "GPU"), of)
	}
	return fmt.Sprintf("degrees that divide %s and the width of a layer", counted(int(d.want), "attention head"))
}

// metricName is what a person calls a requirement's metric.
func metricName(k inputs.RequirementKind) string {
	switch k {
	case inputs.TTFT:
		return "TTFT"
	case inputs.TPOT:
		return "TPOT"
	case inputs.EndToEnd:
		return "end-to-end time"
	case inputs.TokensPerSGPU:
		return "throughput of each GPU"
	case inputs.OutputPerSecond:
		return "output throughput"
	case inputs.OutputPerSGPU:
		return "output throughput of each GPU"
	case inputs.CostUSDPerHour:
		return "cost"
	}
	return "throughput"
}
