package knowledge

import (
	"errors"
	"strings"
	"testing"

	"partita/inputs"
)

// Every variable has the value that the table of variables says, on a stage that it
// speaks of: the rule holds as written and is broken with any other value.
func TestEveryVariable(t *testing.T) {
	at := map[string][2]string{ // the value on either stage; "" where it is the same
		"phase": {`"mixed"`}, "batch": {"10"}, "input_tokens": {"2000"}, "output_tokens": {"300"}, "model": {`"mini"`}, "total_layers": {"4"},
		"hidden": {"4096"}, "vocab": {"128000"}, "heads": {"32"}, "kv_heads": {"8"}, "head_dim": {"128"}, "attention": {`"gqa"`},
		"ffn": {"14336"}, "experts": {"16"}, "top_k": {"4"}, "expert_width": {"2048"}, "shared_width": {"4096"},
		"precision": {`"fp8"`}, "activation_precision": {`"bf16"`}, "kv_precision": {`"fp16"`}, "pools": {"2"},
		"tp": {"2", "1"}, "ep": {"4", "1"}, "etp": {"1"}, "cp": {"1"}, "dp": {"2", "1"}, "stage_gpus": {"4", "1"}, "stage_nodes": {"1"},
		"pool": {`"fast"`, `"slow"`}, "accelerator": {`"H100"`, `"MI210"`}, "vendor": {`"NVIDIA"`, `"AMD"`}, "generation": {`"hopper"`, `"cdna2"`},
		"memory_gib": {"80.0", "24.0"}, "memory_bandwidth": {"3350.0", "1600.0"}, "gpus_per_node": {"8", "2"}, "native_precision": {"true", "false"}, "usd_per_hour": {"2.5", "0.0"},
		"layers": {"2"}, "moe_layers": {"1", "2"}, "first_stage": {"true", "false"}, "last_stage": {"false", "true"}, "first_layer": {"0", "2"}, "last_layer": {"1", "3"},
		"replicas": {"2"}, "sequences": {"5"}, "gpus": {"10"}, "replica_gpus": {"5"}, "micro_batches": {"5"}, "decode_groups": {"2"}, "pp": {"2"},
	}
	for _, v := range Variables() {
		if v.About == "" || v.Type != "string" && v.Type != "bool" && v.Unit == "" && !strings.HasSuffix(v.Name, "_layer") {
			t.Errorf("%s: no description or unit", v.Name)
		}
		if strings.HasPrefix(v.Name, "same_") {
			if got := broken(t, v.Name); (got == "") != (v.Name == "same_cp") {
				t.Errorf("%s: %s", v.Name, got)
			}
			continue
		}
		values, ok := at[v.Name]
		if !ok {
			t.Errorf("%s is not tested", v.Name)
			continue
		}
		first, second := values[0], values[1]
		if second == "" {
			second = first
		}
		expr := "first_stage ? " + v.Name + " == " + first + " : " + v.Name + " == " + second
		if got := broken(t, expr); got != "" {
			t.Errorf("%s: %s", expr, got)
		}
		if other := strings.ReplaceAll(expr, "==", "!="); broken(t, other) == "" {
			t.Errorf("%s holds", other)
		}
	}
}

// broken is what a rule says of twoStages, "" where it holds.
func broken(t *testing.T, expr string) string {
	t.Helper()
	v, err := mustCompile(t, fixture(expr)).Check(twoStages())
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	if len(v) == 0 {
		return ""
	}
	return v[0].String()
}

// A violation names the stage and the values that the rule sees there; one stage of
// many is named, all are counted.
func TestViolation(t *testing.T) {
	c := fixture("tp <= 1", "true", "tp > 4 && layers > 0")
	c.Rules[0].Because = "as a test"
	got, err := mustCompile(t, c).Check(twoStages())
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if want := "replica 0 stage 0 breaks a: tp = 2 (as a test)"; got[0].String() != want || got[0].Stages != 1 {
		t.Errorf("%s of %d stages, want %s", got[0], got[0].Stages, want)
	}
	if want := "replica 0 stage 0 breaks c: tp = 2, layers = 2"; got[1].String() != want || got[1].Stages != 2 {
		t.Errorf("%s of %d stages, want %s", got[1], got[1].Stages, want)
	}
}

