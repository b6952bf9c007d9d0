package evidence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

func TestQuantileWeighsFamilies(t *testing.T) {
	// Two hundred runs of one table at 1 and twenty of another at 2: half and half.
	var cases []Case
	for range 200 {
		cases = append(cases, Case{Family: "a", Ratio: 1})
	}
	for range 20 {
		cases = append(cases, Case{Family: "b", Ratio: 2})
	}
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.25, 1}, {0.49, 1}, {0.53, 2}, {1, 2}} {
		if got := quantile(cases, c.q); !near(got, c.want) {
			t.Errorf("at %g: %g, want %g", c.q, got, c.want)
		}
	}
	// One run has a twentieth of the weight of a table.
	cases = append(cases, Case{Family: "c", Ratio: 9})
	if got := quantile(cases, 0.95); !near(got, 2) {
		t.Errorf("a single run decides: %g", got)
	}
}

func TestHeld(t *testing.T) {
	r := Regime{}
	for i := range Levels {
		r.Ratios = append(r.Ratios, 1+float64(i)/20)
	}
	for _, c := range []struct{ ratio, below float64 }{{0.5, 0}, {1, 0}, {1.5, 0.5}, {1.525, 0.525}, {2, 1}, {7, 1}} {
		if got := r.HeldBelow(c.ratio); !near(got, c.below) {
			t.Errorf("at most %g: %g, want %g", c.ratio, got, c.below)
		}
		if got := r.HeldAbove(c.ratio); math.Abs(got-(1-c.below)) > 1e-6 {
			t.Errorf("at least %g: %g, want %g", c.ratio, got, 1-c.below)
		}
	}
	for i := range r.Ratios {
		r.Ratios[i] = 1
	}
	if r.HeldBelow(1) != 1 || r.HeldBelow(0.99) != 0 || r.HeldAbove(1) != 1 || r.HeldAbove(1.01) != 0 {
		t.Error("equal ratios")
	}
}

// A law that all tables share is held by nine of ten cases of a new one, and no wider than
// it takes; tables that differ among themselves make an interval that covers them.
func TestIntervalOfNewTables(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(family string, n int, middle, width float64) []Case {
		var out []Case
		for range n {
			out = append(out, Case{Metric: TPOT, Generation: "hopper", Model: Dense, Family: family, Ratio: math.Exp(middle + width*r.NormFloat64())})
		}
		return out
	}
	var alike, unlike []Case
	for i, shift := range []float64{-0.3, 0, 0.2, 0.4} {
		f := fmt.Sprint("t", i)
		alike = append(alike, draw(f, 100, 0.1, 0.1)...)
		unlike = append(unlike, draw(f, 100, shift, 0.1)...)
	}
	a, b := Build(alike), Build(unlike)
	if len(a) != 4 || a[0].Metric != TPOT || a[0].Generation != "" || a[3].Generation != "hopper" || a[3].Model != Dense {
		t.Fatalf("%+v", a)
	}
	inside := 0
	fresh := draw("new", 1000, 0.1, 0.1)
	for _, c := range fresh {
		if a[0].Low <= c.Ratio && c.Ratio <= a[0].High {
			inside++
		}
	}
	if inside < 880 || inside > 960 {
		t.Errorf("%d of 1000 inside %g to %g", inside, a[0].Low, a[0].High)
	}
	for _, f := range []string{"t0", "t1", "t2", "t3"} {
		inside, of := 0, 0
		for _, c := range unlike {
			if c.Family != f {
				continue
			}
			of++
			if b[0].Low <= c.Ratio && c.Ratio <= b[0].High {
				inside++
			}
		}
		if inside < of*9/10 {
			t.Errorf("%s: %d of %d inside %g to %g", f, inside, of, b[0].Low, b[0].High)
		}
	}
}

