package formulation

import (
	"fmt"
	"math"
	"strings"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
)

// The sentences of an evaluator: what a proposal violates, in numbers.

// miscounted: no layout has so many replicas with these GPUs.
func (x *evaluator) miscounted(replicas int, gpus []int) heuristic.Verdict {
	v := heuristic.Verdict{Rule: heuristic.RuleCount, Miss: 2}
	if b := x.goal.c.Workload.Batch; replicas > b {
		v.Miss = float64(replicas) / float64(b)
		v.Why = fmt.Sprintf("%d replicas for %d sequences: some would stand idle", replicas, b)
		return v
	}
	have, want := gpusOf(gpus, replicas), gpusOf(x.gpus, 1)
	if have == want || len(gpus) > 1 {
		var uses []string
		for k, n := range gpus {
			uses = append(uses, fmt.Sprintf("%d of %d %s", n*replicas, x.gpus[k], x.goal.c.Cluster.Pools[k].Name))
		}
		v.Why = "uses " + strings.Join(uses, ", ")
	} else {
		v.Why = fmt.Sprintf("uses %d of %d GPUs", have, want)
	}
	if x.all {
		v.Why += "; all are to be used"
	}
	if have > 0 && want > 0 && have != want {
		v.Miss = max(float64(have)/float64(want), float64(want)/float64(have))
	}
	return v
}

// overfull: the stage that fills its GPUs most does not fit.
func (x *evaluator) overfull(pipe *stagegraph.Pipeline, micro, groups int) heuristic.Verdict {
	stage, need, capacity := pipe.Fullest(micro, groups)
	return heuristic.Verdict{
		Rule: heuristic.RuleMemory, Miss: float64(need) / float64(max(1, capacity)),
		Why: fmt.Sprintf("stage %d needs %.1f GiB of %.1f GiB on each GPU", stage, float64(need)/gib, float64(capacity)/gib),
	}
}

// unaffordable: the GPUs alone cost more than is asked.
func (x *evaluator) unaffordable(t *terms) heuristic.Verdict {
	v := heuristic.Verdict{Rule: heuristic.RuleRequirement, Miss: 1}
	for _, q := range x.goal.c.Goal.Requirements {
		if q.Kind == inputs.CostUSDPerHour && t.hourly/q.Value > v.Miss {
			v.Miss = t.hourly / q.Value
			v.Why = fmt.Sprintf("costs %.4g USD an hour, %.4g asked", t.hourly, q.Value)
		}
	}
	return v
}

// leftOut is the verdict on what comes out below the proved optimum: it is not among
// the plans that the proof ranges over, as one of its stages runs a shape that
// another beats in both phases. With the faster shape it would fall out of balance. A
// plan without such a stage keeps its value, for then the proof is wrong.
func (x *evaluator) leftOut(pipe *stagegraph.Pipeline, t *terms, v heuristic.Verdict, micro, groups int) heuristic.Verdict {
	stage, by, ok := pipe.Beaten(micro, groups, t.scale)
	if !ok {
		return v
	}
	return heuristic.Verdict{
		Rule: heuristic.RuleBalance, Miss: 1,
		Why: fmt.Sprintf("balance: met only because stage %d runs slower than %s on the same GPUs would; plans that slow a stage down are left out", stage, degreesOf(by)),
	}
}

// sentence says which condition the pair that comes furthest violates.
func (x *evaluator) sentence(l *stagegraph.Layout, t *terms, p pairing) string {
	if p.Rule == heuristic.RuleBalance {
		return fmt.Sprintf("balance: the fastest stage takes %.3f of the slowest, the floor is %.3f", float64(p.b.low)/float64(max(1, p.b.peak)), float64(x.pass.num)/float64(max(1, x.pass.den)))
	}
	ttft, round := t.seconds(p)
	worst, text := 0.0, "a requirement is missed by less than a tick"
	for _, q := range x.goal.c.Goal.Requirements {
		got, ok := x.got(q.Kind, x.exploration.gpus(l), ttft, round)
		if !ok {
			continue
		}
		miss := got / (q.Value * (1 - x.goal.margin))
		if !q.Kind.Upper() {
			miss = q.Value / (got * (1 - x.goal.margin))
		}
		if miss > worst {
			worst, text = miss, x.missed(q, got)
		}
	}
	return text
}

// got is a metric in the unit of its requirement; false for what does not follow
// from times.
func (x *evaluator) got(kind inputs.RequirementKind, gpus int, ttft, round float64) (float64, bool) {
	switch g := x.goal; kind {
	case inputs.TTFT:
		return ttft, true
	case inputs.TPOT:
		return round, true
	case inputs.EndToEnd:
		return g.latency().of(ttft, round), true
	case inputs.TokensPerSecond:
		return g.tokensPerRound() / round, true
	case inputs.TokensPerSGPU:
		return g.tokensPerRound() / round / float64(gpus), true
	case inputs.OutputPerSecond:
		return g.batch / round, true
	case inputs.OutputPerSGPU:
		return g.batch / round / float64(gpus), true
	}
	return 0, false
}

// missed is the sentence on one requirement: got, what would do, what was asked.
func (x *evaluator) missed(q inputs.Requirement, got float64) string {
	name, unit := "TTFT", "s"
	scale := 1.0
	switch q.Kind {
	case inputs.TPOT:
		name, unit, scale = "TPOT", "ms", 1e3
	case inputs.EndToEnd:
		name = "end-to-end time"
	case inputs.TokensPerSecond:
		name, unit = "throughput", "tokens/s"
	case inputs.TokensPerSGPU:
		name, unit = "throughput", "tokens/s/GPU"
	case inputs.OutputPerSecond:
		name, unit = "output", "tokens/s"
	case inputs.OutputPerSGPU:
		name, unit = "output", "tokens/s/GPU"
	}
	bound, side := q.Value*(1-x.goal.margin), "less"
	if !q.Kind.Upper() {
		bound, side = q.Value/(1-x.goal.margin), "over 1 less"
	}
	s := fmt.Sprintf("%s %.4g %s, %.4g asked", name, got*scale, unit, bound*scale)
	if x.goal.margin > 0 && !math.IsInf(bound, 0) {
		s += fmt.Sprintf(" (%.4g %s %.3g %% margin)", q.Value*scale, side, 100*x.goal.margin)
	}
	return s
}
