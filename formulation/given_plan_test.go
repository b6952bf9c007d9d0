package formulation

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// copyOf is a plan through JSON, as an editor has it.
func copyOf(t *testing.T, p *results.Plan) *results.Plan {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	out := &results.Plan{}
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// planFor solves a condition of two pools on their own hosts, whose best plan has stages
// on both.
func planFor(t *testing.T) (*inputs.Condition, *results.Plan) {
	t.Helper()
	c := testCondition(testModel(12, 8, false), inputs.Mixed, 8,
		testPool("fast", hosts(1), 4, 8, 4e14, 3e11), testPool("slow", []string{"other"}, 2, 8, 2e14, 6e10))
	rep, err := Optimize(t.Context(), c, Options{Backend: "labels"})
	if err != nil || !rep.Feasible || rep.Plan.Phases[0].Strategy.PP < 2 {
		t.Fatalf("%v, feasible %v", err, rep.Feasible)
	}
	return c, rep.Plan
}

// TestEditedPlan: the stages as they stand are priced; what an edit left behind in the
// words of the plan is a warning.
func TestEditedPlan(t *testing.T) {
	c, plan := planFor(t)
	whole := mustEvaluate(t, c, Given{Plan: copyOf(t, plan), Source: "plan.json"})
	if !reflect.DeepEqual(whole.Metrics, plan.Phases[0].Metrics) || len(whole.Warnings) != len(plan.Warnings) {
		t.Fatalf("untouched: metrics %+v of %+v, warnings %q", whole.Metrics, plan.Phases[0].Metrics, whole.Warnings)
	}
	moved := copyOf(t, plan)
	ph := &moved.Phases[0]
	for i := range ph.Stages {
		switch ph.Stages[i].Index {
		case 0:
			ph.Stages[i].LastLayer--
		case 1:
			ph.Stages[i].FirstLayer--
		}
	}
	v := mustEvaluate(t, c, Given{Plan: moved, Source: "plan.json"})
	if v.Phase == nil || *v.Objective <= *whole.Objective || len(v.Warnings) == 0 || !strings.Contains(v.Warnings[len(v.Warnings)-1], "not those of its stages") {
		t.Fatalf("a layer moved: objective %v of %v, warnings %q, problems %+v", deref(v.Objective), deref(whole.Objective), v.Warnings, v.Problems)
	}
	// The same strategy in words, with the plan's own numbers of parts, has the same figures.
	s := statedAs(c, proposalOf(c, v))
	s.MicroBatches, s.DecodeGroups = ph.Strategy.MicroBatches, ph.Strategy.DecodeGroups
	words := mustEvaluate(t, c, Given{Strategy: s})
	if !reflect.DeepEqual(words.Metrics, v.Metrics) || *words.Objective != *v.Objective {
		t.Errorf("edited plan %+v, the same in words %+v", v.Metrics, words.Metrics)
	}
	// Other numbers of parts count as they are edited.
	split := copyOf(t, plan)
	split.Phases[0].Strategy.DecodeGroups = 1 + split.Phases[0].Strategy.DecodeGroups%2
	w := mustEvaluate(t, c, Given{Plan: split, Source: "plan.json"})
	if *w.Metrics.TPOTMS == *whole.Metrics.TPOTMS || w.Strategy.DecodeGroups != split.Phases[0].Strategy.DecodeGroups {
		t.Errorf("decode groups %d: TPOT %v", w.Strategy.DecodeGroups, *w.Metrics.TPOTMS)
	}
	if i := slices.IndexFunc(w.Changes, func(x results.Change) bool { return x.Kind == changeSteps }); i < 0 || !strings.HasPrefix(w.Changes[i].Change, "decode groups") || *w.Changes[i].OptimumGapPercent != 0 {
		t.Errorf("changes %+v, want the decode groups back to the optimum", w.Changes)
	}
}

// TestMicroBatchSize: sequences of a micro-batch in place of their number.
func TestMicroBatchSize(t *testing.T) {
	c := denseOn(1, 2, 8, 8)
	v := mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{TP: inputs.Degrees{2}, MicroBatchSize: 3}})
	if v.Strategy.MicroBatches != 3 || v.Strategy.MicroBatchSequences != 3 { // 3 + 3 + 2 of 8
		t.Errorf("strategy %+v", v.Strategy)
	}
}

