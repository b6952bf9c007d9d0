package formulation_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
)

// Predict and Evaluate give the same figures for the same strategy, whether the GPUs
// hold it or not.
func TestPredictIsEvaluate(t *testing.T) {
	for _, s := range []inputs.Strategy{
		{TP: inputs.Degrees{4}, PP: 1, Replicas: 4, GPUs: 16},
		{TP: inputs.Degrees{8}, PP: 2, Replicas: 1, GPUs: 16},
		{TP: inputs.Degrees{1}, PP: 1, Replicas: 16, GPUs: 16}, // does not fit
	} {
		c := example(t, "llama-3.1-70b-2x8-h100.yaml")
		c.Goal.Objective = inputs.Throughput
		p, err := formulation.Predict(c, &s)
		if err != nil {
			t.Fatal(err)
		}
		e, err := formulation.Evaluate(t.Context(), c, formulation.Given{Strategy: &s}, formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		same := func(name string, a, b *float64) {
			if a == nil || b == nil || math.Abs(*a / *b - 1) > 1e-12 {
				t.Errorf("TP%d PP%d: %s differs: %v, %v", s.TP[0], s.PP, name, a, b)
			}
		}
		same("TPOT", p.Metrics.TPOTMS, e.Metrics.TPOTMS)
		same("TTFT", p.Metrics.TTFTMS, e.Metrics.TTFTMS)
		same("tokens/s/GPU", p.Metrics.TokensPerSPerGPU, e.Metrics.TokensPerSPerGPU)
		full := false
		for _, problem := range e.Problems {
			full = full || strings.Contains(problem.Sentence, "would hold")
		}
		if p.Fits == full {
			t.Errorf("TP%d PP%d: fits %v, evaluate says %v", s.TP[0], s.PP, p.Fits, e.Problems)
		}
		if p.GPUs != 16 || p.Weights <= 0 || math.Abs(p.Round*1e3 / *p.Metrics.TPOTMS - 1) > 1e-12 {
			t.Errorf("%+v", p)
		}
	}
}

func TestPredictRefuses(t *testing.T) {
	c := example(t, "llama-3.1-70b-2x8-h100.yaml")
	for _, x := range []struct {
		s    inputs.Strategy
		want string
	}{
		{inputs.Strategy{TP: inputs.Degrees{3}, PP: 1, GPUs: 3}, "do not divide over TP 3"},
		{inputs.Strategy{TP: inputs.Degrees{1}, PP: 1, Replicas: 129, GPUs: 129}, "129 replicas for 128 sequences"},
	} {
		_, err := formulation.Predict(c, &x.s)
		if !errors.Is(err, formulation.ErrUnpriced) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v: error %v, want %q", x.s, err, x.want)
		}
	}
}
