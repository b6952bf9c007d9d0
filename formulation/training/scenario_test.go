package training

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// small is a model of eight layers on a node of A100s, which a laptop solves in
// milliseconds and which has a layout for every number of GPUs up to eight.
func small(f failer, gpus int) *inputs.Condition {
	c := training(f, "Llama-3.1-8B", 16, 2048, cluster(f, 25e9, entry{"A100-SXM-80GB", gpus, 8}))
	c.Model.Layers = make([]int, 8)
	return c
}

func solved(t *testing.T, c *inputs.Condition, o Options) *Solution {
	t.Helper()
	o.Backend = "labels"
	sol, err := Solve(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return sol
}

func TestRequirementOutOfReach(t *testing.T) {
	c := small(t, 8)
	best := solved(t, c, Options{})
	c.Goal.Requirements = []inputs.Requirement{{Kind: inputs.StepTime, Value: best.Seconds / 2}, {Kind: inputs.CostUSDPerHour, Value: 100}}
	sol := solved(t, c, Options{Margin: 0.1})
	if sol.Status != results.StatusInfeasible || sol.Feasible || sol.Layout == nil {
		t.Fatalf("%s, feasible %v", sol.Status, sol.Feasible)
	}
	if math.Abs(sol.Seconds-best.Seconds) > 1e-6*best.Seconds {
		t.Errorf("the closest takes %g s, the best %g s", sol.Seconds, best.Seconds)
	}
	if got, want := sol.Nearest[inputs.StepTime], best.Seconds/0.9; math.Abs(got-want) > 1e-6*want || len(sol.Nearest) != 1 {
		t.Errorf("nearest %v, want a step of %g s", sol.Nearest, want)
	}
	c.Goal.Requirements[0].Value = sol.Nearest[inputs.StepTime] * (1 + 1e-6)
	if met := solved(t, c, Options{Margin: 0.1}); !met.Feasible || met.Status != results.StatusOptimal {
		t.Errorf("at its nearest value: %s, feasible %v", met.Status, met.Feasible)
	}
}

// What a layout reaches can be asked for, however little is left: also of many micro-batches,
// whose times are rounded.
func TestRequirementAsReached(t *testing.T) {
	c := small(t, 8)
	c.Workload.Batch = 4096
	best := solved(t, c, Options{})
	tokens := float64(c.Workload.Batch * c.Workload.Input.Max)
	for _, x := range []struct {
		kind  inputs.RequirementKind
		value float64
	}{{inputs.StepTime, best.Seconds}, {inputs.TokensPerSecond, tokens / best.Seconds}, {inputs.TokensPerSGPU, tokens / best.Seconds / 8}} {
		for _, more := range []float64{0, 1e-10, 1e-8, 1e-6} {
			for _, margin := range []float64{0, 0.1} {
				value := x.value * (1 - more) * (1 - margin)
				if x.kind.Upper() {
					value = x.value * (1 + more) / (1 - margin)
				}
				c.Goal.Requirements = []inputs.Requirement{{Kind: x.kind, Value: value}}
				if sol := solved(t, c, Options{Margin: margin}); !sol.Feasible || sol.Status != results.StatusOptimal || sol.Seconds > best.Seconds*(1+1e-9) {
					t.Errorf("%s %.17g, margin %g: %s, feasible %t, a step of %.17g s, the best takes %.17g", x.kind, value, margin, sol.Status, sol.Feasible, sol.Seconds, best.Seconds)
				}
			}
		}
	}
}

// Two requirements that no layout can meet together give way by the same share.
func TestRequirementsClash(t *testing.T) {
	c := small(t, 0)
	c.Cluster.Pools[0].Count, c.Cluster.Pools[0].Nodes = inputs.Count{Min: 1, Max: 8}, nil
	c.Cluster.Pools[0].USDPerHour = 10
	eight := solved(t, small(t, 8), Options{})
	c.Goal.Requirements = []inputs.Requirement{{Kind: inputs.StepTime, Value: eight.Seconds * 1.01}, {Kind: inputs.CostUSDPerHour, Value: 20}}
	sol := solved(t, c, Options{})
	if sol.Status != results.StatusInfeasible || sol.Layout == nil {
		t.Fatalf("%s, %v", sol.Status, sol.Reasons)
	}
	miss := func(l *Layout, seconds float64) float64 {
		return max(seconds/(eight.Seconds*1.01), float64(l.GPUs())*10/20)
	}
	least := math.Inf(1)
	for n := 1; n <= 8; n++ {
		if one := solved(t, small(t, n), Options{}); one.Feasible {
			least = min(least, miss(one.Layout, one.Seconds))
		}
	}
	if got := miss(sol.Layout, sol.Seconds); math.Abs(got-least) > 1e-6*least {
		t.Errorf("%d GPUs and %g s miss by %g, the least is %g", sol.Layout.GPUs(), sol.Seconds, got, least)
	}
}

func TestMemoryShort(t *testing.T) {
	c := training(t, "Llama-3.1-70B", 16, 2048, cluster(t, 50e9, entry{"A100-SXM-80GB", 8, 8}))
	sol := solved(t, c, Options{})
	if sol.Status != results.StatusInfeasible || sol.Feasible || sol.Layout == nil || !strings.Contains(strings.Join(sol.Reasons, " "), "GiB") {
		t.Fatalf("%s, feasible %v, layout %v, %v", sol.Status, sol.Feasible, sol.Layout, sol.Reasons)
	}
	n := sol.Layout.GPUs()
	if n <= 8 || n%8 != 0 || sol.Condition.Cluster.Pools[0].Count.Max != n || !fits(sol.Condition, calculator(t, c), sol.Layout) {
		t.Errorf("%d GPUs, the condition of the layout has %+v", n, sol.Condition.Cluster.Pools[0].Count)
	}
	fewer := training(t, "Llama-3.1-70B", 16, 2048, cluster(t, 50e9, entry{"A100-SXM-80GB", n - 8, 8}))
	if less := solved(t, fewer, Options{}); less.Feasible {
		t.Errorf("it fits on %d GPUs too: %+v", n-8, *less.Layout)
	}
	if c.Cluster.Pools[0].Count.Max != 8 || len(c.Cluster.Pools[0].Nodes) != 1 {
		t.Errorf("the condition itself was changed: %+v", c.Cluster.Pools[0].Count)
	}
}

func TestFewerGPUsThanStated(t *testing.T) {
	c := small(t, 11)
	c.Workload.Batch, c.Model.Layers = 4, c.Model.Layers[:4]
	sol := solved(t, c, Options{})
	// 9 and 10 need a factor 3 or 5 that neither batch, nor heads, nor layers divide by.
	if sol.Layout == nil || !sol.Feasible || sol.Layout.GPUs() != 8 || len(sol.Warnings) != 1 {
		t.Fatalf("%+v, %v", sol.Layout, sol.Warnings)
	}
	c.Goal.AllowIdle = true
	idle := solved(t, c, Options{})
	if !idle.Feasible || idle.Seconds > sol.Seconds*(1+1e-6) || len(idle.Warnings) != 0 {
		t.Errorf("with idle GPUs %g s, without %g s", idle.Seconds, sol.Seconds)
	}
}

// Where the number of GPUs is ours to choose it is the fewest that do, or the best by GPU.
func TestNumberOfGPUs(t *testing.T) {
	open := func(o inputs.ObjectiveKind, q ...inputs.Requirement) *inputs.Condition {
		c := small(t, 0)
		c.Cluster.Pools[0].Count, c.Cluster.Pools[0].Nodes = inputs.Count{Min: 1, Max: 8}, nil
		c.Goal.Objective, c.Goal.Requirements = o, q
		return c
	}
	var by [9]*Solution
	best := 0
	for n := 1; n <= 8; n++ {
		by[n] = solved(t, small(t, n), Options{})
		if by[n].Feasible && (best == 0 || float64(n)*by[n].Seconds < float64(best)*by[best].Seconds) {
			best = n
		}
	}
	limit := by[4].Seconds * (1 + 1e-6)
	few := solved(t, open(inputs.Balanced, inputs.Requirement{Kind: inputs.StepTime, Value: limit}), Options{})
	want := 4
	for n := 3; n >= 1; n-- {
		if by[n].Feasible && by[n].Seconds < limit {
			want = n
		}
	}
	if few.Layout == nil || few.Layout.GPUs() != want || few.Seconds > by[want].Seconds*(1+1e-6) {
		t.Errorf("%+v, want %d GPUs", few.Layout, want)
	}
	if each := solved(t, open(inputs.Throughput), Options{}); each.Layout.GPUs() != best || math.Abs(each.Solve.Objective-float64(best)*by[best].Seconds) > 1e-6*each.Solve.Objective {
		t.Errorf("%d GPUs at %g GPU-seconds, want %d", each.Layout.GPUs(), each.Solve.Objective, best)
	}
	if fast := solved(t, open(inputs.Latency), Options{}); math.Abs(fast.Seconds-by[8].Seconds) > 1e-6*fast.Seconds {
		t.Errorf("%g s on %d GPUs, 8 take %g s", fast.Seconds, fast.Layout.GPUs(), by[8].Seconds)
	}
	both := solved(t, open(inputs.Balanced), Options{})
	if passes := both.Solve.Certificate.Passes; len(passes) != 3 || both.Solve.Outer.Solved == 0 {
		t.Errorf("%d passes, %+v", len(passes), both.Solve.Outer)
	}
	least := math.Inf(1)
	for n := 1; n <= 8; n++ {
		if by[n].Feasible {
			least = min(least, by[n].Seconds/by[8].Seconds+float64(n)*by[n].Seconds/(float64(best)*by[best].Seconds))
		}
	}
	if math.Abs(both.Solve.Objective-least) > 1e-5 {
		t.Errorf("weighted ratios of %g, the least are %g", both.Solve.Objective, least)
	}
}

// An end of the search that is ours is told.
func TestUnlimitedEnds(t *testing.T) {
	c := small(t, 0)
	c.Model.Layers = c.Model.Layers[:2]
	c.Cluster.Pools[0].Count, c.Cluster.Pools[0].Nodes = inputs.Count{Min: 1}, nil
	c.Goal.Requirements = []inputs.Requirement{{Kind: inputs.StepTime, Value: 1e-3}}
	sol := solved(t, c, Options{})
	if sol.Feasible || len(sol.Warnings) != 1 || !strings.Contains(sol.Warnings[0], "1024 GPUs") {
		t.Errorf("feasible %v, %v", sol.Feasible, sol.Warnings)
	}
	c.Goal.Requirements[0].Value = 1e3
	if sol = solved(t, c, Options{}); !sol.Feasible || len(sol.Warnings) != 0 {
		t.Errorf("feasible %v, %v", sol.Feasible, sol.Warnings)
	}
}

// Numbers of GPUs of several unlimited pools are too many to try: what is left out is said,
// and nothing is called proved that more could undo.
func TestUnlimitedPoolsAreCut(t *testing.T) {
	c := small(t, 0)
	c.Model.Layers, c.Workload.Batch = c.Model.Layers[:2], 2
	c.Cluster.Pools[0].Count, c.Cluster.Pools[0].Nodes = inputs.Count{Min: 1}, nil
	c.Cluster.Pools = append(c.Cluster.Pools, c.Cluster.Pools[0])
	c.Cluster.Pools[1].Name = "others"
	r, err := newRun(c, calculator(t, c), Options{})
	if err != nil {
		t.Fatal(err)
	}
	most, cut := r.goal.mostTogether()
	all := r.goal.ranked()
	if n := len(all.all()); !cut || n > mostVectors || most < 1024 || sum(all.list[len(all.list)-1].vectors[0]) > most {
		t.Fatalf("%d numbers up to %d GPUs, cut %t", n, most, cut)
	}
	says := func(sol *Solution) bool {
		return slices.ContainsFunc(sol.Solve.Certificate.LeftOut, func(s string) bool { return strings.Contains(s, fmt.Sprintf("%d GPUs of all pools", most)) })
	}
	for name, x := range map[string]struct {
		objective inputs.ObjectiveKind
		step      float64
		second    float64 // USD an hour
		want      results.Status
	}{
		"flat":                     {inputs.Throughput, 0, 2, results.StatusFeasible},
		"fewest":                   {inputs.GPUs, 1e3, 2, results.StatusOptimal},
		"cheapest":                 {inputs.Cost, 1e3, 2, results.StatusOptimal},
		"more of a free one":       {inputs.Cost, 1e3, 0, results.StatusFeasible},
		"no number that is tried":  {inputs.GPUs, 1e-3, 2, results.StatusUnknown},
		"nor any that costs least": {inputs.Cost, 1e-3, 2, results.StatusUnknown},
	} {
		c.Goal.Objective, c.Goal.Requirements = x.objective, nil
		if x.step > 0 {
			c.Goal.Requirements = []inputs.Requirement{{Kind: inputs.StepTime, Value: x.step}}
		}
		c.Cluster.Pools[1].USDPerHour = x.second
		sol := solved(t, c, Options{})
		open := x.want != results.StatusOptimal
		if sol.Status != x.want || sol.Layout == nil || !says(sol) || (len(sol.Warnings) > 0) != open || open && sol.Solve.BestBound != nil || (sol.Solve.Status == "optimal") == open {
			t.Errorf("%s: %s (%s), %v, left out %v", name, sol.Status, sol.Solve.Status, sol.Warnings, sol.Solve.Certificate.LeftOut)
		}
	}
	// What is stated, or a range, is tried to its end however many numbers that makes.
	for k := range c.Cluster.Pools {
		c.Cluster.Pools[k].Count = inputs.Count{Min: 1, Max: 2048}
	}
	if most, cut := r.goal.mostTogether(); cut || most != 4096 {
		t.Errorf("ranges up to %d, cut %t", most, cut)
	}
}

func TestRulesBind(t *testing.T) {
	c := small(t, 8)
	free := solved(t, c, Options{})
	c.Rules = []inputs.Rule{{Name: "no data parallelism", Expr: "dp == 1"}, {Name: "short stages", Expr: "layers <= 3"}}
	sol := solved(t, c, Options{})
	if sol.Status != results.StatusOptimal || sol.Layout.DP != 1 || sol.Seconds < free.Seconds {
		t.Fatalf("%s %+v", sol.Status, sol.Layout)
	}
	for _, s := range sol.Layout.Stages {
		if s.Last-s.First > 2 {
			t.Errorf("a stage of %d layers", s.Last-s.First+1)
		}
	}
	if a := sol.Solve.Certificate.Rules; len(a) != 2 || a[0].OuterChoices == 0 {
		t.Errorf("%+v", a)
	}
	for _, x := range sol.Comparison {
		if x.Feasible && strings.Contains(x.Strategy, "DP 8") {
			t.Errorf("%+v breaks a rule", x)
		}
	}
}

// A rule about the place of a stage is judged at the stage's own place, of which many share
// a price; and of a strategy that states its stages at that of each stage of a rank.
func TestRuleOfPlace(t *testing.T) {
	c := training(t, "Llama-3.1-70B", 64, 4096, cluster(t, 50e9, entry{"H100-SXM-80GB", 32, 8}))
	for _, place := range []int{19, 20, 21} {
		c.Rules = []inputs.Rule{{Name: "place", Expr: fmt.Sprintf("first_layer != %d", place)}}
		sol := solved(t, c, Options{Pinned: &inputs.Strategy{PP: 4, TP: inputs.Degrees{8}}})
		if sol.Status != results.StatusOptimal {
			t.Fatalf("%s, %v", sol.Status, sol.Reasons)
		}
		for _, s := range sol.Layout.Stages {
			if s.First == place {
				t.Errorf("%s: a stage of layers %d to %d", c.Rules[0].Expr, s.First, s.Last)
			}
		}
	}
	c = small(t, 2)
	given := &inputs.Strategy{PP: 2, DP: 1, VirtualStages: 2, Layers: []int{2, 2, 2, 2}}
	for _, x := range []struct {
		expr string
		fits bool
	}{{"first_layer != 4", false}, {"first_layer != 6", false}, {"last_layer != 5", false}, {"first_layer != 5", true}} {
		c.Rules = []inputs.Rule{{Name: "place", Expr: x.expr}}
		r, err := newRun(c, calculator(t, c), Options{Pinned: given})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.pass(t.Context(), &pass{aim: r.goal.seconds(), levels: [][]int{{2}}, free: true})
		if err != nil || (out.best != nil) != x.fits {
			t.Errorf("%s: %+v, %v; want a layout: %t", x.expr, out.best, err, x.fits)
		}
	}
}

func TestPinned(t *testing.T) {
	zero, yes := 2, true
	c := small(t, 8)
	c.Workload.Training.ZeRO, c.Workload.Training.MicroBatch, c.Workload.Training.VirtualStages = &zero, 2, 2
	c.Workload.Training.Recompute = []inputs.Recompute{inputs.FullRecompute}
	c.Workload.Training.SequenceParallel = &yes
	sol := solved(t, c, Options{Pinned: &inputs.Strategy{PP: 2, TP: inputs.Degrees{2}}})
	l := sol.Layout
	if sol.Status != results.StatusOptimal || l.ZeRO != 2 || l.MicroBatch != 2 || l.Virtual != 2 || !l.SP || l.PP() != 2 || l.TP != 2 || l.Stages[0].Recompute != inputs.FullRecompute {
		t.Errorf("%s %+v", sol.Status, l)
	}
	c = small(t, 8)
	sol = solved(t, c, Options{Pinned: &inputs.Strategy{PP: 2, Layers: []int{5, 3}, VirtualStages: 1, Recompute: []inputs.Recompute{inputs.NoRecompute, inputs.FullRecompute}}})
	if l := sol.Layout; sol.Status != results.StatusOptimal || l.Stages[0].Last != 4 || l.Stages[1].Recompute != inputs.FullRecompute {
		t.Errorf("%s %+v", sol.Status, l)
	}
	none, full := inputs.NoRecompute, inputs.FullRecompute
	for _, x := range []struct{ list, want []inputs.Recompute }{
		{[]inputs.Recompute{none, full}, []inputs.Recompute{none, full, none, full}}, // rank by rank
		{[]inputs.Recompute{full, none, none, full}, []inputs.Recompute{full, none, none, full}},
	} {
		sol = solved(t, c, Options{Pinned: &inputs.Strategy{PP: 2, VirtualStages: 2, Recompute: x.list}})
		var got []inputs.Recompute
		for _, s := range sol.Layout.Stages {
			got = append(got, s.Recompute)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("recompute %v, want %v", got, x.want)
		}
	}
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sol, err := Solve(ctx, small(t, 8), Options{Backend: "labels"})
	if err != nil || sol.Status != results.StatusUnknown || sol.Layout != nil {
		t.Errorf("%+v, %v", sol, err)
	}
}

// countdown is a context that ends when it has been asked so many times.
type countdown struct {
	context.Context
	left *int
}

func (c countdown) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

// However early it ends, a search says nothing that is not so.
func TestStoppedAnywhere(t *testing.T) {
	c := small(t, 8)
	best := solved(t, c, Options{})
	seen := map[string]bool{}
	for n := 0; n < 1<<14; n = n*5/4 + 1 {
		left := n
		sol, err := Solve(countdown{t.Context(), &left}, c, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		seen[sol.Solve.Status] = true
		switch s := &sol.Solve; {
		case sol.Status == results.StatusOptimal && math.Abs(sol.Seconds-best.Seconds) > 1e-6*best.Seconds,
			sol.Status == results.StatusInfeasible,
			sol.Layout == nil && sol.Status != results.StatusUnknown,
			s.BestBound != nil && *s.BestBound > best.Seconds*(1+1e-6),
			sol.Status == results.StatusFeasible && (s.Status != "interrupted" || s.Outer.Open == 0):
			t.Errorf("after %d: %s, %+v", n, sol.Status, s.Outer)
		}
	}
	if !seen["optimal"] || !seen["interrupted"] {
		t.Errorf("seen: %v", seen)
	}
}

func TestSameEveryTime(t *testing.T) {
	var texts []string
	for range 2 {
		sol := solved(t, small(t, 8), Options{})
		text, err := json.Marshal(sol.Solve)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
		if l := sol.Layout; !reflect.DeepEqual(l, solved(t, small(t, 8), Options{}).Layout) {
			t.Error("another layout")
		}
	}
	if texts[0] != texts[1] {
		t.Error("another certificate")
	}
}

// Rules of thumb are priced as Price does, and none that is searched is better.
func TestComparison(t *testing.T) {
	for _, c := range []*inputs.Condition{small(t, 8), lessMixed(t)} {
		sol := solved(t, c, Options{})
		r, err := newRun(c, calculator(t, c), Options{})
		if err != nil {
			t.Fatal(err)
		}
		list := r.x.thumbs(r.goal.stated())
		if len(list) != len(sol.Comparison) || len(list) < 5 {
			t.Fatalf("%d proposals, %d compared", len(list), len(sol.Comparison))
		}
		feasible := 0
		for i, x := range sol.Comparison {
			if x.Feasible != (x.WhyInfeasible == "") {
				t.Errorf("%+v", x)
			}
			if !x.Feasible {
				continue
			}
			feasible++
			if want := priced(t, c, calculator(t, c), list[i].layout); math.Abs(*x.Objective-want) > 1e-9*want || !fits(c, calculator(t, c), list[i].layout) {
				t.Errorf("%s: %g s, Price says %g", x.Heuristic, *x.Objective, want)
			}
			if list[i].layout.Virtual == 1 && *x.GapPercent < -1e-4 {
				t.Errorf("%s is better than the optimum by %g %%", x.Heuristic, -*x.GapPercent)
			}
		}
		if feasible == 0 {
			t.Error("none is feasible")
		}
	}
}
