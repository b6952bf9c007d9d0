// Package solvertest is the conformance suite of solver.Backend: what every backend
// has to pass before its answers are believed.
//
//	func TestConformance(t *testing.T) {
//	    solvertest.Run(t, func() solver.Backend { return sat.New() })
//	}
//
// It holds fixed instances with known optima, among them one on which lp_solve 5.5
// claims a wrong optimum, and random models compared with exhaustive search.
package solvertest
