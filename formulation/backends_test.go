package formulation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/sat"
)

func asJSON(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func openSAT() (solver.Backend, error) { return sat.New(), nil }

// backends lists the backends that this build has, with options that name them.
func backends(t *testing.T) []formulation.Options {
	list := []formulation.Options{{Backend: "labels"}, {Backend: "sat", SAT: openSAT}}
	b, err := lpsolve.New()
	if err != nil {
		t.Logf("without lp_solve: %v", err)
		return list
	}
	t.Cleanup(func() { _ = b.Close() })
	return append(list, formulation.Options{Backend: "ilp", ILP: func() (solver.Backend, error) { return b, nil }})
}

// Every backend proves the same optimum, or that there is none.
func TestBackendsAgree(t *testing.T) {
	list := backends(t)
	for seed := range uint64(40) {
		d := newDraw(seed + 1<<21)
		c := d.condition()
		c.Cluster.Pools = c.Cluster.Pools[:1]
		c.Model.Layers = c.Model.Layers[:min(3, len(c.Model.Layers))]
		c.Workload.Batch = min(2, c.Workload.Batch)
		agreeOn(t, fmt.Sprintf("seed %d", seed), list, c)
	}
}

// So they do of serving under load, with requirements and rules.
func TestBackendsAgreeUnderLoad(t *testing.T) {
	list := backends(t)
	auto := list[len(list)-1]
	auto.Backend = "auto"
	list = append(list, auto)
	for seed := range uint64(60) {
		d := newDraw(seed + 1<<45)
		c := d.loaded()
		c.Model.Layers = c.Model.Layers[:min(3, len(c.Model.Layers))]
		o, err := newOracle(c, 0)
		if err != nil {
			t.Fatal(err)
		}
		if d.chance(20) {
			o.rules(c, []law{d.law()})
		}
		if plans := o.enumerate(); len(plans) > 0 {
			d.require(c, plans)
		}
		agreeOn(t, fmt.Sprintf("load %d", seed), list, c)
	}
}

// agreeOn has every backend solve a condition, and reports whether they find a plan.
func agreeOn(t *testing.T, name string, list []formulation.Options, c *inputs.Condition) (found bool) {
	t.Helper()
	var first *results.Report
	for _, opts := range list {
		rep, err := formulation.Optimize(context.Background(), c, opts)
		if err != nil {
			t.Fatalf("%s, %s: %v\n%s", name, opts.Backend, err, describe(c))
		}
		if what := verified(rep, c); what != "" {
			t.Errorf("%s, %s: %s\n%s", name, opts.Backend, what, describe(c))
		}
		if first == nil {
			first = rep
			continue
		}
		x, ok := objective(first)
		y, still := objective(rep)
		if rep.Status != first.Status || ok != still || math.Abs(x-y) > 1e-12*x {
			t.Errorf("%s: labels %s %g, %s %s %g\n%s", name, first.Status, x, opts.Backend, rep.Status, y, describe(c))
		}
		if want := strings.Replace(opts.Backend, "auto", "labels", 1); rep.Plan != nil && rep.Plan.Phases[0].Solve.Backend != want {
			t.Errorf("%s: %s writes backend %q", name, opts.Backend, rep.Plan.Phases[0].Solve.Backend)
		}
	}
	_, found = objective(first)
	return found
}

// Auto has the optimum confirmed and records by whom.
func TestAutoConfirms(t *testing.T) {
	c := small()
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{SAT: openSAT})
	if err != nil {
		t.Fatal(err)
	}
	s := &rep.Plan.Phases[0].Solve
	if s.Status != "optimal" || !slices.Equal(s.AgreedBy, []string{"labels", "sat"}) || len(s.OutOfTime) != 0 {
		t.Errorf("status %s, agreed by %v, out of time %v: want labels and sat", s.Status, s.AgreedBy, s.OutOfTime)
	}
	if s.BestBound == nil || s.Gap == nil || *s.Gap != 0 || *s.BestBound != s.Objective {
		t.Errorf("bound %v, gap %v of an optimum of %g", s.BestBound, s.Gap, s.Objective)
	}
	rep, err = formulation.Optimize(context.Background(), c, formulation.Options{SAT: openSAT, Confirm: 1})
	if err != nil {
		t.Fatal(err)
	}
	s = &rep.Plan.Phases[0].Solve
	if s.Status != "optimal" || !slices.Equal(s.AgreedBy, []string{"labels"}) || !slices.Equal(s.OutOfTime, []string{"sat"}) {
		t.Errorf("no time to confirm: status %s, agreed by %v, out of time %v", s.Status, s.AgreedBy, s.OutOfTime)
	}
}

