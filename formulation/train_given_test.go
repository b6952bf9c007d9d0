package formulation_test

import (
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
		{"tp=4", "goal: {requirements: {step_time: 1ms}}\n", false, "requirement step_time is missed"},
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
