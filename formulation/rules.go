package formulation

import (
	"context"
	"fmt"
	"slices"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/results"
)

// The rules of a condition bind every plan. What a rule says of one stage, or of how
// stages and outer choices go together, filters candidates of stages (stagegraph); what
// ties stages together makes cases of a layout (stagegraph.Case); what speaks of outer
// choices alone filters these, here.

// ruled replaces layouts by their cases and leaves out those that break a rule.
func (g *goal) ruled(l levels) levels {
	if g.space.Rules().Empty() {
		return l
	}
	l.ruledOut = make([]int, g.space.Rules().Len())
	var kept []level
	for _, lv := range l.list {
		for i, n := range g.cases(&lv.layouts) {
			l.ruledOut[i] += n
		}
		if len(lv.layouts) > 0 {
			kept = append(kept, lv)
		}
	}
	l.list = kept
	return l
}

// cases replaces layouts by their cases; it counts the outer choices that each rule took
// out with a whole layout.
func (g *goal) cases(layouts *[]*stagegraph.Layout) (out []int) {
	rules := g.space.Rules()
	if rules.Empty() {
		return nil
	}
	out = make([]int, rules.Len())
	var all []*stagegraph.Layout
	for _, l := range *layouts {
		cases, rule := g.space.Cases(l)
		if len(cases) == 0 && rule >= 0 {
			out[rule] += len(g.micros(l)) * len(g.groups(l))
		}
		all = append(all, cases...)
	}
	*layouts = all
	return out
}

// counted reports whether a rule speaks of numbers that the search otherwise takes one
// of several equally good: then all have to be looked at.
func (g *goal) counted(of knowledge.Level) bool { return g.space.Rules().Uses(of) }

// every lists 1 to n, at most most.
func every(n, most int) []int {
	var out []int
	for m := 1; m <= min(n, most); m++ {
		out = append(out, m)
	}
	return out
}

// refuses reports whether rules rule out a pair of numbers of parts, and counts it for
// the first of them. A range of layouts is ruled out where that does not hang on GPUs.
func (f *floors) refuses(i, j int) bool {
	rules := f.x.space.Rules()
	if rules.Empty() || f.first != f.last && rules.Uses(knowledge.OfGPUs) {
		return false
	}
	rule, broken := f.x.space.Breaks(f.choice(i, j))
	if !broken {
		return false
	}
	if f.refused == nil {
		f.refused = make([]int, rules.Len())
	}
	if f.x.against == nil {
		f.x.explorer.against = make([]int, rules.Len())
	}
	f.refused[rule]++
	return true
}

// named is a rule with its place.
func named(r inputs.Rule) string {
	if at := r.Place.String(); at != "" {
		return fmt.Sprintf("rule %q (%s)", r.Name, at)
	}
	return fmt.Sprintf("rule %q", r.Name)
}

// account says of every rule what it took out.
func (r *run) account(sol *solution) []results.RuleAccount {
	var out []results.RuleAccount
	rules := r.space.Rules()
	for i := range rules.Len() {
		x := rules.Rule(i)
		a := results.RuleAccount{Name: x.Name, Place: x.Place.String(), Expr: x.Expr, Because: x.Because, Candidates: r.space.RuledOut(i)}
		if i < len(sol.counts.ruledOut) {
			a.OuterChoices += sol.counts.ruledOut[i]
		}
		if i < len(r.against) {
			a.OuterChoices += r.against[i]
		}
		out = append(out, a)
	}
	return out
}

// idlePools warns of pools that rules leave nothing to run on.
func (r *run) idlePools() []string {
	var out []string
	for k := range r.space.Pools() {
		if x, ok := r.space.Emptied(k); ok {
			out = append(out, fmt.Sprintf("rules: no stage can run on pool %q: %s leaves none of the ways to split layers there", r.goal.c.Cluster.Pools[k].Name, named(x)))
		}
	}
	return out
}