// TestPlanThatDoesNotMap: edits that break the mapping are problems, each with the rule.
func TestPlanThatDoesNotMap(t *testing.T) {
	c, plan := planFor(t)
	for name, x := range map[string]struct {
		edit func(*results.PhasePlan)
		want string
	}{
		"a layer missing": {func(ph *results.PhasePlan) { ph.Stages[0].LastLayer-- }, "every layer is placed exactly once"},
		"a GPU twice":     {func(ph *results.PhasePlan) { ph.Stages[0].GPUs[0] = ph.Stages[1].GPUs[0] }, "no GPU is in two places"},
		"an unknown GPU":  {func(ph *results.PhasePlan) { ph.Stages[0].GPUs[0] = "node-9/gpu-9" }, "GPU ids exist"},
		"a GPU fewer":     {func(ph *results.PhasePlan) { ph.Stages[0].GPUs = ph.Stages[0].GPUs[1:] }, "tp·cp·dp_attention"},
		"an unknown pool": {func(ph *results.PhasePlan) { ph.Stages[0].Pool = "none" }, "every stage names a pool"},
		"no stages":       {func(ph *results.PhasePlan) { ph.Stages = nil }, "stages are numbered"},
	} {
		t.Run(name, func(t *testing.T) {
			p := copyOf(t, plan)
			x.edit(&p.Phases[0])
			v := mustEvaluate(t, c, Given{Plan: p, Source: "plan.json"})
			found := false
			for _, q := range v.Problems {
				found = found || strings.Contains(q.Sentence, x.want) && q.Where == "plan.json"
			}
			if v.Feasible || v.Phase != nil || !found {
				t.Errorf("problems %+v, want %q", v.Problems, x.want)
			}
		})
	}
	p := copyOf(t, plan)
	p.Condition, p.Phases[0].Phase = "other", inputs.Decode
	v := mustEvaluate(t, c, Given{Plan: p})
	if len(v.Warnings) < 2 || !strings.Contains(strings.Join(v.Warnings, "\n"), `made for the condition "other"`) {
		t.Errorf("warnings %q", v.Warnings)
	}
	p.Phases = append(p.Phases, p.Phases[0])
	if _, err := Evaluate(t.Context(), c, Given{Plan: p}, Options{}); err == nil {
		t.Error("a plan of two phases was taken")
	}
}

// TestUnlikeReplicas: replicas of a plan are alike; one that differs is a problem.
func TestUnlikeReplicas(t *testing.T) {
	c := testCondition(testModel(8, 8, false), inputs.Mixed, 8, testPool("gpu", hosts(2), 2, 8, 4e14, 3e11))
	v := mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{PP: 2, Replicas: 2}})
	p := &results.Plan{FormatVersion: 1, Condition: c.Name, Phases: []results.PhasePlan{*v.Phase}}
	if w := mustEvaluate(t, c, Given{Plan: copyOf(t, p)}); !w.Feasible {
		t.Fatalf("as evaluated: %+v", w.Problems)
	}
	q := copyOf(t, p)
	for i := range q.Phases[0].Stages {
		if s := &q.Phases[0].Stages[i]; s.Replica == 1 && s.Index == 0 {
			s.LastLayer--
		} else if s.Replica == 1 {
			s.FirstLayer--
		}
	}
	w := mustEvaluate(t, c, Given{Plan: q})
	if w.Feasible || !strings.Contains(w.Problems[0].Sentence, "replicas of a plan are alike") {
		t.Errorf("problems %+v", w.Problems)
	}
}
