// Package scatter places operator graphs in any pieces: a device may hold any set of
// nodes, contiguous or not, and the largest load is to be the least (the throughput
// objective of the dnn-partitioning instances; assignment.Loads is its definition).
//
// Nodes that must share a device are one cluster; the output of a cluster is a net with
// pins at its readers, whose cost falls due once at the sender and once at every other
// accelerator with a reader (problem.go).
//
// Good assignments come from two moves. The clusters of two devices are split anew as
// well as possible, by a walk through them that keeps a Pareto front of both loads for
// every state of the open nets (split.go, local.go): operator graphs are narrow, so that
// few nets are open at a time. And groups of clusters walk by simulated annealing
// (anneal.go), each move at the cost of its pins (state.go).
//
// The bound comes from prices (dual.go). With a price for every cluster, the same walk
// gives what the dearest set is worth that one accelerator can hold at each load,
// communication included. Where k such sets, and what the cores hold, are worth less
// than all clusters together, no assignment has that load. A bundle method moves the
// prices (bundle.go) to the best such bound: the configuration LP of the instance, which
// knows that four blocks fit a device and five do not, and what every cut costs. Small
// graphs are settled by trying all assignments (tree.go), so that a search that memory
// makes hopeless ends with the proof of it.
//
// A search is measured by effort, not by time: without a deadline it ends by itself, and
// the same graph gives the same answer.
package scatter
