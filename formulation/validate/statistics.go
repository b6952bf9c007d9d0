package validate

import (
	"math"
	"slices"

	"partita/inputs/evidence"
)

// ErrorsOf are the figures of a score over errors, each predicted/measured − 1: the median
// and the 90th percentile of their size and the median error, in %.
func ErrorsOf(all []float64) (median, p90, bias float64) {
	sizes := make([]float64, len(all))
	for i, e := range all {
		sizes[i] = 100 * math.Abs(e)
	}
	return evidence.Quantile(sizes, 0.5), evidence.Quantile(sizes, 0.9), 100 * evidence.Quantile(slices.Clone(all), 0.5)
}

func meanOf(all []float64) float64 {
	sum := 0.0
	for _, x := range all {
		sum += x
	}
	return sum / float64(max(1, len(all)))
}
