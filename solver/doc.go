// Package solver holds integer linear models and proves their optima.
//
// A Model is plain data: bounded integer variables behind value handles, rows
// lo ≤ Σ c·x ≤ hi, one objective, int64 throughout. Solve drives any Backend through
// one loop: find a point, check it in exact arithmetic, look only for better ones,
// and say Optimal when the backend refutes that there are any.
//
//	m := solver.New("knapsack")
//	a, b := m.Bool("a"), m.Bool("b")
//	m.AtMost("weight", solver.Term(3, a).Add(4, b), 5)
//	m.Maximize(solver.Term(5, a).Add(6, b))
//	result, err := solver.Solve(ctx, m, sat.New(), solver.Options{})
//
// # Names
//
//	x           variable             Variable; its complement 1 - x is Not
//	Σ c·x + k   linear expression    Expr
//	row         constraint           Constraint is the handle, Row the data
//	v           objective value      Result.Objective, of the Incumbent
//	bound       best bound           Result.BestBound: no point beats it
//	gap         |v - bound| / |v|    Result.Gap
//	cutoff      value to beat        Options.Cutoff, strict
//	raw call    one Backend.Solve    Result.Calls counts them
//	conflict    minimal clashing set Conflicter.Conflict
//	EO, AMO     exactly / at most one literal true (in package sat)
//
// # Adding a backend
//
// Put it in a folder of its own, with the foreign import in one file. Take the rows
// from Model.Rows: they are sorted, merged and free of zeros; answer Infeasible where
// Model.Contradiction says so, and Unsupported for what Capabilities rules out.
// Translate Options.Cutoff into "objective ≤ cutoff - 1" (≥ cutoff + 1). Return
// points rounded to integers; Solve does the checking. Stop within 100 ms of the end
// of the context. Then pass solvertest.Run.
package solver
