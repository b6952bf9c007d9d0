package cost

import "math"

// roofline prices one kind of operator on one device:
//
//	t = t0 + max(flops/(ηf F), bytes/(ηb B))                                     (O1)
//
// Rates are kept as seconds per FLOP and per byte.
type roofline struct {
	floor          float64 // t0, seconds: launch and ramp-up of one kernel
	secondsPerFLOP float64 // 1/(ηf F)
	secondsPerByte float64 // 1/(ηb B)
	// ηf and ηb, in the rates above.
	compute, bandwidth float64
}

func (r *roofline) time(flops, bytes float64) float64 {
	return r.floor + math.Max(flops*r.secondsPerFLOP, bytes*r.secondsPerByte)
}

// sharing is a roofline that reaches so much of what another does.
func (r *roofline) sharing(compute, bandwidth float64) roofline {
	return roofline{
		floor: r.floor, secondsPerFLOP: r.secondsPerFLOP / compute, secondsPerByte: r.secondsPerByte / bandwidth,
		compute: r.compute * compute, bandwidth: r.bandwidth * bandwidth,
	}
}

// matmul prices the product of activations m×k with weights k×n:
//
//	flops 2mnk     bytes e_w k n + e_a m (k + n)                                 (O2)
func (r *roofline) matmul(m, k, n, weightBytes, activationBytes float64) float64 {
	return r.time(2*m*n*k, weightBytes*k*n+activationBytes*m*(k+n))
}

// stream prices an operator that only moves data: norm, residual, rotary
// embedding, activation function, gather, sampling.
//
//	t = t0 + bytes/(ηb B)                                                        (O3)
func (r *roofline) stream(bytes float64) float64 {
	return r.floor + bytes*r.secondsPerByte
}
