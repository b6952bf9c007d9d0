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
