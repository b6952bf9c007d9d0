package formulation_test

import (
	"math"

	"partita/inputs"
)

// judge chooses among all plans of a condition as FORMULATION (2) to (5) say.
type judge struct {
	c     *inputs.Condition
	plans []candidate
	// slip is by how much conditions are eased (below 0) or tightened (above): plans on
	// the edge may fall to either side of it in whole ticks.
	slip float64
}

// verdict is the best plan, or what is said where there is none.
type verdict struct {
	feasible bool // every requirement met
	none     bool // nothing fits at all
	idle     int  // GPUs used where not all can be; 0: all
	gpus     int
	price    float64
	floor    float64 // of the balance that held
	slack    float64 // least largest violation
	value    float64 // in the unit of the objective
	norms    [2]float64
	best     *candidate
}

// newJudge sees all plans (slip < 0: eased) or only those promised (slip > 0).
func newJudge(c *inputs.Condition, plans []candidate, slip float64) *judge {
	j := &judge{c: c, slip: slip}
	for _, x := range plans {
		if slip < 0 || !x.wide {
			j.plans = append(j.plans, x)
		}
	}
	return j
}

func (j *judge) margin() float64 {
	if j.c.Goal.Margin != nil {
		return *j.c.Goal.Margin
	}
	for _, p := range j.c.Cluster.Pools {
		if e := p.Accelerator.Efficiency; e == nil || e.Compute == 0 || e.Bandwidth == 0 {
			return 0.10
		}
	}
	return 0
}

// ours reports whether the number of GPUs is ours to choose.
func (j *judge) ours() bool {
	for _, p := range j.c.Cluster.Pools {
		if !p.Count.Stated() {
			return true
		}
	}
	return false
}

// latency is ℓ, seconds.
func (j *judge) latency(x *candidate) float64 {
	out := float64((j.c.Workload.Output.Min + j.c.Workload.Output.Max + 1) / 2)
	switch j.c.Workload.Phase {
	case inputs.Prefill:
		return x.ttft
	case inputs.Decode:
		return out * x.round
	}
	return x.ttft + (out-1)*x.round
}

// tokens is the throughput in tokens/s, and of it the generated ones.
func (j *judge) tokens(x *candidate) (all, output float64) {
	w := &j.c.Workload
	b, in, out := float64(w.Batch), float64((w.Input.Min+w.Input.Max+1)/2), float64((w.Output.Min+w.Output.Max+1)/2)
	switch w.Phase {
	case inputs.Prefill:
		return b * in / x.round, math.NaN()
	case inputs.Decode:
		return b / x.round, b / x.round
	}
	return b / x.round * (in + out) / out, b / x.round
}

// seconds is c, seconds per token (of each GPU where the number is ours).
func (j *judge) seconds(x *candidate) float64 {
	all, _ := j.tokens(x)
	if j.ours() {
		return float64(x.gpus) / all
	}
	return 1 / all
}

// violation is by how much the worst requirement is missed, as a share; below 0
// where all are met.
func (j *judge) violation(x *candidate) float64 {
	worst, keep := math.Inf(-1), 1-j.margin()
	all, output := j.tokens(x)
	n := float64(x.gpus)
	for _, q := range j.c.Goal.Requirements {
		var v float64
		switch q.Kind {
		case inputs.TTFT:
			v = x.ttft / (q.Value * keep)
		case inputs.TPOT:
			v = x.round / (q.Value * keep)
		case inputs.EndToEnd:
			v = j.latency(x) / (q.Value * keep)
		case inputs.TokensPerSecond:
			v = q.Value / (all * keep)
		case inputs.TokensPerSGPU:
			v = q.Value / (all / n * keep)
		case inputs.OutputPerSecond:
			v = q.Value / (output * keep)
		case inputs.OutputPerSGPU:
			v = q.Value / (output / n * keep)
		case inputs.CostUSDPerHour:
			v = x.price / q.Value // known, not predicted: no margin and no ticks
			if v <= 1+1e-9 {
				v = math.Inf(-1)
			}
		}
		worst = max(worst, v-1)
	}
	return worst
}

func (j *judge) where(keep func(*candidate) bool) *judge {
	out := &judge{c: j.c, slip: j.slip}
	for i := range j.plans {
		if keep(&j.plans[i]) {
			out.plans = append(out.plans, j.plans[i])
		}
	}
	return out
}

func (j *judge) meets(x *candidate, slack float64) bool {
	v := j.violation(x)
	return math.IsInf(v, -1) || (1+v)*(1+j.slip) <= 1+slack
}

