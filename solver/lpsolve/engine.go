//go:build lpsolve

package lpsolve

import (
	"math"
	"runtime"

	"github.com/draffensperger/golp"
)

// Available reports whether lp_solve is linked into this program.
func Available() bool { return true }

// infinite is lp_solve's infinity (lp_lib.h, DEF_INFINITY).
const infinite = 1e30

// run solves one program inside this process. The order of the calls matters: rows
// first, in row-entry mode; SetObjFn leaves that mode; only then columns may be
// touched.
func run(p program) answer {
	lp := golp.NewLP(0, len(p.Cost))
	// The finalizer of golp frees the C structure as soon as lp is dead to the
	// garbage collector, which may be while C still works on it.
	defer runtime.KeepAlive(lp)
	lp.SetVerboseLevel(golp.NEUTRAL) // stdout belongs to the protocol
	lp.SetTimeout(p.TimeoutSeconds)
	for _, r := range p.Rows {
		entries := make([]golp.Entry, len(r.Col))
		for i, c := range r.Col {
			entries[i] = golp.Entry{Col: int(c), Val: r.Val[i]}
		}
		if r.Lo == r.Hi {
			lp.AddConstraintSparse(entries, golp.EQ, r.Hi)
			continue
		}
		// golp has no ranges, so a row with two ends goes in twice.
		if !math.IsInf(r.Hi, 1) {
			lp.AddConstraintSparse(entries, golp.LE, r.Hi)
		}
		if !math.IsInf(r.Lo, -1) {
			lp.AddConstraintSparse(entries, golp.GE, r.Lo)
		}
	}
	lp.SetObjFn(p.Cost) // one a column: a shorter slice is read past its end
	for i := range p.Cost {
		lp.SetInt(i, true)
		lp.SetBounds(i, max(p.Lower[i], -infinite), min(p.Upper[i], infinite))
	}
	// Presolve stays off: it renumbers what Variables returns.
	code := lp.Solve()
	a := answer{Code: int(code), Name: code.String()}
	switch code {
	case golp.OPTIMAL, golp.SUBOPTIMAL, golp.TIMEOUT, golp.FEASFOUND, golp.DEGENERATE:
		a.Values = lp.Variables()
	}
	return a
}
