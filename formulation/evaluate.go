package formulation

import (
	"cmp"
	"math"
	"slices"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/solver/path"
)

// evaluator holds proposals against the condition on the costs of the proof: the
// same layouts, ticks, limits and balance floor, so that no proposal that is a
// path of a stage graph comes out better than a proved optimum.
type evaluator struct {
	*exploration
	gpus    []int   // asked for of each pool, over all replicas
	all     bool    // the condition asks for all of them
	proved  float64 // the proved optimum; -Inf where there is none
	slack   float64 // by how much a requirement is missed at least; 0: not known
	layouts map[int][]*stagegraph.Layout
	terms   map[*stagegraph.Layout]*terms
}

// terms are what a layout's paths are judged by, in ticks.
type terms struct {
	scale          stagegraph.Scale
	weight, limit  [2]int64
	cap            *path.Cap
	affordable     bool
	hourly         float64
	micros, groups []int
}

// newEvaluator judges by a pass, its unit and ticks; requirements as asked, whatever
// the pass relaxed.
func newEvaluator(e *explorer, p pass, unit float64, spare [2]float64) *evaluator {
	p.slack = 0
	x := &evaluator{
		exploration: &exploration{explorer: e, pass: &p, unit: unit, spare: spare},
		proved:      math.Inf(-1), layouts: map[int][]*stagegraph.Layout{}, terms: map[*stagegraph.Layout]*terms{},
	}
	seen := map[*stagegraph.Layout]bool{}
	for _, l := range p.layouts {
		// Cases of a layout price alike; rules are held against the proposal itself.
		if l = l.Base(); !seen[l] {
			seen[l] = true
			x.layouts[l.Replicas] = append(x.layouts[l.Replicas], l)
		}
	}
	return x
}

// termsOf are the terms of a layout, as build gives them to a path problem.
func (x *evaluator) termsOf(l *stagegraph.Layout) *terms {
	if t, ok := x.terms[l]; ok {
		return t
	}
	t := &terms{hourly: x.goal.hourly(l), micros: x.goal.micros(l), groups: x.goal.groups(l)}
	t.scale, t.weight = x.pass.scale(l, x.unit, x.spare)
	var lim limits
	lim, t.affordable = x.goal.limits(t.hourly, 0)
	t.limit = [2]int64{tickLimit(lim.ttft, t.scale[0]), tickLimit(lim.roundOf(x.exploration.gpus(l)), t.scale[1])}
	var p path.Problem
	x.limitEndToEnd(&p, t.scale, lim.endToEnd)
	t.cap = p.Cap
	if x.space.Decodes() && !x.microMatters(l) {
		t.micros = t.micros[len(t.micros)-1:] // as in the search: the others cost nothing here and take more memory
	}
	x.terms[l] = t
	return t
}

// judge is the verdict on a proposal under the layout, micro-batches and groups that
// suit it best.
func (x *evaluator) judge(p heuristic.Proposal) heuristic.Verdict {
	if len(p.Parts) == 0 {
		return heuristic.Verdict{Rule: heuristic.RuleProposal, Miss: math.Inf(1), Why: p.Why}
	}
	if v, broken := x.illegal(p); broken {
		return v
	}
	one := &stagegraph.Layout{Replicas: max(1, p.Replicas), Total: -1}
	shape, err := x.space.Pipeline(one, p.Parts)
	if err != nil {
		return heuristic.Verdict{Rule: heuristic.RuleShape, Miss: math.Inf(1), Why: err.Error()}
	}
	var best heuristic.Verdict
	found := false
	for _, l := range x.layouts[p.Replicas] {
		if !takes(l, shape.GPUs()) {
			continue
		}
		pipe, err := x.space.Pipeline(l, p.Parts)
		if err != nil {
			return heuristic.Verdict{Rule: heuristic.RuleShape, Miss: math.Inf(1), Why: err.Error()}
		}
		if v := x.evaluate(l, pipe); !found || v.Better(best) {
			best, found = v, true
		}
	}
	if !found {
		return x.miscounted(p.Replicas, shape.GPUs())
	}
	return best
}

// takes reports whether a layout admits a replica with these GPUs.
func takes(l *stagegraph.Layout, gpus []int) bool {
	total := 0
	for k, n := range gpus {
		if n > l.GPUs[k] || l.Exact && n != l.GPUs[k] {
			return false
		}
		total += n
	}
	return l.Total < 0 || total == l.Total
}

// figures are the metrics of a pipeline for a number of parts, in ticks.
type figures struct {
	parts     int
	metric    int64
	low, peak int64
}

// evaluate finds the best numbers of micro-batches and decode groups for a
// pipeline, or where none keeps every condition the pair that comes furthest.
func (x *evaluator) evaluate(l *stagegraph.Layout, pipe *stagegraph.Pipeline) heuristic.Verdict {
	t := x.termsOf(l)
	lastMicro, lastGroups := t.micros[len(t.micros)-1], t.groups[len(t.groups)-1]
	if !fits(pipe, lastMicro, lastGroups) { // smaller steps never take more
		return x.overfull(pipe, lastMicro, lastGroups)
	}
	if !pipe.Packs() {
		return heuristic.Verdict{Rule: heuristic.RulePacking, Miss: 2, Why: "the groups of all replicas do not pack into the nodes, none across nodes"}
	}
	if !t.affordable {
		return x.unaffordable(t)
	}
	best := x.best(l, t, pipe)
	if !best.Feasible() && best.Why == "" {
		best.Why = x.sentence(l, t, best)
	}
	return best.Verdict
}

