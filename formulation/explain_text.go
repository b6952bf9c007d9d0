package formulation

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"partita/inputs"
	"partita/results"
)

// digits is how many digits of a nearest value are given: it is rounded away from what
// is asked, so that a plan exists for the figure as it is written.
const digits = 5

// step is the distance of two neighbours among the values that are written.
func step(v float64) float64 {
	return math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-digits+1)
}

// outward rounds a value to the digits that are written, up or down. Rounding of the
// last place is forgiven.
func outward(v float64, up bool) float64 {
	s := step(v)
	const slip = 1e-7 // of a step
	n := math.Floor(v/s + slip)
	if up {
		n = math.Ceil(v/s - slip)
	}
	return tidy(n * s)
}

// tidy removes what floating point adds to a figure that a person wrote or reads.
func tidy(v float64) float64 {
	const written = 9 // digits
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', written-1, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// exactly prints a value with all the digits that are given.
func exactly(v float64, unit string) string {
	switch {
	case unit == "s" && v < 1e-4:
		v, unit = v*1e6, "µs"
	case unit == "s" && v < 1:
		v, unit = v*1e3, "ms"
	}
	return plainNumber(v) + " " + unit
}

// plainNumber prints a number without an exponent.
func plainNumber(v float64) string { return strconv.FormatFloat(tidy(v), 'f', -1, 64) }

// share is a part of one in percent.
func share(v float64) string { return plainNumber(100*v) + " %" }

// enumerated is "a", "a and b", "a, b and c".
func enumerated(items []string) string {
	if n := len(items); n > 1 {
		return strings.Join(items[:n-1], ", ") + " and " + items[n-1]
	}
	return strings.Join(items, "")
}

// clash is a demand of a conflict in one sentence: what is asked, where, and what there
// can be instead.
func (e *explainer) clash(d *demand, ways []results.Nearest) string {
	s := d.asked(e.base)
	if p := d.place.String(); p != "" {
		s += " (" + p + ")"
	}
	var can []string
	for i := range ways {
		can = append(can, ways[i].Sentence)
	}
	if len(can) == 0 {
		can = []string{"no other value of it was found for which a plan exists"}
	}
	return s + ": " + strings.Join(can, "; or ")
}

// sentence says what a nearest value of a demand is, beside the facts of its conflict.
func (e *explainer) sentence(d *demand, set []int, w *results.Nearest) string {
	if w.Instead != "" {
		return w.Instead + " would fit"
	}
	v := 0.0
	if w.Nearest != nil {
		v = *w.Nearest
	}
	s := ""
	switch d.kind {
	case asksRequirement:
		with := "all else as asked"
		if facts := e.facts(set); len(facts) > 0 {
			with = "with " + enumerated(facts)
		} else if len(set) == 1 {
			with = "out of reach by itself; all else as asked"
		}
		s = fmt.Sprintf("%s the best is %s", with, exactly(v, d.unit))
		if m := Margin(e.base); m > 0 && e.base.Goal.Requirements[d.index].Kind != inputs.CostUSDPerHour {
			s += fmt.Sprintf(", the margin of %s included", share(m))
		}
	case asksBalance:
		s = "the least that some plan reaches is " + share(v)
	case asksCount:
		s = counted(int(v), "GPU") + " would do"
		if p := &e.base.Cluster.Pools[d.index]; unbounded(*p).GPUsPerNode > p.GPUsPerNode {
			s = fmt.Sprintf("%s in nodes of %d would do", counted(int(v), "GPU"), unbounded(*p).GPUsPerNode)
		}
	case asksAllUsed:
		s = fmt.Sprintf("%d can be, the others idle (--allow-idle)", int(v))
	case asksBatch:
		s = fmt.Sprintf("%d can be served", int(v))
	case asksInput:
		s = counted(int(v), "token") + " can be read"
	case asksMemory:
		s = exactly(v, d.unit) + " would do"
	case asksNodes:
		s = fmt.Sprintf("nodes of %d would do", int(v))
	case asksHeads:
		s = fmt.Sprintf("padded to %d heads a plan exists", int(v))
	case asksRule:
		s = "without it a plan exists"
	}
	if !w.Proved {
		s += " (found, not proved to be the nearest)"
	}
	return s
}

// facts are the demands of a conflict that say what a plan runs on and serves.
func (e *explainer) facts(set []int) []string {
	var out []string
	for _, i := range set {
		d := &e.demands[i]
		switch d.kind {
		case asksRequirement, asksBalance:
		case asksCount:
			out = append(out, strings.TrimPrefix(d.asked(e.base), "at most "))
		case asksInput:
			out = append(out, strings.Replace(d.asked(e.base), "up to ", "", 1))
		default:
			out = append(out, d.asked(e.base))
		}
	}
	return out
}
