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
	ratio                      float64 // shortest over longest stage
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
	ttft, tpot, e2e, tokens, output, price, ratio float64
	gpus                                          int
	wide                                          bool
}

// rented are nodes for GPUs of an open number from a node on, as full as they can be.
func rented(p *inputs.Pool, node, gpu, gpus int) []inputs.Node {
	var out []inputs.Node
	for ; gpus > 0; node, gpu = node+1, 0 {
		n := inputs.Node{Host: fmt.Sprintf("%s-%d", p.Name, node)}
		for ; len(n.GPUs) < min(gpus, p.GPUsPerNode); gpu++ {
			n.GPUs = append(n.GPUs, fmt.Sprintf("%s/%d", n.Host, gpu))
		}
		gpus -= len(n.GPUs)
		out = append(out, n)
	}
	return out
}

// side is the condition of one side with GPUs of nodes of each pool, and false where it
// has no GPUs.
func (o *apartOracle) side(phase inputs.Phase, nodes [][]inputs.Node, batch int) (*inputs.Condition, bool) {
	c := *o.c
	c.Workload.Phase, c.Workload.Batch = phase, batch
	c.Cluster.Pools = nil
	for k := range nodes {
		p, n := o.c.Cluster.Pools[k], gpusOf(nodes[k])
		if n == 0 {
			continue
		}
		p.Nodes, p.Count, p.GPUsPerNode = nodes[k], inputs.Count{Min: n, Max: n}, 0
		for _, x := range p.Nodes {
			p.GPUsPerNode = max(p.GPUsPerNode, len(x.GPUs))
		}
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	return &c, len(c.Cluster.Pools) > 0
}

func gpusOf(nodes []inputs.Node) int {
	n := 0
	for _, x := range nodes {
		n += len(x.GPUs)
	}
	return n
}

// plans lists the plans of a side that use all its GPUs and that none beats in every figure.
func (o *apartOracle) plans(t *testing.T, phase inputs.Phase, nodes [][]inputs.Node) []sidePlan {
	key := fmt.Sprint(phase, nodes)
	if list, ok := o.known[key]; ok {
		return list
	}
	total := 0
	for _, list := range nodes {
		total += gpusOf(list)
	}
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
		c, ok := o.side(phase, nodes, batch)
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
			if !x.all || c.Goal.Balance != nil && x.ratio < 1-*c.Goal.Balance || phase == inputs.Prefill && (batch%x.replicas != 0 || each&(each-1) != 0) {
				continue
			}
			p := sidePlan{ttft: x.ttft, round: x.round, period: x.round / float64(batch), ratio: x.ratio, replicas: x.replicas, wide: x.wide}
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
			covers := q.ttft <= p.ttft && q.round <= p.round && q.period <= p.period && q.share <= p.share && q.ratio >= p.ratio && q.replicas >= p.replicas && (!q.wide || p.wide)
			strictly := q.ttft < p.ttft || q.round < p.round || q.period < p.period || q.share < p.share || q.ratio > p.ratio || q.replicas > p.replicas || p.wide && !q.wide
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
	a, b := make([][]inputs.Node, len(pools)), make([][]inputs.Node, len(pools))
	judge := func() {
		hosts, price, gpus := map[string]bool{}, 0.0, 0
		latency, perByte := 0.0, 0.0
		for k := range pools {
			n := gpusOf(a[k]) + gpusOf(b[k])
			if count := pools[k].Count; n > count.Max || n < count.Min && (!count.Stated() || !o.c.Goal.AllowIdle) {
				return
			}
			gpus, price = gpus+n, price+pools[k].USDPerHour*float64(n)
			for _, x := range slices.Concat(a[k], b[k]) {
				hosts[x.Host] = true
			}
		}
		for k := range pools {
			for l := range pools {
				if len(a[k]) > 0 && len(b[l]) > 0 {
					x, y := o.calc.Handover(k, l, len(hosts) == 1)
					latency, perByte = max(latency, x), max(perByte, y)
				}
			}
		}
		for _, p := range o.plans(t, inputs.Prefill, a) {
			for _, q := range o.plans(t, inputs.Decode, b) {
				x := pairOf{ttft: p.ttft + latency + perByte*longest*max(p.share, q.share), tpot: q.round, gpus: gpus, price: price, ratio: min(p.ratio, q.ratio), wide: p.wide || q.wide}
				x.e2e = x.ttft + (out-1)*x.tpot
				period := max(p.period, q.period, perByte*mean*p.share/float64(p.replicas), perByte*mean*q.share/float64(q.replicas))
				x.tokens, x.output = (in+out)/period, out/period
				all = append(all, x)
			}
		}
	}
	var walk func(pool, node int)
	walk = func(pool, node int) { // how many GPUs of a node prefill, and how many decode
		switch {
		case pool == len(pools):
			judge()
			return
		case node > 0 && node == len(pools[pool].Nodes):
			walk(pool+1, 0)
			return
		}
		first, second := a[pool], b[pool]
		if p := &pools[pool]; p.Nodes == nil {
			for n := 0; n <= p.Count.Max; n++ {
				for m := 0; n+m <= p.Count.Max; m++ {
					a[pool], b[pool] = rented(p, 0, 0, n), rented(p, (n+p.GPUsPerNode-1)/p.GPUsPerNode, 0, m)
					if n+m <= p.GPUsPerNode {
						b[pool] = rented(p, 0, n, m)
					}
					walk(pool+1, 0)
				}
			}
			a[pool], b[pool] = first, second
			return
		}
		x := pools[pool].Nodes[node]
		for n := 0; n <= len(x.GPUs); n++ {
			for m := 0; n+m <= len(x.GPUs); m++ {
				a[pool], b[pool] = slices.Clone(first), slices.Clone(second)
				if n > 0 {
					a[pool] = append(a[pool], inputs.Node{Host: x.Host, GPUs: x.GPUs[:n]})
				}
				if m > 0 {
					b[pool] = append(b[pool], inputs.Node{Host: x.Host, GPUs: x.GPUs[len(x.GPUs)-m:]})
				}
				walk(pool, node+1)
			}
		}
		a[pool], b[pool] = first, second
	}
	walk(0, 0)
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
		total += p.Count.Max
	}
	if total < 2 || total > 5 {
		return nil, false
	}
	c.Goal.Placement = inputs.Disaggregated
	if c.Goal.Balance = nil; d.chance(75) {
		c.Goal.Balance = ptr(pick(d, 0.5, 1, 1))
	}
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
	all := (&apartOracle{c: c, calc: calc, known: map[string][]sidePlan{}}).pairs(t)
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
		ask(inputs.CostUSDPerHour, x.price*ease)
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
	if math.IsInf(best(c, all, math.Inf(1), false, func(*pairOf) float64 { return 0 }), 1) {
		return "idle" // no split of all GPUs holds the model on both sides
	}
	if rep.Status == results.StatusFeasible {
		return fail("not proved")
	}
	even := 1 - formulation.DefaultBalance
	if c.Goal.Balance != nil {
		return apartAgrees(c, all, rep, fail)
	}
	// The default balance gives way where no plan that meets everything keeps it, or none at
	// all, and no more than it must.
	missed := 0.0
	if !rep.Feasible {
		missed = math.Inf(1)
	}
	if most := -best(c, all, missed, false, func(x *pairOf) float64 { return -x.ratio }); most < even {
		even = most - 0.003
	}
	for i := range rep.Plan.Phases {
		if r := rep.Plan.Phases[i].Balance.TimeMinOverMax; r < even {
			return fail("%s has stages of %g, and %g is met", rep.Plan.Phases[i].Phase, r, even)
		}
	}
	got := apartAgrees(c, slices.DeleteFunc(all, func(x pairOf) bool { return x.ratio < even }), rep, fail)
	if even < 1-formulation.DefaultBalance && got != "wrong" {
		return "lowered"
	}
	return got
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
	open := slices.ContainsFunc(c.Cluster.Pools, func(p inputs.Pool) bool { return !p.Count.Stated() })
	rank := func(x *pairOf) float64 { return 0 }
	switch {
	case c.Goal.Objective == inputs.Cost:
		rank = func(x *pairOf) float64 { return x.price }
	case c.Goal.Objective == inputs.GPUs, open && len(c.Goal.Requirements) > 0:
		rank = func(x *pairOf) float64 { return float64(x.gpus) }
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
	perToken := func(x *pairOf) float64 {
		if open {
			return float64(x.gpus) / x.tokens
		}
		return 1 / x.tokens
	}
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
		value = func(x *pairOf) float64 { return a*x.e2e/l + b*perToken(x)/k }
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
