package formulation_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation"
	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
	"partita/results/verify"
	"partita/solver"
	"partita/solver/lpsolve"
)

// everyLayout draws a small condition and looks at all its layouts.
func everyLayout(t *rapid.T) (*brute, []trial) {
	c, keeps := smallStep(t)
	costs, err := cost.New(c)
	if err != nil {
		t.Fatal(err)
	}
	w := &brute{c: c, costs: costs, keeps: keeps}
	w.round, w.before = roundsOf(c.Model.Layers)
	var all []trial
	w.see = func(x *trial) { all = append(all, *x) }
	for _, gpus := range w.counts() {
		w.all(gpus)
	}
	return w, all
}

// The optimum of a condition is what looking at every layout says.
func TestTrainingAgainstAllLayouts(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w, all := everyLayout(t)
		c := w.c
		// Something that some layouts miss.
		if len(all) > 0 {
			tokens := float64(c.Workload.Batch * c.Workload.Input.Max)
			for range rapid.IntRange(0, 2).Draw(t, "requirements") {
				of := &all[rapid.IntRange(0, len(all)-1).Draw(t, "of layout")]
				near := rapid.Float64Range(0.5, 2).Draw(t, "by")
				kind := rapid.SampledFrom([]inputs.RequirementKind{inputs.StepTime, inputs.TokensPerSecond, inputs.TokensPerSGPU, inputs.CostUSDPerHour}).Draw(t, "requirement")
				value := map[inputs.RequirementKind]float64{
					inputs.StepTime: of.seconds * near, inputs.TokensPerSecond: tokens / of.seconds * near,
					inputs.TokensPerSGPU: tokens / of.seconds / float64(of.total()) * near, inputs.CostUSDPerHour: of.price * near,
				}[kind]
				if !slices.ContainsFunc(c.Goal.Requirements, func(q inputs.Requirement) bool { return q.Kind == kind }) {
					c.Goal.Requirements = append(c.Goal.Requirements, inputs.Requirement{Kind: kind, Value: value})
				}
			}
		}
		margin := *c.Goal.Margin
		w.alone = [2]float64{math.Inf(1), math.Inf(1)}
		for i := range all {
			w.alone[0] = math.Min(w.alone[0], all[i].seconds)
			w.alone[1] = math.Min(w.alone[1], all[i].seconds*float64(all[i].total()))
		}
		var best *trial
		least := math.Inf(1) // ratio of all
		for i := range all {
			x := &all[i]
			r := w.ratio(x, margin)
			least = math.Min(least, r)
			if r <= 1 && (best == nil || slices.Compare(sliceOf(w.worth(x)), sliceOf(w.worth(best))) < 0) {
				best = x
			}
		}
		opts := formulation.Options{Backend: rapid.SampledFrom([]string{"labels", "labels", "labels", "labels", "labels", "labels", "labels", "auto", "ilp"}).Draw(t, "backend")}
		if lpsolve.Available() {
			opts.ILP = func() (solver.Backend, error) { return lpsolve.New() }
		} else if opts.Backend == "ilp" {
			opts.Backend = "labels"
		}
		rep, err := formulation.Optimize(context.Background(), c, opts)
		if err != nil {
			t.Fatal(err)
		}
		describe := func() string {
			var b strings.Builder
			for _, p := range c.Cluster.Pools {
				fmt.Fprintf(&b, "%s %+v node %d %v memory %d; ", p.Accelerator.Name, p.Count, p.GPUsPerNode, p.Nodes, p.MemoryBytes)
			}
			fmt.Fprintf(&b, "layers %v batch %d goal %+v rules %v margin %g\n", c.Model.Layers, c.Workload.Batch, c.Goal, c.Rules, margin)
			if rep.Plan != nil {
				ph := &rep.Plan.Phases[0]
				fmt.Fprintf(&b, "plan: %s %+v objective %g %s, GPUs %d, step %g ms", rep.Status, ph.Strategy, ph.Solve.Objective, ph.Solve.ObjectiveUnit, ph.GPUs.Used, *ph.Metrics.StepMS)
			}
			return b.String()
		}
		if rep.Plan != nil {
			v, err := verify.CheckWith(rep.Plan, c, verify.Options{Closest: !rep.Feasible})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range verify.Violations(v) {
				t.Errorf("%s: want %s, got %s\n%s", x.Rule, x.Want, x.Got, describe())
			}
		}
		switch {
		case len(all) == 0:
			seen["nothing fits"]++
			if rep.Feasible && rep.Plan.Phases[0].GPUs.Match {
				t.Fatalf("feasible, and nothing fits\n%s", describe())
			}
			w.checkFewer(t, rep, describe)
			return
		case best == nil:
			seen["infeasible"]++
			if least > 1+1e-6 && (rep.Status != results.StatusInfeasible || rep.Feasible) {
				t.Fatalf("%s, and the nearest is at %g\n%s", rep.Status, least, describe())
			}
			ph := &rep.Plan.Phases[0]
			got := w.ratio(&trial{gpus: []int{ph.GPUs.Used}, seconds: *ph.Metrics.StepMS / 1e3, price: *ph.Metrics.USDPerHour}, margin)
			if math.Abs(got-least) > 1e-5*least {
				t.Fatalf("the closest is at %.9g, it can be at %.9g\n%s", got, least, describe())
			}
			w.checkNearest(t, ph, all, margin, describe)
			return
		}
		seen["feasible"]++
		if rep.Status != results.StatusOptimal || !rep.Feasible {
			t.Fatalf("%s %v, and %s is feasible with %g\n%s", rep.Status, rep.Reasons, best, w.ratio(best, margin), describe())
		}
		ph := &rep.Plan.Phases[0]
		mine := trial{gpus: []int{ph.GPUs.Used}, seconds: *ph.Metrics.StepMS / 1e3, price: *ph.Metrics.USDPerHour}
		a, b := w.worth(&mine), w.worth(best)
		for i := range a {
			if math.Abs(a[i]-b[i]) > 1e-5*math.Abs(b[i]) {
				t.Fatalf("%s is worth %.9g\n%.9g: %s", best, b, a, describe())
			}
		}
		if p := &c.Cluster.Pools[0]; len(c.Cluster.Pools) == 1 && !p.Count.Stated() && (len(c.Goal.Requirements) > 0 || c.Goal.Objective == inputs.GPUs || c.Goal.Objective == inputs.Cost) &&
			(ph.GPUs.Used <= p.GPUsPerNode || ph.GPUs.Used%p.GPUsPerNode == 0) {
			more := *c
			more.Cluster.Pools = slices.Clone(c.Cluster.Pools)
			more.Cluster.Pools[0].Count.Max = 0
			seen["unlimited"]++
			other, err := formulation.Optimize(context.Background(), &more, opts)
			if err != nil {
				t.Fatal(err)
			}
			if other.Status != results.StatusOptimal || other.Plan.Phases[0].GPUs.Used > ph.GPUs.Used || other.Plan.Phases[0].GPUs.Used == ph.GPUs.Used && math.Abs(*other.Plan.Phases[0].Metrics.StepMS / *ph.Metrics.StepMS - 1) > 1e-5 {
				t.Fatalf("unlimited: %s\n%s", other.Status, describe())
			}
		}
		e, err := formulation.Evaluate(context.Background(), c, formulation.Given{Plan: rep.Plan}, formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if !e.Feasible || e.OptimumGapPercent == nil || *e.OptimumGapPercent != 0 || *e.Metrics.StepMS != *ph.Metrics.StepMS || *e.Metrics.MFU != *ph.Metrics.MFU || math.Abs(*e.Objective/ph.Solve.Objective-1) > 1e-12 {
			t.Fatalf("judged %v %v %v, objective %g\n%s", e.Feasible, e.OptimumGapPercent, e.Problems, *e.Objective, describe())
		}
	})
	if t.Log(seen); seen["feasible"] == 0 {
		t.Error("no condition had a plan")
	}
}

