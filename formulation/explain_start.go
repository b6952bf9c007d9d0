package formulation

import (
	"context"
	"math"
	"slices"
	"strings"

	"partita/formulation/encode"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/solver"
)

// mostCores is how many outer choices of a condition are looked at by SAT. Where floors
// leave more, they are too many to be worth it.
const mostCores = 16

// start is a part of the asks that cannot be met either, to search for a conflict in: the
// wishes that floors refute the outer choices with, and for choices that they leave, the
// core of a SAT model in which every condition is assumed. It is a guess that saves
// questions; the exact search confirms it, or all is kept.
func (e *explainer) start(ctx context.Context, from asks) (asks, error) {
	b := e.boxOf(from)
	if !b.point() || len(e.variants(from)) > 1 || e.usable > 0 || e.opts.SAT == nil {
		return from, nil
	}
	share, cancel := part(ctx, questionShare)
	defer cancel()
	needed, ok, err := e.needed(share, from, b)
	if err != nil || !ok {
		return from, err
	}
	var free []int
	for i, d := range e.demands {
		if !from.left[i] && !needed[i] && (d.kind == asksRequirement || d.kind == asksBalance || d.kind == asksMemory) {
			free = append(free, i)
		}
	}
	_, err = e.drop(ctx, &from, free...)
	return from, err
}

// needed are the demands that refutations of the outer choices used; false where some
// choice was not refuted by them.
func (e *explainer) needed(ctx context.Context, from asks, b box) ([]bool, bool, error) {
	r, err := e.runOn(from, b, e.variants(from)[0])
	if err != nil {
		return nil, false, err
	}
	num, den, stated := r.balanceFloor()
	if !stated {
		num, den = 0, 1
	}
	counts := r.goal.layoutsOf()
	x := &exploration{explorer: r.explorer, pass: &pass{anyPlan: true, layouts: counts.all(), num: num, den: den}}
	c := &cores{e: e, asks: from, needed: make([]bool, len(e.demands))}
	for _, n := range x.ranges() {
		if _, affordable := x.goal.limits(x.goal.hourly(x.pass.layouts[n.layout]), 0); !affordable {
			c.need(c.requirement(inputs.CostUSDPerHour))
			continue
		}
		fl, ok := x.floorsOf(n)
		if !ok {
			return nil, false, nil
		}
		fl.pairs(func(i, j int) {
			ttft, round, work := fl.metrics(i, j)
			switch over := c.over(x.goal, ttft, round, work); {
			case math.IsInf(ttft, 1) || math.IsInf(round, 1): // layers that fit no GPU
				c.needMemory()
			case len(over) > 0:
				c.need(over...)
			case n.layout < n.last:
				c.many = true
			default:
				c.open = append(c.open, fl.choice(i, j))
			}
		})
	}
	if c.many || len(c.open) > mostCores {
		return nil, false, nil
	}
	ok, err := c.bySAT(ctx, r, b)
	return c.needed, ok, err
}

// cores collects the demands that refutations use.
type cores struct {
	e      *explainer
	asks   asks
	needed []bool
	open   []stagegraph.Choice // not refuted by floors
	many   bool                // floors of requirements do not refute some layouts
}

// requirement is the index of a requirement's demand; -1 where it is not asked.
func (c *cores) requirement(kinds ...inputs.RequirementKind) int {
	return slices.IndexFunc(c.e.demands, func(d demand) bool {
		return d.kind == asksRequirement && slices.Contains(kinds, c.e.base.Goal.Requirements[d.index].Kind)
	})
}

// need notes that one of several demands, each enough for a refutation, is needed: one
// that is needed anyway, or the first.
func (c *cores) need(enough ...int) {
	for _, i := range enough {
		if i < 0 || c.needed[i] {
			return
		}
	}
	c.needed[enough[0]] = true
}

// needMemory notes that the memory of every pool is needed.
func (c *cores) needMemory() {
	for i, d := range c.e.demands {
		c.needed[i] = c.needed[i] || d.kind == asksMemory && !c.asks.left[i]
	}
}

// over are the requirements that floors of the metrics break.
func (c *cores) over(g *goal, ttft, round, work float64) []int {
	var out []int
	for i, d := range c.e.demands {
		if d.kind != asksRequirement || c.asks.left[i] {
			continue
		}
		q := c.e.base.Goal.Requirements[d.index]
		value, limit, ok := g.measure(q)
		if !ok {
			continue
		}
		// A layout of one GPU: GPU-seconds count as they are.
		got := value(&stagegraph.Layout{Replicas: 1, Total: 1}).of(ttft, round)
		if q.Kind == inputs.TokensPerSGPU || q.Kind == inputs.OutputPerSGPU {
			got = work
		}
		if got > limit*(1+1e-12) {
			out = append(out, i)
		}
	}
	return out
}

