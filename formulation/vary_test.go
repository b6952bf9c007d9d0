package formulation_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
	"partita/results/verify"
)

// batches is a condition by the number of sequences in flight.
func batches(c *inputs.Condition, list ...int) formulation.Variable {
	v := formulation.Variable{Path: "workload.batch"}
	for _, n := range list {
		v.Values = append(v.Values, formulation.VariableValue{Text: strconv.Itoa(n), Number: float64(n)})
	}
	v.Between = func(a, b formulation.VariableValue) (formulation.VariableValue, bool) {
		mid := int(a.Number+b.Number) / 2
		return formulation.VariableValue{Text: strconv.Itoa(mid), Number: float64(mid)}, b.Number-a.Number > 1
	}
	v.Read = func(x formulation.VariableValue) (*inputs.Condition, error) {
		own := *c
		own.Workload.Batch = int(x.Number)
		return &own, nil
	}
	return v
}

func varied(t *testing.T, v formulation.Variable) *results.Variation {
	t.Helper()
	out, err := formulation.Vary(context.Background(), v, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Each point is the plan that a search for it alone finds, values rise, and each change
// lies between neighbours: no value between them, and unlike strategies at them.
func TestVaryFindsEachPlanAndChange(t *testing.T) {
	changes := 0
	for seed := range uint64(20) {
		d := newDraw(seed + 1<<25)
		c := d.condition()
		c.Workload.Batch = 1
		v := batches(c, 1, 3, 8, 13)
		out := varied(t, v)
		for i := range out.Points {
			p := &out.Points[i]
			if i > 0 && p.Number <= out.Points[i-1].Number {
				t.Fatalf("seed %d: %s after %s", seed, p.Value, out.Points[i-1].Value)
			}
			own, err := v.Read(formulation.VariableValue{Text: p.Value, Number: p.Number})
			if err != nil {
				t.Fatal(err)
			}
			rep := solved(t, own)
			if p.Status != rep.Status || rep.Feasible != (p.Plan != nil) {
				t.Fatalf("seed %d, batch %s: %s, alone %s", seed, p.Value, p.Status, rep.Status)
			}
			if p.Plan == nil {
				continue
			}
			if asJSON(t, p.Plan) != asJSON(t, rep.Plan) || p.LatencyMS != *rep.Plan.Phases[0].Metrics.E2EMS {
				t.Errorf("seed %d, batch %s: not the plan that is found alone", seed, p.Value)
			}
			if check, err := verify.Check(p.Plan, p.Given); err != nil || !check.OK {
				t.Errorf("seed %d, batch %s: %v %v", seed, p.Value, verify.Violations(check), err)
			}
		}
		for i := 1; i < len(out.Points); i++ {
			a, b := &out.Points[i-1], &out.Points[i]
			told := slices.ContainsFunc(out.Changes, func(x results.VariationChange) bool { return x.Last == a.Value && x.First == b.Value })
			if differ := a.Kind != b.Kind; told != differ {
				t.Errorf("seed %d: %q at %s, %q at %s, a change is told: %t", seed, a.Kind, a.Value, b.Kind, b.Value, told)
			} else if differ {
				changes++
				if b.Number-a.Number > 1 {
					t.Errorf("seed %d: a change between %s and %s, with values between", seed, a.Value, b.Value)
				}
			}
		}
		if !strings.Contains(out.Summary, out.Points[0].Kind) {
			t.Errorf("seed %d: %q does not begin with %q", seed, out.Summary, out.Points[0].Kind)
		}
	}
	if changes < 5 {
		t.Errorf("%d changes: the generator says too little", changes)
	}
}

// A value that is no condition, or has no plan, is a row; where none is a condition the
// first error is returned.
func TestVaryTakesWhatComes(t *testing.T) {
	c := small()
	v := batches(c, 1, 2, 3)
	read := v.Read
	v.Read = func(x formulation.VariableValue) (*inputs.Condition, error) {
		if x.Number == 2 {
			return nil, errors.New("two is refused\nat length")
		}
		own, err := read(x)
		if x.Number == 3 {
			own.Goal.Requirements = []inputs.Requirement{{Kind: inputs.TPOT, Value: 1e-9}}
		}
		return own, err
	}
	v.Between = nil
	out := varied(t, v)
	if s := out.Points[1].Status; s != "invalid" || out.Points[1].Reason != "two is refused" {
		t.Errorf("%s: %s", s, out.Points[1].Reason)
	}
	if s := out.Points[2].Status; s != results.StatusInfeasible || out.Points[2].Kind != "no plan" || out.Points[2].Reason == "" {
		t.Errorf("a token in a nanosecond: %+v", out.Points[2])
	}
	if len(out.Changes) != 2 {
		t.Errorf("%d changes, want 2: %+v", len(out.Changes), out.Changes)
	}
	v.Read = func(formulation.VariableValue) (*inputs.Condition, error) { return nil, errors.New("refused") }
	if _, err := formulation.Vary(context.Background(), v, formulation.Options{Backend: "labels"}); err == nil || err.Error() != "refused" {
		t.Errorf("no value is a condition: %v", err)
	}
}

// A context that ends leaves the rest unknown, and nothing is called a change by it.
func TestVaryStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	v := batches(small(), 1, 2, 3, 4)
	read := v.Read
	v.Read = func(x formulation.VariableValue) (*inputs.Condition, error) {
		if x.Number == 2 {
			cancel()
		}
		return read(x)
	}
	out, err := formulation.Vary(ctx, v, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	if out.Points[0].Plan == nil || out.Points[3].Status != results.StatusUnknown || out.Points[3].Plan != nil {
		t.Errorf("%+v", out.Points)
	}
	if len(out.Points) != 4 {
		t.Errorf("%d points: nothing can be located", len(out.Points))
	}
	cancel()
	out, err = formulation.Vary(ctx, v, formulation.Options{})
	if err != nil || len(out.Points) != 4 || out.Points[0].Status != results.StatusUnknown || len(out.Changes) > 0 {
		t.Errorf("cancelled before the start: %+v, %v", out, err)
	}
}

// Every change counts layers and groups too.
func TestVaryEveryChange(t *testing.T) {
	few, many := 0, 0
	for seed := range uint64(8) {
		d := newDraw(seed + 1<<26)
		c := d.condition()
		c.Workload.Batch = 1
		v := batches(c, 1, 6)
		few += len(varied(t, v).Changes)
		v.EveryChange = true
		many += len(varied(t, v).Changes)
	}
	if many <= few {
		t.Errorf("%d changes of strategies, %d of all: want more", few, many)
	}
}
