package training

import (
	"math"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

func TestCompleteAndEvaluate(t *testing.T) {
	c := small(t, 8)
	o := Options{Backend: "labels"}
	best := solved(t, c, o)
	given := &inputs.Strategy{TP: inputs.Degrees{2}, PP: 2}
	l, fit, why, err := Complete(t.Context(), c, given, o)
	if err != nil || !fit || len(why) > 0 || l.DP != 2 || l.TP != 2 || l.CP != 1 || l.PP() != 2 {
		t.Fatalf("%+v fits %v, %v, %v", l, fit, why, err)
	}
	e, err := Evaluate(t.Context(), c, l, o)
	if err != nil {
		t.Fatal(err)
	}
	want := (priced(t, c, calculator(t, c), l)/best.Seconds - 1) * 100
	if gap, in := e.Optimum.Gap(l, e.Step.Seconds); len(e.Problems) > 0 || math.Abs(gap-want) > 1e-6 || in != stepTime {
		t.Errorf("%v, gap %g %% in %s, want %g %%", e.Problems, gap, in, want)
	}
	own, err := Evaluate(t.Context(), c, best.Layout, o)
	if err != nil {
		t.Fatal(err)
	}
	if gap, _ := own.Optimum.Gap(best.Layout, own.Step.Seconds); gap != 0 {
		t.Errorf("the optimum is %g %% from itself", gap)
	}
}

// A gap is measured in what the optimum is the least in, so no layout that is searched is
// below a proved one: by GPU, in weighted ratios, or in the number of GPUs that was decided
// first.
func TestGapInWhatIsMinimised(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range []struct {
		objective inputs.ObjectiveKind
		asked     []inputs.Requirement
	}{
		{inputs.Latency, nil}, {inputs.Throughput, nil}, {inputs.Balanced, nil}, {inputs.Cost, nil}, {inputs.GPUs, nil},
		{inputs.Throughput, []inputs.Requirement{{Kind: inputs.StepTime, Value: 3}}},
		{inputs.Balanced, []inputs.Requirement{{Kind: inputs.StepTime, Value: 3}}},
		{inputs.Cost, []inputs.Requirement{{Kind: inputs.StepTime, Value: 3}}},
	} {
		c := small(t, 0)
		c.Cluster.Pools[0].Count, c.Cluster.Pools[0].Nodes = inputs.Count{Min: 1, Max: 8}, nil
		c.Goal.Objective, c.Goal.Requirements = x.objective, x.asked
		best := solved(t, c, Options{})
		if best.Status != results.StatusOptimal {
			t.Fatalf("%s: %s", x.objective, best.Status)
		}
		if v := best.Value(best.Layout, best.Seconds); math.Abs(v-best.Solve.Objective) > 1e-12*v {
			t.Errorf("%s: the layout is worth %g, the objective is %g", x.objective, v, best.Solve.Objective)
		}
		for n := 1; n <= 8; n++ {
			one := solved(t, small(t, n), Options{})
			if !one.Feasible || len(x.asked) > 0 && one.Seconds > x.asked[0].Value {
				continue
			}
			gap, in := best.Gap(one.Layout, one.Seconds)
			if gap < 0 || gap == 0 && one.Layout.GPUs() != best.Layout.GPUs() && in != combined {
				t.Errorf("%s: %d GPUs are %g %% worse in %s than the optimum's %d", x.objective, n, gap, in, best.Layout.GPUs())
			}
			seen[in] = true
		}
	}
	for _, in := range []string{stepTime, gpuTime, combined, "GPUs", "USD/h"} {
		if !seen[in] {
			t.Errorf("no gap in %s", in)
		}
	}
}

// A strategy may state the layers of every stage, alike or not.
func TestCompleteKeepsTheCut(t *testing.T) {
	c := small(t, 2)
	c.Model.Layers = []int{0, 1, 1, 0, 1, 0, 0, 1}
	other := c.Model.Kinds[0]
	other.FFN.Intermediate /= 2
	c.Model.Kinds = append(c.Model.Kinds, other)
	given := &inputs.Strategy{PP: 2, DP: 1, VirtualStages: 2, Layers: []int{3, 1, 1, 3}}
	l, fit, why, err := Complete(t.Context(), c, given, Options{})
	if err != nil || !fit || len(why) > 0 {
		t.Fatalf("%+v fits %v, %v, %v", l, fit, why, err)
	}
	var cut []int
	for _, s := range l.Stages {
		cut = append(cut, s.Last-s.First+1)
	}
	if !slices.Equal(cut, given.Layers) || l.Virtual != 2 {
		t.Errorf("layers %v, want %v", cut, given.Layers)
	}
	r, err := newRun(c, calculator(t, c), Options{Pinned: given})
	if err != nil {
		t.Fatal(err)
	}
	s := SplitOf(l, 1)
	n := r.x.network(s, 1e-7, math.Inf(1))
	trip := n.best(far)
	if trip == nil {
		t.Fatal("no path")
	}
	if got, want := float64(n.value(trip.sum, trip.peak, trip.once))*1e-7/2, priced(t, c, calculator(t, c), n.layout(trip)); math.Abs(got-want) > 1e-4*want {
		t.Errorf("a path of %g s, the layout takes %g s", got, want)
	}
}

func TestEvaluateProblems(t *testing.T) {
	c := training(t, "Llama-3.1-70B", 16, 2048, cluster(t, 50e9, entry{"A100-SXM-80GB", 16, 8}))
	c.Rules = []inputs.Rule{{Name: "no pipeline", Expr: "pp == 1"}}
	l, fit, why, err := Complete(t.Context(), c, &inputs.Strategy{TP: inputs.Degrees{8}, PP: 1, DP: 1}, Options{})
	if err != nil || fit || len(why) > 0 || l.GPUs() != 8 {
		t.Fatalf("%+v fits %v, %v, %v", l, fit, why, err)
	}
	l.Stages = []Stage{{0, 39, 0, inputs.NoRecompute}, {40, 79, 0, inputs.NoRecompute}}
	l.TP = 4
	e, err := Evaluate(t.Context(), c, l, Options{Backend: "labels"})
	if err != nil || len(e.Problems) == 0 || e.Step == nil {
		t.Fatalf("%+v, %v", e, err)
	}
	var all []string
	for _, p := range e.Problems {
		all = append(all, p.Where+": "+p.Sentence)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"8 of 16 GPUs are used", "rank 0 on pool", "rank 1 on pool", `rule "no pipeline"`} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing of %q in\n%s", want, text)
		}
	}
	l.Stages[1].Last = 70
	if e, err = Evaluate(t.Context(), c, l, Options{Backend: "labels"}); err != nil || e.Step != nil || len(e.Problems) != 1 || !strings.Contains(e.Problems[0].Sentence, "71 layers") {
		t.Errorf("%+v, %v", e.Problems, err)
	}
}