// A strategy that is stated in part is completed to the fastest of the layouts that have what
// it says.
func TestTrainingStrategyAgainstAllLayouts(t *testing.T) {
	seen := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		w, all := everyLayout(t)
		c := w.c
		if len(all) == 0 {
			return
		}
		of := &all[rapid.IntRange(0, len(all)-1).Draw(t, "layout")]
		one := func(n int) inputs.Degrees { return inputs.Degrees{n} }
		s := &inputs.Strategy{TP: one(of.shape.TP), CP: one(of.shape.CP), EP: one(of.shape.EP), ETP: one(of.shape.ETP), PP: of.pp, DP: of.shape.DP}
		alike := []func(x *trial) bool{func(x *trial) bool {
			a, b := x.shape, of.shape
			return a.TP == b.TP && a.CP == b.CP && a.EP == b.EP && a.ETP == b.ETP && a.DP == b.DP && x.pp == of.pp && slices.Equal(x.gpus, of.gpus)
		}}
		pin := func(name string, always bool, set func(), same func(x *trial) bool) {
			if always || rapid.Bool().Draw(t, name) {
				set()
				alike = append(alike, same)
			}
		}
		pin("pools", len(of.gpus) > 1, func() {
			for _, k := range of.pools {
				s.Pools = append(s.Pools, c.Cluster.Pools[k].Name)
			}
		}, func(x *trial) bool { return slices.Equal(x.pools, of.pools) })
		pin("zero", false, func() { s.ZeRO = &of.shape.ZeRO }, func(x *trial) bool { return x.shape.ZeRO == of.shape.ZeRO })
		pin("sp", false, func() { s.SequenceParallel = &of.shape.SP }, func(x *trial) bool { return x.shape.SP == of.shape.SP })
		pin("micro-batch", false, func() { s.MicroBatchSize = of.b }, func(x *trial) bool { return x.b == of.b })
		if rapid.Bool().Draw(t, "stages") {
			pin("virtual stages", true, func() { s.VirtualStages = of.v }, func(x *trial) bool { return x.v == of.v })
			pin("layers", false, func() {
				for c := range of.v {
					for i := range of.pp {
						s.Layers = append(s.Layers, of.layers[i][c])
					}
				}
			}, func(x *trial) bool { return fmt.Sprint(x.layers) == fmt.Sprint(of.layers) })
			pin("recompute", false, func() {
				for c := range of.v {
					for i := range of.pp {
						s.Recompute = append(s.Recompute, map[bool]inputs.Recompute{false: inputs.NoRecompute, true: inputs.FullRecompute}[of.full[i][c]])
					}
				}
			}, func(x *trial) bool { return fmt.Sprint(x.full) == fmt.Sprint(of.full) })
		}
		best := math.Inf(1)
		for i := range all {
			if !slices.ContainsFunc(alike, func(same func(x *trial) bool) bool { return !same(&all[i]) }) {
				best = math.Min(best, all[i].seconds)
			}
		}
		e, err := formulation.Evaluate(context.Background(), c, formulation.Given{Strategy: s}, formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if e.Metrics.StepMS == nil || math.Abs(*e.Metrics.StepMS/1e3-best) > 1e-6*best {
			t.Fatalf("%+v: %v ms, problems %v, the best has %g s: %s\n%+v", *s, e.Metrics.StepMS, e.Problems, best, of, c.Cluster.Pools)
		}
		seen[e.Feasible]++
	})
	if t.Log(seen); seen[true] == 0 {
		t.Error("no strategy was feasible")
	}
}

