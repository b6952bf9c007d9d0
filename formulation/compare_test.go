package formulation

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/cost"
	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
	"partita/solver/path"
)

// testPool is a pool of equal GPUs; hosts are named by the caller, so that two
// pools can share them.
func testPool(name string, hosts []string, gpus int, gib float64, flops, link float64) inputs.Pool {
	p := inputs.Pool{
		Name: name, GPUsPerNode: gpus, MemoryBytes: int64(gib * (1 << 30)), Utilization: 0.9,
		Count: inputs.Count{Min: len(hosts) * gpus, Max: len(hosts) * gpus},
		Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: link},
		Accelerator: inputs.Accelerator{
			Name: name, Generation: "hopper", MemoryBandwidth: 2e12,
			FLOPS: map[inputs.DType]float64{inputs.BF16: flops},
		},
	}
	for _, h := range hosts {
		n := inputs.Node{Host: h}
		for j := range gpus {
			n.GPUs = append(n.GPUs, fmt.Sprintf("%s/%s-%d", h, name, j))
		}
		p.Nodes = append(p.Nodes, n)
	}
	return p
}

// testModel is a Llama-like model; with experts every layer routes to 2 of 8.
func testModel(layers, heads int, experts bool) inputs.Model {
	m := inputs.Model{
		Name: "test", Hidden: heads * 128, Vocab: 32000, FFNScale: 1,
		Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16,
		Kinds: []inputs.LayerKind{{
			Name:      "layer",
			Attention: inputs.Attention{Kind: inputs.GQA, Heads: heads, KVHeads: min(8, heads), HeadDim: 128, VHeadDim: 128},
			FFN:       inputs.FFN{Intermediate: heads * 448, Gated: true},
		}},
		Layers: make([]int, layers),
	}
	if experts {
		m.Kinds[0].FFN = inputs.FFN{Intermediate: heads * 64, Gated: true, Experts: 8, TopK: 2}
	}
	return m
}

// testCondition serves batch prompts of 512 tokens with 128 tokens each.
func testCondition(m inputs.Model, phase inputs.Phase, batch int, pools ...inputs.Pool) *inputs.Condition {
	return &inputs.Condition{
		Name: "test", Model: m,
		Cluster:  inputs.Cluster{Pools: pools, Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 25e9}},
		Workload: inputs.Workload{Phase: phase, Batch: batch, Input: inputs.Range{Min: 256, Max: 768}, Output: inputs.Range{Min: 128, Max: 128}},
		Goal:     inputs.Goal{Objective: inputs.Balanced},
	}
}

func hosts(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("node-%d", i))
	}
	return out
}

// anyCondition draws a small one: one or two pools, on hosts of their own or shared.
func anyCondition(t *rapid.T) *inputs.Condition {
	m := testModel(rapid.IntRange(1, 7).Draw(t, "layers"), rapid.SampledFrom([]int{4, 6, 8}).Draw(t, "heads"), rapid.Bool().Draw(t, "experts"))
	phase := rapid.SampledFrom([]inputs.Phase{inputs.Mixed, inputs.Decode, inputs.Prefill}).Draw(t, "phase")
	gib := rapid.SampledFrom([]float64{3.2, 4, 8}).Draw(t, "GiB")
	pools := []inputs.Pool{testPool("fast", hosts(rapid.IntRange(1, 2).Draw(t, "nodes")), rapid.IntRange(1, 4).Draw(t, "GPUs"), gib, 4e14, 3e11)}
	if rapid.IntRange(0, 2).Draw(t, "second pool") == 0 {
		on := hosts(rapid.IntRange(1, 2).Draw(t, "its nodes"))
		if rapid.Bool().Draw(t, "apart") {
			on = []string{"other"}
		}
		pools = append(pools, testPool("slow", on, rapid.IntRange(1, 2).Draw(t, "its GPUs"), 6, 2e14, 6e10))
	}
	c := testCondition(m, phase, rapid.IntRange(1, 12).Draw(t, "batch"), pools...)
	c.Goal.Objective = rapid.SampledFrom([]inputs.ObjectiveKind{inputs.Balanced, inputs.Latency, inputs.Throughput, inputs.GPUs}).Draw(t, "objective")
	c.Goal.AllowIdle = rapid.Bool().Draw(t, "idle")
	if rapid.IntRange(0, 3).Draw(t, "count") == 0 && len(pools) == 1 {
		p := &c.Cluster.Pools[0]
		p.Nodes, p.Count = nil, inputs.Count{Min: 1, Max: p.Count.Max}
	}
	if rapid.IntRange(0, 3).Draw(t, "asked") == 0 {
		c.Goal.Requirements = []inputs.Requirement{{Kind: inputs.TokensPerSecond, Value: rapid.Float64Range(10, 1e5).Draw(t, "tokens/s")}}
	}
	return c
}