func TestCompleteSaysWhyNot(t *testing.T) {
	c := small(t, 8)
	for _, x := range []struct {
		s    inputs.Strategy
		want string
	}{
		{inputs.Strategy{TP: inputs.Degrees{8}, PP: 2, DP: 1}, "16 GPUs of pool"},
		{inputs.Strategy{TP: inputs.Degrees{1, 2}, PP: 2}, "TP differs"},
		{inputs.Strategy{DP: 3}, "global batch"},
		{inputs.Strategy{TP: inputs.Degrees{3}}, "heads"},
		{inputs.Strategy{EP: inputs.Degrees{2}}, "has none"},
		{inputs.Strategy{PP: 2, Layers: []int{3, 3}}, "no layout has what it states"},
	} {
		l, _, why, err := Complete(t.Context(), c, &x.s, Options{})
		if err != nil || l != nil || !strings.Contains(strings.Join(why, "\n"), x.want) {
			t.Errorf("%+v: %+v, %v, %v; want %q", x.s, l, why, err, x.want)
		}
	}
	nine := small(t, 8)
	if l, _, why, _ := Complete(t.Context(), nine, &inputs.Strategy{DP: 1, PP: 9}, Options{}); l != nil || len(why) == 0 {
		t.Errorf("nine ranks for eight layers: %+v", l)
	}
}
