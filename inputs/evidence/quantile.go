package evidence

import "slices"

// Quantile is the value below which a share q, 0 to 1, of the figures lies, between two of
// them by straight line; 0 of none. It sorts them. Regimes weigh tables and have a quantile
// of their own.
func Quantile(figures []float64, q float64) float64 {
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
