package solver

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestArithmetic compares with math/big, the ends of int64 included.
func TestArithmetic(t *testing.T) {
	ends := []int64{math.MinInt64, math.MinInt64 + 1, -1 << 32, -3, -1, 0, 1, 2, 1 << 31, 1 << 32, math.MaxInt64 - 1, math.MaxInt64}
	draw := rapid.OneOf(rapid.SampledFrom(ends), rapid.Int64(), rapid.Int64Range(-1<<33, 1<<33))
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		for name, c := range map[string]struct {
			of    func(a, b int64) (int64, bool)
			exact *big.Int
		}{
			"sum":     {addInt, new(big.Int).Add(big.NewInt(a), big.NewInt(b))},
			"product": {mulInt, new(big.Int).Mul(big.NewInt(a), big.NewInt(b))},
		} {
			got, ok := c.of(a, b)
			if ok != c.exact.IsInt64() || ok && got != c.exact.Int64() {
				t.Fatalf("%s of %d and %d: %d, %v; exactly %v", name, a, b, got, ok, c.exact)
			}
		}
		if d := max(1, b); d > 0 && a != math.MinInt64 {
			want := new(big.Int).Div(big.NewInt(a), big.NewInt(d)) // Euclidean: floor for d > 0
			if got := floorDiv(a, d); got != want.Int64() {
				t.Fatalf("floor of %d / %d: %d, want %v", a, d, got, want)
			}
		}
	})
}