// blame says what part rules have in there being no plan: none, all together, or which
// of them alone. requirements: they count too.
func (r *run) blame(ctx context.Context, requirements bool) ([]string, error) {
	c := *r.goal.c
	if len(c.Rules) == 0 {
		return nil, nil
	}
	r.opts.log("what part the rules have in it")
	c.Cluster.Pools = r.given
	what := "no plan can be placed"
	if requirements {
		what = "no plan meets the requirements"
	} else {
		c.Goal.Requirements = nil
	}
	exists := func(without ...string) (bool, error) {
		loose, err := newRunIn(r.price, c.WithoutRules(without...), Options{Backend: backendLabels})
		if err != nil || ctx.Err() != nil {
			return false, err
		}
		num, den, stated := loose.balanceFloor()
		if !stated || !requirements {
			num, den = 0, 1
		}
		counts := loose.goal.layoutsOf()
		return loose.feasible(ctx, counts.all(), 0, num, den)
	}
	var all []string
	for _, x := range c.Rules {
		all = append(all, x.Name)
	}
	ok, err := exists(all...)
	if !ok || err != nil {
		return nil, err
	}
	var out []string
	for _, x := range c.Rules {
		ok, err := exists(x.Name)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, fmt.Sprintf("rules: %s under %s; without it there is one", what, named(x)))
		}
	}
	if len(out) == 0 && ctx.Err() == nil {
		out = append(out, fmt.Sprintf("rules: %s under the %s together; without them there is one, and leaving out a single one is not enough", what, counted(len(c.Rules), "rule")))
	}
	return out, nil
}

// onAnyNumber reports whether some plan keeps the rules where every replica takes as many
// GPUs as it likes; without rules that is taken for granted. It spares a search number by
// number that has no end.
func (r *run) onAnyNumber(ctx context.Context) (bool, error) {
	rules := r.space.Rules()
	if rules.Empty() || rules.Uses(knowledge.OfGPUs) {
		return true, nil
	}
	var free []*stagegraph.Layout
	for n := 1; n <= r.goal.c.Workload.Batch; n++ {
		gpus := make([]int, r.space.Pools())
		for k := range gpus {
			gpus[k] = r.space.Layers() * r.space.LargestGroup(k)
			if most := r.goal.c.Cluster.Pools[k].Count.Max; most > 0 {
				gpus[k] = min(gpus[k], most/n)
			}
		}
		free = append(free, &stagegraph.Layout{Replicas: n, GPUs: gpus, Total: -1})
	}
	r.goal.cases(&free)
	return r.feasible(ctx, free, 0, 0, 1)
}

// add puts reasons in front: as warnings where there is a plan for all that.
func (s *solution) add(reasons []string) {
	if s == nil || len(reasons) == 0 {
		return
	}
	all := slices.Clone(reasons)
	if s.idle {
		for i := range all {
			all[i] = "warning: " + all[i]
		}
	}
	s.reasons = append(all, s.reasons...)
}

// illegal is the verdict on a proposal that breaks a rule whatever its micro-batches and
// decode groups are; false where none is known to be broken.
func (x *evaluator) illegal(p heuristic.Proposal) (heuristic.Verdict, bool) {
	facts := x.space.Facts(max(1, p.Replicas), 0, 0, p.Parts)
	broken, err := x.space.Rules().CheckOpen(facts, knowledge.OfParts)
	if err != nil || len(broken) == 0 {
		return heuristic.Verdict{}, false // a proposal that is no pipeline is refused as such
	}
	return forbidden(broken), true
}

// inParts is the verdict on a pipeline whose numbers of parts break a rule, false where
// they do not.
func (x *evaluator) inParts(pipe *stagegraph.Pipeline, micro, groups int) (heuristic.Verdict, bool) {
	if !x.space.Rules().Uses(knowledge.OfParts) {
		return heuristic.Verdict{}, false
	}
	broken, err := x.space.Rules().CheckOf(pipe.Facts(micro, groups), knowledge.OfParts)
	if err != nil || len(broken) == 0 {
		return heuristic.Verdict{}, false
	}
	return forbidden(broken), true
}

// forbidden is the verdict on what breaks rules.
func forbidden(broken []knowledge.Violation) heuristic.Verdict {
	v := broken[0]
	why := fmt.Sprintf("breaks %s: %s of %s", named(v.Rule), v.Values, v.Where)
	if more := len(broken) - 1; more > 0 {
		why += fmt.Sprintf(", and %s", counted(more, "rule")+" more")
	}
	return heuristic.Verdict{Rule: heuristic.RuleKnowledge, Miss: float64(1 + len(broken)), Why: why}
}
