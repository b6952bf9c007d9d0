package verify

import (
	"encoding/json"
	"strings"
	"testing"

	"partita/results"
)

// A plan that repeats another model, cluster or workload than its condition's fails: it
// would be drawn, or started, as something that nobody asked for.
func TestDeploymentThatIsNotTheConditions(t *testing.T) {
	for _, row := range []struct {
		name, got string
		do        func(p *results.Plan)
	}{
		{"nothing", "repeats nothing", func(p *results.Plan) { p.Deployment = nil }},
		{"a wider model", "deployment.model.hidden is 8192", func(p *results.Plan) { p.Deployment.Model.Hidden = 8192 }},
		{"another GPU's name", "deployment.cluster.pools[0].nodes[0].gpus[0]", func(p *results.Plan) { p.Deployment.Cluster.Pools[0].Nodes[0].GPUs[0] = "elsewhere" }},
		{"a pool less", "deployment.cluster.pools", func(p *results.Plan) { p.Deployment.Cluster.Pools = nil }},
		{"a bigger batch", "deployment.workload.batch", func(p *results.Plan) { p.Deployment.Workload.Batch++ }},
		{"another engine", "deployment.engine", func(p *results.Plan) { p.Deployment.Engine = "vllm" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := llama8B()
			p := llamaPlan(t, c)
			data, err := json.Marshal(p.Deployment)
			if err != nil {
				t.Fatal(err)
			}
			p.Deployment = nil
			if err := json.Unmarshal(data, &p.Deployment); err != nil {
				t.Fatal(err)
			}
			v, err := Check(p, c)
			if err != nil || !v.OK {
				t.Fatalf("read back from JSON: %v\n%s", err, describe(v))
			}
			row.do(p)
			v, err = Check(p, c)
			if err != nil || v.OK {
				t.Fatalf("OK %t, %v: want a failed check", v.OK, err)
			}
			failed := Violations(v)
			if len(failed) != 1 || failed[0].Rule != ruleDeployment || !strings.Contains(failed[0].Got, row.got) {
				t.Errorf("failed checks %+v: want one that says %q", failed, row.got)
			}
		})
	}
}

// A saved plan that calls itself more than its solve proved fails: a report made of it would
// say so too.
func TestOutcomeThatTheSolveDoesNotBear(t *testing.T) {
	optimal, found := results.StatusOptimal, results.StatusFeasible
	for _, row := range []struct {
		name    string
		outcome results.Outcome
		solve   results.Status
		ok      bool
	}{
		{"proved", results.Outcome{Feasible: true, Status: optimal}, optimal, true},
		{"found", results.Outcome{Feasible: true, Status: found}, found, true},
		{"proved, it says less", results.Outcome{Feasible: true, Status: found}, optimal, true},
		{"found, it says more", results.Outcome{Feasible: true, Status: optimal}, found, false},
		{"optimal and closest", results.Outcome{Status: optimal}, optimal, false},
		{"infeasible and not closest", results.Outcome{Feasible: true, Status: results.StatusInfeasible}, optimal, false},
		{"no status of a plan", results.Outcome{Feasible: true, Status: results.StatusUnknown}, optimal, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := llama8B()
			p := llamaPlan(t, c)
			p.Outcome, p.Phases[0].Solve.Status = &row.outcome, string(row.solve)
			s := &p.Phases[0].Solve
			s.BestBound = &s.Objective
			v, err := CheckWith(p, c, Options{Closest: !row.outcome.Feasible})
			if err != nil {
				t.Fatal(err)
			}
			failed := Violations(v)
			if row.ok != (len(failed) == 0) || !row.ok && (len(failed) != 1 || failed[0].Rule != ruleOutcome) {
				t.Errorf("failed checks %+v, want OK %t", failed, row.ok)
			}
		})
	}
	p := llamaPlan(t, llama8B())
	p.Phases[0].Requirements = []results.RequirementResult{{Name: "ttft", Met: false}}
	p.Outcome, p.Phases[0].Solve.Status = &results.Outcome{Feasible: true, Status: optimal}, string(optimal)
	if check := outcomeCheck(p); check.OK {
		t.Error("a plan that misses a requirement calls itself feasible")
	}
}
