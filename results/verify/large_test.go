package verify

import (
	"fmt"
	"testing"

	"partita/inputs"
	"partita/results"
)

// largePlan copies the replica of the paper plan to replicas·4 GPUs; each of its
// replicas has three sequences as before.
func largePlan(replicas int) (*results.Plan, *inputs.Condition, handPrices) {
	p, c, prices := mixedPlan()
	ph := &p.Phases[0]
	model := [2]results.Stage{ph.Stages[0], ph.Stages[1]}
	ph.Stages = nil
	for r := range replicas {
		for i, s := range model {
			s.Replica, s.GPUs = r, []string{gpu(i, r/2, 2*(r%2)), gpu(i, r/2, 2*(r%2)+1)}
			ph.Stages = append(ph.Stages, s)
		}
	}
	for k := range c.Cluster.Pools {
		pool := &c.Cluster.Pools[k]
		pool.Count, pool.Nodes = inputs.Count{Min: 2 * replicas, Max: 2 * replicas}, nil
		for n := range replicas / 2 {
			node := inputs.Node{Host: fmt.Sprintf("%d-%d", k, n)}
			for j := range 4 {
				node.GPUs = append(node.GPUs, gpu(k, n, j))
			}
			pool.Nodes = append(pool.Nodes, node)
		}
	}
	scale := float64(replicas) / 2
	c.Workload.Batch = 3 * replicas
	ph.Strategy.Replicas = replicas
	ph.GPUs = results.GPUCount{Available: ptr(4 * replicas), Used: 4 * replicas, Parts: 4 * replicas, Match: true}
	for _, m := range []*float64{ph.Metrics.TokensPerS, ph.Metrics.OutputTokensPerS, ph.Metrics.USDPerHour} {
		*m *= scale
	}
	r := &ph.Requirements[1]
	r.Got *= scale
	r.MarginPercent = results.MarginPercent(false, r.Want, r.Got)
	return p, c, prices
}

func gpu(pool, node, j int) string { return fmt.Sprintf("pool-%d/node-%d/gpu-%d", pool, node, j) }

// A plan of 16,384 GPUs has no more checks than one of eight, and a single fault
// is found and named.
func TestLargePlan(t *testing.T) {
	small, sc, prices := mixedPlan()
	want := len(check(small, sc, prices, Options{}).Checks)
	p, c, _ := largePlan(4096)
	v := check(p, c, prices, Options{})
	if !v.OK || v.GPUs != 16384 || v.Parts != 16384 {
		t.Fatalf("OK %t, GPUs %d, parts %d:\n%s", v.OK, v.GPUs, v.Parts, describe(v))
	}
	if len(v.Checks) != want {
		t.Errorf("%d checks: want %d, as for eight GPUs", len(v.Checks), want)
	}
	p.Phases[0].Stages[5001].GPUs[1] = p.Phases[0].Stages[77].GPUs[0]
	v = check(p, c, prices, Options{})
	if got := failedRules(v); len(got) == 0 || got[0] != ruleUnique {
		t.Errorf("a GPU in two replicas: got %q", got)
	}
}

func BenchmarkCheck16384(b *testing.B) {
	p, c, prices := largePlan(4096)
	for b.Loop() {
		if !check(p, c, prices, Options{}).OK {
			b.Fatal("the plan does not hold")
		}
	}
}