// TestNoHeuristicBeatsTheOptimum: on any condition, every heuristic has one line; a
// feasible one has an objective that is not below the proved one, others a reason.
func TestNoHeuristicBeatsTheOptimum(t *testing.T) { noHeuristicBeats(t, anyCondition) }

// TestNoHeuristicBeatsTheRules: the same under a rule, which a feasible one keeps.
func TestNoHeuristicBeatsTheRules(t *testing.T) { noHeuristicBeats(t, ruledCondition) }

// ruledCondition draws a small one under a rule.
func ruledCondition(t *rapid.T) *inputs.Condition {
	c := anyCondition(t)
	expr := rapid.SampledFrom([]string{
		"tp <= 2", "same_tp && same_pool", "pp <= 2", "pp * tp <= 4", "layers <= (total_layers + pp - 1) / pp", "micro_batches >= pp || micro_batches == 0",
		"replicas * tp <= 4", "same_ep || layers <= 2", "gpus <= 4 * stage_gpus", "decode_groups <= pp",
	}).Draw(t, "rule")
	c.Rules = []inputs.Rule{{Name: "rule", Expr: expr}}
	return c
}

func noHeuristicBeats(t *testing.T, draw func(*rapid.T) *inputs.Condition) {
	compared, placed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c := draw(t)
		rep, err := Optimize(t.Context(), c, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Plan == nil {
			return
		}
		solve := rep.Plan.Phases[0].Solve
		if len(rep.Plan.Comparison) != len(heuristic.All()) {
			t.Fatalf("%d lines for %d heuristics", len(rep.Plan.Comparison), len(heuristic.All()))
		}
		for i, h := range rep.Plan.Comparison {
			switch {
			case h.Heuristic != heuristic.All()[i].Name || h.TimeMS != 0:
				t.Fatalf("line %d: %+v", i, h)
			case h.Feasible && !rep.Feasible:
				t.Fatalf("%s (%s) meets what is proved impossible", h.Heuristic, h.Strategy)
			case h.Feasible && (*h.Objective < solve.Objective || *h.GapPercent < 0):
				t.Fatalf("%s (%s): %v, the optimum is %v", h.Heuristic, h.Strategy, *h.Objective, solve.Objective)
			case h.Feasible && h.WhyInfeasible != "" || !h.Feasible && (h.WhyInfeasible == "" || h.Objective != nil || h.GapPercent != nil):
				t.Fatalf("%+v", h)
			case h.Feasible:
				compared++
			}
			placed += comesTo(t, c, rep, h)
		}
	})
	if compared == 0 || placed == 0 {
		t.Errorf("%d heuristics were feasible, %d broke a condition and had figures", compared, placed)
	}
}

// comesTo: what a heuristic comes to on the axes of the plan. One that meets everything
// has figures, beats the plan in one axis at most, and has those of the plan where its
// objective is the plan's and one of them is too. It counts one that meets not everything
// and has figures all the same.
func comesTo(t *rapid.T, c *inputs.Condition, rep *results.Report, h results.Comparison) int {
	ph := &rep.Plan.Phases[0]
	if (h.LatencyMS == nil) != (h.TokensPerS == nil) || (h.LatencyMS == nil) != (h.GPUs == 0) {
		t.Fatalf("half of the figures: %+v", h)
	}
	if h.LatencyMS == nil {
		if h.Feasible {
			t.Fatalf("%s meets everything and has no figures", h.Heuristic)
		}
		return 0
	}
	latency, tokens := *h.LatencyMS/(*ph.Metrics.E2EMS), *h.TokensPerS/(*ph.Metrics.TokensPerS)
	each := tokens * float64(ph.GPUs.Used) / float64(h.GPUs) // what counts where the number is open
	switch {
	case !h.Feasible:
		return 1
	case latency < 1-1e-6 && min(tokens, each) > 1+1e-6:
		t.Fatalf("%s (%s) is faster (%v) and makes more (%v) than the proved optimum", h.Heuristic, h.Strategy, latency, tokens)
	case c.Goal.Objective == inputs.Balanced && h.GPUs == ph.GPUs.Used && *h.Objective == ph.Solve.Objective && (math.Abs(latency-1) > 1e-5) != (math.Abs(tokens-1) > 1e-5):
		t.Fatalf("%s (%s) has the objective of the plan, %v of its latency and %v of its throughput", h.Heuristic, h.Strategy, latency, tokens)
	}
	return 0
}

