package validate

import (
	"math"
	"slices"
)

// quantile is the value below which a share q of the figures lies, between two of them by
// straight line; 0 of none. It sorts them.
func quantile(figures []float64, q float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	slices.Sort(figures)
	at := q * float64(len(figures)-1)
	i := int(at)
	if i+1 == len(figures) {
		return figures[i]
	}
	return figures[i] + (at-float64(i))*(figures[i+1]-figures[i])
}

// errorsOf are the figures of a PredictionScore over predicted/measured − 1.
func errorsOf(all []float64) (median, p90, bias float64) {
	sizes := make([]float64, len(all))
	for i, e := range all {
		sizes[i] = 100 * math.Abs(e)
	}
	return quantile(sizes, 0.5), quantile(sizes, 0.9), 100 * quantile(slices.Clone(all), 0.5)
}

func meanOf(all []float64) float64 {
	sum := 0.0
	for _, x := range all {
		sum += x
	}
	return sum / float64(max(1, len(all)))
}
