package formulation_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
)

// ruled adds rules to a condition.
func ruled(c *inputs.Condition, exprs ...string) *inputs.Condition {
	for _, e := range exprs {
		n := len(c.Rules)
		c.Rules = append(c.Rules, inputs.Rule{Name: fmt.Sprintf("rule %d", n), Expr: e, Because: "of a test", Place: inputs.Place{File: "rules.yaml", Line: 3 + n, Col: 11}})
	}
	return c
}

// Every backend proves the same optimum under rules, those on the number of stages among
// them, or that there is none.
func TestBackendsAgreeUnderRules(t *testing.T) {
	list := backends(t)
	compared := 0
	for seed := range uint64(40) {
		d := newDraw(seed + 1<<41)
		c := d.condition()
		c.Cluster.Pools = c.Cluster.Pools[:1]
		c.Cluster.Pools[0].MemoryBytes += 1 << 31
		c.Model.Layers = c.Model.Layers[:min(3, len(c.Model.Layers))]
		c.Workload.Batch = min(2, c.Workload.Batch)
		ruled(c, pick(d, "pp >= 2", "pp == 2", "pp in [1, 3]", "pp * tp >= 2", "pp != 1 && same_tp", "layers < total_layers"))
		if agreeOn(t, fmt.Sprintf("seed %d", seed), list, c) {
			compared++
		}
	}
	if compared < 10 {
		t.Errorf("only %d optima compared", compared)
	}
}

// A rule never improves a plan, and one that every plan keeps changes nothing.
func TestRulesNeverImprove(t *testing.T) {
	worse, same := 0, 0
	for seed := range uint64(60) {
		c := steady(seed)
		c.Goal.AllowIdle = true // where all GPUs must be used, fewer plans may mean fewer GPUs
		before, ok := objective(solved(t, c))
		d := newDraw(seed + 1<<42)
		l := d.law()
		c.Rules = []inputs.Rule{{Name: "law", Expr: l.expr, Phase: l.phase}}
		after, still := objective(solved(t, c))
		if still && !ok || still && after < before*(1-1e-5) {
			t.Errorf("seed %d: %g (feasible %t), under %s %g (%t)\n%s", seed, before, ok, l.expr, after, still, describe(c))
		}
		if ok && (!still || after > before*(1+1e-5)) {
			worse++
		}
		c.Rules = []inputs.Rule{{Name: "always", Expr: "tp * cp * dp == stage_gpus && ep * etp == stage_gpus && gpus == replicas * replica_gpus && pp >= 1"}}
		if again, holds := objective(solved(t, c)); holds != ok || math.Abs(again-before) > 1e-5*before {
			t.Errorf("seed %d: %g (feasible %t), under a rule that always holds %g (%t)\n%s", seed, before, ok, again, holds, describe(c))
		} else {
			same++
		}
	}
	if worse == 0 || same == 0 {
		t.Errorf("rules cost something %d times, nothing %d times: the generator says too little", worse, same)
	}
}

// A search without some rules is a search of the condition without them.
func TestWithoutRulesAsIfThereWereNone(t *testing.T) {
	for seed := range uint64(10) {
		c := steady(seed)
		plain := asJSON(t, solved(t, c))
		ruled(c, "tp == 1", "pp == 1")
		if got := asJSON(t, solved(t, c.WithoutRules("rule 0", "rule 1"))); got != plain {
			t.Errorf("seed %d: %s\nwant %s", seed, got, plain)
		}
	}
}

// What rules do is told: in the certificate what each took out, in the comparison which
// of them a heuristic breaks, in a warning that a pool lies idle for them, and in the reasons
// that they leave no plan, together or alone.
func TestRulesAreTold(t *testing.T) {
	c := ruled(small(), "layers >= 2", "pp * replicas <= 8", "micro_batches <= 8")
	rep := solved(t, c)
	if rep.Plan == nil || rep.Status != results.StatusOptimal {
		t.Fatalf("%s %v", rep.Status, rep.Reasons)
	}
	cert := rep.Plan.Phases[0].Solve.Certificate
	if len(cert.Rules) != 3 || cert.Rules[0].Candidates == 0 || cert.Rules[0].Place != "rules.yaml:3:11" || cert.Rules[1].Expr != "pp * replicas <= 8" {
		t.Errorf("the certificate says of rules %+v", cert.Rules)
	}
	named := 0
	for _, h := range rep.Plan.Comparison {
		if strings.Contains(h.WhyInfeasible, `breaks rule "rule 0" (rules.yaml:3:11): layers = 1 of replica 0 stage 0`) {
			named++
		}
	}
	if named == 0 {
		t.Errorf("no heuristic breaks a rule: %+v", rep.Plan.Comparison)
	}

	for _, row := range []struct {
		rules []string
		want  []string
	}{
		{[]string{"tp == 1", "pp == 77"}, []string{`under rule "rule 1" (rules.yaml:4:11); without it there is one`}},
		{[]string{"tp == 1 || gpus == 0", "tp > 1 || gpus == 0"}, []string{`under rule "rule 0"`, `under rule "rule 1"`}},
		{[]string{"pp == 77", "gpus == 0"}, []string{"under the 2 rules together; without them there is one, and leaving out a single one is not enough"}},
	} {
		rep := solved(t, ruled(small(), row.rules...))
		text := strings.Join(rep.Reasons, "\n")
		for _, want := range row.want {
			if rep.Status != results.StatusInfeasible || !strings.Contains(text, want) {
				t.Errorf("%v: %s\n%s\nwant %s", row.rules, rep.Status, text, want)
			}
		}
	}

	c = small()
	c.Cluster.Pools = append(c.Cluster.Pools, c.Cluster.Pools[0])
	c.Cluster.Pools[1].Name, c.Cluster.Pools[1].Nodes = "other", nil
	c.Goal.AllowIdle = true
	rep = solved(t, ruled(c, `pool != "other"`))
	if text := strings.Join(rep.Warnings, "\n"); !strings.Contains(text, `no stage can run on pool "other": rule "rule 0" (rules.yaml:3:11)`) {
		t.Errorf("warnings %s", text)
	}
}

// A rule that has no value for some candidate is an error with its place.
func TestRuleWithoutValue(t *testing.T) {
	for _, expr := range []string{"batch % (tp - 1) == 0", "replicas / (pp - 2) >= 0", "micro_batches / (layers - 1) >= 0"} {
		rep, err := formulation.Optimize(context.Background(), ruled(small(), expr), formulation.Options{Backend: "labels"})
		if err == nil || !strings.Contains(err.Error(), `rules.yaml:3:11: rule "rule 0" has no value for `) {
			t.Errorf("%s: %v, %v", expr, rep, err)
		}
	}
}
