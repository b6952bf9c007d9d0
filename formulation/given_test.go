package formulation

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
	"partita/results/verify"
)

// statedAs writes a proposal as somebody would state it.
func statedAs(c *inputs.Condition, p heuristic.Proposal) *inputs.Strategy {
	s := &inputs.Strategy{PP: len(p.Parts), Replicas: p.Replicas}
	for _, pt := range p.Parts {
		s.TP, s.EP, s.ETP = append(s.TP, pt.Shape.TP), append(s.EP, pt.Shape.EP), append(s.ETP, pt.Shape.ETP)
		s.CP, s.DPAttention = append(s.CP, pt.Shape.CP), append(s.DPAttention, pt.Shape.DPAttention)
		s.Layers = append(s.Layers, pt.Last-pt.First+1)
		s.Pools = append(s.Pools, c.Cluster.Pools[pt.Pool].Name)
	}
	return s
}

func mustEvaluate(t interface{ Fatal(...any) }, c *inputs.Condition, g Given) *results.Evaluation {
	v, err := Evaluate(context.Background(), c, g, Options{Backend: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// inShares holds every utilisation between 0 and 1.
func inShares(t interface{ Fatalf(string, ...any) }, v *results.Evaluation) {
	all := []results.Utilisation{v.Utilisation}
	for _, s := range v.Stages {
		all = append(all, s.Utilisation)
	}
	for _, u := range all {
		for name, x := range map[string]*float64{"compute": u.Compute, "memory": u.Memory, "bandwidth": u.Bandwidth, "network": u.Network, "busy": u.Busy} {
			if v.Phase == nil && x == nil {
				continue
			}
			if x == nil || !(*x >= 0 && *x <= 1+1e-9) {
				t.Fatalf("utilisation of %s: %v", name, x)
			}
		}
	}
}

// verifies recomputes a feasible strategy by code that shares nothing with ours.
func verifies(t interface{ Fatalf(string, ...any) }, c *inputs.Condition, v *results.Evaluation) {
	p := &results.Plan{FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{*v.Phase}, Deployment: results.DeploymentOf(c), Warnings: append(v.Warnings, "given")}
	got, err := verify.Check(p, c)
	if err != nil || !got.OK {
		t.Fatalf("a feasible strategy fails verification: %v %+v", err, verify.Violations(got))
	}
}

// sometimesRuled draws a small condition, of three one under a rule.
func sometimesRuled(t *rapid.T) *inputs.Condition {
	if rapid.IntRange(0, 2).Draw(t, "ruled") == 2 {
		return ruledCondition(t)
	}
	return anyCondition(t)
}

// TestEvaluateTheOptimum: the plan that a search found has gap 0 and its own metrics,
// taken from its stages and taken from its degrees.
func TestEvaluateTheOptimum(t *testing.T) {
	evaluated := 0
	rapid.Check(t, func(t *rapid.T) {
		c := sometimesRuled(t)
		rep, err := Optimize(t.Context(), c, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if !rep.Feasible || rep.Status != results.StatusOptimal || len(rep.Warnings) > 0 {
			return
		}
		ph := &rep.Plan.Phases[0]
		v := mustEvaluate(t, c, Given{Plan: rep.Plan, Source: "plan.json"})
		if !v.Feasible || v.OptimumGapPercent == nil || *v.OptimumGapPercent != 0 || *v.Objective != ph.Solve.Objective {
			t.Fatalf("the optimum %+v: feasible %v, problems %v, gap %v, objective %v of %v", ph.Strategy, v.Feasible, v.Problems, deref(v.OptimumGapPercent), deref(v.Objective), ph.Solve.Objective)
		}
		if !reflect.DeepEqual(v.Metrics, ph.Metrics) || !reflect.DeepEqual(v.Requirements, ph.Requirements) {
			t.Fatalf("metrics %+v of the plan, %+v evaluated", ph.Metrics, v.Metrics)
		}
		if v.GPUsNeeded != ph.GPUs.Used || !reflect.DeepEqual(v.Phase.Stages, ph.Stages) {
			t.Fatalf("%d GPUs of %d", v.GPUsNeeded, ph.GPUs.Used)
		}
		for _, x := range v.Changes {
			if (x.Kind == changeSplit || x.Kind == changeLayers) && *x.GainPercent > 1e-6 && x.OptimumGapPercent != nil && *x.OptimumGapPercent < -1e-6 && x.OutsideSearch == "" {
				t.Fatalf("%s is better than the proved optimum by %g %%", x.Change, -*x.OptimumGapPercent)
			}
		}
		inShares(t, v)
		verifies(t, c, v)
		again := mustEvaluate(t, c, Given{Strategy: statedAs(c, proposalOf(c, v))})
		// Other numbers of parts may bring in what the search leaves out, and says so.
		if g := deref(again.OptimumGapPercent); !again.Feasible || g > 0 || g < 0 && len(again.OutsideSearch) == 0 {
			t.Fatalf("by its degrees: %v, gap %v, problems %+v", again.Feasible, deref(again.OptimumGapPercent), again.Problems)
		}
		evaluated++
	})
	if evaluated == 0 {
		t.Error("nothing was evaluated")
	}
}

func deref(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// TestEvaluateHeuristics: what a heuristic proposes is judged as compare judges it.
func TestEvaluateHeuristics(t *testing.T) {
	agreed, infeasible := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c := sometimesRuled(t)
		r, err := newRun(c, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		sol, err := r.solve(t.Context())
		if err != nil || sol.final.best == nil || sol.unfit || sol.slack > 0 {
			return
		}
		x, vectors := r.contest(sol)
		for _, h := range heuristic.All() {
			if h.Improves || len(sol.counts.list) > 1 {
				continue
			}
			e := x.enter(t.Context(), h, vectors[0], nil)
			if len(e.proposal.Parts) == 0 || strings.Contains(e.verdict.Why, "plans that slow a stage down are left out") {
				continue
			}
			v := mustEvaluate(t, c, Given{Strategy: statedAs(c, e.proposal)})
			inShares(t, v)
			switch {
			case v.Feasible && deref(v.OptimumGapPercent) < 0 && len(v.OutsideSearch) > 0:
				// compare takes other numbers of parts then, for which it is in the space; evaluate
				// says that it is not.
			case v.Feasible && e.verdict.Feasible():
				if *v.Objective != e.verdict.Value {
					t.Fatalf("%s (%s): compare says %v, evaluate %v, gap %v, outside %q", h.Name, oneLine(c, e.proposal), e.verdict.Value, *v.Objective, deref(v.OptimumGapPercent), v.OutsideSearch)
				}
				verifies(t, c, v)
				agreed++
			case v.Feasible != e.verdict.Feasible() && !onTheEdge(v, e.verdict):
				t.Fatalf("%s (%s): compare says %v (%s), evaluate %v %+v", h.Name, oneLine(c, e.proposal), e.verdict.Feasible(), e.verdict.Why, v.Feasible, v.Problems)
			default:
				infeasible++
			}
		}
	})
	if agreed == 0 || infeasible == 0 {
		t.Errorf("%d were feasible, %d not: want some of both", agreed, infeasible)
	}
}

// onTheEdge: a tick decides between the two, which evaluate gives to the strategy.
func onTheEdge(v *results.Evaluation, w heuristic.Verdict) bool {
	return v.Feasible && w.Rule >= heuristic.RuleBalance && w.Miss < 1+1e-5
}

// drawnStrategy is any strategy of the space, in words that leave some of it open.
func drawnStrategy(t *rapid.T, c *inputs.Condition) *inputs.Strategy {
	s := &inputs.Strategy{PP: rapid.IntRange(1, 4).Draw(t, "pp")}
	degree := func(name string) int { return rapid.SampledFrom([]int{1, 1, 2, 3, 4, 8}).Draw(t, name) }
	s.TP = inputs.Degrees{degree("tp")}
	if rapid.Bool().Draw(t, "per stage") && s.PP > 1 {
		s.TP = nil
		for range s.PP {
			s.TP = append(s.TP, degree("tp of a stage"))
		}
	}
	if rapid.Bool().Draw(t, "dp stated") {
		s.DP = degree("dp")
	}
	if c.Model.Kinds[0].FFN.Experts > 0 && rapid.Bool().Draw(t, "ep stated") {
		s.EP = inputs.Degrees{degree("ep")}
	}
	if rapid.IntRange(0, 3).Draw(t, "cp stated") == 0 {
		s.CP = inputs.Degrees{degree("cp")}
	}
	if rapid.IntRange(0, 3).Draw(t, "parts stated") == 0 {
		s.MicroBatches, s.DecodeGroups = degree("micro"), degree("groups")
	}
	if rapid.IntRange(0, 3).Draw(t, "gpus stated") == 0 {
		s.GPUs = rapid.IntRange(1, 16).Draw(t, "gpus")
	}
	if rapid.Bool().Draw(t, "layers stated") {
		left := len(c.Model.Layers)
		for i := range s.PP {
			n := left
			if i+1 < s.PP {
				n = rapid.IntRange(0, max(0, left)).Draw(t, "layers")
			}
			s.Layers = append(s.Layers, max(1, n))
			left -= n
		}
	}
	return s
}

// TestNoStrategyBeatsTheOptimum: whatever is given, an answer comes; a feasible one is
// not below the optimum unless it says why it lies outside; every change that is said to
// help or to make it feasible does, when it is evaluated by itself.
func TestNoStrategyBeatsTheOptimum(t *testing.T) {
	feasible, not, changes, alone := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c := sometimesRuled(t)
		s := drawnStrategy(t, c)
		e, err := evaluateGiven(context.Background(), c, Given{Strategy: s}, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		v := e.out
		inShares(t, v)
		if v.Feasible != (len(v.Problems) == 0) || v.Phase == nil && v.Feasible || len(v.Readings) == 0 {
			t.Fatalf("feasible %v with %d problems, %d readings", v.Feasible, len(v.Problems), len(v.Readings))
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		for _, p := range v.Problems {
			if p.Sentence == "" || p.ShortBy != nil && !(*p.ShortBy >= 0 && p.Unit != "") {
				t.Fatalf("problem %+v", p)
			}
		}
		if !v.Feasible {
			not++
			if v.OptimumGapPercent != nil {
				t.Fatal("a gap of what is not feasible")
			}
		} else {
			feasible++
			verifies(t, c, v)
			if g := v.OptimumGapPercent; g != nil && *g < -1e-9 && len(v.OutsideSearch) == 0 {
				t.Fatalf("%s is better than the proved optimum by %g %% and nothing says why", v.Given, -*g)
			}
		}
		for _, x := range v.Changes {
			changes++
			if (x.GainPercent != nil) != v.Feasible || v.Feasible && !(*x.GainPercent > 0) || x.Change == "" {
				t.Fatalf("change %+v", x)
			}
		}
		for i, x := range e.advice {
			if !x.plain || !x.Feasible || s.MicroBatches > 0 || i > 5 {
				continue
			}
			again := mustEvaluate(t, c, Given{Strategy: statedAs(c, x.trial.sub.proposal())})
			if !again.Feasible || again.GPUsNeeded != x.GPUs || s.GPUs == 0 && math.Abs(*again.Objective-x.trial.value) > 1e-6*x.trial.value {
				t.Fatalf("%s: said to be feasible at %g, by itself feasible %v at %g: %+v", x.Change.Change, x.trial.value, again.Feasible, deref(again.Objective), again.Problems)
			}
			alone++
		}
	})
	if !testing.Short() && (feasible == 0 || not == 0 || changes == 0 || alone == 0) { // the few draws of -short need not have all
		t.Errorf("%d feasible, %d not, %d changes: want some of each", feasible, not, changes)
	}
}

// proposalOf reads the stages of an evaluation's first replica.
func proposalOf(c *inputs.Condition, v *results.Evaluation) heuristic.Proposal {
	out := heuristic.Proposal{Replicas: v.Strategy.Replicas}
	for _, s := range v.Stages {
		pool := slices.IndexFunc(c.Cluster.Pools, func(p inputs.Pool) bool { return p.Name == s.Pool })
		out.Parts = append(out.Parts, stagegraph.Part{First: s.FirstLayer, Last: s.LastLayer, Pool: pool, Shape: shapeOfStage(&s.Stage)})
	}
	return out
}