// TestEvaluatorAgreesWithTheGraph: on random paths of random graphs the evaluator sees
// the times, memory and value that the path problem sees.
func TestEvaluatorAgreesWithTheGraph(t *testing.T) {
	walked := 0
	rapid.Check(t, func(t *rapid.T) {
		c := anyCondition(t)
		space, err := stagegraph.New(c)
		if err != nil {
			t.Fatal(err)
		}
		g := newGoal(space)
		counts := g.layoutsOf()
		all := counts.all()
		if len(all) == 0 {
			return
		}
		l := rapid.SampledFrom(all).Draw(t, "layout")
		value := func(*stagegraph.Layout) coefficients { return coefficients{2, 3} }
		x := newEvaluator(&explorer{space: space, goal: g}, pass{value: value, layouts: all, num: 1, den: 10}, 1e-5, [2]float64{1e-5, 1e-5})
		ch := stagegraph.Choice{Layout: l, Micro: rapid.SampledFrom(g.micros(l)).Draw(t, "micro"), Groups: rapid.SampledFrom(g.groups(l)).Draw(t, "groups")}
		graph := x.build(ch)
		stages, ok := walk(t, graph.Problem)
		if !ok {
			return
		}
		walked++
		pipe, err := space.Pipeline(l, graph.Parts(stages))
		if err != nil {
			t.Fatalf("%v of %v", err, stages)
		}
		want := graph.Problem.Value(stages)
		tm := x.termsOf(l)
		var metric [2]int64
		for ph := range 2 {
			sum, peak, low := pipe.Ticks(ph, ch.Micro, ch.Groups, tm.scale)
			if sum != want.Sum[ph] || peak != want.Peak[ph] || low != want.Low[ph] {
				t.Fatalf("phase %d: Λ %d, T %d, least %d; the graph says %+v", ph, sum, peak, low, want)
			}
			metric[ph] = g.phases(ch)[ph].Metric(sum, peak)
		}
		v := x.pair(tm, figures{metric: metric[0]}, figures{metric: metric[1], low: 1, peak: 1})
		if v.Feasible() && v.Value != float64(want.Objective)*x.unit {
			t.Fatalf("value %v, the graph says %d ticks of %v", v.Value, want.Objective, x.unit)
		}
		if !fits(pipe, ch.Micro, ch.Groups) {
			t.Fatal("a stage of the graph does not fit")
		}
		// The verdict is at least as good as this very path under this very choice.
		if _, err := graph.Problem.Evaluate(stages); err == nil {
			p := heuristic.Proposal{Replicas: l.Replicas, Parts: graph.Parts(stages)}
			if got := x.judge(p); !got.Feasible() || got.Value > v.Value {
				t.Fatalf("judged %+v, the path reaches %v", got, v.Value)
			}
		}
	})
	if walked == 0 {
		t.Error("no graph had a path")
	}
}

// walk draws a path from the first boundary to the last, whether or not it keeps the
// counts.
func walk(t *rapid.T, p *path.Problem) ([]path.Stage, bool) {
	var out []path.Stage
	for at := 0; at < p.Boundaries-1; {
		var next []path.Stage
		for to := at + 1; to < p.Boundaries; to++ {
			class := p.ClassOf(at, to)
			for o := range p.Options[class] {
				next = append(next, path.Stage{From: at, To: to, Class: class, Option: int32(o)})
			}
		}
		if len(next) == 0 {
			return nil, false
		}
		st := rapid.SampledFrom(next).Draw(t, "stage")
		out, at = append(out, st), st.To
	}
	return out, true
}

