// Package encode turns a stage graph (path.Problem) into integer linear models and
// proves its optimum with any solver.Backend.
//
// Solve works by threshold: the bottleneck T of a phase is never a row over all
// stages. A box fixes a window [lo, hi] of T for each phase; its model has the arcs
// with time ≤ hi, takes T = lo wherever T occurs, and minimises what is linear in the
// path. That is exact for paths with T = lo and a relaxation for the others, so a box
// is split until the point it gives is worth what it says. Before a backend sees a
// box the counts are priced (Lagrangian relaxation): most boxes, and most arcs of the
// others, fall to the bound. Nothing is taken on trust but "infeasible": a box closes
// when our own bound, or the backend, says that nothing in it is below the incumbent.
//
// Model is the whole problem as one model, for export and comparison.
//
// Each condition of the problem is a file constraint_*.go with its equation; the
// numbers are those of docs/formulation.md.
//
//	name         meaning                                       in the formulas
//	arc          stage candidate between two nodes             c
//	time         time of an arc in a phase, ticks              τ_c
//	sum, peak    of the times over a path                      Λ_p, T_p
//	form         linear form over a path, coefficient an arc
//	window       range of T of one phase                       [lo, hi]
//	box          a window for each phase with its arcs
//	cutoff       value to beat: the incumbent's                v
//	price        multiplier of a relaxed row                   u
//	fixing       dropping arcs over which no path beats v
//	cover        longest arcs and free arcs back: relaxation for a pure bottleneck
//	kind         groups that every sender is charged alike for sending to
package encode
