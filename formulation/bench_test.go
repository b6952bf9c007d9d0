package formulation_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
	"partita/solver"
	"partita/solver/lpsolve"
)

// loadExample reads files of examples/ into one condition.
func loadExample(b *testing.B, names ...string) *inputs.Condition {
	b.Helper()
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join("..", "examples", name)
	}
	c, err := read.Load(read.Options{Paths: paths})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// withILP are options whose second solver is lp_solve; the benchmark is skipped where
// it is not built in.
func withILP(b *testing.B, opts formulation.Options) formulation.Options {
	b.Helper()
	if !lpsolve.Available() {
		b.Skip("lp_solve is not built in; -tags lpsolve")
	}
	opts.ILP = func() (solver.Backend, error) { return lpsolve.New() }
	return opts
}

func optimum(b *testing.B, c *inputs.Condition, opts formulation.Options) *results.Report {
	b.Helper()
	r, err := formulation.Optimize(b.Context(), c, opts)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// proved fails unless the plan is optimal and the backends agree on it.
func proved(b *testing.B, r *results.Report, by ...string) {
	b.Helper()
	solve := r.Plan.Phases[0].Solve
	if solve.Status != "optimal" || !slices.Equal(solve.AgreedBy, by) {
		b.Fatalf("status %s, agreed by %v, out of time %v: want a proof by %v", solve.Status, solve.AgreedBy, solve.OutOfTime, by)
	}
}

// BenchmarkHomogeneous16384 is the whole search with its proof: 405B on 16,384 H100.
func BenchmarkHomogeneous16384(b *testing.B) {
	c := loadExample(b, "llama-3.1-405b-16384-h100.yaml")
	for b.Loop() {
		proved(b, optimum(b, c, formulation.Options{Backend: "labels"}), "labels")
	}
}

// BenchmarkThreePools is 70B on 8 A100, 8 L40S and 16 T4: the whole search by labels,
// and with lp_solve proving the final choice once more, however long it takes.
func BenchmarkThreePools(b *testing.B) {
	all := loadExample(b, "three-pools-llama-70b-fp16.yaml")
	idle := *all
	idle.Goal.AllowIdle = true
	for _, row := range []struct {
		name string
		c    *inputs.Condition
	}{{"all 32 GPUs", all}, {"idle GPUs allowed", &idle}} {
		b.Run(row.name+"/labels", func(b *testing.B) {
			for b.Loop() {
				proved(b, optimum(b, row.c, formulation.Options{Backend: "labels"}), "labels")
			}
		})
		b.Run(row.name+"/labels and lp_solve", func(b *testing.B) {
			opts := withILP(b, formulation.Options{Backend: "auto", Confirm: 10 * time.Minute})
			for b.Loop() {
				proved(b, optimum(b, row.c, opts), "labels", "ilp")
			}
		})
	}
}

// BenchmarkVerify recomputes the plan of 405B on 16,384 GPUs.
func BenchmarkVerify(b *testing.B) {
	c := loadExample(b, "llama-3.1-405b-16384-h100.yaml")
	r := optimum(b, c, formulation.Options{Backend: "labels"})
	for b.Loop() {
		v, err := verify.Check(r.Plan, c)
		if err != nil || !v.OK {
			b.Fatalf("%+v, %v", v, err)
		}
	}
}