// lineOf is the line of a heuristic in the comparison of a condition.
func lineOf(t *testing.T, c *inputs.Condition, name string) results.Comparison {
	t.Helper()
	rep, err := Optimize(t.Context(), c, Options{Backend: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Plan == nil {
		t.Fatalf("no plan: %v", rep.Reasons)
	}
	for _, h := range rep.Plan.Comparison {
		if h.Heuristic == name {
			return h
		}
	}
	t.Fatalf("no line of %s", name)
	return results.Comparison{}
}

// TestWhyInfeasible: the first condition violated is named, with numbers.
func TestWhyInfeasible(t *testing.T) {
	fast := testPool("fast", hosts(2), 4, 80, 4e14, 3e11)
	slow := testPool("slow", []string{"other"}, 4, 80, 4e13, 6e10)
	big := testCondition(testModel(80, 64, false), inputs.Mixed, 8, fast)
	for _, x := range []struct {
		name      string
		condition *inputs.Condition
		change    func(*inputs.Condition)
		heuristic string
		want      []string
	}{
		{"memory", big, nil, "aiconfigurator-grid", nil}, // fits in four: feasible
		{"memory of a group", testCondition(testModel(80, 64, false), inputs.Mixed, 8, testPool("small", hosts(4), 4, 16, 4e14, 3e11)), nil, "aiconfigurator-grid", []string{"stage 0 needs", "GiB of 14.4 GiB on each GPU"}},
		{"count", testCondition(testModel(8, 8, false), inputs.Mixed, 8, fast, slow), func(c *inputs.Condition) { eps := 1.0; c.Goal.Balance = &eps }, "aiconfigurator-grid", []string{"uses", "of 8 fast", "of 4 slow", "all are to be used"}},
		{"balance", testCondition(testModel(20, 16, false), inputs.Prefill, 4, fast, slow), nil, "vllm-default", []string{"balance: the fastest stage takes 0.", "of the slowest, the floor is 0.750"}},
		{"TTFT", big, require(inputs.TTFT, 0.1), "vllm-default", []string{"TTFT", " s, 0.09 asked (0.1 less 10 % margin)"}},
		{"TPOT", big, require(inputs.TPOT, 1e-3), "megatron", []string{"TPOT", " ms, 0.9 asked (1 less 10 % margin)"}},
		{"throughput", big, require(inputs.TokensPerSecond, 9000), "megatron", []string{"throughput", "tokens/s, 1e+04 asked (9000 over 1 less 10 % margin)"}},
		{"cost", big, func(c *inputs.Condition) {
			c.Cluster.Pools[0].USDPerHour = 2
			require(inputs.CostUSDPerHour, 10)(c)
		}, "megatron", []string{"costs 16 USD an hour, 10 asked"}},
		{"one GPU of 24 GiB", testCondition(testModel(80, 64, false), inputs.Mixed, 1, testPool("small", hosts(1), 1, 24, 4e14, 3e11)), nil, "vllm-default", []string{"stage 0 needs", "GiB of 21.6 GiB on each GPU"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := *x.condition
			c.Cluster.Pools = append([]inputs.Pool(nil), c.Cluster.Pools...)
			if x.change != nil {
				x.change(&c)
			}
			h := lineOf(t, &c, x.heuristic)
			if len(x.want) == 0 {
				if !h.Feasible {
					t.Errorf("%+v", h)
				}
				return
			}
			for _, w := range x.want {
				if h.Feasible || !strings.Contains(h.WhyInfeasible, w) {
					t.Errorf("feasible %v, why %q: want %q", h.Feasible, h.WhyInfeasible, w)
				}
			}
		})
	}
}

func require(kind inputs.RequirementKind, value float64) func(*inputs.Condition) {
	return func(c *inputs.Condition) { c.Goal.Requirements = []inputs.Requirement{{Kind: kind, Value: value}} }
}

// TestComparisonIsDeterministic: the same lines twice; Compare gives the same and the
// times besides.
func TestComparisonIsDeterministic(t *testing.T) {
	c := testCondition(testModel(24, 32, true), inputs.Mixed, 32, testPool("fast", hosts(2), 8, 80, 4e14, 3e11))
	opts := Options{Backend: "labels"}
	first, err := Optimize(t.Context(), c, opts)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Optimize(t.Context(), c, opts)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first.Plan.Comparison, second.Plan.Comparison) {
		t.Errorf("two runs differ:\n%+v\n%+v", first.Plan.Comparison, second.Plan.Comparison)
	}
	timed, err := Compare(t.Context(), c, opts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range timed.Plan.Comparison {
		h := &timed.Plan.Comparison[i]
		if h.TimeMS <= 0 {
			t.Errorf("%s has no time", h.Heuristic)
		}
		h.TimeMS = 0
	}
	if !reflect.DeepEqual(first.Plan.Comparison, timed.Plan.Comparison) {
		t.Errorf("Compare differs from Optimize:\n%+v\n%+v", timed.Plan.Comparison, first.Plan.Comparison)
	}
}

// TestOneLine: strategies as people write them.
func TestOneLine(t *testing.T) {
	tensor := func(q int) cost.Shape { return cost.Shape{TP: q, CP: 1, DPAttention: 1, EP: 1, ETP: q} }
	parts := func(sh cost.Shape, layers ...int) []stagegraph.Part {
		var out []stagegraph.Part
		at := 0
		for _, n := range layers {
			out = append(out, stagegraph.Part{First: at, Last: at + n - 1, Shape: sh})
			at += n
		}
		return out
	}
	mixed := parts(tensor(8), 30, 25)
	mixed[1].Pool, mixed[1].Shape = 1, tensor(4)
	uneven := parts(tensor(8), 30, 10, 15)
	uneven[2].Shape = tensor(4)
	two := testCondition(testModel(1, 8, false), inputs.Mixed, 1, testPool("A", nil, 8, 1, 1, 1), testPool("B", nil, 8, 1, 1, 1))
	one := testCondition(testModel(1, 8, false), inputs.Mixed, 1, testPool("A", nil, 8, 1, 1, 1))
	for _, x := range []struct {
		c          *inputs.Condition
		p          heuristic.Proposal
		want, kind string
	}{
		{one, heuristic.Proposal{}, "", ""},
		{one, heuristic.Proposal{Replicas: 4, Parts: parts(tensor(4), 40, 40)}, "4 replicas × PP2 × TP4, layers 40+40", "4 replicas × PP2 × TP4"},
		{two, heuristic.Proposal{Replicas: 4, Parts: parts(tensor(4), 40, 40)}, "4 replicas × PP2 × TP4 on A, layers 40+40", "4 replicas × PP2 × TP4 on A"},
		{one, heuristic.Proposal{Replicas: 1, Parts: parts(tensor(8), 80)}, "PP1 × TP8", "PP1 × TP8"},
		{one, heuristic.Proposal{Replicas: 2, Parts: parts(cost.Shape{TP: 2, CP: 1, DPAttention: 4, EP: 8, ETP: 1}, 61)}, "2 replicas × PP1 × TP2·EP8·DPA4", "2 replicas × PP1 × TP2·EP8·DPA4"},
		{one, heuristic.Proposal{Replicas: 1, Parts: parts(tensor(1), 8, 8, 8, 7, 7)}, "PP5 × TP1, layers 3×8+2×7", "PP5 × TP1"},
		{two, heuristic.Proposal{Replicas: 1, Parts: mixed}, "PP2: A TP8 layers 30, B TP4 layers 25", "PP2: A TP8, B TP4"},
		{one, heuristic.Proposal{Replicas: 1, Parts: uneven}, "PP3: TP8 layers 30+10, TP4 layers 15", "PP3: 2 × TP8, TP4"},
	} {
		if got := oneLine(x.c, x.p); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
		if got := kindLine(x.c, x.p); got != x.kind {
			t.Errorf("%q, want %q", got, x.kind)
		}
	}
}

// TestFewestGPUs: where the number is decided and the plan's is too few for a rule,
// its line says how many it needs.
func TestFewestGPUs(t *testing.T) {
	p := testPool("small", nil, 8, 64, 4e14, 3e11)
	p.Count = inputs.Count{Min: 1, Max: 64}
	c := testCondition(testModel(80, 64, false), inputs.Mixed, 1, p)
	c.Goal.Objective = inputs.GPUs
	h := lineOf(t, c, "aiconfigurator-grid")
	// 131 GiB of weights are three GPUs of 57.6 GiB; the grid has groups of 2 and 4.
	if want := "the fewest GPUs on which it meets everything are 4: PP1 × TP4"; h.Feasible || !strings.Contains(h.WhyInfeasible, want) {
		t.Errorf("feasible %v, why %q: want %q", h.Feasible, h.WhyInfeasible, want)
	}
}

// BenchmarkCompare is the whole comparison, the search aside.
func BenchmarkCompare(b *testing.B) {
	fast := testPool("fast", hosts(2), 8, 80, 4e14, 3e11)
	many := fast
	many.Nodes, many.Count = nil, inputs.Count{Min: 16384, Max: 16384}
	for _, x := range []struct {
		name string
		c    *inputs.Condition
	}{
		{"80 layers on 16 GPUs", testCondition(testModel(80, 64, false), inputs.Mixed, 64, fast)},
		{"80 layers of experts on 16 GPUs", testCondition(testModel(80, 64, true), inputs.Mixed, 64, fast)},
		{"126 layers on 16384 GPUs", testCondition(testModel(126, 128, false), inputs.Mixed, 8192, many)},
	} {
		b.Run(x.name, func(b *testing.B) {
			r, err := newRun(x.c, Options{Backend: "labels"})
			if err != nil {
				b.Fatal(err)
			}
			sol, err := r.solve(b.Context())
			if err != nil || sol.final.best == nil {
				b.Fatalf("no plan: %v", err)
			}
			for b.Loop() {
				r.compare(b.Context(), sol)
			}
		})
	}
}
