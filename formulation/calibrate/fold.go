package calibrate

import (
	"math"
	"slices"

	"partita/inputs/evidence"
	"partita/results"
)

// folds is into how many parts points are split; each is predicted by the others.
const folds = 5

// foldOf assigns points to folds: whole groups where there are enough of them, so that no
// operator of a model predicts itself at another batch, else shapes.
func foldOf(points []point) []int {
	key := func(p *point) string { return p.group }
	if len(distinct(points, key)) < folds {
		key = func(p *point) string { return p.shape }
	}
	names := distinct(points, key)
	out := make([]int, len(points))
	for i := range points {
		at, _ := slices.BinarySearch(names, key(&points[i]))
		out[i] = at % folds
	}
	return out
}

// distinct are the keys of points, sorted.
func distinct(points []point, key func(*point) string) []string {
	out := make([]string, len(points))
	for i := range points {
		out[i] = key(&points[i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// heldOut are the log errors of every point with constants that were fitted without its fold,
// from the built-in values: the fit of all points has seen it.
func (l *law) heldOut(points []point, free []bool) []float64 {
	fold := foldOf(points)
	out := make([]float64, 0, len(points))
	for f := range folds {
		var seen, unseen []point
		for i := range points {
			if fold[i] == f {
				unseen = append(unseen, points[i])
			} else {
				seen = append(seen, points[i])
			}
		}
		if len(unseen) == 0 {
			continue
		}
		out = append(out, l.errors(unseen, l.fit(seen, l.builtIn(), free))...)
	}
	return out
}

// scored are the sizes of relative errors, predicted over measured, in percent.
func scored(errors []float64) results.CalibrationError {
	sizes := make([]float64, len(errors))
	for i, e := range errors {
		sizes[i] = 100 * math.Abs(math.Expm1(e))
	}
	return results.CalibrationError{MedianPct: evidence.Quantile(sizes, 0.5), P90Pct: evidence.Quantile(sizes, 0.9)}
}
