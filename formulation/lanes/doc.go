// Package lanes serves a chain of layers on unlike machines that may hold the same
// layers: it finds the ranges of layers that pass the most tokens per second, with a
// bound that proves it.
//
// # The rule
//
// Every machine holds one run of consecutive layers [a, b), or none. A machine of type t
// that holds k layers passes T_t(k) tokens/s, whatever part of its run a token needs: a
// token may enter at any layer that the machine holds. It leaves at b: where it could
// leave earlier, to a machine that holds the layer b too, it can as well stay until b,
// and where to one that does not, the visit is of no use. So a token that leaves i can
// go on to j where a_j ≤ b_i < b_j.
//
// # What a plan is worth
//
// The throughput of a plan is the maximum flow from the first layer to the last. A cut
// is a set of machines; without them a token gets through if and only if every layer is
// still held by some machine. The smallest cut is therefore all machines that hold one
// layer, the weakest one:
//
//	F = min over l of Σ_{m: a_m ≤ l < b_m} T(k_m)
//
// # Bound
//
//	V_t   budget of a machine of type t
//	w_c   price of a layer for a machine of the option c = (t, k):  k·w_c ≤ V_t
//	W     the cheapest set of machines that adds up to F:
//	      min Σ a_c·w_c  where Σ a_c·T_c ≥ F,  Σ_{c of t} a_c ≤ n_t
//
// Every layer is paid at least W by the machines that hold it, and a machine pays at
// most V_t in all: F is out of reach where Σ n_t·V_t < L·W. The best prices are the dual
// of the covering program over patterns of machines without positions (docs/lanes.md).
// They are found in floating point and then rounded to integers, for which the
// inequality is checked exactly: nothing rests on the floating point.
//
// # Proof
//
// What the prices leave open is searched through. Layer by layer machines are added
// where the ones that hold it fall short of F, no more than are needed (a machine that
// a layer does not need can start one layer later); a branch ends where what the rest
// can still pay falls below W for every layer left. See decide.
//
// # Names
//
//	l, L   layer, number of layers      Problem.Layers
//	t, n   type of machine, how many    Type, Type.Count
//	k      layers held                  Range.Held
//	F      throughput, in ticks: f      Problem.Value
package lanes
