// Package laneplan plans lanes: machines of one GPU that may hold the same layers, so
// that unlike ones share what one of them alone would be too slow for.
//
// All sequences in flight, S, are of one replica. Each takes one way through the machines,
// from the first layer to the last, and keeps it: its KV cache lies there. Machine m
// holds n_m sequences. They decode in G groups, each group spread over the machines as
// all sequences are, so a step of machine m is one of ⌈n_m/G⌉ sequences and takes τ_m
// (docs/cost-model.md, C3). As in a pipeline a round gives every sequence one token and
// takes
//
//	R = max( longest way Σ τ_m,  G · max τ_m )
//
// Throughput is S/R, so R is minimised. For G groups and a step of at most τ a machine
// with k layers carries the largest n whose step takes no longer and whose KV cache fits;
// package lanes decides exactly whether ranges exist with Σ n ≥ S on every layer, and the
// least such τ gives G·τ as bound. The other bound is work: on average a way takes
// Σ n_m·τ_m / S. Steps are priced as if every sequence of a machine needed all of its
// layers, which is never too low.
package laneplan
