package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// closest turns the paper plan into one that misses its TPOT and names it so.
func missing(t *testing.T) (*results.Plan, *inputs.Condition, handPrices) {
	t.Helper()
	p, c, prices := mixedPlan()
	c.Goal.Requirements[0].Value = 1e-3
	r := &p.Phases[0].Requirements[0]
	r.Want, r.Met, r.MarginPercent = 1, false, 100*(1-r.Got/1)
	return p, c, prices
}

func TestClosestPlanWaivesRequirementsOnly(t *testing.T) {
	p, c, prices := missing(t)
	if v := check(p, c, prices, Options{}); v.OK || !slices.Equal(failedRules(v), []string{ruleRequirement("tpot")}) {
		t.Fatalf("a plan that misses a requirement: want this one rule to fail, got %q", failedRules(v))
	}
	v := check(p, c, prices, Options{Closest: true})
	if !v.OK {
		t.Fatalf("the closest plan: want OK, got:\n%s", describe(v))
	}
	i := slices.IndexFunc(v.Checks, func(c results.Check) bool { return c.Rule == ruleRequirement("tpot") })
	if got := v.Checks[i]; got.OK || !got.Waived {
		t.Errorf("the missed requirement: want not OK and waived, got %+v", got)
	}

	for name, spoil := range map[string]func(*results.PhasePlan){
		"time":           func(ph *results.PhasePlan) { ph.Stages[0].TimeMS++ },
		"met misstated":  func(ph *results.PhasePlan) { ph.Requirements[0].Met = true },
		"layers":         func(ph *results.PhasePlan) { ph.Stages[0].LastLayer = 0 },
		"GPU in two":     func(ph *results.PhasePlan) { ph.Stages[0].GPUs[0] = ph.Stages[1].GPUs[0] },
		"memory misread": func(ph *results.PhasePlan) { ph.Stages[0].MemoryGiB = 1 },
	} {
		p, c, prices := missing(t)
		spoil(&p.Phases[0])
		if check(p, c, prices, Options{Closest: true}).OK {
			t.Errorf("%s: a closest plan must hold in all but its requirements", name)
		}
	}
}

// The closest plan may need more GPUs of the same kind than there are.
func TestClosestPlanMayNameGPUsThatAreNotThere(t *testing.T) {
	p, c, prices := mixedPlan()
	ph := &p.Phases[0]
	for _, s := range []int{2, 3} {
		ph.Stages[s].GPUs = []string{fmt.Sprintf("node-%d/gpu-0", s), fmt.Sprintf("node-%d/gpu-1", s)}
	}
	for k := range c.Cluster.Pools {
		c.Cluster.Pools[k].Count = inputs.Count{Min: 2, Max: 2}
		c.Cluster.Pools[k].Nodes[0].GPUs = c.Cluster.Pools[k].Nodes[0].GPUs[:2]
	}
	ph.GPUs = results.GPUCount{Available: ptr(4), Used: 8, Parts: 8}
	if v := check(p, c, prices, Options{}); !slices.Contains(failedRules(v), ruleIDs) || !slices.Contains(failedRules(v), ruleUsed) {
		t.Errorf("a plan on GPUs that are not there: got %q", failedRules(v))
	}
	if v := check(p, enlarged(p, c), prices, Options{Closest: true}); !v.OK {
		t.Errorf("a closest plan on more GPUs:\n%s", describe(v))
	}
}

// Where a number is a range, so is the closest plan's: on larger nodes than stated.
func TestClosestPlanOnLargerNodes(t *testing.T) {
	p, c, prices := mixedPlan()
	ph := &p.Phases[0]
	for k := range c.Cluster.Pools {
		pool := &c.Cluster.Pools[k]
		pool.Nodes, pool.GPUsPerNode, pool.Count = nil, 2, inputs.Count{Min: 1, Max: 4}
	}
	for i := range ph.Stages {
		for j := range ph.Stages[i].GPUs {
			ph.Stages[i].GPUs[j] = fmt.Sprintf("node-%d/gpu-%d", i%2, 2*(i/2)+j)
		}
	}
	if v := check(p, c, prices, Options{}); !slices.Contains(failedRules(v), ruleIDs) {
		t.Errorf("gpu-2 on a node of two: got %q", failedRules(v))
	}
	if v := check(p, enlarged(p, c), prices, Options{Closest: true}); slices.Contains(failedRules(v), ruleIDs) {
		t.Errorf("a closest plan on a node of eight:\n%s", describe(v))
	}
}

