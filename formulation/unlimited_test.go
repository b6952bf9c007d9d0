package formulation_test

import (
	"math"
	"testing"

	"partita/inputs"
	"partita/results"
)

// fewGPUs is how many GPUs the oracle enumerates of an unlimited pool.
const fewGPUs = 4

// An unlimited number of GPUs: with requirements the fewest that meet them, found
// where few are enough; without, at least as good a GPU for GPU as any few.
func TestUnlimitedNumber(t *testing.T) { unlimitedNumber(t, 80, 1<<22, draw.condition) }

func TestUnlimitedNumberUnderLoad(t *testing.T) { unlimitedNumber(t, 80, 1<<47, draw.loaded) }

func unlimitedNumber(t *testing.T, seeds, from uint64, of func(draw) *inputs.Condition) {
	decided, flat := 0, 0
	for seed := range seeds {
		d := newDraw(seed + from)
		c := of(d)
		c.Cluster.Pools = c.Cluster.Pools[:1]
		p := &c.Cluster.Pools[0]
		p.Nodes, p.Count, p.GPUsPerNode = nil, inputs.Count{}, pick(d, 1, 2, 4)
		c.Goal.Balance = ptr(pick(d, 0.25, 1))
		o, err := newOracle(c, fewGPUs)
		if err != nil {
			t.Fatal(err)
		}
		plans := o.enumerate()
		if len(plans) == 0 {
			continue
		}
		if d.chance(70) {
			d.require(c, plans)
		}
		tight, eased := newJudge(c, plans, edge), newJudge(c, plans, -edge)
		want, most := tight.decide(), eased.decide()
		if !want.feasible || want.gpus != most.gpus || math.Abs(want.value-most.value) > 2*edge*want.value {
			continue
		}
		rep := solved(t, c)
		if what := verified(rep, c); what != "" {
			t.Errorf("seed %d: %s\n%s", seed, what, describe(c))
			continue
		}
		if rep.Status != results.StatusOptimal || !rep.Feasible {
			t.Errorf("seed %d: %s, feasible %t: want %s\n%s", seed, rep.Status, rep.Feasible, want.describe(), describe(c))
			continue
		}
		ph := &rep.Plan.Phases[0]
		if len(c.Goal.Requirements) > 0 || c.Goal.Objective == inputs.GPUs || c.Goal.Objective == inputs.Cost {
			decided++
			if what := compare(ph, tight, want); what != "" {
				t.Errorf("seed %d: %s\n%s", seed, what, describe(c))
			}
			continue
		}
		flat++
		got := candidate{round: round(c, ph), gpus: ph.GPUs.Used}
		if ph.Metrics.TTFTMS != nil {
			got.ttft = *ph.Metrics.TTFTMS / 1e3
		}
		switch value, best := ph.Solve.Objective, want.value; c.Goal.Objective {
		case inputs.Latency, inputs.Throughput:
			if value > best*(1+edge) {
				t.Errorf("seed %d: %g with any number, %g with %d GPUs\n%s", seed, value, best, want.gpus, describe(c))
			}
		default:
			// The norms are of all numbers; in them no few may be better.
			norms := passNorms(ph)
			for i := range tight.plans {
				x := &tight.plans[i]
				if tight.balanced(x, want.floor) && tight.worth(x, norms) < value*(1-edge) {
					t.Errorf("seed %d: %g with any number, %g with %d GPUs\n%s", seed, value, tight.worth(x, norms), x.gpus, describe(c))
					break
				}
			}
		}
	}
	t.Logf("%d decided, %d flat", decided, flat)
	if decided < 20 || flat < 5 {
		t.Errorf("%d decided by requirements, %d by the objective: the generator says too little", decided, flat)
	}
}

// passNorms are ℓ* and c* as the certificate gives them.
func passNorms(ph *results.PhasePlan) (norms [2]float64) {
	for _, p := range ph.Solve.Certificate.Passes {
		switch {
		case p.Purpose == "latency alone" && p.Best != nil:
			norms[0] = *p.Best
		case p.Purpose == "throughput alone" && p.Best != nil:
			norms[1] = *p.Best
		}
	}
	return norms
}