func TestTooLittleEvidence(t *testing.T) {
	few := make([]Case, 19)
	for i := range few {
		few[i] = Case{Metric: TPOT, Generation: "x", Model: Dense, Family: fmt.Sprint(i % 2), Ratio: 1}
	}
	if got := Build(few); len(got) != 0 {
		t.Errorf("%d cases make %+v", len(few), got)
	}
	one := make([]Case, 50)
	for i := range one {
		one[i] = Case{Metric: TPOT, Generation: "x", Model: Dense, Family: "a", Ratio: 1}
	}
	if got := Build(one); len(got) != 0 {
		t.Errorf("one table makes %+v", got)
	}
	if got := Build(append(few, one...)); len(got) != 4 {
		t.Errorf("%+v", got)
	}
}

// Regimes do not depend on the order of the cases, hold the median, and rise by quantile.
func TestBuildProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cases := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Case {
			return Case{
				Metric: rapid.SampledFrom([]Metric{TPOT, Rate}).Draw(t, "metric"), Generation: rapid.SampledFrom([]string{"hopper", "ampere"}).Draw(t, "generation"),
				Model: rapid.SampledFrom([]string{Dense, Experts}).Draw(t, "model"), Family: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "family"),
				Ratio: rapid.Float64Range(0.1, 10).Draw(t, "ratio"),
			}
		}), 0, 120).Draw(t, "cases")
		got := Build(cases)
		mixed := slices.Clone(cases)
		rand.New(rand.NewPCG(1, uint64(len(cases)))).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if again := Build(mixed); fmt.Sprint(again) != fmt.Sprint(got) {
			t.Fatalf("%v\n%v", got, again)
		}
		for _, r := range got {
			if !slices.IsSorted(r.Ratios) || len(r.Ratios) != Levels || !(r.Low <= r.Ratios[10] && r.Ratios[10] <= r.High) || !(0 < r.Low) {
				t.Fatalf("%+v", r)
			}
			if r.Cases < leastCases || len(r.Families) < leastFamilies {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func TestFindFallsBack(t *testing.T) {
	all := []Regime{{Metric: TPOT}, {Metric: TPOT, Model: Experts}, {Metric: TPOT, Generation: "hopper"}, {Metric: TPOT, Generation: "hopper", Model: Dense}}
	for _, c := range []struct {
		generation, model string
		want              int
	}{{"Hopper", Dense, 3}, {"hopper", Experts, 2}, {"ampere", Experts, 1}, {"ampere", Dense, 0}, {"", "", 0}} {
		if got := find(all, TPOT, c.generation, c.model); got != &all[c.want] {
			t.Errorf("%s, %s: %+v", c.generation, c.model, got)
		}
	}
	if find(all, TTFT, "hopper", Dense) != nil {
		t.Error("another metric")
	}
}

func TestSaysWhatItIsNot(t *testing.T) {
	for _, c := range []struct {
		r                 Regime
		generation, model string
		want              string
	}{
		{Regime{Generation: "hopper", Model: Dense, Cases: 30, Families: []string{"a", "b"}}, "hopper", Dense, "30 measured runs of 2 published tables (hopper, dense models)"},
		{Regime{Generation: "hopper", Cases: 30, Families: []string{"a", "b"}}, "hopper", Experts, "30 measured runs of 2 published tables (hopper, no model with experts)"},
		{Regime{Generation: "hopper", Cases: 30, Routed: 4, Families: []string{"a", "b"}}, "hopper", Experts, "30 measured runs of 2 published tables (hopper)"},
		{Regime{Cases: 30, Routed: 30, Families: []string{"a", "b"}}, "Ada", Dense, "30 measured runs of 2 published tables (all devices, few or none ada, no dense model)"},
	} {
		if got := c.r.Says(c.generation, c.model); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// What is embedded reads, is in order and speaks for every metric of serving.
func TestEmbedded(t *testing.T) {
	for _, m := range []Metric{TTFT, TPOT, Rate, EndToEnd} {
		if r := Find(m, "no such device", Dense); r == nil || !strings.Contains(r.Says("abacus", Dense), "few or none abacus") {
			t.Errorf("%s: %+v", m, r)
		}
	}
	for _, r := range Regimes() {
		if len(r.Ratios) != Levels || !slices.IsSorted(r.Ratios) || !(0 < r.Low && r.Low <= r.High) {
			t.Errorf("%+v", r)
		}
	}
}