func (j *judge) balanced(x *candidate, floor float64) bool {
	return floor == 0 || len(x.path) == 1 || x.ratio >= floor*(1+j.slip)
}

// decide is the verdict on the condition.
func (j *judge) decide() verdict {
	if len(j.plans) == 0 {
		return verdict{none: true}
	}
	if j.c.Goal.AllowIdle {
		return j.among()
	}
	full := j.where(func(x *candidate) bool { return x.all })
	switch {
	case len(full.plans) > 0:
		return full.among()
	case j.ours(): // beside a number that is ours, a stated one need not be used up
		return j.among()
	}
	most := 0
	for i := range j.plans {
		most = max(most, j.plans[i].gpus)
	}
	v := j.where(func(x *candidate) bool { return x.gpus == most }).among()
	v.idle = most
	return v
}

// among decides among plans of admitted GPU counts.
func (j *judge) among() verdict {
	floor, stated := 0.75, false
	if b := j.c.Goal.Balance; b != nil {
		floor, stated = 1-*b, true
	}
	ok := func(slack, floor float64) *judge {
		return j.where(func(x *candidate) bool { return j.meets(x, slack) && j.balanced(x, floor) })
	}
	if met := ok(0, floor); len(met.plans) > 0 {
		return met.level(true, floor)
	}
	if met := ok(0, 0); !stated && len(met.plans) > 0 {
		floor = met.evenest()
		return ok(0, floor).level(true, floor)
	}
	// The closest plan keeps the balance if any plan does.
	even := j.where(func(x *candidate) bool { return j.balanced(x, floor) })
	if len(even.plans) == 0 {
		if stated {
			return verdict{none: true}
		}
		floor = j.evenest()
		even = j.where(func(x *candidate) bool { return j.balanced(x, floor) })
	}
	slack := math.Inf(1)
	for i := range even.plans {
		slack = min(slack, j.violation(&even.plans[i]))
	}
	v := ok((1+slack)*(1+2e-4)*(1+math.Abs(j.slip))-1, floor).level(false, floor)
	v.slack = slack
	return v
}

// evenest is the largest floor that a plan reaches.
func (j *judge) evenest() float64 {
	floor := 0.0
	for i := range j.plans {
		x := &j.plans[i]
		if len(x.path) == 1 {
			return 1
		}
		floor = max(floor, x.ratio)
	}
	floor = math.Floor(floor*1000) / 1000
	if j.slip < 0 {
		floor -= 0.002 // what the search may give way by
	}
	return floor
}

// level keeps the plans that are best in what is decided first, and the best of
// them by the objective.
func (j *judge) level(feasible bool, floor float64) verdict {
	kind := j.c.Goal.Objective
	ranked := kind == inputs.GPUs || kind == inputs.Cost
	key := func(x *candidate) [2]float64 {
		switch {
		case !(j.ours() && (ranked || len(j.c.Goal.Requirements) > 0)) && !(j.c.Goal.AllowIdle && ranked):
			return [2]float64{}
		case kind == inputs.Cost:
			return [2]float64{math.Round(x.price * 1e6), float64(x.gpus)}
		}
		return [2]float64{float64(x.gpus)}
	}
	least := [2]float64{math.Inf(1)}
	for i := range j.plans {
		if k := key(&j.plans[i]); k[0] < least[0] || k[0] == least[0] && k[1] < least[1] {
			least = k
		}
	}
	return j.where(func(x *candidate) bool { return key(x) == least }).best(feasible, floor)
}

func (j *judge) best(feasible bool, floor float64) verdict {
	v := verdict{feasible: feasible, floor: floor, value: math.Inf(1), norms: [2]float64{math.Inf(1), math.Inf(1)}}
	for i := range j.plans {
		v.norms[0] = min(v.norms[0], j.latency(&j.plans[i]))
		v.norms[1] = min(v.norms[1], j.seconds(&j.plans[i]))
	}
	for i := range j.plans {
		x := &j.plans[i]
		if worth := j.worth(x, v.norms); worth < v.value {
			v.value, v.best, v.gpus, v.price = worth, x, x.gpus, x.price
		}
	}
	return v
}

// worth is the objective of a plan.
func (j *judge) worth(x *candidate, norms [2]float64) float64 {
	l, s := j.latency(x), j.seconds(x)
	switch j.c.Goal.Objective {
	case inputs.Latency:
		return l
	case inputs.Throughput:
		return s
	}
	a, b := j.c.Goal.LatencyWeight, j.c.Goal.ThroughputWeight
	if a <= 0 && b <= 0 {
		a, b = 1, 1
	}
	return a*l/norms[0] + b*s/norms[1]
}
