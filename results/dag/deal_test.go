package dag

import (
	"testing"

	"pgregory.net/rapid"
)

// Parts are dealt in order, without a gap, and differ by at most one.
func TestSharesAreWholeAndEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, parts := rapid.IntRange(0, 1000).Draw(t, "n"), rapid.IntRange(1, 70).Draw(t, "parts")
		next := 0
		for i := range parts {
			if got := start(n, parts, i); got != next {
				t.Fatalf("part %d of %d starts at %d, the one before ends at %d", i, n, got, next)
			}
			size := share(n, parts, i)
			if size != n/parts && size != ceil(n, parts) {
				t.Fatalf("part %d of %d over %d is %d", i, n, parts, size)
			}
			next += size
		}
		if next != n {
			t.Fatalf("parts of %d add up to %d", n, next)
		}
		if share(n, parts, 0) != ceil(n, parts) {
			t.Fatalf("the first part is not the largest")
		}
	})
}
