package published

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs/instance"
	"partita/results"
	"partita/results/verify/placement"
	"partita/solver/lpsolve"
)

func TestPublishedRentals(t *testing.T) {
	rows := 0
	for _, i := range load(t, "tandemn.json") {
		o := options(Auto)
		o.Objective = Throughput
		answers, err := Solve(t.Context(), i, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(answers) != len(i.Rental.Recorded) {
			t.Fatalf("%s: %d answers to %d budgets", i.Name, len(answers), len(i.Rental.Recorded))
		}
		for k, a := range answers {
			want := i.Rental.Recorded[k]
			if err := placement.Check(i, &a); err != nil {
				t.Errorf("%s: %v", i.Name, err)
			}
			// The exact column is rounded to six decimals.
			if a.Status != "optimal" || math.Abs(*a.Objective-want.Exact) > 0.5001e-6 || *a.BudgetUSDPerHour != want.BudgetUSDPerHour || a.Solution.USDPerHour > want.BudgetUSDPerHour {
				t.Errorf("%s: %+v, want %+v", i.Name, a, want)
			}
			if a.Recorded.Value != want.Recorded || lpsolve.Available() && len(a.AgreedBy) != 2 {
				t.Errorf("%s: recorded %v, agreed by %v", i.Name, a.Recorded, a.AgreedBy)
			}
			rows++
		}
		a, best := one(t, i, options(Auto)), i.Rental.Best
		if a.Status != "optimal" || *a.Objective != best.USDPerMillion || a.Solution.USDPerHour != best.USDPerHour || len(a.Solution.Stages) != best.Stages {
			t.Errorf("%s: %+v, want %+v", i.Name, a, best)
		}
		if lpsolve.Available() && len(a.AgreedBy) != 2 {
			t.Errorf("%s: agreed by %v", i.Name, a.AgreedBy)
		}
	}
	if rows != 190 {
		t.Errorf("%d recorded rows, want 190", rows)
	}
}

// randomRental draws a small rental; instances of 3, 5, 6 and 7 GPUs are among them.
func randomRental(t *rapid.T) *instance.Rental {
	r := &instance.Rental{
		Layers: rapid.IntRange(1, 7).Draw(t, "layers"), MaxStages: rapid.IntRange(1, 4).Draw(t, "stages"),
		Batch: rapid.IntRange(1, 16).Draw(t, "batch"), MicroBatch: rapid.IntRange(1, 4).Draw(t, "micro"), RealWorldEfficiency: 0.3,
	}
	for k := range rapid.IntRange(1, 3).Draw(t, "types") {
		x := instance.RentalType{
			Name: string(rune('a' + k)), Count: rapid.IntRange(0, 2).Draw(t, "count"), GPUs: rapid.IntRange(1, 8).Draw(t, "gpus"),
			USDPerHour: float64(rapid.IntRange(1, 40).Draw(t, "dimes"))/10 + float64(rapid.SampledFrom([]int{0, 0, 0, 1234567}).Draw(t, "nanos"))/1e9,
		}
		r.Types = append(r.Types, x)
		for tp := 1; tp <= x.GPUs; tp *= 2 {
			for layers := 1; layers <= min(3, r.Layers); layers++ {
				if rapid.Bool().Draw(t, "there") {
					r.Segments = append(r.Segments, instance.Segment{Type: x.Name, TP: tp, Layers: layers, TokensPerS: float64(rapid.IntRange(1, 12).Draw(t, "tokens")) * 1.1})
				}
			}
		}
	}
	if len(r.Segments) == 0 {
		r.Segments = append(r.Segments, instance.Segment{Type: "a", TP: 1, Layers: 1, TokensPerS: 1})
	}
	return r
}

// bruteRental visits every multiset of segments that holds all layers and fills its
// instances.
func bruteRental(r *instance.Rental, visit func(usd, bottleneck float64, stages int)) {
	var chosen []int
	var from func(first, layers int)
	from = func(first, layers int) {
		if layers == r.Layers {
			if usd, ok := bruteFill(r, chosen); ok {
				slowest := math.Inf(1)
				for _, i := range chosen {
					slowest = min(slowest, r.Segments[i].TokensPerS)
				}
				visit(usd, slowest, len(chosen))
			}
			return
		}
		for i := first; i < len(r.Segments) && len(chosen) < r.MaxStages; i++ {
			if layers+r.Segments[i].Layers <= r.Layers {
				chosen = append(chosen, i)
				from(i, layers+r.Segments[i].Layers)
				chosen = chosen[:len(chosen)-1]
			}
		}
	}
	from(0, 0)
}

// bruteFill puts the groups of each type into aligned places of ever more instances until
// every GPU of them is used.
func bruteFill(r *instance.Rental, chosen []int) (usd float64, ok bool) {
	for _, t := range r.Types {
		var groups []int
		for _, i := range chosen {
			if r.Segments[i].Type == t.Name {
				groups = append(groups, r.Segments[i].TP)
			}
		}
		if len(groups) == 0 {
			continue
		}
		filled := false
		for n := 1; n <= t.Count && !filled; n++ {
			if filled = bruteTile(make([]bool, n*t.GPUs), t.GPUs, groups); filled {
				usd += float64(n) * t.USDPerHour
			}
		}
		if !filled {
			return 0, false
		}
	}
	return usd, true
}

// bruteTile covers all GPUs by the groups, each at an offset that its size divides.
func bruteTile(taken []bool, gpus int, groups []int) bool {
	at := slices.Index(taken, false)
	if at < 0 {
		return len(groups) == 0
	}
	for i, tp := range groups {
		if at%gpus%tp != 0 || at%gpus+tp > gpus {
			continue
		}
		// The first free GPU begins a group: whatever covers it begins there.
		if slices.Contains(taken[at:at+tp], true) {
			continue
		}
		next := slices.Clone(taken)
		for g := range tp {
			next[at+g] = true
		}
		if bruteTile(next, gpus, slices.Delete(slices.Clone(groups), i, i+1)) {
			return true
		}
	}
	return false
}

// TestRentalsAgainstBruteForce: labels, ILP and SAT give what trying everything gives, for
// a budget and for the price of tokens.
func TestRentalsAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomRental(t)
		budget := float64(rapid.IntRange(1, 120).Draw(t, "budget")) / 10
		fastest, cheapest := 0.0, math.Inf(1)
		bruteRental(r, func(usd, slowest float64, stages int) {
			if usd <= budget+1e-10 {
				fastest = max(fastest, slowest)
			}
			cheapest = min(cheapest, usdPerMillion(r, usd, slowest, stages))
		})
		for _, backend := range backends() {
			o := options(backend)
			o.Budget, o.Objective = &budget, Throughput
			i := &instance.Instance{Name: "random", Rental: r}
			answers, err := Solve(t.Context(), i, o)
			if refused := new(RefusedError); backend == ILP && errors.As(err, &refused) {
				continue // prices of many digits
			}
			if err != nil {
				t.Fatal(err)
			}
			a := answers[0]
			switch {
			case fastest == 0 && (a.Status != "infeasible" || a.Solution != nil):
				t.Fatalf("%s: %+v, want infeasible", backend, a)
			case fastest > 0 && (a.Status != "optimal" || *a.Objective != fastest || a.Solution.USDPerHour > budget+1e-9):
				t.Fatalf("%s: %+v, want %v", backend, a, fastest)
			}
			if err := placement.Check(i, &a); err != nil {
				t.Fatalf("%s: %v", backend, err)
			}
			answers, err = Solve(t.Context(), i, options(backend))
			if err != nil {
				t.Fatal(err)
			}
			a = answers[0]
			if err := placement.Check(i, &a); err != nil {
				t.Fatalf("%s: %v", backend, err)
			}
			switch {
			case math.IsInf(cheapest, 1) && (a.Status != "infeasible" || a.Solution != nil):
				t.Fatalf("%s: %+v, want infeasible", backend, a)
			case !math.IsInf(cheapest, 1) && (a.Status != "optimal" || math.Abs(*a.Objective/cheapest-1) > 1e-12):
				t.Fatalf("%s: %+v, want %v", backend, a, cheapest)
			}
		}
	})
}

