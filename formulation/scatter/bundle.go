package scatter

import "math"

// bundle is a proximal bundle method for a convex function that is linear along every
// ray from the origin, of which it looks for a point below zero: every value seen gives a
// linear function below the whole, and the next point is the one that is best by those
// functions and near the best point so far. It moves among points of equal sum, lest it
// creep to the origin, where the function is zero.
type bundle struct {
	center []float64
	value  float64 // at the center; +Inf: not known
	slopes [][]float64
	flat   [][]float64 // the slopes less their mean: along points of equal sum
	gram   [][]float64 // inner products of the flat slopes
	weight []float64   // of the slopes in the last direction, sum 1
	reach  float64     // length of a step in the direction
	next   []float64
	hope   float64 // what the functions promise for the point asked for
	scale  float64 // length of the center, to judge what is little
	stuck  int
	size   int // slopes kept
}

const (
	bundleSize   = 160     // slopes kept, fewer where they are long
	bundleFloats = 1 << 22 // in all of them
	bundleRounds = 1500    // of the quadratic programme in the weights
)

func newBundle(center []float64) *bundle {
	b := &bundle{
		center: append([]float64(nil), center...), value: math.Inf(1), next: make([]float64, len(center)),
		size: min(bundleSize, max(4, bundleFloats/len(center))),
	}
	for _, x := range center {
		b.scale += x * x
	}
	b.scale = math.Sqrt(b.scale)
	return b
}

// forget drops what was seen, but for the best point.
func (b *bundle) forget() {
	b.slopes, b.flat, b.gram, b.weight, b.value, b.stuck = nil, nil, nil, nil, math.Inf(1), 0
}

// step takes the value and a slope at a point and moves the point to the next to look
// at; false: no point is expected to have a value below zero.
func (b *bundle) step(point, slope []float64, value float64) bool {
	b.add(slope)
	if value <= b.value-0.1*max(0, b.hope) || math.IsInf(b.value, 1) {
		if !math.IsInf(b.value, 1) {
			b.reach *= 1.5
		}
		copy(b.center, point)
		b.value = value
		b.stuck = 0
	} else {
		// Far off the mark, or no luck for long: the points were too far away for the
		// functions.
		if b.stuck++; b.stuck%10 == 0 || b.value-dot(slope, b.center) > 2*b.hope {
			b.reach *= 0.7
		}
	}
	// The function may have grown since the center was looked at: it is asked at a larger
	// load.
	errors := make([]float64, len(b.slopes))
	for i, g := range b.slopes {
		errors[i] = dot(g, b.center)
		b.value = max(b.value, errors[i])
	}
	for i := range errors {
		errors[i] = b.value - errors[i]
	}
	if b.reach == 0 {
		b.reach = 0.1 * b.scale / math.Sqrt(dot(slope, slope)+1e-300)
	}
	b.solve(errors)
	clear(b.next)
	for i, w := range b.weight {
		if w > 0 {
			for c, x := range b.flat[i] {
				b.next[c] += w * x
			}
		}
	}
	length := dot(b.next, b.next)
	b.hope = b.reach * length
	for i, w := range b.weight {
		b.hope += w * errors[i]
	}
	for c := range point {
		point[c] = b.center[c] - b.reach*b.next[c]
	}
	return b.hope > 1e-5*b.scale && b.stuck < 150
}

// add takes a slope into the bundle; the one that counts least leaves a full one.
func (b *bundle) add(slope []float64) {
	g := append([]float64(nil), slope...)
	flat := make([]float64, len(slope))
	mean := 0.0
	for _, x := range slope {
		mean += x / float64(len(slope))
	}
	for c, x := range slope {
		flat[c] = x - mean
	}
	row := make([]float64, len(b.slopes), b.size)
	for i, f := range b.flat {
		row[i] = dot(f, flat)
	}
	own := dot(flat, flat)
	if len(b.slopes) < b.size {
		for i := range b.gram {
			b.gram[i] = append(b.gram[i], row[i])
		}
		b.slopes, b.flat = append(b.slopes, g), append(b.flat, flat)
		b.gram = append(b.gram, append(row, own))
		b.weight = append(b.weight, 0)
		if len(b.weight) == 1 {
			b.weight[0] = 1
		}
		return
	}
	out := 0
	for i, w := range b.weight {
		if w < b.weight[out] {
			out = i
		}
	}
	b.slopes[out], b.flat[out] = g, flat
	row[out] = own
	b.gram[out] = row
	for i := range b.gram {
		b.gram[i][out] = row[i]
	}
	rest := 1 - b.weight[out]
	for i := range b.weight {
		b.weight[i] /= rest
	}
	b.weight[out] = 0
}

// solve finds the weights: min ½·reach·|Σ w g|² + Σ w error over w ≥ 0, Σ w = 1, by
// moving weight between the two slopes that gain most.
func (b *bundle) solve(errors []float64) {
	n := len(b.slopes)
	gradient := make([]float64, n)
	for i := range gradient {
		gradient[i] = errors[i]
		for j, w := range b.weight {
			gradient[i] += b.reach * w * b.gram[i][j]
		}
	}
	for range bundleRounds {
		to, from := 0, -1
		for i := range gradient {
			if gradient[i] < gradient[to] {
				to = i
			}
			if b.weight[i] > 0 && (from < 0 || gradient[i] > gradient[from]) {
				from = i
			}
		}
		gain := gradient[from] - gradient[to]
		if gain <= 1e-9*(math.Abs(gradient[from])+1e-300) {
			return
		}
		curve := b.reach * (b.gram[to][to] + b.gram[from][from] - 2*b.gram[to][from])
		move := b.weight[from]
		if curve > 0 {
			move = min(move, gain/curve)
		}
		b.weight[to] += move
		b.weight[from] -= move
		if b.weight[from] < 1e-12 {
			b.weight[from] = 0
		}
		for i := range gradient {
			gradient[i] += b.reach * move * (b.gram[i][to] - b.gram[i][from])
		}
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