// small is two unlike GPUs pairs and a dense model that fits either.
func small() *inputs.Condition {
	d := newDraw(3)
	c := &inputs.Condition{Name: "small", Workload: inputs.Workload{Phase: inputs.Mixed, Batch: 4, Input: inputs.Range{Min: 500, Max: 700}, Output: inputs.Range{Min: 50, Max: 90}}}
	c.Model = inputs.Model{
		Name: "dense", Hidden: 2048, Vocab: 32000, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1, Layers: []int{0, 0, 0, 0},
		Kinds: []inputs.LayerKind{{Name: "dense", Attention: inputs.Attention{Kind: inputs.GQA, Heads: 16, KVHeads: 4, HeadDim: 128, VHeadDim: 128}, FFN: inputs.FFN{Intermediate: 8192, Gated: true}}},
	}
	for _, name := range []string{"pool-a", "pool-b"} {
		p := d.pool(name, []int{2}, &c.Model, &c.Workload)
		p.MemoryBytes = 8 << 30
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	c.Cluster.Network = inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 25e9}
	c.Goal = inputs.Goal{Objective: inputs.Balanced, Balance: ptr(1.0)}
	return c
}

// crashed is a backend whose process breaks down at once.
type crashed struct{ solver.Backend }

func (crashed) Solve(context.Context, *solver.Model, solver.Options) (solver.Result, error) {
	return solver.Result{Status: solver.Crashed, RawStatus: "signal: killed"}, nil
}

// A backend that breaks down costs its own word and nothing else.
func TestBackendCrashes(t *testing.T) {
	open := func() (solver.Backend, error) { return crashed{sat.New()}, nil }
	rep, err := formulation.Optimize(context.Background(), small(), formulation.Options{ILP: open})
	if err != nil {
		t.Fatal(err)
	}
	s := &rep.Plan.Phases[0].Solve
	warned := slices.ContainsFunc(rep.Warnings, func(r string) bool {
		return strings.Contains(r, "second proof by ilp broke off") && strings.Contains(r, "signal: killed")
	})
	if s.Status != "optimal" || !slices.Equal(s.AgreedBy, []string{"labels"}) || len(s.OutOfTime) != 0 || !warned {
		t.Errorf("second proof: status %s, agreed by %v, out of time %v, %q", s.Status, s.AgreedBy, s.OutOfTime, rep.Warnings)
	}
	var said string
	rep, err = formulation.Optimize(context.Background(), small(), formulation.Options{Backend: "ilp", ILP: open, Log: func(line string) { said += line + "\n" }})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Plan == nil || !strings.Contains(said, "signal: killed") {
		t.Errorf("first proof: %s, log %q", rep.Status, said)
	}
}

func TestBackendsThatAreNotThere(t *testing.T) {
	broken := func() (solver.Backend, error) { return nil, errors.New("no library") }
	for _, c := range []struct {
		name string
		opts formulation.Options
		ok   bool
	}{
		{"sat not built in", formulation.Options{Backend: "sat"}, false},
		{"ilp that does not open", formulation.Options{Backend: "ilp", ILP: broken}, false},
		{"unknown", formulation.Options{Backend: "cplex"}, false},
		{"auto without a second backend", formulation.Options{}, true},
		{"auto with one that does not open", formulation.Options{Backend: "auto", ILP: broken}, true},
	} {
		rep, err := formulation.Optimize(context.Background(), small(), c.opts)
		if (err == nil) != c.ok {
			t.Errorf("%s: error %v", c.name, err)
		}
		if err == nil && !slices.Equal(rep.Plan.Phases[0].Solve.AgreedBy, []string{"labels"}) {
			t.Errorf("%s: agreed by %v", c.name, rep.Plan.Phases[0].Solve.AgreedBy)
		}
	}
}
