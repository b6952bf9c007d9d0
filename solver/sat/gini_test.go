package sat

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestEngineIncrementally adds clauses and asks under assumptions in any order, and
// compares with a truth table: verdict, assignment and failed assumptions. The same
// gini goes through it all.
func TestEngineIncrementally(t *testing.T) {
	const n = 8
	literal := rapid.Custom(func(t *rapid.T) lit {
		l := lit(rapid.IntRange(1, n).Draw(t, "variable"))
		if rapid.Bool().Draw(t, "negative") {
			return -l
		}
		return l
	})
	rapid.Check(t, func(t *rapid.T) {
		eng := newEngine()
		var clauses [][]lit
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "ask") > 0 {
				c := rapid.SliceOfN(literal, 2, 4).Draw(t, "clause")
				clauses = append(clauses, c)
				eng.add(c)
				continue
			}
			assumed := rapid.SliceOfN(literal, 0, 4).Draw(t, "assumed")
			want := satisfies(clauses, assumed, n)
			got := eng.solve(context.Background(), assumed)
			if (got == satisfiable) != want || got == unknown {
				t.Fatalf("%v under %v: %v, want satisfiable %v", clauses, assumed, got, want)
			}
			if want {
				for _, c := range append(units(assumed), clauses...) {
					if !slices.ContainsFunc(c, eng.holds) {
						t.Fatalf("the assignment breaks %v", c)
					}
				}
				continue
			}
			failed := eng.failed()
			for _, l := range failed {
				if !slices.Contains(assumed, l) {
					t.Fatalf("failed assumption %d is not among %v", l, assumed)
				}
			}
			if satisfies(clauses, failed, n) {
				t.Fatalf("%v under %v: %v do not refute it", clauses, assumed, failed)
			}
		}
	})
}

func units(ls []lit) (out [][]lit) {
	for _, l := range ls {
		out = append(out, []lit{l})
	}
	return out
}

// satisfies decides by trying all assignments of n variables.
func satisfies(clauses [][]lit, assumed []lit, n int) bool {
	all := append(units(assumed), clauses...)
	for bitmap := range 1 << n {
		broken := slices.ContainsFunc(all, func(c []lit) bool {
			return !slices.ContainsFunc(c, func(l lit) bool {
				if l < 0 {
					return bitmap>>(-l-1)&1 == 0
				}
				return bitmap>>(l-1)&1 == 1
			})
		})
		if !broken {
			return true
		}
	}
	return false
}
