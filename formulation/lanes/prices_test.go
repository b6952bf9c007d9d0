package lanes

import (
	"math/rand/v2"
	"testing"
)

// TestCheapestAgreesWithEnumeration: the price of a layer, on which every bound rests.
func TestCheapestAgreesWithEnumeration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	none := 0
	for range 3000 {
		count := []int{r.IntN(3), r.IntN(3), r.IntN(3)}
		var options []option
		var price []int64
		for kind := range count {
			for held := range 1 + r.IntN(3) {
				options = append(options, option{kind: kind, held: held + 1, ticks: 1 + r.Int64N(5000)})
				price = append(price, r.Int64N(100))
			}
		}
		f := 1 + r.Int64N(15000)
		want := unpayable
		var try func(i int, left []int, need, paid int64)
		try = func(i int, left []int, need, paid int64) {
			if need <= 0 {
				want = min(want, paid)
				return
			}
			if i == len(options) {
				return
			}
			try(i+1, left, need, paid)
			if k := options[i].kind; left[k] > 0 {
				left[k]--
				try(i, left, need-options[i].ticks, paid+price[i])
				left[k]++
			}
		}
		try(0, count, f, 0)
		tariff := newTariff(options, price, count, f)
		got, set, exact := tariff.cheapest(len(options), unpayable, 1<<20)
		if !exact || got != want || (set == nil) != (want == unpayable) {
			t.Fatalf("%v at %v for %d: %d (exact %v), want %d", options, price, f, got, exact, want)
		}
		if tariff.atLeast(f) > want {
			t.Fatalf("%v at %v for %d: %d is no lower bound of %d", options, price, f, tariff.atLeast(f), want)
		}
		if want == unpayable {
			none++
		}
	}
	if none == 0 || none > 2000 {
		t.Fatalf("%d of 3000 have no set: the generator says too little", none)
	}
}

// TestPricesThatRefute: the inequality of the package comment, term by term.
func TestPricesThatRefute(t *testing.T) {
	p := &Problem{Layers: 10, Types: []Type{
		{Count: 3, Throughput: []float64{90, 40, 25}},
		{Count: 4, Throughput: []float64{60, 35, 15, 11}},
	}}
	g := newGrid(p)
	high := g.bound(t.Context())
	if above, _ := g.relax(t.Context(), high+1, false); above.slack(g) >= 0 {
		t.Fatalf("%v is the bound, but one tick above it is not refuted", g.tokens(high))
	}
	prices, _ := g.relax(t.Context(), high+1, false)
	var budget int64
	for kind, n := range g.count {
		budget += int64(n) * prices.budget[kind]
	}
	for i, o := range prices.options {
		if int64(o.held)*prices.price[i] > prices.budget[o.kind] {
			t.Errorf("a machine with %d layers pays more than its budget", o.held)
		}
	}
	if budget >= int64(p.Layers)*prices.least {
		t.Errorf("budget %d, %d layers at %d", budget, p.Layers, prices.least)
	}
	if at, _ := g.relax(t.Context(), high, true); at.slack(g) < 0 {
		t.Errorf("the bound %v itself is refuted", g.tokens(high))
	}
}