// Replicas that are listed one by one and alike ones that are counted say the same.
func TestReplicasListedOrCounted(t *testing.T) {
	rules := mustCompile(t, fixture("replicas == 2 && gpus == 10 && replica_gpus == 5 && pp == 2 && sequences == 5"))
	p := twoStages()
	listed := p
	listed.Alike = 0
	for _, s := range p.Stages {
		s.Replica = 1
		listed.Stages = append(listed.Stages, s)
	}
	for _, x := range []Plan{p, listed} {
		if v, err := rules.Check(x); err != nil || len(v) > 0 {
			t.Errorf("%v %v", v, err)
		}
	}
}

// A rule binds the phase that it is for, and a deployment that does both phases by the
// rules of either.
func TestRulesOfAPhase(t *testing.T) {
	for _, row := range []struct {
		of, workload inputs.Phase
		binds        bool
	}{
		{"", inputs.Decode, true}, {inputs.Decode, inputs.Decode, true}, {inputs.Decode, inputs.Mixed, true}, {inputs.Prefill, inputs.Mixed, true},
		{inputs.Prefill, inputs.Decode, false}, {inputs.Mixed, inputs.Prefill, false}, {inputs.Mixed, inputs.Mixed, true},
	} {
		c := fixture("tp == 99")
		c.Rules[0].Phase, c.Workload.Phase = row.of, row.workload
		if got := !mustCompile(t, c).Empty(); got != row.binds {
			t.Errorf("a rule for %q binds %s: %t", row.of, row.workload, got)
		}
	}
}

// What fails to evaluate is an error with its place and values, never a silent answer.
func TestNoValue(t *testing.T) {
	for expr, want := range map[string]string{
		"batch % (dp - 1) == 0":                                   `r.yaml:10:5: rule "a" has no value for batch = 10, dp = 1: `,
		"hidden * hidden * hidden * hidden * hidden * hidden > 0": `rule "a" has no value for hidden = 4096: `,
		`[1][tp] == 1`: "tp = 2",
	} {
		_, err := mustCompile(t, fixture(expr)).Check(twoStages())
		var ds inputs.Diagnostics
		if !errors.As(err, &ds) || !strings.Contains(ds[0].Error(), want) {
			t.Errorf("%s: %v, want %s", expr, err, want)
		}
	}
	// A division that is guarded has a value.
	if got := broken(t, "dp == 1 || batch % (dp - 1) == 0"); got != "" {
		t.Error(got)
	}
}

// While a plan is decided a rule speaks up when all it mentions is known, and not before.
func TestBrokenAsKnown(t *testing.T) {
	r := mustCompile(t, fixture("tp <= 2", "tp * replicas <= 4", "hidden == 4096"))
	v := r.Start()
	if got := r.Broken(&v); got != -1 {
		t.Errorf("rule %d is broken with nothing known", got)
	}
	v.SetShape(0, Shape{TP: 2, CP: 1, DP: 1, EP: 1, ETP: 2})
	v.SetReplicas(3)
	if got := r.Broken(&v); got != 1 {
		t.Errorf("rule %d is broken, want 1", got)
	}
	v.Forget(OfReplicas)
	if got := r.Broken(&v); got != -1 {
		t.Errorf("rule %d is broken with the replicas forgotten", got)
	}
	v.SetShape(1, Shape{TP: 4, CP: 1, DP: 1, EP: 1, ETP: 4})
	if got := r.Broken(&v); got != 0 {
		t.Errorf("rule %d is broken, want 0", got)
	}
	if got := r.BrokenBy(OfReplicas, &v); got != -1 {
		t.Errorf("rule %d that speaks of replicas is broken", got)
	}
	if r.Uses(OfPipeline) || !r.Joins(OfShape, OfReplicas) || r.Joins(OfCondition, OfShape) {
		t.Error("what the rules mention is told wrong")
	}
}

// The levels part the variables: none is left out, none is in two.
func TestLevels(t *testing.T) {
	var all Level
	for _, l := range []Level{OfCondition, OfShape, OfLayers, OfPlace, OfReplicas, OfGPUs, OfMicro, OfGroups, OfPipeline, OfAll} {
		if all&l != 0 || l == 0 {
			t.Errorf("level %b overlaps or is empty", l)
		}
		all |= l
	}
	if all != 1<<numVariables-1 {
		t.Errorf("levels hold %b", all)
	}
}
