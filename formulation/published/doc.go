// Package published solves published placement instances by the searches that solve
// uses: chains of unlike machines, rented instances, operator graphs.
//
//	published.go   what can be asked for, and who answers it
//	answer.go      the answer: value, bound, gap, status
//	series.go      chains as a series pipeline: the stage graph of solver/path
//	blocks.go      the same with the machines of a type side by side
//	lanes.go       chains with machines side by side
//	rental.go      rented instances: throughput within a budget, price per token
//	renting.go     their labels: every way to rent that no other beats
//	rentalmodel.go their integer models
//	graph.go       operator graphs: contiguous, noncontiguous, latency
//
// The answers are not verified here: results/verify/placement shares no code with the
// searches and recomputes them from the solution alone.
package published
