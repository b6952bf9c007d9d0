// Package dual finds prices: it maximises the Lagrangian bound of a relaxed problem,
// a concave and piecewise linear function of a handful of multipliers.
//
// The sizes of good multipliers differ a hundredfold, and plain subgradient steps zigzag
// between the pieces without getting on. Shor's r-algorithm (Minimization Methods for
// Non-Differentiable Functions, 1985) stretches space so that the zigzag goes away: it
// is at the maximum after about ten evaluations a multiplier, where a thousand plain
// steps still leave a tenth of the way. Floating point only proposes; what a price
// vector proves is for the caller to compute exactly.
package dual

import "math"

const (
	// dilation is what remains of space along the difference of two successive
	// subgradients. Shor advises 1/3 to 1/2.
	dilation = 0.4
	// A step that goes too far is shortened, one repeated twice lengthened.
	shorter, longer = 0.8, 1.5
	// tiny is the length of a direction, or of a difference of subgradients, that is
	// zero up to rounding.
	tiny = 1e-9
)

// Ascend moves x, of which scale says the size of a subgradient by coordinate (> 0),
// upwards until price ends it or no coordinate moves by at least resolution.
//
// price evaluates the function at x, which it may bring into range, sets the
// subgradient there, and returns the rise it still hopes for: the first step is
// measured by that, and 0 or less ends the search. It keeps the best it has seen.
func Ascend(x, scale []float64, resolution float64, price func(x, gradient []float64) (hope float64)) {
	s := newSpace(scale)
	gradient, last, dir := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	hope := price(x, gradient)
	length := 0.0
	for hope > 0 {
		norm := s.direction(gradient, dir)
		if norm < tiny {
			return
		}
		if length == 0 {
			length = hope / norm / 4
		}
		copy(last, gradient)
		moved, rising := 0.0, true
		for again := 0; rising; again++ {
			moved = max(moved, step(x, dir, length))
			if price(x, gradient) <= 0 {
				return
			}
			rising = dot(gradient, dir) > 0
			switch {
			case !rising && again == 0:
				length *= shorter
			case rising && again%2 == 1:
				length *= longer
			}
		}
		if moved < resolution {
			return
		}
		s.dilate(gradient, last)
	}
}

// space is the linear map B of the algorithm, row by row: steps go along B·Bᵀ·g.
type space struct {
	b [][]float64
	v []float64 // scratch memory: a vector in dilated space
}

// newSpace measures each coordinate in units of 1/scale.
func newSpace(scale []float64) *space {
	s := &space{b: make([][]float64, len(scale)), v: make([]float64, len(scale))}
	for j := range s.b {
		s.b[j] = make([]float64, len(scale))
		s.b[j][j] = 1 / scale[j]
	}
	return s
}

// into sets v to Bᵀ·g of unit length and returns the length it had.
func (s *space) into(g []float64) float64 {
	clear(s.v)
	for j, row := range s.b {
		for i, b := range row {
			s.v[i] += b * g[j]
		}
	}
	norm := math.Sqrt(dot(s.v, s.v))
	if norm >= tiny {
		for i := range s.v {
			s.v[i] /= norm
		}
	}
	return norm
}

// direction sets dir to B·Bᵀ·g, of unit length in dilated space, and returns the
// length of Bᵀ·g.
func (s *space) direction(g, dir []float64) float64 {
	norm := s.into(g)
	for j, row := range s.b {
		dir[j] = dot(row, s.v)
	}
	return norm
}

// dilate shrinks space along the difference of two subgradients; last is overwritten.
func (s *space) dilate(g, last []float64) {
	for j := range last {
		last[j] = g[j] - last[j]
	}
	if s.into(last) < tiny {
		return
	}
	for _, row := range s.b {
		d := (dilation - 1) * dot(row, s.v)
		for i := range row {
			row[i] += d * s.v[i]
		}
	}
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// step moves x and returns how far in the coordinate that moved most.
func step(x, dir []float64, length float64) (moved float64) {
	for j := range x {
		x[j] += length * dir[j]
		moved = max(moved, math.Abs(length*dir[j]))
	}
	return moved
}
