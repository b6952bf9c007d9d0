package formulation_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
)

// solved runs the search by labels alone.
func solved(t *testing.T, c *inputs.Condition) *results.Report {
	t.Helper()
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatalf("%v\n%s", err, describe(c))
	}
	return rep
}

// steady draws a condition whose optimum is not moved by anything but its prices: a
// stated balance, and one metric as objective.
func steady(seed uint64) *inputs.Condition {
	d := newDraw(seed + 1<<20)
	c := d.condition()
	c.Goal.Objective = pick(d, inputs.Latency, inputs.Throughput)
	c.Goal.Balance = ptr(pick(d, 0.3, 1, 1))
	for k := range c.Cluster.Pools { // plans on more GPUs than there are take long to refute
		c.Cluster.Pools[k].MemoryBytes += 1 << 29
	}
	return c
}

func objective(rep *results.Report) (float64, bool) {
	if rep.Plan == nil || !rep.Feasible {
		return 0, false
	}
	return rep.Plan.Phases[0].Solve.Objective, true
}

const same = 1e-5 // quantisation of either solve, relative

// More memory on every GPU never makes a plan worse or impossible.
func TestMoreMemoryNeverHurts(t *testing.T) {
	better := 0
	for seed := range uint64(60) {
		c := steady(seed)
		c.Goal.AllowIdle = true // where all GPUs must be used, memory admits plans on more of them
		before, ok := objective(solved(t, c))
		for k := range c.Cluster.Pools {
			c.Cluster.Pools[k].MemoryBytes += c.Cluster.Pools[k].MemoryBytes / 3
		}
		after, still := objective(solved(t, c))
		if ok && !still || ok && after > before*(1+same) {
			t.Errorf("seed %d: %g (feasible %t) with less memory, %g (%t) with more\n%s", seed, before, ok, after, still, describe(c))
		}
		if !ok && still || ok && after < before*(1-same) {
			better++
		}
	}
	if better == 0 {
		t.Error("memory never mattered: the generator says too little")
	}
}

// The order of the pools does not matter.
func TestPoolsPermuted(t *testing.T) {
	pairs := 0
	for seed := range uint64(120) {
		c := steady(seed)
		if len(c.Cluster.Pools) < 2 {
			continue
		}
		pairs++
		before, ok := objective(solved(t, c))
		c.Cluster.Pools[0], c.Cluster.Pools[1] = c.Cluster.Pools[1], c.Cluster.Pools[0]
		after, still := objective(solved(t, c))
		if ok != still || math.Abs(after-before) > same*before {
			t.Errorf("seed %d: %g (feasible %t), %g (%t) with the pools exchanged\n%s", seed, before, ok, after, still, describe(c))
		}
	}
	if pairs < 20 {
		t.Errorf("only %d conditions with two pools", pairs)
	}
}

// Twice the compute, memory bandwidth and links take half the time, where the
// utilisation is stated (floors of kernels do not scale).
func TestTwiceAsFast(t *testing.T) {
	for seed := range uint64(60) {
		c := steady(seed)
		for k := range c.Cluster.Pools {
			c.Cluster.Pools[k].Accelerator.Efficiency = &inputs.Efficiency{Compute: 0.5, Bandwidth: 0.7}
		}
		before := solved(t, c)
		for k := range c.Cluster.Pools {
			p := &c.Cluster.Pools[k]
			flops := map[inputs.DType]float64{}
			for f, v := range p.Accelerator.FLOPS {
				flops[f] = 2 * v
			}
			p.Accelerator.FLOPS = flops
			p.Accelerator.MemoryBandwidth *= 2
			p.Intra.BytesPerSecond *= 2
		}
		c.Cluster.Network.BytesPerSecond *= 2
		after := solved(t, c)
		x, ok := objective(before)
		y, still := objective(after)
		if ok != still || math.Abs(2*y-x) > same*x {
			t.Errorf("seed %d: %g, twice as fast %g\n%s", seed, x, y, describe(c))
		}
	}
}

// Names say nothing: of pools, hosts, GPUs, and of kinds of layer that are alike.
func TestRelabelled(t *testing.T) {
	for seed := range uint64(60) {
		c := steady(seed)
		before := solved(t, c)
		for k := range c.Cluster.Pools {
			p := &c.Cluster.Pools[k]
			p.Name = fmt.Sprintf("z%d", 9-k)
			for i := range p.Nodes {
				p.Nodes[i].Host = "rack-" + p.Nodes[i].Host
				for j := range p.Nodes[i].GPUs {
					p.Nodes[i].GPUs[j] = fmt.Sprintf("%s/slot-%d", p.Name, 100*i+j)
				}
			}
		}
		again := c.Model.Kinds[0] // every other layer of kind 0 under another name
		again.Name = "again"
		c.Model.Kinds = append(c.Model.Kinds, again)
		for l, kind := range c.Model.Layers {
			if kind == 0 && l%2 == 1 {
				c.Model.Layers[l] = len(c.Model.Kinds) - 1
			}
		}
		after := solved(t, c)
		if what := verified(after, c); what != "" {
			t.Errorf("seed %d: %s", seed, what)
		}
		x, ok := objective(before)
		y, still := objective(after)
		if ok != still || math.Abs(x-y) > same*x {
			t.Errorf("seed %d: %g under one set of names, %g under another\n%s", seed, x, y, describe(c))
		}
	}
}

// The same condition gives the same report, to the byte of what JSON shows, but for
// the time the search took.
func TestSameInputSameReport(t *testing.T) {
	for seed := range uint64(20) {
		c := newDraw(seed).condition()
		first, second := solved(t, c), solved(t, c)
		for _, rep := range []*results.Report{first, second} {
			if rep.Plan == nil {
				continue
			}
			for i := range rep.Plan.Phases {
				rep.Plan.Phases[i].Solve.TimeMS = 0
			}
		}
		if a, b := asJSON(t, first), asJSON(t, second); a != b {
			t.Errorf("seed %d:\n%s\n%s", seed, a, b)
		}
	}
}
