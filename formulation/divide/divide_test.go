package divide

import (
	"slices"
	"testing"
)

func TestDivide(t *testing.T) {
	for n := range 200 {
		var all []int
		for d := 1; d <= n; d++ {
			if n%d == 0 {
				all = append(all, d)
			}
		}
		if got := Divisors(n); !slices.Equal(got, all) {
			t.Errorf("%d: %v, want %v", n, got, all)
		}
		for m := range 50 {
			want := max(n, m)
			for want > 0 && (n%want != 0 || m%want != 0) {
				want--
			}
			if got := GCD(n, m); got != want {
				t.Errorf("%d and %d: %d, want %d", n, m, got, want)
			}
		}
	}
	if Divisors(-4) != nil {
		t.Error("a number below 1 has divisors")
	}
}
