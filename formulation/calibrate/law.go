package calibrate

import (
	"math"

	"partita/inputs"
	"partita/inputs/evidence"
	"partita/inputs/kernels"
)

// constant is one number of a law.
type constant struct {
	path    string // in inputs.Profile
	builtIn float64
	// What hardware can have; a fit that comes to an end of it has not measured the constant.
	low, high float64
}

// pricer is the time of an operator in seconds.
type pricer func(*kernels.Sample) float64

// law is the price of some operators as a function of constants.
type law struct {
	path      string // that the constants lie below
	constants []constant
	device    *inputs.Accelerator
	// at are the prices with values of the constants, in their order.
	at func(values []float64) pricer
}

// point is one shape's time.
type point struct {
	*kernels.Sample
	log   float64 // logarithm of the seconds; of the median of its repetitions
	shape string  // equal texts: the same operator on the same sizes
	group string  // equal texts: held out together
}

// Steps of the search for values.
const (
	mostSteps  = 60
	manyPoints = 1500 // on which starts are tried; all points refine the best
	smallStep  = 1e-7 // in the logarithm of a constant, that ends it
	difference = 1e-5 // of slopes, in the logarithm of a constant
	// bend is where the loss turns from the square to the size of an error, in standard
	// deviations: 95 % efficient where errors are Gaussian (Huber 1964).
	bend = 1.345
	// mostBend keeps it small where the form of the law misses, not the timing: the size of the
	// typical error counts then, not that of the worst.
	mostBend = 0.05
	// madToSigma is a Gaussian's standard deviation in median absolute deviations.
	madToSigma = 1.4826
	// leastSpread keeps the loss from taking rounding for information.
	leastSpread = 1e-4
)

// fit finds the values of the free constants that make log errors small, by damped
// Gauss-Newton steps from several starts; the others keep from. The first start is from
// itself: another one has to be better by more than one constant's worth of noise, since a
// constant that no time depends on can always be moved to where it touches a few rows.
func (l *law) fit(points []point, from []float64, free []bool) []float64 {
	some := thinned(points, manyPoints)
	best, least := from, math.Inf(1)
	for _, start := range l.starts(from, free) {
		values, loss := l.descend(some, start, free)
		noise := spread(l.errors(some, values))
		if math.IsInf(least, 1) || loss < least-noise*noise*math.Log(float64(len(some))) {
			best, least = values, loss
		}
	}
	if len(some) < len(points) {
		best, _ = l.descend(points, best, free)
	}
	return best
}

// starts are values to begin at: from, and each free constant, or all shares and all
// latencies at once, towards an end.
func (l *law) starts(from []float64, free []bool) [][]float64 {
	out := [][]float64{from}
	towards := func(end func(c *constant) float64, only int) {
		s := append([]float64(nil), from...)
		for i := range l.constants {
			if free[i] && (only < 0 || only == i) {
				s[i] = math.Sqrt(from[i] * end(&l.constants[i]))
			}
		}
		out = append(out, s)
	}
	low, high := func(c *constant) float64 { return c.low }, func(c *constant) float64 { return c.high }
	towards(low, -1)
	towards(high, -1)
	for i := range l.constants {
		if free[i] {
			towards(low, i)
			towards(high, i)
		}
	}
	return out
}

// thinned is every so-manieth point, most of them at the most.
func thinned(points []point, most int) []point {
	if len(points) <= most {
		return points
	}
	out := make([]point, 0, most)
	for i := range most {
		out = append(out, points[i*len(points)/most])
	}
	return out
}

// errors are the logarithms of predicted over measured times.
func (l *law) errors(points []point, values []float64) []float64 {
	price := l.at(values)
	out := make([]float64, len(points))
	for i := range points {
		out[i] = math.Log(price(points[i].Sample)) - points[i].log
	}
	return out
}

