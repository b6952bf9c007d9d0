// Package ideals places an operator graph on devices in contiguous stages so that the
// largest load is smallest, and proves it.
//
// A contiguous placement is a chain of ideals (downward closed sets of nodes)
// ∅ = I_0 ⊂ I_1 ⊂ … ⊂ I_m = all: stage s holds I_s \ I_{s-1} and runs on one device. It
// is the stage graph of a chain of layers, with ideals for the boundaries. A Problem
// may have several classes of device; the state of the search is an ideal and the
// number of devices of every class used to reach it, so that devices are counted, never
// told apart.
//
// The load of a device is its work and, for every output (a node and its consumers)
// that its stage holds in part, the time to send or receive it once. An output that a
// stage holds whole, or not at all, costs it nothing. So an output is a net: it costs a
// stage Transfer where the stage cuts it.
//
// Solve contracts the problem first (contract.go), takes the best placement along some
// linear orders as a start, then asks whether a chain of ideals exists below it; the
// answer no is the proof.
package ideals
