package formulation_test

import (
	"math"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
)

const trainingOnEight = "cluster: {accelerator: H100, count: 8}\nmodel: Llama-3.1-8B\nworkload: {phase: training, global_batch: 32, sequence: 4096}\n"

// judgedStep evaluates a strategy of a training step and has what is feasible verified.
func judgedStep(t *testing.T, text, strategy string) *results.Evaluation {
	t.Helper()
	c, err := read.Load(read.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Strategy: strategy})
	if err != nil {
		t.Fatal(err)
	}
	v, err := formulation.Evaluate(t.Context(), c, formulation.Given{Strategy: c.Strategy}, formulation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Feasible {
		verifiedStep(t, c, v)
	}
	return v
}

func verifiedStep(t *testing.T, c *inputs.Condition, v *results.Evaluation) {
	t.Helper()
	p := &results.Plan{FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{*v.Phase}, Deployment: results.DeploymentOf(c)}
	checks, err := verify.Check(p, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range verify.Violations(checks) {
		t.Errorf("%s: want %s, got %s", x.Rule, x.Want, x.Got)
	}
}

// TestTrainingStrategiesJudged: what fits has a gap to the optimum that no change exceeds;
// what does not says why.
func TestTrainingStrategiesJudged(t *testing.T) {
	for _, x := range []struct {
		strategy, more string
		feasible       bool
		problem        string
	}{
		{"tp=2,pp=2,dp=2,mbs=1,zero=1,vpp=1,recompute=selective,sequence_parallel=yes", "", true, ""},
		{"tp=4", "", true, ""},
		{"tp=2,pp=4,layers=8+8+8+8,recompute=none/none/full/full", "", true, ""},
		{"tp=2,pp=2,vpp=2,layers=8+8+8+8,mbs=1", "", true, ""},
		{"tp=8,sp=8,dp=1", "", true, ""},
		{"tp=1,dp=8,zero=0,recompute=none", "", false, "a GPU takes"},
		{"tp=3", "", false, "32 attention heads do not divide over TP 3"},
		{"tp=8,dp=2", "", false, "it takes 16 GPUs"},
		{"tp=4,dp=1", "", false, "4 of 8 GPUs are used"},
		{"tp=4,dp=1", "goal: {allow_idle: yes}\n", true, ""},
		{"tp=2,gpus=8,dp=2", "", false, "the strategy states 8"},
		{"tp=4", "goal: {requirements: {step_time: 1ms}}\n", false, "step_time: 1 ms is asked, the strategy reaches"},
		{"tp=4", "goal: {requirements: {throughput_per_gpu: 1000000 tokens/s}}\n", false, "% short; with the margin of 10 % it is to reach 1111111 tokens/s/GPU"},
		{"tp=4", "engine: megatron\n", true, ""},
	} {
		v := judgedStep(t, trainingOnEight+x.more, x.strategy)
		var all []string
		for _, p := range v.Problems {
			all = append(all, p.Sentence)
		}
		if v.Feasible != x.feasible || !strings.Contains(strings.Join(all, "\n"), x.problem) {
			t.Errorf("%s: feasible %t, problems %q", x.strategy, v.Feasible, all)
			continue
		}
		if !v.Feasible {
			continue
		}
		if v.OptimumGapPercent == nil || *v.OptimumGapPercent < 0 {
			t.Errorf("%s: gap %v to the proved optimum", x.strategy, v.OptimumGapPercent)
			continue
		}
		for _, c := range v.Changes {
			if c.GainPercent == nil || *c.GainPercent <= 0 || *c.GainPercent > *v.OptimumGapPercent {
				t.Errorf("%s: the change %q gains %v, the optimum %v", x.strategy, c.Change, *c.GainPercent, *v.OptimumGapPercent)
			}
		}
	}
}

// TestTrainingGapInWhatIsMinimised: where the number of GPUs is ours to choose no strategy of
// the space is better than the proved optimum.
func TestTrainingGapInWhatIsMinimised(t *testing.T) {
	text := strings.Replace(trainingOnEight, "count: 8", "count: 1..32, usd_per_hour: 2", 1)
	for more, in := range map[string]string{
		"":                                "objective",
		"goal: {objective: throughput}\n": "GPU time of a step",
		"goal: {objective: latency}\n":    "step time",
		"goal: {objective: throughput, requirements: {step_time: 10s}}\n": "GPUs",
		"goal: {objective: cost, requirements: {step_time: 10s}}\n":       "USD/h",
		"goal: {weights: {latency: 1, throughput: 9}}\n":                  "objective",
	} {
		for _, strategy := range []string{"tp=1,dp=8,zero=3,mbs=1", "tp=2,dp=4,zero=1,mbs=1", "tp=4,dp=8,zero=1,mbs=1"} {
			v := judgedStep(t, text+more, strategy)
			if !v.Feasible {
				t.Fatalf("%s%s: %v", more, strategy, v.Problems)
			}
			if v.OptimumGapPercent == nil || *v.OptimumGapPercent < 0 || v.GapIn != in || len(v.OutsideSearch) > 0 {
				t.Errorf("%s%s: gap %v in %q, want in %q; outside %v", more, strategy, *v.OptimumGapPercent, v.GapIn, in, v.OutsideSearch)
			}
			if in != "GPUs" && in != "USD/h" {
				if gap := 100 * (*v.Objective / *v.Optimum.Objective - 1); math.Abs(gap-*v.OptimumGapPercent) > 1e-6 {
					t.Errorf("%s%s: objective %g %s of %g, gap %g", more, strategy, *v.Objective, v.ObjectiveUnit, *v.Optimum.Objective, *v.OptimumGapPercent)
				}
			}
		}
	}
}

// TestTrainingEnlargedOptimum: an optimum on more GPUs than are given is priced on the nodes
// that these would have.
func TestTrainingEnlargedOptimum(t *testing.T) {
	text := strings.Replace(strings.Replace(trainingOnEight, "count: 8", "count: 2, gpus_per_node: 2", 1), "8B", "70B", 1)
	rep := trainedPlan(t, trainingOf(t, text), true)
	v := judgedStep(t, text, "tp=2")
	if rep.Plan == nil || v.Feasible || v.Optimum.Metrics.StepMS == nil {
		t.Fatalf("%+v, %+v", rep, v.Optimum)
	}
	if got, want := *v.Optimum.Metrics.StepMS, *rep.Plan.Phases[0].Metrics.StepMS; got != want {
		t.Errorf("a step of the optimum takes %g ms, of the plan %g", got, want)
	}
	open := strings.Replace(text, "count: 2, gpus_per_node: 2", "count: unlimited, gpus_per_node: 2, memory: 4GB", 1)
	if rep = trainedPlan(t, trainingOf(t, open), true); strings.Contains(strings.Join(rep.Reasons, " "), "may fill 0.0 GiB") {
		t.Errorf("unlimited GPUs have no memory: %v", rep.Reasons)
	}
}

// TestTrainingStrategyAsStated: what is stated is kept, what is filled in is listed.
func TestTrainingStrategyAsStated(t *testing.T) {
	v := judgedStep(t, trainingOnEight, "tp=2,pp=2,vpp=2,layers=7+8+8+9,mbs=2,recompute=none/full/none/full,zero=2")
	s := v.Strategy
	if s == nil || s.Replicas != 2 || s.MicroBatchSequences != 2 || s.VirtualStages != 2 || *s.ZeRO != 2 || s.Recompute.At(1) != "full" || s.Recompute.At(2) != "none" {
		t.Fatalf("strategy %+v", s)
	}
	filled := ""
	for _, a := range v.Assumptions {
		filled += a.What + ","
	}
	if filled != "data parallelism,sequence parallel," {
		t.Errorf("filled in: %s", filled)
	}
}

// TestTrainingPlanJudged: the stages of a plan are as good as the plan says, and altered
// ones are not taken for it.
func TestTrainingPlanJudged(t *testing.T) {
	c := trainingOf(t, trainingOnEight)
	rep := trainedPlan(t, c, false)
	v, err := formulation.Evaluate(t.Context(), c, formulation.Given{Plan: rep.Plan, Source: "plan.json"}, formulation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !v.Feasible || v.OptimumGapPercent == nil || *v.OptimumGapPercent != 0 {
		t.Errorf("feasible %t, gap %v: %v", v.Feasible, v.OptimumGapPercent, v.Problems)
	}
	verifiedStep(t, c, v)
	last := rep.Plan.Phases[0].Stages
	last[0].LastLayer++ // two stages with one layer
	v, err = formulation.Evaluate(t.Context(), c, formulation.Given{Plan: rep.Plan, Source: "plan.json"}, formulation.Options{})
	if err != nil || v.Feasible || len(v.Problems) == 0 {
		t.Errorf("%v, feasible %t, %v", err, v.Feasible, v.Problems)
	}
	if _, err := formulation.Evaluate(t.Context(), c, formulation.Given{}, formulation.Options{}); err == nil {
		t.Error("nothing given is evaluated")
	}
}
