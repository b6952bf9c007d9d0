// Package sat is the backend on gini, a CDCL solver for clauses, in pure Go.
//
// # How a model becomes clauses
//
//	variable      order encoding up to a range of 32, else binary
//	clause        as it is
//	AMO           pairwise up to five literals, else the sequential counter
//	other rows    a decision diagram over the summands, or an adder network where
//	              the diagram would be several times larger
//	objective     the same, asked for one bound after the other by an assumption
//
// Rows that let at most one of their literals be true are found first. Where another
// row sums over such literals ("the cost of the option chosen"), all of them are one
// summand.
//
// One gini lives through a whole solver.Solve; each cutoff is an assumption, so what
// was learned stays. It finds points and refutes cutoffs, and says nothing of bounds
// in between.
//
// Counting arguments are hard for clause learning: expect feasibility and conflicts
// from this backend, and proofs of optimality for small models only.
package sat
