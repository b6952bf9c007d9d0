package formulation_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
)

// unlike is a cluster of machines of one GPU each that a pipeline wastes: the T4 hold few
// layers with the cache of all sequences.
func unlike(t testing.TB, set ...string) *inputs.Condition {
	t.Helper()
	opts := read.Options{Paths: []string{"../examples/lanes/24-machines.yaml"}}
	for _, s := range set {
		path, value, _ := strings.Cut(s, "=")
		opts.Overrides = append(opts.Overrides, read.Override{Key: path, Value: value})
	}
	c, err := read.Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lanesOf(t testing.TB, c *inputs.Condition) *results.Report {
	t.Helper()
	rep, err := formulation.Optimize(t.Context(), c, formulation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// sideBySide is the example with its report, solved once.
var sideBySide struct {
	sync.Once
	c   *inputs.Condition
	rep *results.Report
}

func asItIs(t testing.TB) (*inputs.Condition, *results.Report) {
	t.Helper()
	sideBySide.Do(func() {
		sideBySide.c = unlike(t)
		sideBySide.rep = lanesOf(t, sideBySide.c)
	})
	return sideBySide.c, sideBySide.rep
}

// TestLanesAreVerified: the independent verification takes the plan, of both phases; the
// plan is better than any pipeline and within its own bound.
func TestLanesAreVerified(t *testing.T) {
	for _, phase := range []string{"decode", "mixed"} {
		c, rep := asItIs(t)
		if phase == "mixed" {
			c = unlike(t, "workload.phase=mixed", "workload.batch=300")
			rep = lanesOf(t, c)
		}
		if rep.Plan == nil || !rep.Feasible {
			t.Fatalf("%s: %v %v", phase, rep.Status, rep.Reasons)
		}
		v, err := verify.Check(rep.Plan, c)
		if err != nil || !v.OK {
			t.Fatalf("%s: %v %+v", phase, err, verify.Violations(v))
		}
		s := rep.Plan.Phases[0].Solve
		if *s.BestBound > s.Objective || *s.BestBound < 0.7*s.Objective {
			t.Errorf("%s: objective %v, bound %v", phase, s.Objective, *s.BestBound)
		}
		if len(rep.Plan.Comparison) != 1 || rep.Plan.Comparison[0].Heuristic != "pipeline" {
			t.Errorf("%s: comparison %+v", phase, rep.Plan.Comparison)
		}
	}
}

func TestLanesBeatThePipeline(t *testing.T) {
	_, rep := asItIs(t)
	line := rep.Plan.Comparison[0]
	if !line.Feasible || *line.GapPercent < 5 {
		t.Errorf("the pipeline is %+v", line)
	}
	held := 0
	for _, s := range rep.Plan.Phases[0].Stages {
		held += s.LastLayer - s.FirstLayer + 1
	}
	if held <= 80 {
		t.Errorf("no two machines share a layer: %d layers held", held)
	}
}

// tampered changes one number of the stages or routes of a plan.
func numbers(p *results.Plan) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	ph := &p.Phases[0]
	for i := range ph.Stages {
		v := reflect.ValueOf(&ph.Stages[i]).Elem()
		for _, f := range []string{"FirstLayer", "LastLayer", "Sequences", "TimeMS", "MemoryGiB"} {
			out[fmt.Sprintf("stage %d %s", i, f)] = v.FieldByName(f)
		}
	}
	for i := range ph.Lanes.Routes {
		v := reflect.ValueOf(&ph.Lanes.Routes[i]).Elem()
		for _, f := range []string{"From", "To", "Sequences"} {
			out[fmt.Sprintf("route %d %s", i, f)] = v.FieldByName(f)
		}
	}
	return out
}

// TestNothingOfLanesIsChangedUnseen: every number of stages and routes in turn.
func TestNothingOfLanesIsChangedUnseen(t *testing.T) {
	c, rep := asItIs(t)
	p := rep.Plan
	all := numbers(p)
	if len(all) < 100 {
		t.Fatalf("only %d numbers", len(all))
	}
	rapid.Check(t, func(rt *rapid.T) {
		var names []string
		for n := range all {
			names = append(names, n)
		}
		slices.Sort(names)
		name := rapid.SampledFrom(names).Draw(rt, "number")
		v := all[name]
		if v.Kind() == reflect.Float64 {
			old := v.Float()
			v.SetFloat(old*1.01 + 1e-3)
			defer v.SetFloat(old)
		} else {
			old := v.Int()
			v.SetInt(old + rapid.SampledFrom([]int64{-1, 1}).Draw(rt, "by"))
			defer v.SetInt(old)
		}
		checked, err := verify.Check(p, c)
		if err != nil {
			rt.Fatal(err)
		}
		if checked.OK {
			rt.Errorf("%s changed to %v, and no rule saw it", name, v)
		}
	})
}

func TestLanesSayWhatTheyDoNotTake(t *testing.T) {
	for _, test := range []struct {
		set  []string
		want string
	}{
		{[]string{"goal.objective=latency"}, "lanes are placed for throughput"},
		{[]string{"workload.phase=prefill"}, "the phase prefill generates no tokens"},
		{[]string{"goal.balance=20%"}, "unlike machines carry what each can"},
		{[]string{"workload.phase=mixed", "goal.requirements.ttft=2s"}, "the time to the first token is only reported"},
		{[]string{"engine=vllm"}, "no engine runs lanes"},
		{[]string{"cluster.pools.t4.count=unlimited"}, `pool "t4" is not stated`},
	} {
		_, err := formulation.Optimize(t.Context(), unlike(t, test.set...), formulation.Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.set, err, test.want)
		}
	}
	c := unlike(t)
	for name, err := range map[string]error{
		"explain": second(formulation.Explain(t.Context(), c, formulation.Options{})),
		"pareto":  second(formulation.Pareto(t.Context(), c, formulation.Options{})),
		"model":   second(formulation.Formulate(t.Context(), c, formulation.Options{})),
	} {
		if err == nil || !strings.Contains(err.Error(), "partita "+name+" takes pipelines alone") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestARequirementBeyondTheBoundIsRefuted: missed by a little it is not called impossible.
func TestARequirementBeyondTheBoundIsRefuted(t *testing.T) {
	rep := lanesOf(t, unlike(t, "goal.requirements.output_throughput=9000 tokens/s"))
	if rep.Feasible || rep.Status != results.StatusInfeasible || !strings.Contains(strings.Join(rep.Reasons, " "), "no lanes reach more than") {
		t.Errorf("%v %v", rep.Status, rep.Reasons)
	}
	_, now := asItIs(t)
	reached := *now.Plan.Phases[0].Metrics.OutputTokensPerS
	rep = lanesOf(t, unlike(t, "goal.margin=0%", fmt.Sprintf("goal.requirements.output_throughput=%.0f tokens/s", reached*1.02)))
	if rep.Feasible || rep.Status != results.StatusFeasible {
		t.Errorf("%v %v", rep.Status, rep.Reasons)
	}
}
