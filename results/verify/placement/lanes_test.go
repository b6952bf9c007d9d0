package placement

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"partita/inputs/instance"
	"partita/results"
)

// weakest is another way to the same number: the machines that hold one layer are a cut,
// and no cut is smaller than the smallest of these.
func weakest(c *instance.Chain, s *results.PlacedSolution) float64 {
	least := math.Inf(1)
	for l := range c.Layers {
		sum := 0.0
		for _, m := range s.Stages {
			if m.FirstLayer <= l && l <= m.LastLayer {
				sum += m.TokensPerS
			}
		}
		least = min(least, sum)
	}
	return least
}

func TestLanesAgreesWithTheWeakestLayer(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	positive := 0
	for range 2000 {
		c := &instance.Chain{Layers: 1 + r.IntN(8), Machines: []instance.Machine{{Type: "A", Count: 12}}}
		for range c.Layers {
			c.Machines[0].Throughput = append(c.Machines[0].Throughput, 1000*r.Float64())
		}
		s := &results.PlacedSolution{}
		for i := range r.IntN(12) {
			held := 1 + r.IntN(c.Layers)
			first := r.IntN(c.Layers - held + 1)
			s.Stages = append(s.Stages, results.PlacedStage{FirstLayer: first, LastLayer: first + held - 1,
				Machine: "A", Index: i, TokensPerS: c.Machines[0].Throughput[held-1]})
		}
		got, err := Lanes(c, s)
		if want := weakest(c, s); err != nil || math.Abs(got-want) > 1e-9*want {
			t.Fatalf("%+v: %v, %v: want %v", s.Stages, got, err, want)
		} else if want > 0 {
			positive++
		}
	}
	if positive < 500 {
		t.Fatalf("only %d solutions serve all layers", positive)
	}
}

// sample is a chain with a solution that keeps its rules and passes 12 tokens/s.
func sample() (*instance.Chain, *results.PlacedSolution) {
	c := &instance.Chain{Layers: 3, Machines: []instance.Machine{
		{Type: "A", Count: 1, Throughput: []float64{30, 20, 12}},
		{Type: "B", Count: 2, Throughput: []float64{9, 6}},
	}}
	return c, &results.PlacedSolution{
		Stages: []results.PlacedStage{
			{FirstLayer: 0, LastLayer: 1, Machine: "A", Index: 0, TokensPerS: 20},
			{FirstLayer: 1, LastLayer: 2, Machine: "B", Index: 0, TokensPerS: 6},
			{FirstLayer: 1, LastLayer: 2, Machine: "B", Index: 1, TokensPerS: 6},
		},
		Routes: []results.PlacedRoute{
			{From: -1, To: 0, TokensPerS: 12},
			{From: 0, To: 1, TokensPerS: 6}, {From: 0, To: 2, TokensPerS: 6},
			{From: 1, To: -1, TokensPerS: 6}, {From: 2, To: -1, TokensPerS: 6},
		},
	}
}

func TestLanesSaysWhatIsBroken(t *testing.T) {
	if c, s := sample(); true {
		if got, err := Lanes(c, s); got != 12 || err != nil {
			t.Fatalf("%v, %v: want 12", got, err)
		}
	}
	for _, test := range []struct {
		want  string
		wrong func(*results.PlacedSolution)
	}{
		{"want a range of 0 to 2", func(s *results.PlacedSolution) { s.Stages[1].LastLayer = 3 }},
		{"want a range of 0 to 2", func(s *results.PlacedSolution) { s.Stages[1].FirstLayer = -1 }},
		{"there are 2, counted from 0", func(s *results.PlacedSolution) { s.Stages[1].Index = 2 }},
		{"B 0 is used twice", func(s *results.PlacedSolution) { s.Stages[2].Index = 0 }},
		{"no such type", func(s *results.PlacedSolution) { s.Stages[0].Machine = "C" }},
		{"2 are possible", func(s *results.PlacedSolution) { s.Stages[1].FirstLayer = 0 }},
		{"the instance says 20", func(s *results.PlacedSolution) { s.Stages[0].TokensPerS = 21 }},
		{"no such route", func(s *results.PlacedSolution) { s.Routes[0].To = 3 }},
		{"no such route", func(s *results.PlacedSolution) { s.Routes[0].TokensPerS = math.NaN() }},
		{"cannot take over", func(s *results.PlacedSolution) { s.Routes[0].To = 1 }},
		{"cannot take over", func(s *results.PlacedSolution) { s.Routes[1].From = 2 }},
		{"cannot take over", func(s *results.PlacedSolution) { s.Routes[3] = results.PlacedRoute{From: 0, To: -1, TokensPerS: 6} }},
		{"takes 7 tokens/s, passes on 6, can pass 6", func(s *results.PlacedSolution) { s.Routes[1].TokensPerS = 7 }},
		{"routes carry 11 tokens/s in", func(s *results.PlacedSolution) { s.Routes[0].TokensPerS = 11 }},
	} {
		c, s := sample()
		test.wrong(s)
		if _, err := Lanes(c, s); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: want %q", err, test.want)
		}
	}
}

func TestLanesOfALayerThatNobodyHolds(t *testing.T) {
	c, s := sample()
	s.Stages, s.Routes = s.Stages[:1], nil
	if got, err := Lanes(c, s); got != 0 || err != nil {
		t.Errorf("%v, %v: want 0", got, err)
	}
}
