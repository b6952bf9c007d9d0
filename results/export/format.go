package export

import (
	"math"
	"strconv"
	"strings"
)

// significantDigits is how many digits of a figure are shown: one more than the
// cost model is good for, so that neighbours can be told apart.
const significantDigits = 4

// figure prints a number with four significant digits and commas between
// thousands; whole numbers below ten thousand stay whole.
func figure(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "unknown"
	}
	if v != 0 && (math.Abs(v) < 1e-4 || math.Abs(v) >= 1e15) {
		return strconv.FormatFloat(v, 'g', significantDigits, 64)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', significantDigits-1, 64), 64)
	if err != nil {
		rounded = v
	}
	return thousands(strconv.FormatFloat(rounded, 'f', -1, 64))
}

// thousands puts commas into the whole part of a decimal number.
func thousands(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, dotted := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dotted {
		whole += "." + fraction
	}
	return sign + whole
}

// count prints a whole number with commas.
func count(n int) string { return thousands(strconv.Itoa(n)) }

// duration prints milliseconds in the unit that suits them.
func duration(ms float64) string {
	switch a := math.Abs(ms); {
	case a == 0:
		return "0 ms"
	case a < 1e-6:
		return figure(ms*1e9) + " ps" // ticks of a search
	case a < 0.1:
		return figure(ms*1e3) + " µs"
	case a < 1e3:
		return figure(ms) + " ms"
	default:
		return figure(ms/1e3) + " s"
	}
}

// gibibytes prints GiB, small amounts in MiB.
func gibibytes(v float64) string {
	if v != 0 && math.Abs(v) < 0.1 {
		return figure(v*1024) + " MiB"
	}
	return figure(v) + " GiB"
}

func percent(v float64) string { return figure(v) + " %" }

// inUnit prints a requirement's figure in its unit; times take the unit that suits
// them.
func inUnit(v float64, unit string) string {
	switch unit {
	case "s":
		return duration(v * 1e3)
	case "ms":
		return duration(v)
	}
	return strings.TrimSpace(figure(v) + " " + unit)
}

// plural is "1 replica", "4 replicas", "2 micro-batches".
func plural(n int, noun string) string {
	if n != 1 {
		if strings.HasSuffix(noun, "ch") {
			noun += "e"
		}
		noun += "s"
	}
	return count(n) + " " + noun
}
