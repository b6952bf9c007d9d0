package evidence

import "testing"

func TestQuantileOfFigures(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		q    float64
		want float64
	}{
		{nil, 0.5, 0}, {[]float64{7}, 0.9, 7}, {[]float64{3, 1}, 0.5, 2}, {[]float64{5, 1, 3}, 0.5, 3},
		{[]float64{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, 0.9, 90}, {[]float64{0, 1}, 0.9, 0.9}, {[]float64{1, 2}, 1, 2},
	} {
		if got := Quantile(c.of, c.q); !near(got, c.want) {
			t.Errorf("%v at %g: %g, want %g", c.of, c.q, got, c.want)
		}
	}
}
