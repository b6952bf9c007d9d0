package formulation_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"partita/formulation"
	"partita/formulation/encode"
	"partita/inputs"
	"partita/results"
	"partita/results/verify"
	"partita/solver"
	"partita/solver/sat"
)

// solvedAlone is the optimum of a model by a solver that works alone, without anything of
// the search; false where it has no solution.
func solvedAlone(t *testing.T, m *formulation.OuterModel, o encode.ModelOptions) (int64, []formulation.Candidate, bool) {
	t.Helper()
	im, candidates, err := m.Integer(o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := solver.Solve(t.Context(), im, sat.New(), solver.Options{})
	switch {
	case err != nil:
		t.Fatal(err)
	case r.Status == solver.Infeasible:
		return 0, nil, false
	case r.Status != solver.Optimal:
		t.Fatalf("status %v", r.Status)
	}
	var chosen []formulation.Candidate
	for _, c := range candidates {
		if c.Variable.In(r.Incumbent) == 1 {
			chosen = append(chosen, c)
		}
	}
	return r.Objective, chosen, true
}

// smallCondition is a random condition: every third one with requirements around what
// its plans reach, so that some are infeasible, and every fourth under rules.
func smallCondition(t *testing.T, seed uint64) *inputs.Condition {
	t.Helper()
	d := newDraw(seed)
	c := d.condition()
	if seed%4 == 1 {
		for i := range 1 + d.IntN(2) {
			l := d.law()
			c.Rules = append(c.Rules, inputs.Rule{Name: fmt.Sprintf("law %d", i), Phase: l.phase, Expr: l.expr})
		}
	}
	if seed%3 != 0 {
		return c
	}
	free, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
	if err != nil || free.Plan == nil {
		return c
	}
	metrics := free.Plan.Phases[0].Metrics
	share := pick(d, 0.5, 0.95, 1.0, 1.3)
	if metrics.TTFTMS != nil && c.Workload.Phase != inputs.Decode {
		c.Goal.Requirements = append(c.Goal.Requirements, inputs.Requirement{Kind: inputs.TTFT, Value: *metrics.TTFTMS / 1e3 * share})
	} else {
		c.Goal.Requirements = append(c.Goal.Requirements, inputs.Requirement{Kind: inputs.TokensPerSecond, Value: *metrics.TokensPerS / share})
	}
	return c
}

// TestModelsHaveTheOptimum: among the models of a condition the least optimum of the
// first level that has one is the optimum of the condition, and it comes back as a plan
// that passes verification. Where there is no plan no model has a solution.
func TestModelsHaveTheOptimum(t *testing.T) {
	forms := []encode.ModelOptions{{}, {Sparse: true}, {Ordered: true}}
	counts := map[results.Status]int{}
	models, conditions := 0, uint64(60)
	if testing.Short() {
		conditions = 16
	}
	if n, err := strconv.ParseUint(os.Getenv("PARTITA_MODELS"), 10, 64); err == nil {
		conditions = n // as many as there is time for
	}
	for seed := range conditions {
		c := smallCondition(t, seed)
		f, err := formulation.Formulate(t.Context(), c, formulation.Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		counts[f.Status]++
		every, _, err := f.Every(t.Context())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		const most = 40 // models of one condition: the test is to end
		if len(every) > most {
			continue
		}
		rank, least := math.MaxInt, int64(math.MaxInt64)
		var best *formulation.OuterModel
		var plan []formulation.Candidate
		for i, m := range every {
			models++
			v, chosen, ok := solvedAlone(t, m, forms[(i+int(seed))%len(forms)])
			if !ok {
				if m.Optimum != nil {
					t.Errorf("seed %d: %s has no solution, its optimum is said to be %d", seed, m.Outer(), *m.Optimum)
				}
				continue
			}
			if m.Optimum != nil && *m.Optimum != v {
				t.Errorf("seed %d: %s has the optimum %d, said to be %d", seed, m.Outer(), v, *m.Optimum)
			}
			if m.Floor > float64(v)*m.TickValue*(1+1e-9) {
				t.Errorf("seed %d: %s: the floor %g is above the optimum %g", seed, m.Outer(), m.Floor, float64(v)*m.TickValue)
			}
			if m.Rank < rank || m.Rank == rank && v < least {
				rank, least, best, plan = m.Rank, v, m, chosen
			}
		}
		ticks, value, ok := f.Optimum()
		if !ok {
			if best != nil {
				t.Errorf("seed %d: %v, and %s has a plan", seed, f.Status, best.Outer())
			}
			continue
		}
		if best == nil || rank != f.Final().Rank || least != ticks {
			t.Fatalf("seed %d: the least optimum of %d models is %d on level %d, that of the search %d on level %d", seed, len(every), least, rank, ticks, f.Final().Rank)
		}
		restored(t, seed, c, best, plan, value)
	}
	if counts[results.StatusOptimal] < 5 || counts[results.StatusInfeasible] == 0 {
		t.Errorf("conditions by status: %v; want feasible and infeasible ones", counts)
	}
	t.Logf("%d models of %v conditions", models, counts)
}

// restored builds the model again from what is kept of it, reads the plan back and
// verifies it.
func restored(t *testing.T, seed uint64, c *inputs.Condition, m *formulation.OuterModel, plan []formulation.Candidate, value float64) {
	t.Helper()
	again, err := formulation.Reformulate(c, m.Spec)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	r, err := again.Restore(t.Context(), plan)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if math.Abs(r.Value-value) > 1e-9*value {
		t.Errorf("seed %d: restored as %g, the optimum is %g", seed, r.Value, value)
	}
	v, err := verify.Check(r.Report.Plan, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range verify.Violations(v) {
		t.Errorf("seed %d: restored plan: %s: want %s, got %s", seed, bad.Rule, bad.Want, bad.Got)
	}
}

// TestPick: a pick has the optimum of the outer choices it admits, and one that nothing
// admits says what there is.
func TestPick(t *testing.T) {
	c := &inputs.Condition{}
	for seed := uint64(0); ; seed++ { // the first condition with several numbers of replicas
		c = newDraw(seed).condition()
		c.Workload.Phase, c.Workload.Batch, c.Goal.AllowIdle = inputs.Mixed, 6, true
		if c.Workload.Output.Min == 0 {
			c.Workload.Output = inputs.Range{Min: 100, Max: 200}
		}
		f, err := formulation.Formulate(t.Context(), c, formulation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Status == results.StatusOptimal && c.Cluster.Pools[0].Count.Max > 2 {
			break
		}
	}
	f, err := formulation.Formulate(t.Context(), c, formulation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	optimum, _, _ := f.Optimum()
	least, picks := int64(math.MaxInt64), 0
	for replicas := 1; replicas <= 6; replicas++ {
		m, err := f.Pick(t.Context(), formulation.Pick{Replicas: replicas})
		var none *formulation.PickError
		if errors.As(err, &none) {
			if none.Replicas == nil || slices.Contains(none.Replicas, replicas) {
				t.Errorf("%d replicas refused, though there are %v", replicas, none.Replicas)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Replicas != replicas || !m.Proved {
			t.Errorf("picked %d replicas, got %s, proved %v", replicas, m.Outer(), m.Proved)
		}
		v, _, ok := solvedAlone(t, m, encode.ModelOptions{})
		if ok != (m.Optimum != nil) || ok && v != *m.Optimum {
			t.Errorf("%s: optimum %v, solved %d, %v", m.Outer(), m.Optimum, v, ok)
		}
		if ok {
			picks++
			least = min(least, v)
		}
	}
	if picks == 0 || least != optimum {
		t.Errorf("the best of %d picks is %d, the optimum %d", picks, least, optimum)
	}
	final := f.Final()
	m, err := f.Pick(t.Context(), formulation.Pick{Replicas: final.Replicas, MicroBatches: final.MicroBatches, DecodeGroups: final.DecodeGroups})
	if err != nil || !m.Final || *m.Optimum != optimum {
		t.Errorf("picking the final outer choice gives %+v, %v", m, err)
	}
	for _, p := range []formulation.Pick{{Replicas: 99}, {MicroBatches: 99}, {DecodeGroups: 99}} {
		var none *formulation.PickError
		if _, err := f.Pick(t.Context(), p); !errors.As(err, &none) || !strings.Contains(err.Error(), "99") || !strings.Contains(err.Error(), "want one of") {
			t.Errorf("pick %+v: %v", p, err)
		}
	}
}

// TestSpecIsChecked: a spec from a file is not believed.
func TestSpecIsChecked(t *testing.T) {
	var f *formulation.Formulated
	var c *inputs.Condition
	for seed := uint64(0); f == nil || f.Status != results.StatusOptimal || f.Final().Purpose != "objective"; seed++ {
		c = newDraw(seed).condition()
		var err error
		if f, err = formulation.Formulate(t.Context(), c, formulation.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(*formulation.Spec){
		"purpose":       func(s *formulation.Spec) { s.Purpose = "speed" },
		"best_alone":    func(s *formulation.Spec) { s.BestAlone[1] = 0 },
		"tick_value":    func(s *formulation.Spec) { s.TickValue = math.Inf(1) },
		"spare_tick":    func(s *formulation.Spec) { s.SpareTick[0] = -1 },
		"balance_floor": func(s *formulation.Spec) { s.BalanceFloor = [2]int64{3, 2} },
		"slack":         func(s *formulation.Spec) { s.Slack = -0.5 },
		"replicas":      func(s *formulation.Spec) { s.Replicas = 0 },
		"gpus":          func(s *formulation.Spec) { s.GPUs = append(s.GPUs, 1) },
		"no gpus":       func(s *formulation.Spec) { s.GPUs = nil },
		"micro-batches": func(s *formulation.Spec) { s.MicroBatches = 77 },
		"groups":        func(s *formulation.Spec) { s.DecodeGroups = -1 },
	} {
		s := f.Final().Spec
		s.GPUs = slices.Clone(s.GPUs)
		spoil(&s)
		if _, err := formulation.Reformulate(c, s); err == nil {
			t.Errorf("%s: a spoiled spec was believed", name)
		}
	}
	m, err := formulation.Reformulate(c, f.Final().Spec)
	if err != nil {
		t.Fatal(err)
	}
	_, plan, _ := solvedAlone(t, m, encode.ModelOptions{})
	var broken *formulation.NotAPlanError
	if _, err := m.Restore(t.Context(), nil); !errors.As(err, &broken) {
		t.Errorf("no stage at all: %v", err)
	}
	twice := append(slices.Clone(plan), plan[0])
	if _, err := m.Restore(t.Context(), twice); !errors.As(err, &broken) {
		t.Errorf("a stage twice: %v", err)
	}
	for name, spoil := range map[string]func(*formulation.Candidate){
		"pool":   func(c *formulation.Candidate) { c.Pool = "another" },
		"layers": func(c *formulation.Candidate) { c.Last = 99 },
		"shape":  func(c *formulation.Candidate) { c.TP = 77 },
		"ticks":  func(c *formulation.Candidate) { c.Ticks[1] -= 1 },
	} {
		spoiled := slices.Clone(plan)
		spoil(&spoiled[0])
		if _, err := m.Restore(t.Context(), spoiled); err == nil || errors.As(err, &broken) {
			t.Errorf("%s of another condition: %v", name, err)
		}
	}
}