// checkNearest holds the value that a closest plan says could be asked for against all layouts
// that meet the other requirements, or those that it does not miss.
func (w *brute) checkNearest(t *rapid.T, ph *results.PhasePlan, all []trial, margin float64, describe func() string) {
	missed := map[inputs.RequirementKind]bool{}
	for _, q := range ph.Requirements {
		missed[inputs.RequirementKind(q.Name)] = !q.Met
	}
	for i, q := range ph.Requirements {
		if q.Met {
			continue
		}
		kind := inputs.RequirementKind(q.Name)
		least := math.Inf(1)
		for _, others := range []func(k inputs.RequirementKind) bool{
			func(k inputs.RequirementKind) bool { return k != kind },
			func(k inputs.RequirementKind) bool { return !missed[k] },
		} {
			for j := range all {
				if w.ratioOf(&all[j], margin, others) <= 1 {
					least = math.Min(least, w.ratioOf(&all[j], margin, func(k inputs.RequirementKind) bool { return k == kind }))
				}
			}
			if !math.IsInf(least, 1) {
				break
			}
		}
		least = math.Max(least, 1) // with the others left out it may be met: nothing tighter than asked is named
		want := w.c.Goal.Requirements[i].Value * least
		if !kind.Upper() {
			want = w.c.Goal.Requirements[i].Value / least
		}
		if math.IsInf(least, 1) != (q.Nearest == nil) || q.Nearest != nil && math.Abs(*q.Nearest-want) > 1e-5*want {
			t.Fatalf("%s: nearest %v, want %g\n%s", kind, deref(q.Nearest), want, describe())
		}
	}
}

// checkFewer holds a plan of a condition that no layout of all its GPUs fits against those
// of fewer.
func (w *brute) checkFewer(t *rapid.T, rep *results.Report, describe func() string) {
	stated := 0
	for _, p := range w.c.Cluster.Pools {
		if !p.Count.Stated() || w.c.Goal.AllowIdle {
			return
		}
		stated += p.Count.Max
	}
	best, most := math.Inf(1), 0
	w.see = func(x *trial) {
		if n := x.total(); n > most {
			best, most = x.seconds, n
		} else if n == most {
			best = math.Min(best, x.seconds)
		}
	}
	for a := 0; a <= w.c.Cluster.Pools[0].Count.Max; a++ {
		gpus := []int{a}
		for b := 0; len(w.c.Cluster.Pools) > 1 && b <= w.c.Cluster.Pools[1].Count.Max || b == 0; b++ {
			if len(w.c.Cluster.Pools) > 1 {
				gpus = []int{a, b}
			}
			w.all(gpus)
		}
	}
	used := 0
	if rep.Plan != nil {
		used = rep.Plan.Phases[0].GPUs.Used
	}
	switch {
	case most == 0 && rep.Plan != nil && used <= stated:
		t.Fatalf("a plan, and nothing fits\n%s", describe())
	case most > 0 && (used != most || !rep.Feasible || math.Abs(*rep.Plan.Phases[0].Metrics.StepMS/1e3-best) > 1e-5*best):
		t.Fatalf("%d GPUs can be used, in %g s: %s\n%s", most, best, rep.Status, describe())
	}
}

// deref is what a value that may be left out is, for a message.
func deref(x *float64) any {
	if x == nil {
		return "none"
	}
	return *x
}