// spread is the standard deviation of log errors as their median size tells it.
func spread(errors []float64) float64 {
	sizes := make([]float64, len(errors))
	for i, e := range errors {
		sizes[i] = math.Abs(e)
	}
	return math.Max(leastSpread, madToSigma*evidence.Quantile(sizes, 0.5))
}

// loss is the sum of Huber's losses with the bend at so many log units.
func loss(errors []float64, at float64) float64 {
	sum := 0.0
	for _, e := range errors {
		if a := math.Abs(e); a <= at {
			sum += a * a / 2
		} else {
			sum += at * (a - at/2)
		}
	}
	return sum
}

// descend improves values step by step. The loss it returns is that of mostBend.
func (l *law) descend(points []point, start []float64, free []bool) ([]float64, float64) {
	values, index := append([]float64(nil), start...), indices(free)
	errors := l.errors(points, values)
	damping := 1e-3
	for range mostSteps {
		if len(index) == 0 {
			break
		}
		at := math.Min(bend*spread(errors), mostBend)
		now := loss(errors, at)
		normal, right := l.normal(points, values, errors, index, at)
		far, ok := 0.0, false
		for range 12 {
			next, step := l.moved(values, index, damped(normal, right, damping))
			if there := l.errors(points, next); loss(there, at) < now {
				values, errors, far, ok = next, there, step, true
				damping = math.Max(1e-9, damping/4)
				break
			}
			damping *= 6
		}
		if !ok || far < smallStep {
			break
		}
	}
	return values, loss(errors, mostBend)
}

// moved are values after a step in their logarithms, kept within bounds, and how far it
// went. No step: the values.
func (l *law) moved(values []float64, index []int, delta []float64) (next []float64, far float64) {
	next = append([]float64(nil), values...)
	for k := range delta {
		i, c := index[k], &l.constants[index[k]]
		next[i] = math.Min(c.high, math.Max(c.low, values[i]*math.Exp(math.Min(2, math.Max(-2, delta[k])))))
		far = math.Max(far, math.Abs(math.Log(next[i]/values[i])))
	}
	return next, far
}

// normal are JᵀWJ and −JᵀWe of the free constants, with Huber's weights.
func (l *law) normal(points []point, values, errors []float64, index []int, at float64) (normal, right []float64) {
	p := len(index)
	slopes := l.slopes(points, values, index)
	normal, right = make([]float64, p*p), make([]float64, p)
	for n, e := range errors {
		w := 1.0
		if a := math.Abs(e); a > at {
			w = at / a
		}
		row := slopes[n*p : (n+1)*p]
		for i := range p {
			right[i] -= w * row[i] * e
			for j := range p {
				normal[i*p+j] += w * row[i] * row[j]
			}
		}
	}
	return normal, right
}

// damped solves (N + damping·diagonal) δ = r; nil where that has no solution.
func damped(normal, right []float64, damping float64) []float64 {
	p := len(right)
	a, b := append([]float64(nil), normal...), append([]float64(nil), right...)
	for i := range p {
		a[i*p+i] += damping*a[i*p+i] + 1e-12 // a constant that no point depends on stays
	}
	return solve(a, b)
}

// slopes are ∂ log time/∂ log constant of the indexed constants, point by point.
func (l *law) slopes(points []point, values []float64, index []int) []float64 {
	p := len(index)
	out := make([]float64, p*len(points))
	moved := append([]float64(nil), values...)
	for k, i := range index {
		moved[i] = values[i] * math.Exp(difference)
		up := l.at(moved)
		moved[i] = values[i] * math.Exp(-difference)
		down := l.at(moved)
		moved[i] = values[i]
		for n := range points {
			out[n*p+k] = math.Log(up(points[n].Sample)/down(points[n].Sample)) / (2 * difference)
		}
	}
	return out
}

func indices(free []bool) []int {
	var out []int
	for i, f := range free {
		if f {
			out = append(out, i)
		}
	}
	return out
}
