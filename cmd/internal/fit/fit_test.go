package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"partita/inputs/profile"
)

// synthetic makes rows of a kernel with a floor, a rate of compute and one of memory, whose
// measured times follow planted constants with some noise; wild rows are off by a factor.
func synthetic(planted []float64, noise float64, wild int) *problem {
	rng := rand.New(rand.NewPCG(1, 2))
	type kernel struct{ flops, bytes float64 }
	var kernels []kernel
	var measured []float64
	timeOf := func(v []float64, k kernel) float64 { return v[0] + math.Max(k.flops/v[1], k.bytes/v[2]) }
	p := &problem{
		constants: []constant{
			{"operators.gemm16.floor", 1e-7, 1e-3, 1},
			{"operators.gemm16.compute", 0.01, 1, 1},
			{"operators.gemm16.bandwidth", 0.01, 1, 1},
		},
		start: []float64{5e-6, 0.5, 0.5},
	}
	for i := range 400 {
		k := kernel{math.Exp(rng.Float64()*7 - 15), math.Exp(rng.Float64()*7 - 15)}
		kernels = append(kernels, k)
		m := timeOf(planted, k) * math.Exp(noise*rng.NormFloat64())
		if i < wild {
			m *= 5
		}
		measured = append(measured, m)
		p.rows = append(p.rows, observation{fmt.Sprintf("table %d", i%4), 1})
	}
	p.model = func(_ context.Context, values []float64) ([]float64, error) {
		out := make([]float64, len(kernels))
		for i := range out {
			out[i] = math.Log(timeOf(values, kernels[i]) / measured[i])
		}
		return out, nil
	}
	return p
}

func TestPlantedConstantsAreFound(t *testing.T) {
	planted := []float64{1.2e-5, 0.8, 0.3}
	for _, c := range []struct {
		name   string
		noise  float64
		wild   int
		within float64
	}{
		{"exact rows", 0, 0, 0.02},
		{"rows with noise", 0.1, 0, 0.05},
		{"one row in ten off by five", 0.05, 40, 0.10},
	} {
		s, err := synthetic(planted, c.noise, c.wild).supportedFit(t.Context(), []float64{5e-6, 0.5, 0.5})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range s.values {
			if math.Abs(v/planted[i]-1) > c.within || len(s.unsupported) > 0 {
				t.Errorf("%s: constant %d is %g, planted %g; undecided %v", c.name, i, v, planted[i], s.unsupported)
			}
		}
	}
}

// A constant that no row depends on stays where it starts and is named.
func TestUndecidedConstantsStay(t *testing.T) {
	planted := []float64{1.2e-5, 0.8, 0.3}
	p := synthetic(planted, 0, 0)
	inner := p.model
	p.constants = append(p.constants, constant{"operators.gemm8.floor", 1e-7, 1e-3, 1})
	p.start = append(p.start, 7e-6)
	p.model = func(ctx context.Context, v []float64) ([]float64, error) { return inner(ctx, v[:3]) }
	s, err := p.supportedFit(t.Context(), p.start)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.unsupported, []int{3}) || s.values[3] != 7e-6 || math.Abs(s.values[1]/0.8-1) > 0.02 {
		t.Errorf("%+v", s)
	}
	if got := fitted(p.constants, s); len(got) != 3 {
		t.Errorf("written as fitted: %v", got)
	}
}

// Weights of 0 leave a family out: planted otherwise, it moves nothing.
func TestLeftOutFamilyMovesNothing(t *testing.T) {
	p := synthetic([]float64{1.2e-5, 0.8, 0.3}, 0, 0)
	inner := p.model
	p.model = func(ctx context.Context, v []float64) ([]float64, error) {
		r, err := inner(ctx, v)
		for i := range r {
			if p.rows[i].family == "table 1" {
				r[i] += 0.5
			}
		}
		return r, err
	}
	all, err := p.supportedFit(t.Context(), p.start)
	if err != nil {
		t.Fatal(err)
	}
	p.rows = without(p.rows, "table 1", serving)
	left, err := p.supportedFit(t.Context(), p.start)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(left.values[1]/0.8-1) > 0.02 || math.Abs(all.values[1]/0.8-1) < 0.02 {
		t.Errorf("with the family %v, without %v; planted .8", all.values, left.values)
	}
	r, err := p.model(t.Context(), left.values)
	if err != nil {
		t.Fatal(err)
	}
	if n, median, _, bias := (&data{rows: p.rows}).summary(r, "table 1", ""); n != 100 || math.Abs(bias-100*(math.Exp(0.5)-1)) > 1 || math.Abs(median-bias) > 1e-9 {
		t.Errorf("%d rows left out with median %g and bias %g", n, median, bias)
	}
}

func TestFitsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*problem)
		want   string
	}{
		{"too few rows", func(p *problem) {
			for i := range len(p.rows) - 8 {
				p.rows[8+i].weight = 0
			}
		}, "8 rows for 3 constants"},
		{"out of bounds", func(p *problem) { p.start[1] = 2 }, "outside of"},
		{"nothing declared", func(p *problem) { p.constants, p.start = nil, nil }, "no constants"},
	} {
		p := synthetic([]float64{1.2e-5, 0.8, 0.3}, 0, 0)
		c.change(p)
		if _, err := p.supportedFit(t.Context(), p.start); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFitIsTheSameTwice(t *testing.T) {
	var first []float64
	for range 2 {
		p := synthetic([]float64{1.2e-5, 0.8, 0.3}, 0.1, 3)
		s, err := p.supportedFit(t.Context(), p.start)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !slices.Equal(first, s.values) {
			t.Errorf("%v, then %v", first, s.values)
		}
		first = s.values
	}
}

// What is declared exists, starts within its bounds, and is little over all parts of a
// generation, each of which comes after that of the generation it inherits from.
func TestDeclaredConstants(t *testing.T) {
	seen, of := map[string]bool{}, map[string]map[string]bool{}
	for _, g := range declared() {
		if seen[g.part.name+g.name] {
			t.Errorf("%s, %s: declared before", g.name, g.part.name)
		}
		seen[g.part.name+g.name] = true
		p, err := profile.Resolve(nil, g.name, "")
		if err != nil {
			t.Fatal(err)
		}
		if from := inheritsFrom(t, g.name); from != "" && !seen[g.part.name+from] {
			t.Errorf("%s is fitted before %s, which it inherits from", g.name, from)
		}
		if of[g.name] == nil {
			of[g.name] = map[string]bool{}
		}
		paths := of[g.name]
		for _, c := range g.constants {
			v, ok := profile.Value(p, c.path)
			if !ok || !(v >= c.low && v <= c.high) || paths[c.path] {
				t.Errorf("%s: %s is %g (known %v, again %v), bounds %g to %g", g.name, c.path, v, ok, paths[c.path], c.low, c.high)
			}
			paths[c.path] = true
		}
		if len(paths) > mostConstants {
			t.Errorf("%s: %d constants", g.name, len(paths))
		}
	}
}

// inheritsFrom is a declared generation that another takes constants from.
func inheritsFrom(t *testing.T, name string) string {
	t.Helper()
	p := profile.Of(name)
	for _, g := range declared() {
		for _, from := range p.Inherited {
			if from == g.name {
				return from
			}
		}
	}
	return ""
}
