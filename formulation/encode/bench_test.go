package encode_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
)

// patience is how long a benchmark waits for one proof.
const patience = 60 * time.Second

// weighted are the hardest of the families with weights between sum and bottleneck.
func weighted() (list []pathtest.Family) {
	for _, f := range pathtest.Families() {
		if f.Name != "4pools126x64/sum+peak" {
			continue
		}
		for _, w := range []int64{4, 16, 64, 256} {
			f.Name, f.Phase = fmt.Sprintf("4pools126x64/sum+%dpeak", w), path.Phase{Sum: 1, Peak: w}
			list = append(list, f)
		}
	}
	return list
}

// TestFamiliesAgree: lp_solve's optimum of the large instances is that of the labels. All
// of them take half a minute: with PARTITA_FAMILIES=all.
func TestFamiliesAgree(t *testing.T) {
	list := backends(t)
	b := list[len(list)-1]
	if b.Name() == "sat" {
		t.Skip("lp_solve is not linked in")
	}
	for _, f := range pathtest.Families() {
		if (f.Layers > 80 || f.Send) && os.Getenv("PARTITA_FAMILIES") == "" {
			continue
		}
		p := f.Problem(1)
		r, err := encode.Solve(t.Context(), p, b, encode.Options{})
		if err != nil || r.Status != solver.Optimal {
			t.Errorf("%s: %v, %v", f.Name, r.Status, err)
		}
		l, err := path.Solve(t.Context(), p, path.Options{})
		if err != nil || l.Status != solver.Optimal || l.Value.Objective != r.Value.Objective {
			t.Errorf("%s: lp_solve %d, labels %v, %d, %v", f.Name, r.Value.Objective, l.Status, l.Value.Objective, err)
		}
	}
}

// BenchmarkSolve proves the instance families, seed 1, without an incumbent. SAT is
// left out: it cannot prove unlike times, where proofs are by counting. A family that
// takes longer than patience is skipped.
func BenchmarkSolve(b *testing.B) {
	for _, f := range append(pathtest.Families(), weighted()...) {
		p := f.Problem(1)
		for _, backend := range backends(b) {
			if backend.Name() == "sat" {
				continue
			}
			b.Run(f.Name+"/"+backend.Name(), func(b *testing.B) {
				b.ReportAllocs()
				var r encode.Result
				var err error
				for b.Loop() {
					ctx, cancel := context.WithTimeout(b.Context(), patience)
					r, err = encode.Solve(ctx, p, backend, encode.Options{})
					cancel()
					switch {
					case err != nil:
						b.Fatal(err)
					case r.Status != solver.Optimal:
						b.Skipf("%v after %v: value %d, bound %d", r.Status, patience, r.Value.Objective, r.Bound)
					}
				}
				b.ReportMetric(float64(r.Calls), "calls")
				b.ReportMetric(float64(r.Nodes), "boxes")
			})
		}
	}
}