func TestIdleGPUs(t *testing.T) {
	fewer := func() (*results.Plan, *inputs.Condition, handPrices) {
		p, c, prices := mixedPlan()
		pool := &c.Cluster.Pools[0]
		pool.Count = inputs.Count{Min: 5, Max: 5}
		pool.Nodes[0].GPUs = append(pool.Nodes[0].GPUs, "node-0/gpu-4")
		p.Phases[0].GPUs = results.GPUCount{Available: ptr(9), Used: 8, Parts: 8}
		return p, c, prices
	}
	p, c, prices := fewer()
	if v := check(p, c, prices, Options{}); !slices.Equal(failedRules(v), []string{ruleUsed}) {
		t.Errorf("eight of nine GPUs: got %q", failedRules(v))
	}
	c.Goal.AllowIdle = true
	if v := check(p, c, prices, Options{}); !v.OK {
		t.Errorf("idle GPUs allowed:\n%s", describe(v))
	}
	p, c, prices = fewer()
	p.Phases[0].GPUs.Why = "no plan uses nine"
	if v := check(p, c, prices, Options{}); !v.OK {
		t.Errorf("the largest number that can be used, with its reason:\n%s", describe(v))
	}
}

// Nodes that are made as needed: ids follow the pattern, a node serves one pool.
func TestMadeNodes(t *testing.T) {
	for _, tc := range []struct {
		name string
		ids  [4]string // hosts of the stages, replica by replica
		ok   bool
	}{
		{"plain, unlike hosts", [4]string{"node-0", "node-1", "node-0", "node-1"}, true},
		{"with the pool's name", [4]string{"big/node-0", "small/node-0", "big/node-0", "small/node-0"}, true},
		{"with the other pool's name", [4]string{"small/node-0", "big/node-0", "small/node-0", "big/node-0"}, false},
		{"one host for two pools", [4]string{"node-0", "node-0", "node-1", "node-1"}, false},
		{"leading zero", [4]string{"node-00", "node-1", "node-00", "node-1"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, c, prices := mixedPlan()
			ph := &p.Phases[0]
			for k := range c.Cluster.Pools {
				c.Cluster.Pools[k].Nodes, c.Cluster.Pools[k].Count = nil, inputs.Count{}
			}
			ph.GPUs.Available = nil
			for i := range ph.Stages {
				for j := range ph.Stages[i].GPUs {
					ph.Stages[i].GPUs[j] = fmt.Sprintf("%s/gpu-%d", tc.ids[i], 2*(i/2)+j)
				}
			}
			v := check(p, c, prices, Options{})
			if v.OK != tc.ok {
				t.Errorf("OK = %t, want %t:\n%s", v.OK, tc.ok, describe(v))
			}
			ph.Stages[0].GPUs[1] = strings.Replace(ph.Stages[0].GPUs[1], "gpu-1", "gpu-4", 1)
			if v := check(p, c, prices, Options{}); !slices.Contains(failedRules(v), ruleIDs) {
				t.Errorf("gpu-4 on a node of four: want rule %q to fail, got %q", ruleIDs, failedRules(v))
			}
		})
	}
}

// A stage of two nodes fills both; its GPUs are listed host by host.
func TestStageOverWholeHosts(t *testing.T) {
	for _, tc := range []struct {
		name string
		gpus string
		ok   bool
	}{
		{"two whole hosts", "a/0 a/1 b/0 b/1", true},
		{"interleaved", "a/0 b/0 a/1 b/1", false},
		{"half hosts", "a/0 b/0 c/0 c/1", false},
		{"one and a half", "a/0 a/1 b/0", false},
		{"one host", "a/0 a/1", true},
		{"one GPU", "c/1", true},
		{"two halves for a stage that fits one host", "a/0 b/0", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &inputs.Condition{Cluster: inputs.Cluster{Pools: []inputs.Pool{{Name: "p", GPUsPerNode: 2, Nodes: []inputs.Node{
				{Host: "a", GPUs: []string{"a/0", "a/1"}}, {Host: "b", GPUs: []string{"b/0", "b/1"}}, {Host: "c", GPUs: []string{"c/0", "c/1"}}}}}}}
			ph := &results.PhasePlan{Stages: []results.Stage{{Pool: "p", GPUs: strings.Fields(tc.gpus)}}}
			list := &checklist{}
			newAudit(ph, c, handPrices{}, Options{}, list).checkHosts()
			if got := list.checks[0]; got.OK != tc.ok {
				t.Errorf("OK = %t, want %t: %s", got.OK, tc.ok, got.Got)
			}
		})
	}
}

// Two pools on one machine send over its own link: the price of a transfer inside
// a host is a tenth of the network's in the paper prices.
func TestSendInsideOneHost(t *testing.T) {
	p, c, prices := mixedPlan()
	c.Cluster.Pools[1].Nodes[0].Host = "node-0"
	v := check(p, c, prices, Options{})
	if !slices.Contains(failedRules(v), ruleTimes) {
		t.Fatalf("times priced over the network: want rule %q to fail, got %q", ruleTimes, failedRules(v))
	}
	prices.send = 500 // a tenth of it is what the plan was priced with
	if v := check(p, c, prices, Options{}); !v.OK {
		t.Errorf("times priced inside the host:\n%s", describe(v))
	}
}