// coreTicks is how many ticks a limit has in a SAT model: few, for its sums grow with
// them; what is rounded off is decided by the exact search.
const coreTicks = 200

// bySAT finds the core of each choice that floors leave; false where one has none, or
// time ran out.
func (c *cores) bySAT(ctx context.Context, r *run, b box) (bool, error) {
	if len(c.open) == 0 {
		return true, nil
	}
	backend, err := c.e.opts.backend(backendSAT)
	if err != nil {
		return false, nil
	}
	sat, ok := backend.(solver.Conflicter)
	if !ok {
		return false, nil
	}
	var memory []int
	for i, d := range c.e.demands {
		if d.kind == asksMemory && !c.asks.left[i] {
			memory = append(memory, i)
		}
	}
	roomy, err := c.e.runOn(c.asks.without(memory...), b, c.e.variants(c.asks)[0])
	if err != nil {
		return false, err
	}
	num, den, stated := r.balanceFloor()
	if !stated {
		num, den = 0, 1
	}
	for _, ch := range c.open {
		x := &exploration{explorer: roomy.explorer, pass: &pass{anyPlan: true, num: num, den: den}, unit: 1}
		x.spare = c.ticks(roomy, ch)
		g := x.build(ch)
		names, err := encode.Conflict(ctx, g.Problem, c.overfull(r, g), sat)
		if err != nil {
			return false, nil // too large, out of time, or possible in coarse ticks: all is kept
		}
		for _, name := range names {
			c.named(roomy.goal, ch, name)
		}
	}
	return true, nil
}

// overfull excludes options that do not fit, by the name of the memory demand.
func (c *cores) overfull(r *run, g *stagegraph.Graph) encode.Exclusion {
	return func(class, option int32) string {
		pool, over := r.space.Overfull(g, class, option)
		if !over {
			return ""
		}
		for _, d := range c.e.demands {
			if d.kind == asksMemory && d.index == pool {
				return d.name
			}
		}
		return ""
	}
}

// ticks are the coarse ticks of a choice in both phases, in seconds.
func (c *cores) ticks(r *run, ch stagegraph.Choice) [2]float64 {
	lim, _ := r.goal.limits(r.goal.hourly(ch.Layout), 0)
	ttft := min(lim.ttft, lim.endToEnd)
	round := min(lim.roundOf(ch.Layout.Used()*ch.Layout.Replicas), lim.endToEnd/max(1, r.goal.out-1))
	out := [2]float64{ttft / coreTicks, round / coreTicks}
	for ph, t := range out {
		if t > 1e9 { // nothing is asked of the phase: the balance needs some ticks, if anything does
			out[ph] = 1
			if m := r.relaxOf(ch); m[ph] > 0 {
				out[ph] = m[ph] / coreTicks
			}
		}
	}
	return out
}

// relaxOf is the least time of either phase of a choice, in seconds.
func (r *run) relaxOf(ch stagegraph.Choice) [2]float64 {
	x := r.explorer.relax(ch.Layout)
	i, j := slices.Index(r.goal.micros(ch.Layout), ch.Micro), slices.Index(r.goal.groups(ch.Layout), ch.Groups)
	if !r.space.Decodes() {
		j = i
	}
	if i < 0 || j < 0 {
		return [2]float64{}
	}
	return [2]float64{x.TTFT(i), x.Round(j)}
}

// named notes the demand that a row of a SAT model stands for. Counts and packings are
// facts that other outer choices come with, and are kept in any case.
func (c *cores) named(g *goal, ch stagegraph.Choice, name string) {
	switch {
	case name == "limit_0":
		c.need(c.requirement(inputs.TTFT))
	case name == "cap":
		c.need(c.requirement(inputs.EndToEnd))
	case name == "limit_1":
		c.need(c.tightestRound(g, ch))
	default:
		for i, d := range c.e.demands {
			if d.name == name || d.kind == asksBalance && strings.HasPrefix(name, "balance") {
				c.need(i)
			}
		}
	}
}

// tightestRound is the requirement that bounds the round of a choice.
func (c *cores) tightestRound(g *goal, ch stagegraph.Choice) int {
	least, at := 0.0, -1
	for i, d := range c.e.demands {
		if d.kind != asksRequirement || c.asks.left[i] {
			continue
		}
		q := c.e.base.Goal.Requirements[d.index]
		value, limit, ok := g.measure(q)
		if k := value; !ok || q.Kind == inputs.TTFT || q.Kind == inputs.EndToEnd || k == nil {
			continue
		}
		if round := limit / value(ch.Layout).round; at < 0 || round < least {
			least, at = round, i
		}
	}
	return at
}