// best is the pair of numbers of parts that gives the best verdict, memory and packing
// of the smallest steps taken for granted.
func (x *evaluator) best(l *stagegraph.Layout, t *terms, pipe *stagegraph.Pipeline) pairing {
	first, second := x.figures(l, t, pipe)
	best := pairing{Verdict: heuristic.Verdict{Rule: -1}}
	for _, a := range first {
		for _, b := range x.partners(a, second) {
			v := x.pair(t, a, b)
			if !v.Better(best.Verdict) {
				if v.Feasible() && best.Feasible() {
					break // groups come by metric: the rest is no better
				}
				continue
			}
			groups := b.parts
			if !x.space.Decodes() {
				groups = 0
			}
			if v.Feasible() && v.Value < x.proved {
				v = x.leftOut(pipe, t, v, a.parts, groups)
			}
			if !v.Better(best.Verdict) || !fits(pipe, a.parts, groups) {
				continue
			}
			if ruled, broken := x.inParts(pipe, a.parts, groups); broken {
				v = ruled
			}
			if v.Better(best.Verdict) {
				best = pairing{v, a, b}
			}
		}
	}
	return best
}

// pairing is a verdict with the figures it speaks of: the latency and the rate
// phase.
type pairing struct {
	heuristic.Verdict
	a, b figures
}

// partners are the rate figures that go with a latency figure: all of them, or for
// prefill alone, where both follow from the micro-batches, the one of as many.
func (x *evaluator) partners(a figures, second []figures) []figures {
	if x.space.Decodes() {
		return second
	}
	i := slices.IndexFunc(second, func(b figures) bool { return b.parts == a.parts })
	return second[i : i+1]
}

// figures prices a pipeline in both phases under every number of parts, least
// metric first; the larger number of parts first where two are equal.
func (x *evaluator) figures(l *stagegraph.Layout, t *terms, pipe *stagegraph.Pipeline) (first, second []figures) {
	for _, m := range t.micros {
		f := figures{parts: m}
		if m > 0 {
			sum, peak, low := pipe.Ticks(0, m, 0, t.scale)
			f.peak, f.low = peak, low
			f.metric = x.goal.phases(stagegraph.Choice{Layout: l, Micro: m})[0].Metric(sum, peak)
		}
		first = append(first, f)
	}
	rate := t.groups
	if !x.space.Decodes() {
		rate = t.micros
	}
	for _, n := range rate {
		ch := stagegraph.Choice{Layout: l, Groups: n}
		if !x.space.Decodes() {
			ch = stagegraph.Choice{Layout: l, Micro: n}
		}
		sum, peak, low := pipe.Ticks(1, ch.Micro, ch.Groups, t.scale)
		second = append(second, figures{n, x.goal.phases(ch)[1].Metric(sum, peak), low, peak})
	}
	for _, list := range [][]figures{first, second} {
		slices.SortFunc(list, func(a, b figures) int {
			return cmp.Or(cmp.Compare(a.metric, b.metric), cmp.Compare(b.parts, a.parts))
		})
	}
	return first, second
}

// pair judges one pair of numbers of parts, memory aside.
func (x *evaluator) pair(t *terms, a, b figures) heuristic.Verdict {
	if n, d := x.pass.num, max(1, x.pass.den); n > 0 && b.low*d < b.peak*n {
		return heuristic.Verdict{Rule: heuristic.RuleBalance, Miss: float64(b.peak*n) / float64(max(1, b.low*d))}
	}
	over := max(float64(a.metric)/float64(t.limit[0]), float64(b.metric)/float64(t.limit[1]))
	ok := a.metric <= t.limit[0] && b.metric <= t.limit[1]
	metric := [2]int64{a.metric, b.metric}
	if t.cap != nil {
		ok = ok && t.cap.Of(metric) <= t.cap.Max
		over = max(over, float64(t.cap.Of(metric))/float64(t.cap.Max))
	}
	if !ok {
		return heuristic.Verdict{Rule: heuristic.RuleRequirement, Miss: over}
	}
	return heuristic.Verdict{Rule: heuristic.RuleMet, Value: float64(t.weight[0]*metric[0]+t.weight[1]*metric[1]) * x.unit}
}

func fits(pipe *stagegraph.Pipeline, micro, groups int) bool {
	_, need, capacity := pipe.Fullest(micro, groups)
	return need <= capacity
}

// seconds are TTFT and round of a pair.
func (t *terms) seconds(p pairing) (ttft, round float64) {
	return t.scale.Seconds(0, p.a.metric), t.scale.Seconds(1, p.b.metric)
}

// gpusOf counts the GPUs of a number of replicas.
func gpusOf(gpus []int, replicas int) int {
	n := 0
	for _, q := range gpus {
		n += q * replicas
	}
	return n
}
