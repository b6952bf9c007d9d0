package calibrate

import (
	"fmt"
	"math"
	"strings"

	"partita/inputs/kernels"
)

// What the data must tell of a constant.
const (
	// leastRows is how many rows must depend on it, counted by the square of their slope: a
	// row whose time is half the launch floor counts a quarter for it.
	leastRows = 2.0
	// leastAlone is how much of that must be its own, when what other constants do in the
	// same rows is taken out.
	leastAlone = 0.5
	// mostUncertain is the largest standard error of its logarithm: 20 %.
	mostUncertain = 0.20
	// modelError is taken as the spread where the errors are smaller: a law is no better.
	modelError = 0.02
	// atEnd is how near the end of what is possible a value counts as there.
	atEnd = 1.005
)

// finding is what the data tell of a constant.
type finding struct {
	uncertain float64 // standard error of the logarithm
	reason    string  // why it stays built in; "" where it does not
	weak      float64 // how little the data tell it: the largest goes first
	with      int     // another constant that it cannot be told from; -1: none
}

// findings are those of the free constants at fitted values.
func (l *law) findings(points []point, values []float64, index []int) []finding {
	slopes := l.slopes(points, values, index)
	p := len(index)
	own := alone(slopes, p)
	sigma := math.Max(modelError, spread(l.errors(points, values)))
	out := make([]finding, p)
	for k, i := range index {
		c := &l.constants[i]
		whole := 0.0
		for n := range points {
			whole += slopes[n*p+k] * slopes[n*p+k]
		}
		f := finding{uncertain: sigma / math.Sqrt(math.Max(own[k], 1e-12)), with: -1}
		switch {
		case whole < leastRows:
			f.weak, f.reason = 3e9-whole, unseen(c.path, points)
		case own[k] < leastAlone:
			f.weak, f.with = 2e9-own[k], l.alike(slopes, p, k, index)
			f.reason = alikeReason(l.constants[f.with].path)
		case f.uncertain > mostUncertain:
			f.weak, f.reason = 1e9+f.uncertain, fmt.Sprintf("its uncertainty is ±%.0f %%, above %.0f %%", 100*f.uncertain, 100*mostUncertain)
		case values[i] >= c.high/atEnd || values[i] <= c.low*atEnd:
			f.weak, f.reason = 1, "it fits best at "+written(c.path, values[i])+", the end of what is possible"
		}
		out[k] = f
	}
	return out
}

func alikeReason(path string) string {
	return "the sizes vary too little to tell it from " + lastName(path)
}

// alike is the other constant whose slopes are most like those of the k-th.
func (l *law) alike(slopes []float64, p, k int, index []int) int {
	best, most := index[k], -1.0
	for j := range p {
		if j == k {
			continue
		}
		dot, a, b := 0.0, 1e-300, 1e-300
		for at := 0; at < len(slopes); at += p {
			dot += slopes[at+k] * slopes[at+j]
			a += slopes[at+k] * slopes[at+k]
			b += slopes[at+j] * slopes[at+j]
		}
		if r := math.Abs(dot) / math.Sqrt(a*b); r > most+1e-9 {
			best, most = index[j], r
		}
	}
	return best
}

// unseen says what no row is like.
func unseen(path string, points []point) string {
	sends, others := 0, 0
	for i := range points {
		if points[i].Op == kernels.Send {
			sends++
		} else if points[i].Op.Collective() {
			others++
		}
	}
	switch name := lastName(path); {
	case strings.HasPrefix(name, "send") && sends == 0:
		return "no row is a send from one device to another"
	case strings.HasPrefix(path, "links.") && !strings.HasPrefix(name, "send") && others == 0:
		return "no row is a collective"
	case strings.HasPrefix(path, "links.") && strings.Contains("248", name[len(name)-1:]):
		return "too few rows on " + name[len(name)-1:] + " devices tell it"
	case name == "compute":
		return "too few rows are bound by compute"
	case name == "bandwidth":
		return "too few rows are bound by memory bandwidth"
	case strings.Contains(name, "share"):
		return "too few rows move enough of this kind for its rate to count"
	case kindOf(path) == isTime:
		return "too few rows are short enough for it to count"
	}
	return "no row depends on it"
}

func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// written is a value of a constant for people.
func written(path string, v float64) string {
	switch kindOf(path) {
	case isTime:
		return fmt.Sprintf("%.3g µs", v*1e6)
	case isShare:
		return fmt.Sprintf("%.1f %%", 100*v)
	}
	return fmt.Sprintf("%.4g", v)
}
