package formulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"partita/formulation"
	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
)

// sidePlan is a plan of one side as the oracle prices it.
type sidePlan struct {
	ttft, round, period, share float64 // share: of the prompt's cache on its heaviest rank
	replicas                   int
	wide                       bool
}

// apartOracle prices every pair of plans of a tiny condition: all splits of its GPUs,
// every plan of either side. It shares the price of an operator with the search.
type apartOracle struct {
	c     *inputs.Condition
	calc  *cost.Calculator
	known map[string][]sidePlan
}

// pairOf is a pair of plans with what requirements and objectives speak of.
type pairOf struct {
	ttft, tpot, e2e, tokens, output, price float64
	gpus                                   int
	wide                                   bool
}

// taken are the first n GPUs of the nodes, or the last n.
func taken(nodes []inputs.Node, n int, last bool) []inputs.Node {
	total := 0
	for _, x := range nodes {
		total += len(x.GPUs)
	}
	from, to := 0, n
	if last {
		from, to = total-n, total
	}
	var out []inputs.Node
	at := 0
	for _, x := range nodes {
		part := inputs.Node{Host: x.Host}
		for _, id := range x.GPUs {
			if from <= at && at < to {
				part.GPUs = append(part.GPUs, id)
			}
			at++
		}
		if len(part.GPUs) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// side is the condition of one side, and false where it has no GPUs.
func (o *apartOracle) side(phase inputs.Phase, gpus []int, batch int) (*inputs.Condition, bool) {
	c := *o.c
	c.Workload.Phase, c.Workload.Batch = phase, batch
	c.Cluster.Pools = nil
	for k, n := range gpus {
		if n == 0 {
			continue
		}
		p := o.c.Cluster.Pools[k]
		p.Nodes, p.Count = taken(p.Nodes, n, phase == inputs.Decode), inputs.Count{Min: n, Max: n}
		p.GPUsPerNode = 0
		for _, x := range p.Nodes {
			p.GPUsPerNode = max(p.GPUsPerNode, len(x.GPUs))
		}
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	return &c, len(c.Cluster.Pools) > 0
}

// plans lists the plans of a side that use all its GPUs and that none beats in every figure.
func (o *apartOracle) plans(t *testing.T, phase inputs.Phase, gpus []int) []sidePlan {
	key := fmt.Sprint(phase, gpus)
	if list, ok := o.known[key]; ok {
		return list
	}
	total := sum(gpus)
	batches := map[int]bool{o.c.Workload.Batch: true}
	if phase == inputs.Prefill {
		clear(batches)
		for r := 1; r <= total; r++ {
			for n := 1; r*n <= o.c.Workload.Batch; n *= 2 {
				batches[r*n] = true
			}
		}
	}
	var out []sidePlan
	for batch := 1; batch <= o.c.Workload.Batch; batch++ {
		c, ok := o.side(phase, gpus, batch)
		if !ok || !batches[batch] {
			continue
		}
		in, err := newOracle(c, 0)
		if err != nil {
			t.Fatal(err)
		}
		in.rules(c, nil)
		for _, x := range in.enumerate() {
			each := batch / x.replicas
			if !x.all || x.ratio < 1-*c.Goal.Balance || phase == inputs.Prefill && (batch%x.replicas != 0 || each&(each-1) != 0) {
				continue
			}
			p := sidePlan{ttft: x.ttft, round: x.round, period: x.round / float64(batch), replicas: x.replicas, wide: x.wide}
			if phase == inputs.Decode {
				w := &o.c.Workload
				p.period = x.round * float64((w.Output.Min+w.Output.Max+1)/2) / float64(batch)
			}
			heads := o.heads()
			for _, s := range x.path {
				held := float64((s.to-s.from)*((heads+s.shape.TP-1)/s.shape.TP)) / float64(s.shape.CP)
				p.share = max(p.share, held/float64(heads*len(c.Model.Layers)))
			}
			out = append(out, p)
		}
	}
	out = undominated(out)
	o.known[key] = out
	return out
}

func (o *apartOracle) heads() int { return o.c.Model.Kinds[0].Attention.KVHeads }

// undominated leaves out what another plan is as good as in every figure.
func undominated(list []sidePlan) []sidePlan {
	var out []sidePlan
	for i, p := range list {
		beaten := false
		for j, q := range list {
			covers := q.ttft <= p.ttft && q.round <= p.round && q.period <= p.period && q.share <= p.share && q.replicas >= p.replicas && (!q.wide || p.wide)
			strictly := q.ttft < p.ttft || q.round < p.round || q.period < p.period || q.share < p.share || q.replicas > p.replicas || p.wide && !q.wide
			beaten = beaten || covers && (strictly || j < i)
		}
		if !beaten {
			out = append(out, p)
		}
	}
	return out
}

// pairs lists every pair of plans of every split.
func (o *apartOracle) pairs(t *testing.T) []pairOf {
	w := &o.c.Workload
	in, out := float64((w.Input.Min+w.Input.Max+1)/2), float64((w.Output.Min+w.Output.Max+1)/2)
	counts := make([]int, len(o.c.Model.Kinds))
	for _, k := range o.c.Model.Layers {
		counts[k]++
	}
	longest, mean := o.calc.PromptKV(counts, w.Input.Max), o.calc.PromptKV(counts, int(in))
	pools := o.c.Cluster.Pools
	var all []pairOf
	var walk func(a, b []int)
	walk = func(a, b []int) {
		if k := len(a); k < len(pools) {
			for n := 0; n <= pools[k].Count.Max; n++ {
				for m := 0; n+m <= pools[k].Count.Max; m++ {
					if o.c.Goal.AllowIdle || n+m == pools[k].Count.Max {
						walk(append(slices.Clone(a), n), append(slices.Clone(b), m))
					}
				}
			}
			return
		}
		if sum(a) == 0 || sum(b) == 0 {
			return
		}
		hosts, price := map[string]bool{}, 0.0
		for k := range pools {
			for _, x := range append(taken(pools[k].Nodes, a[k], false), taken(pools[k].Nodes, b[k], true)...) {
				hosts[x.Host] = true
			}
			price += pools[k].USDPerHour * float64(a[k]+b[k])
		}
		latency, perByte := 0.0, 0.0
		for k := range pools {
			for l := range pools {
				if a[k] > 0 && b[l] > 0 {
					x, y := o.calc.Handover(k, l, len(hosts) == 1)
					latency, perByte = max(latency, x), max(perByte, y)
				}
			}
		}
		for _, p := range o.plans(t, inputs.Prefill, a) {
			for _, q := range o.plans(t, inputs.Decode, b) {
				x := pairOf{ttft: p.ttft + latency + perByte*longest*max(p.share, q.share), tpot: q.round, gpus: sum(a) + sum(b), price: price, wide: p.wide || q.wide}
				x.e2e = x.ttft + (out-1)*x.tpot
				period := max(p.period, q.period, perByte*mean*p.share/float64(p.replicas), perByte*mean*q.share/float64(q.replicas))
				x.tokens, x.output = (in+out)/period, out/period
				all = append(all, x)
			}
		}
	}
	walk(nil, nil)
	return all
}

// miss is by which share a pair misses what is asked.
func (x *pairOf) miss(c *inputs.Condition) float64 {
	worst, keep := 1.0, 1-formulation.Margin(c)
	for _, q := range c.Goal.Requirements {
		switch q.Kind {
		case inputs.TTFT:
			worst = max(worst, x.ttft/q.Value/keep)
		case inputs.TPOT:
			worst = max(worst, x.tpot/q.Value/keep)
		case inputs.EndToEnd:
			worst = max(worst, x.e2e/q.Value/keep)
		case inputs.TokensPerSecond:
			worst = max(worst, q.Value/x.tokens/keep)
		case inputs.OutputPerSGPU:
			worst = max(worst, q.Value/(x.output/float64(x.gpus))/keep)
		case inputs.CostUSDPerHour:
			worst = max(worst, x.price/q.Value)
		}
	}
	return worst - 1
}

// best is the least of a value over pairs that miss no more than a share.
func best(c *inputs.Condition, list []pairOf, missed float64, wide bool, value func(*pairOf) float64) float64 {
	low := math.Inf(1)
	for i := range list {
		if x := &list[i]; (wide || !x.wide) && x.miss(c) <= missed+1e-9 {
			low = min(low, value(x))
		}
	}
	return low
}

// Every tiny condition: the split and the plans of both sides are the best of all, the
// closest plan misses by least, no plan means that there is none, and each plan verifies.
func TestDisaggregatedOptimumOfEveryPlan(t *testing.T) {
	seen := map[string]int{}
	for seed := uint64(0); seen["met"] < 60; seed++ {
		seen[apartCase(t, seed)]++
		if t.Failed() {
			return
		}
	}
	t.Logf("%v", seen)
	if seen["closest"] < 10 || seen["none"] < 3 || seen["wide"] > 40 {
		t.Errorf("the generator says too little: %v", seen)
	}
}

// apartCondition draws one that keeps prefill and decode apart; false where it is none.
func apartCondition(d draw) (*inputs.Condition, bool) {
	c := d.condition()
	w := &c.Workload
	if w.Phase != inputs.Mixed || len(c.Model.Layers) > 3 {
		return nil, false
	}
	total := 0
	for _, p := range c.Cluster.Pools {
		if p.Nodes == nil {
			return nil, false
		}
		total += p.Count.Max
	}
	if total < 2 || total > 4 {
		return nil, false
	}
	c.Goal.Placement, c.Goal.Balance = inputs.Disaggregated, ptr(pick(d, 0.5, 1, 1))
	c.Goal.Objective = pick(d, inputs.Balanced, inputs.Balanced, inputs.Latency, inputs.Throughput)
	if c.Goal.AllowIdle && d.chance(40) {
		c.Goal.Objective = pick(d, inputs.GPUs, inputs.Cost)
	}
	if d.chance(30) { // a link that is worth arranging plans for
		c.Cluster.Network.BytesPerSecond = 1e8
	}
	return c, true
}

func apartCase(t *testing.T, seed uint64) string {
	d := newDraw(seed)
	c, ok := apartCondition(d)
	if !ok {
		return "not drawn"
	}
	calc, err := cost.New(c)
	if err != nil {
		t.Fatal(err)
	}
	o := &apartOracle{c: c, calc: calc, known: map[string][]sidePlan{}}
	all := o.pairs(t)
	if len(all) > 0 { // requirements near what some plan reaches
		x := all[d.IntN(len(all))]
		ask := func(kind inputs.RequirementKind, value float64) {
			if d.chance(45) {
				c.Goal.Requirements = append(c.Goal.Requirements, inputs.Requirement{Kind: kind, Value: value})
			}
		}
		ease := pick(d, 0.3, 0.9, 1.3, 2)
		ask(inputs.TTFT, x.ttft*ease)
		ask(inputs.TPOT, x.tpot*ease)
		ask(inputs.TokensPerSecond, x.tokens/ease)
		ask(inputs.EndToEnd, x.e2e*ease)
		ask(inputs.OutputPerSGPU, x.output/float64(x.gpus)/ease)
	}
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	fail := func(format string, args ...any) string {
		t.Helper()
		t.Errorf("seed %d: %s\n%s", seed, fmt.Sprintf(format, args...), describe(c))
		return "wrong"
	}
	if rep.Plan == nil {
		if best(c, all, math.Inf(1), false, func(*pairOf) float64 { return 0 }) == 0 && (c.Goal.AllowIdle || len(all) > 0) {
			return fail("no plan, and there is one")
		}
		if rep.Status != results.StatusInfeasible {
			return fail("status %s", rep.Status)
		}
		return "none"
	}
	v, err := verify.CheckWith(rep.Plan, c, verify.Options{Closest: !rep.Feasible})
	if err != nil || !v.OK {
		return fail("not verified: %v %+v", err, verify.Violations(v))
	}
	if len(all) == 0 {
		return "idle" // no split of all GPUs holds the model on both sides
	}
	if rep.Status == results.StatusFeasible {
		return fail("not proved")
	}
	return apartAgrees(c, all, rep, fail)
}

// apartAgrees holds a proved plan against all pairs. Plans that the search does not promise
// to look at may be found and need not be.
func apartAgrees(c *inputs.Condition, all []pairOf, rep *results.Report, fail func(string, ...any) string) string {
	const near = 1e-5 // whole ticks
	inf := math.Inf(1)
	m := &rep.Plan.Disaggregated.Metrics
	mine := pairOf{ttft: *m.TTFTMS / 1e3, tpot: *m.TPOTMS / 1e3, e2e: *m.E2EMS / 1e3, tokens: *m.TokensPerS, output: *m.OutputTokensPerS, gpus: rep.Plan.Disaggregated.GPUs.Used}
	if m.USDPerHour != nil {
		mine.price = *m.USDPerHour
	}
	miss := func(x *pairOf) float64 { return x.miss(c) }
	promised, possible := best(c, all, inf, false, miss), best(c, all, inf, true, miss)
	got := mine.miss(c)
	if got > promised*(1+near)+near || got < possible*(1-near)-near {
		return fail("misses by %g, the least is %g", got, promised)
	}
	if rep.Feasible != (got <= 1e-9) || promised < possible {
		if promised == possible {
			return fail("feasible %t at a miss of %g", rep.Feasible, got)
		}
		return "wide"
	}
	left := slices.DeleteFunc(slices.Clone(all), func(x pairOf) bool { return x.miss(c) > got*(1+1e-9)+1e-9 })
	rank := func(x *pairOf) float64 { return 0 }
	switch c.Goal.Objective {
	case inputs.GPUs:
		rank = func(x *pairOf) float64 { return float64(x.gpus) }
	case inputs.Cost:
		rank = func(x *pairOf) float64 { return x.price }
	}
	if rep.Feasible {
		first := best(c, left, inf, false, rank)
		if best(c, left, inf, true, rank) < first {
			return "wide"
		}
		if math.Abs(rank(&mine)-first) > near*first {
			return fail("%g GPUs or USD an hour, %g are enough", rank(&mine), first)
		}
		left = slices.DeleteFunc(left, func(x pairOf) bool { return rank(&x) > first*(1+near) })
	}
	latency := func(x *pairOf) float64 { return x.e2e }
	perToken := func(x *pairOf) float64 { return 1 / x.tokens }
	value := latency
	switch c.Goal.Objective {
	case inputs.Latency:
	case inputs.Throughput:
		value = perToken
	default:
		l, k := best(c, left, inf, false, latency), best(c, left, inf, false, perToken)
		if best(c, left, inf, true, latency) < l*(1-near) || best(c, left, inf, true, perToken) < k*(1-near) {
			return "wide"
		}
		a, b := c.Goal.LatencyWeight, c.Goal.ThroughputWeight
		if a <= 0 && b <= 0 {
			a, b = 1, 1
		}
		value = func(x *pairOf) float64 { return a*x.e2e/l + b/x.tokens/k }
	}
	promised, possible = best(c, left, inf, false, value), best(c, left, inf, true, value)
	if x := value(&mine); x > promised*(1+near) || x < possible*(1-near) {
		return fail("objective %g of the plan, the best of all is %g (%g beyond what is promised)", x, promised, possible)
	}
	if x := rep.Plan.Disaggregated.Solve.Objective; math.Abs(x-value(&mine)) > near*x {
		return fail("objective %g stated, %g by its metrics", x, value(&mine))
	}
	if rep.Feasible {
		return "met"
	}
	return "closest"
}

// TestDisaggregatedTwice: the same condition gives the same bytes.
func TestDisaggregatedTwice(t *testing.T) {
	c, err := read.Load(read.Options{Paths: []string{"../examples/disaggregated/llama-3.1-70b-fp8-2x8-h100.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	var text [2]string
	for i := range text {
		rep, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Status != results.StatusOptimal || !rep.Feasible {
			t.Fatalf("%s: %v", rep.Status, rep.Reasons)
		}
		rep.Plan.Disaggregated.Solve.TimeMS = 0
		for j := range rep.Plan.Phases {
			rep.Plan.Phases[j].Solve.TimeMS = 0
		}
		data, err := json.Marshal(rep.Plan)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(data)
	}
	if text[0] != text[1] {
		t.Error("two runs differ")
	}
}
