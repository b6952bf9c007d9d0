package published

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partita/inputs/instance"
	"partita/results"
	"partita/results/verify/placement"
	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/sat"
)

func TestMain(m *testing.M) {
	if lpsolve.IsWorker() {
		os.Exit(lpsolve.RunWorker(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// shared is where the published files lie, beside the repository.
const shared = "../../../shared/instances"

// load reads a published file; where it is not there the test is skipped.
func load(t testing.TB, name string) []*instance.Instance {
	t.Helper()
	path := filepath.Join(shared, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there", path)
	}
	list, err := instance.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// ilp is one for all tests.
var ilp = sync.OnceValues(func() (solver.Backend, error) { return lpsolve.New() })

// options are those of a program with all backends that this build has.
func options(backend string) Options {
	o := Options{Backend: backend, SAT: func() (solver.Backend, error) { return sat.New(), nil }}
	if lpsolve.Available() {
		o.ILP = ilp
	}
	return o
}

// backends are those of this build.
func backends() []string {
	if lpsolve.Available() {
		return []string{Labels, SAT, ILP}
	}
	return []string{Labels, SAT}
}

// one solves an instance that has one answer.
func one(t testing.TB, i *instance.Instance, o Options) results.Placed {
	t.Helper()
	answers, err := Solve(t.Context(), i, o)
	if err != nil {
		t.Fatalf("%s: %v", i.Name, err)
	}
	if len(answers) != 1 {
		t.Fatalf("%s: %d answers", i.Name, len(answers))
	}
	if err := placement.Check(i, &answers[0]); err != nil {
		t.Fatalf("%s: %v", i.Name, err)
	}
	return answers[0]
}

func TestPublishedSeries(t *testing.T) {
	for _, i := range load(t, "helix.json") {
		for _, backend := range backends() {
			if a := one(t, i, options(backend)); a.Status != "optimal" || *a.Objective != i.Chain.SeriesOptimum || a.Backend != backend {
				t.Errorf("%s by %s: %+v, want %v proved", i.Name, backend, a, i.Chain.SeriesOptimum)
			}
		}
		a := one(t, i, options(Auto))
		if a.Status != "optimal" || a.Objective == nil || *a.Objective != i.Chain.SeriesOptimum || *a.BestBound != *a.Objective || *a.Gap != 0 {
			t.Errorf("%s: %+v, want %v proved", i.Name, a, i.Chain.SeriesOptimum)
		}
		if len(a.AgreedBy) != 2 {
			t.Errorf("%s: agreed by %v", i.Name, a.AgreedBy)
		}
		if *a.KnownOptimum != i.Chain.SeriesOptimum || (a.Recorded == nil) != (i.Chain.Recorded == nil) {
			t.Errorf("%s: recorded %+v, known %v", i.Name, a.Recorded, *a.KnownOptimum)
		}
	}
}

// bruteSeries is the best slowest stage, by trying every machine at every boundary; 0:
// there is no pipeline.
func bruteSeries(c *instance.Chain) float64 {
	left := make([]int, len(c.Machines))
	for k, m := range c.Machines {
		left[k] = m.Count
	}
	var from func(layer int) float64
	from = func(layer int) float64 {
		if layer == c.Layers {
			return math.Inf(1)
		}
		best := 0.0
		for k, m := range c.Machines {
			if left[k] == 0 {
				continue
			}
			left[k]--
			for held, tokens := range m.Throughput {
				if layer+held+1 <= c.Layers {
					best = max(best, min(tokens, from(layer+held+1)))
				}
			}
			left[k]++
		}
		return best
	}
	return from(0)
}

// randomChain draws a small chain; tables go up and down.
func randomChain(t *rapid.T) *instance.Chain {
	c := &instance.Chain{Layers: rapid.IntRange(1, 8).Draw(t, "layers")}
	for k := range rapid.IntRange(1, 3).Draw(t, "types") {
		m := instance.Machine{Type: string(rune('a' + k)), Count: rapid.IntRange(0, 3).Draw(t, "count")}
		for range rapid.IntRange(1, 5).Draw(t, "longest") {
			m.Throughput = append(m.Throughput, float64(rapid.IntRange(1, 9).Draw(t, "tokens"))+0.1)
		}
		c.Machines = append(c.Machines, m)
	}
	return c
}

// TestSeriesAgainstBruteForce: labels, ILP and SAT give what trying everything gives.
func TestSeriesAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := randomChain(t)
		want := bruteSeries(c)
		for _, backend := range backends() {
			i := &instance.Instance{Name: "random", Chain: c}
			answers, err := Solve(context.Background(), i, options(backend))
			if err != nil {
				t.Fatal(err)
			}
			a := answers[0]
			switch {
			case want == 0 && (a.Status != "infeasible" || a.Solution != nil || a.BestBound != nil):
				t.Fatalf("%s: %+v, want infeasible", backend, a)
			case want > 0 && (a.Status != "optimal" || *a.Objective != want || *a.BestBound != want):
				t.Fatalf("%s: %+v, want %v", backend, a, want)
			}
			if err := placement.Check(i, &a); err != nil {
				t.Fatalf("%s: %v", backend, err)
			}
		}
	})
}

// TestEndedContext: nothing is claimed that was not found.
func TestEndedContext(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancelLate := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancelLate()
	i := &instance.Instance{Name: "c", Chain: &instance.Chain{Layers: 3, Machines: []instance.Machine{{Type: "x", Count: 3, Throughput: []float64{3, 2}}}}}
	for ctx, want := range map[context.Context]string{ended: "interrupted", late: "time limit"} {
		answers, err := Solve(ctx, i, options(Labels))
		if err != nil || answers[0].Status != want || answers[0].Solution != nil || answers[0].AgreedBy != nil {
			t.Errorf("%+v, %v, want %s", answers, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	budget := 3.0
	chain := &instance.Instance{Name: "c", Chain: &instance.Chain{Layers: 1, Machines: []instance.Machine{{Type: "x", Count: 1, Throughput: []float64{1}}}}}
	for _, o := range []Options{{Objective: Latency}, {Budget: &budget}, {Backend: SAT}, {Backend: ILP}} {
		_, err := Solve(t.Context(), chain, o)
		var refused *RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Solve(t.Context(), &instance.Instance{}, Options{}); err == nil {
		t.Error("an empty instance is solved")
	}
}

func BenchmarkPublishedSeries(b *testing.B) {
	for _, i := range load(b, "helix.json") {
		b.Run(filepath.Base(i.Name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if a := one(b, i, options(Labels)); a.Status != "optimal" {
					b.Fatal(a.Status)
				}
			}
		})
	}
}