// TestRentalInTime: a search that ends early claims no more than what it knows.
func TestRentalInTime(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	r := &instance.Rental{
		Layers: 2, MaxStages: 2, Batch: 1, MicroBatch: 1, RealWorldEfficiency: 1,
		Types:    []instance.RentalType{{Name: "a", Count: 2, GPUs: 1, USDPerHour: 1}},
		Segments: []instance.Segment{{Type: "a", TP: 1, Layers: 1, TokensPerS: 7}},
	}
	budget := 2.0
	for _, backend := range []string{Labels, SAT} {
		for _, o := range []Options{{Objective: Throughput, Budget: &budget}, {Objective: USDPerMillion}} {
			with := options(backend)
			with.Objective, with.Budget = o.Objective, o.Budget
			i := &instance.Instance{Name: "r", Rental: r}
			answers, err := Solve(ended, i, with)
			if err != nil || answers[0].Status != "interrupted" || answers[0].Solution != nil || answers[0].AgreedBy != nil {
				t.Fatalf("%s, %s: %+v, %v", backend, o.Objective, answers, err)
			}
			if b := answers[0].BestBound; o.Objective == Throughput && (b == nil || *b != 7) || o.Objective == USDPerMillion && b != nil {
				t.Errorf("%s, %s: bound %v", backend, o.Objective, b)
			}
			if err := placement.Check(i, &answers[0]); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestRentalsCutShort: what a search has when it ends early is a renting, and no better
// than its bound says.
func TestRentalsCutShort(t *testing.T) {
	short := 0
	rapid.Check(t, func(t *rapid.T) {
		r := randomRental(t)
		o := options(Labels)
		s, err := o.rental(r)
		if err != nil {
			t.Fatal(err)
		}
		s.search.most = rapid.IntRange(1, 60).Draw(t, "labels")
		budget := 12.0
		for _, goal := range []string{Throughput, USDPerMillion} {
			a := newAnswer("random", goal)
			if goal == Throughput {
				a.BudgetUSDPerHour = &budget
				err = s.throughput(t.Context(), budget, a)
			} else {
				err = s.price(t.Context(), a)
			}
			if err != nil {
				t.Fatal(err)
			}
			p := a.placed()
			if err := placement.Check(&instance.Instance{Name: "random", Rental: r}, &p); err != nil {
				t.Fatalf("%+v: %v", p, err)
			}
			if p.Status == "unknown" && p.Solution != nil {
				short++
			}
			if p.Status == "unknown" && p.AgreedBy != nil {
				t.Fatalf("%+v", p)
			}
		}
	})
	if short == 0 {
		t.Error("no search was cut short with a renting in hand")
	}
}

// TestTooManyLabels: auto has its other backend answer, and says so; labels alone say that
// they gave up.
func TestTooManyLabels(t *testing.T) {
	i := &instance.Instance{Name: "r", Rental: &instance.Rental{
		Layers: 3, MaxStages: 3, Batch: 1, MicroBatch: 1, RealWorldEfficiency: 1,
		Types:    []instance.RentalType{{Name: "a", Count: 3, GPUs: 1, USDPerHour: 2}},
		Segments: []instance.Segment{{Type: "a", TP: 1, Layers: 1, TokensPerS: 7}},
	}}
	for _, backend := range []string{Labels, Auto} {
		for _, goal := range []string{Throughput, USDPerMillion} {
			o := options(backend)
			s, err := o.rental(i.Rental)
			if err != nil {
				t.Fatal(err)
			}
			s.search.most = 1
			a := newAnswer("r", goal)
			if goal == Throughput {
				err = s.throughput(t.Context(), 6, a)
			} else {
				err = s.price(t.Context(), a)
			}
			p := a.placed()
			switch {
			case err != nil:
				t.Error(err)
			case backend == Labels && (p.Status != "unknown" || p.Solution != nil || p.AgreedBy != nil):
				t.Errorf("%s: %+v", goal, p)
			case backend == Auto && (p.Status != "optimal" || p.Backend == Labels || p.Solution.USDPerHour != 6):
				t.Errorf("%s: %+v", goal, p)
			}
		}
	}
}

// TestManyDigits: lp_solve has been seen to miss a budget by one unit in a price of ten
// digits. It is not asked; SAT counts in integers.
func TestManyDigits(t *testing.T) {
	i := &instance.Instance{Name: "r", Rental: &instance.Rental{
		Layers: 2, MaxStages: 2, Batch: 1, MicroBatch: 1, RealWorldEfficiency: 1,
		Types:    []instance.RentalType{{Name: "a", Count: 2, GPUs: 1, USDPerHour: 0.101234567}, {Name: "b", Count: 2, GPUs: 1, USDPerHour: 0.05}},
		Segments: []instance.Segment{{Type: "a", TP: 1, Layers: 1, TokensPerS: 7}, {Type: "b", TP: 1, Layers: 1, TokensPerS: 3}},
	}}
	for budget, want := range map[float64]float64{0.202469134: 7, 0.202469133: 3} {
		for _, backend := range []string{Auto, SAT} {
			o := options(backend)
			o.Objective, o.Budget = Throughput, &budget
			a := one(t, i, o)
			if a.Status != "optimal" || *a.Objective != want || a.AgreedBy[len(a.AgreedBy)-1] != SAT {
				t.Errorf("%s, budget %v: %+v, want %v", backend, budget, a, want)
			}
		}
		if lpsolve.Available() {
			o := options(ILP)
			o.Objective, o.Budget = Throughput, &budget
			var refused *RefusedError
			if _, err := Solve(t.Context(), i, o); !errors.As(err, &refused) {
				t.Errorf("ilp takes prices of nine digits: %v", err)
			}
		}
	}
}

// TestBudgetsAreDecimal: 3 × 0.1 USD is within 0.3 USD, though not in binary fractions.
func TestBudgetsAreDecimal(t *testing.T) {
	r := &instance.Rental{
		Layers: 3, MaxStages: 3, Batch: 1, MicroBatch: 1, RealWorldEfficiency: 1,
		Types:    []instance.RentalType{{Name: "a", Count: 3, GPUs: 1, USDPerHour: 0.1}},
		Segments: []instance.Segment{{Type: "a", TP: 1, Layers: 1, TokensPerS: 7}},
	}
	for budget, want := range map[float64]string{0.3: "optimal", 0.299999: "infeasible"} {
		o := options(Auto)
		o.Budget, o.Objective = &budget, Throughput
		a := one(t, &instance.Instance{Name: "r", Rental: r}, o)
		if a.Status != want {
			t.Errorf("budget %v: %+v, want %s", budget, a, want)
		}
		if want == "optimal" && a.Solution.USDPerHour != 0.3 {
			t.Errorf("it costs %v", a.Solution.USDPerHour)
		}
	}
}

// TestRentalPlaces: groups of an instance stand side by side, and what is rented is used.
func TestRentalPlaces(t *testing.T) {
	r := &instance.Rental{
		Layers: 6, MaxStages: 6, Types: []instance.RentalType{{Name: "a", Count: 2, GPUs: 6, USDPerHour: 1.5}},
		Segments: []instance.Segment{{Type: "a", TP: 2, Layers: 1, TokensPerS: 3}, {Type: "a", TP: 4, Layers: 2, TokensPerS: 2}},
	}
	x := place(r, []int{0, 1, 0, 1})
	want := []results.PlacedStage{
		{FirstLayer: 0, LastLayer: 1, Machine: "a", Index: 0, TP: 4, TokensPerS: 2},
		{FirstLayer: 2, LastLayer: 3, Machine: "a", Index: 1, TP: 4, TokensPerS: 2},
		{FirstLayer: 4, LastLayer: 4, Machine: "a", Index: 0, TP: 2, TokensPerS: 3},
		{FirstLayer: 5, LastLayer: 5, Machine: "a", Index: 1, TP: 2, TokensPerS: 3},
	}
	if !slices.Equal(x.solution.Stages, want) || x.usdPerHour != 3 || x.bottleneck != 2 || x.solution.Rented[0].Count != 2 {
		t.Errorf("%+v", x)
	}
}

func BenchmarkPublishedRentals(b *testing.B) {
	list := load(b, "tandemn.json")
	for _, goal := range []string{Throughput, USDPerMillion} {
		b.Run(goal, func(b *testing.B) {
			b.ReportAllocs()
			o := options(Labels)
			o.Objective = goal
			for b.Loop() {
				for _, i := range list {
					if _, err := Solve(b.Context(), i, o); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
