package calibrate

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What a column has alone is the squared length that is left when projections on the others,
// made orthogonal one after the other, are taken out.
func TestAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		columns := rapid.IntRange(1, 6).Draw(r, "columns")
		n := rapid.IntRange(columns+2, 40).Draw(r, "rows")
		rows := make([]float64, n*columns)
		for i := range rows {
			rows[i] = rapid.Float64Range(-1, 1).Draw(r, "x")
		}
		got := alone(rows, columns)
		for c := range columns {
			var basis [][]float64
			rest := func(k int) ([]float64, float64) {
				v := make([]float64, n)
				for i := range v {
					v[i] = rows[i*columns+k]
				}
				for range 2 { // twice, for rounding
					for _, b := range basis {
						dot := 0.0
						for i := range v {
							dot += b[i] * v[i]
						}
						for i := range v {
							v[i] -= dot * b[i]
						}
					}
				}
				size := 0.0
				for i := range v {
					size += v[i] * v[i]
				}
				return v, size
			}
			for k := range columns {
				if v, size := rest(k); k != c && size > 1e-12 {
					for i := range v {
						v[i] /= math.Sqrt(size)
					}
					basis = append(basis, v)
				}
			}
			if _, want := rest(c); math.Abs(got[c]-want) > 1e-6*(1+want) {
				r.Fatalf("column %d has %g alone, want %g", c, got[c], want)
			}
		}
	})
	// Two columns that are alike have nothing alone, and leave a third what it has.
	twins := alone([]float64{1, 1, 0, 2, 2, 3, 3, 3, 0}, 3)
	if twins[0] > 1e-6 || twins[1] > 1e-6 || math.Abs(twins[2]-9*(1-4.0/14)) > 1e-6 {
		t.Error(twins)
	}
	if zero := alone([]float64{0, 1, 0, 2}, 2); zero[0] > 1e-6 || math.Abs(zero[1]-5) > 1e-6 {
		t.Error(zero)
	}
}

func TestSolve(t *testing.T) {
	x := solve([]float64{4, 2, 2, 3}, []float64{10, 9})
	if len(x) != 2 || math.Abs(x[0]-1.5) > 1e-12 || math.Abs(x[1]-2) > 1e-12 {
		t.Error(x)
	}
	for name, a := range map[string][]float64{"singular": {1, 1, 1, 1}, "indefinite": {1, 2, 2, 1}, "zero": {0, 0, 0, 0}} {
		if x := solve(a, []float64{1, 1}); x != nil {
			t.Errorf("%s: %v", name, x)
		}
	}
}
