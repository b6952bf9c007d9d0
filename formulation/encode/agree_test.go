package encode_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"testing"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/bruteforce"
	"partita/solver/lpsolve"
	"partita/solver/path"
	"partita/solver/path/pathtest"
	"partita/solver/sat"
	"partita/solver/solvertest"
)

// TestMain lets lp_solve run in a worker process of the test program.
func TestMain(m *testing.M) {
	if lpsolve.IsWorker() {
		os.Exit(lpsolve.RunWorker(os.Stdin, solvertest.Breakable(os.Stdout)))
	}
	os.Exit(m.Run())
}

// backends are the ones of this build.
func backends(tb testing.TB) []solver.Backend {
	list := []solver.Backend{sat.New()}
	if lpsolve.Available() {
		b, err := lpsolve.New()
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = b.Close() })
		list = append(list, b)
	}
	return list
}

// count is a number of random problems: the usual one, or what a variable says.
func count(t *testing.T, variable string, usual uint64) uint64 {
	s := os.Getenv(variable)
	if s == "" {
		return usual
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// TestAgreement: on random problems every backend, with and without an incumbent, and
// the labels give the value that trying every path gives. As many parts as there are
// processors run side by side.
func TestAgreement(t *testing.T) {
	list, n := backends(t), count(t, "PARTITA_AGREE", 500)
	parts := uint64(runtime.GOMAXPROCS(0))
	for part := range parts {
		t.Run(fmt.Sprintf("part %d", part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < n; seed += parts {
				agreeOn(t, seed, list)
			}
		})
	}
}

func agreeOn(t *testing.T, seed uint64, list []solver.Backend) {
	t.Helper()
	p := pathtest.Random(pathtest.Seeded(seed))
	best, want, ok := path.BruteForce(p)
	for _, b := range list {
		var start []path.Stage
		if ok && seed%3 == 0 {
			start = best
		}
		agree(t, seed, p, b, start, want, ok)
	}
	r, err := path.Solve(t.Context(), p, path.Options{})
	if err != nil {
		t.Fatalf("seed %d: labels: %v", seed, err)
	}
	if got := r.Status == solver.Optimal; got != ok || ok && r.Value.Objective != want.Objective {
		t.Errorf("seed %d: labels say %v %d, the best is %d (%v)", seed, r.Status, r.Value.Objective, want.Objective, ok)
	}
}

// TestAgreementOfTheOracle: the exhaustive backend on the problems of few arcs.
func TestAgreementOfTheOracle(t *testing.T) {
	solved := 0
	for seed := range uint64(400) {
		p := pathtest.Random(pathtest.Seeded(seed))
		if p.Boundaries > 4 {
			continue
		}
		solved++
		_, want, ok := path.BruteForce(p)
		agree(t, seed, p, bruteforce.New(), nil, want, ok)
	}
	if solved < 100 {
		t.Errorf("only %d small problems", solved)
	}
}

func agree(t *testing.T, seed uint64, p *path.Problem, b solver.Backend, start []path.Stage, want path.Value, ok bool) {
	t.Helper()
	r, err := encode.Solve(context.Background(), p, b, encode.Options{Incumbent: start})
	if err != nil {
		t.Fatalf("seed %d: %s: %v", seed, b.Name(), err)
	}
	if !ok {
		if r.Status != solver.Infeasible || r.Stages != nil {
			t.Fatalf("seed %d: %s: %v with %v where nothing is possible", seed, b.Name(), r.Status, r.Stages)
		}
		return
	}
	if r.Status != solver.Optimal || r.Value.Objective != want.Objective || !r.HasBound || r.Bound != want.Objective || r.Calls == 0 {
		t.Fatalf("seed %d: %s: %+v, want %d", seed, b.Name(), r, want.Objective)
	}
	if v, err := p.Evaluate(r.Stages); err != nil || v != r.Value {
		t.Fatalf("seed %d: %s: %v is %+v, %v; said %+v", seed, b.Name(), r.Stages, v, err, r.Value)
	}
}

// TestCutoff: a cutoff at the optimum is refuted and is then the bound, whatever path
// is handed in; one above it changes nothing, however far above.
func TestCutoff(t *testing.T) {
	for seed := range uint64(200) {
		p := pathtest.Random(pathtest.Seeded(seed))
		best, want, ok := path.BruteForce(p)
		for _, cutoff := range []int64{math.MinInt64, want.Objective, want.Objective + 1, math.MaxInt64} {
			r, err := encode.Solve(t.Context(), p, sat.New(), encode.Options{Incumbent: best, Cutoff: &cutoff})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if ok && want.Objective < cutoff {
				if r.Status != solver.Optimal || r.Value.Objective != want.Objective {
					t.Fatalf("seed %d, cutoff %d: %+v, want %d", seed, cutoff, r, want.Objective)
				}
			} else if r.Status != solver.Infeasible || !r.HasBound || r.Bound != cutoff || r.Stages != nil {
				t.Fatalf("seed %d, cutoff %d: %+v, want nothing (the optimum is %d, %v)", seed, cutoff, r, want.Objective, ok)
			}
		}
	}
}
