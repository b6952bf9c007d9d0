package verify

import (
	"fmt"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

func shapeOf(s *results.Stage) cost.Shape {
	return cost.Shape{TP: s.TP, CP: s.CP, DPAttention: s.DPAttention, EP: s.EP, ETP: s.ETP}
}

// checkShapes: both products of the degrees of a stage are the number of its GPUs.
// Each degree is bounded by that number, so the products cannot overflow.
func (a *audit) checkShapes() {
	t := tally{rule: ruleShapes, want: "both products equal the number of GPUs listed"}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		n := len(s.GPUs)
		for _, d := range []int{s.TP, s.CP, s.DPAttention, s.EP, s.ETP} {
			if d < 1 || d > n {
				t.fail(0, "%s: degree %d with %d GPUs", where(s), d, n)
			}
		}
		if t.failures > 0 {
			continue
		}
		if attention, experts := s.TP*s.CP*s.DPAttention, s.EP*s.ETP; attention != n || experts != n {
			t.fail(0, "%s: tp %d · cp %d · dp_attention %d = %d, ep %d · etp %d = %d, GPUs %d",
				where(s), s.TP, s.CP, s.DPAttention, attention, s.EP, s.ETP, experts, n)
		}
	}
	t.report(a.list, "every stage does")
}

// checkDegrees: the model can be split that way (heads by tp, widths by etp,
// experts by ep), and context parallelism is used for prefill alone: a decode step
// has one new token.
func (a *audit) checkDegrees() {
	t := tally{rule: ruleDegrees, want: "heads, widths and experts split evenly; cp = 1 where tokens are decoded"}
	type key struct {
		kind  int
		shape cost.Shape
	}
	known := map[key]string{}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		shape := shapeOf(s)
		if min(s.TP, s.CP, s.DPAttention, s.EP, s.ETP) < 1 {
			t.fail(0, "%s: a degree below 1", where(s))
			continue
		}
		if a.cond.Workload.Phase != inputs.Prefill && s.CP != 1 {
			t.fail(0, "%s: cp %d with a decode step", where(s), s.CP)
		}
		for kind, n := range a.kinds(s) {
			if n == 0 {
				continue
			}
			k := key{kind, shape}
			why, ok := known[k]
			if !ok {
				why = a.prices.Invalid(kind, shape)
				known[k] = why
			}
			if why != "" {
				t.fail(0, "%s, layer kind %q: %s", where(s), a.cond.Model.Kinds[kind].Name, why)
			}
		}
	}
	t.report(a.list, "every stage does")
}

// kinds counts the layers of each kind on a stage; layers outside the model are
// not counted (checkLayers reports them).
func (a *audit) kinds(s *results.Stage) []int {
	counts := make([]int, len(a.cond.Model.Kinds))
	for l := max(s.FirstLayer, 0); l <= s.LastLayer && l < len(a.cond.Model.Layers); l++ {
		counts[a.cond.Model.Layers[l]]++
	}
	return counts
}

// checkExperts: on every stage with MoE layers the expert ranks hold E/ep experts
// each, and together all E of every such layer.
func (a *audit) checkExperts() {
	t := tally{rule: ruleExperts, want: "each routed expert of each layer on one expert rank of every replica"}
	homes, layers := 0, 0
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		for kind, n := range a.kinds(s) {
			experts := a.cond.Model.Kinds[kind].FFN.Experts
			if n == 0 || experts == 0 {
				continue
			}
			if s.EP < 1 || s.EP > experts {
				t.fail(0, "%s: %d experts over %d ranks", where(s), experts, s.EP)
				continue
			}
			each := experts / s.EP
			if each*s.EP != experts {
				t.fail(float64(experts-each*s.EP), "%s: %d ranks of %d experts hold %d of %d", where(s), s.EP, each, each*s.EP, experts)
			}
			homes += n * each * s.EP
			layers += n
		}
	}
	got := "the model has no routed experts"
	if layers > 0 {
		got = fmt.Sprintf("%d homes over %d MoE layers of all replicas", homes, layers)
	}
	t.report(a.list, got)
}
