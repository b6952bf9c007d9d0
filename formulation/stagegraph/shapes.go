package stagegraph

import (
	"partita/formulation/cost"
	"partita/formulation/divide"
	"partita/inputs"
)

// Group sizes beyond a node: tensor parallelism over two nodes is the most that
// published deployments use, experts spread over up to 64 GPUs (wider groups serve
// thousands of sequences and are reported as left out).
const (
	maxTensorNodes = 2
	maxExpertGroup = 64
)

// shapesOf lists the ways a stage can split its layers on a pool: every divisor
// combination TP·CP·DPAttention = EP·ETP that the model admits in the phase.
// Context parallelism is a choice where nothing is decoded.
func shapesOf(c *inputs.Condition, p *pool) []cost.Shape {
	m := &c.Model
	moe := m.HasExperts()
	var out []cost.Shape
	for _, q := range groupSizes(p, moe) {
		// Where there are several nodes a group that does not divide its node strands
		// GPUs: only heads that split no other way are worth it.
		odd := len(p.bins) != 1 && q < p.node && p.node%q != 0
		for _, tp := range divide.Divisors(q) {
			if odd && tp != q {
				continue
			}
			if tp > p.node*maxTensorNodes || tp > p.node && tp%p.node != 0 {
				continue
			}
			if q > p.node && tp < p.node && p.node%tp != 0 {
				continue // a group would straddle two nodes and be priced inside one
			}
			for _, cp := range divide.Divisors(q / tp) {
				if cp > 1 && c.Workload.Phase != inputs.Prefill {
					break
				}
				dpa := q / tp / cp
				if dpa > 1 && (!moe || cp > 1) {
					continue
				}
				for _, ep := range divide.Divisors(q) {
					sh := cost.Shape{TP: tp, CP: cp, DPAttention: dpa, EP: ep, ETP: q / ep}
					if ep > 1 && !moe || !valid(m, sh) {
						continue
					}
					out = append(out, sh)
				}
			}
		}
	}
	return out
}

// groupSizes lists the numbers of GPUs a stage may have: anything inside a node,
// whole nodes beyond it.
func groupSizes(p *pool, moe bool) []int {
	var out []int
	for q := 1; q <= p.node && (p.total == 0 || q <= p.total); q++ {
		out = append(out, q)
	}
	for j := 2; ; j *= 2 {
		q := j * p.node
		if q > p.node*maxTensorNodes && (!moe || q > maxExpertGroup) {
			return out
		}
		if p.total > 0 && q > p.total {
			return out
		}
		out = append(out, q)
	}
}

func valid(m *inputs.Model, sh cost.Shape) bool {
	for kind := range m.Kinds {
		if ok, _ := cost.ValidShape(m, kind, sh); !ok {
			return false
		}
	}
	return true
}
