package inputs

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// QuantityError says what was found where a quantity was expected.
type QuantityError struct {
	Text string // as found
	Want string // what is accepted, with an example
}

// Error names what was found and what is accepted.
func (e *QuantityError) Error() string {
	return fmt.Sprintf("%q is not understood, want %s", e.Text, e.Want)
}

// maxExponent bounds decimal exponents: no quantity of a deployment needs more, and
// an exact 1e999999999 would not fit into memory.
const maxExponent = 60

// number is a decimal number, thousands grouped by commas or underscores allowed.
var number = regexp.MustCompile(`^[+-]?(\d{1,3}([,_]\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d{1,3})?`)

// splitNumber splits a leading decimal number from the unit after it; the number is exact.
func splitNumber(s string) (value *big.Rat, unit string, ok bool) {
	s = strings.TrimSpace(s)
	text := number.FindString(s)
	if !strings.ContainsAny(text, "0123456789") {
		return nil, "", false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if exp, err := strconv.Atoi(text[i+1:]); err != nil || exp > maxExponent || exp < -maxExponent || i == 0 {
			return nil, "", false
		}
	}
	value, ok = new(big.Rat).SetString(strings.NewReplacer(",", "", "_", "").Replace(text))
	if !ok {
		return nil, "", false
	}
	return value, strings.TrimSpace(s[len(text):]), true
}

// decimal is 10^n as an exact number.
func decimal(n int) *big.Rat {
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil)
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), p)
	}
	return new(big.Rat).SetInt(p)
}

// binary is 2^n as an exact number.
func binary(n uint) *big.Rat { return new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), n)) }

// siPrefix is the factor of an SI or IEC prefix, "" being one.
func siPrefix(p string) (*big.Rat, bool) {
	switch p {
	case "":
		return decimal(0), true
	case "k", "K":
		return decimal(3), true
	case "M", "m":
		return decimal(6), true
	case "G", "g":
		return decimal(9), true
	case "T", "t":
		return decimal(12), true
	case "P", "p":
		return decimal(15), true
	case "E", "e":
		return decimal(18), true
	}
	switch strings.ToLower(p) {
	case "ki":
		return binary(10), true
	case "mi":
		return binary(20), true
	case "gi":
		return binary(30), true
	case "ti":
		return binary(40), true
	case "pi":
		return binary(50), true
	}
	return nil, false
}

// toFloat rounds an exact number once; ok is false where it overflows.
func toFloat(r *big.Rat) (float64, bool) {
	f, _ := r.Float64()
	return f, !math.IsInf(f, 0)
}

const wantBytes = "a size such as 64GB, 80GiB, 512MB"

// ParseBytes reads a size in bytes. GB, MB … are powers of ten, GiB, MiB … powers
// of two; G and M alone mean GB and MB, Gi and Mi mean GiB and MiB. Fractions of a
// byte are refused.
func ParseBytes(s string) (int64, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: wantBytes}
	if !ok {
		return 0, bad
	}
	low := strings.ToLower(unit)
	for _, suffix := range []string{"bytes", "byte", "b"} {
		if t, found := strings.CutSuffix(low, suffix); found {
			// "Gb" beside a size usually means gigabits; all-lower "gb" is sloppy writing of GB.
			if suffix == "b" && strings.HasSuffix(unit, "b") && unit != low {
				return 0, bad
			}
			low = strings.TrimSpace(t)
			break
		}
	}
	if unit == "" { // a bare number is too easily meant as GB
		return 0, bad
	}
	factor, ok := siPrefix(wordPrefix(low))
	if !ok {
		return 0, bad
	}
	value.Mul(value, factor)
	if !value.IsInt() || !value.Num().IsInt64() {
		return 0, bad
	}
	return value.Num().Int64(), nil
}

// wordPrefix turns a spelled prefix ("giga", "gibi") into its letter.
func wordPrefix(p string) string {
	switch strings.ToLower(p) {
	case "kilo":
		return "k"
	case "mega":
		return "M"
	case "giga":
		return "G"
	case "tera":
		return "T"
	case "peta":
		return "P"
	case "kibi":
		return "Ki"
	case "mebi":
		return "Mi"
	case "gibi":
		return "Gi"
	case "tebi":
		return "Ti"
	}
	return p
}

// flops is the unit of compute in the ways it is written.
var flops = regexp.MustCompile(`(?i)^(k|m|g|t|p|e|kilo|mega|giga|tera|peta|exa)?\s?(flops?|ops?)(/s(ec)?|ps| per second)?$`)

// ParseFLOPS reads a compute rate in FLOP/s: 400TFlops, 989 TFLOP/s, 1.98 PFLOPS, 400 TOPS.
func ParseFLOPS(s string) (float64, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: "a compute rate such as 400TFLOPS or 1.98 PFLOP/s"}
	m := flops.FindStringSubmatch(unit)
	if !ok || m == nil {
		return 0, bad
	}
	prefix := strings.ToUpper(m[1])
	if len(prefix) > 1 {
		prefix = prefix[:1]
	}
	factor, _ := siPrefix(prefix)
	f, fits := toFloat(value.Mul(value, factor))
	if !fits {
		return 0, bad
	}
	return f, nil
}

// byteRate and bitRate are the units of bandwidth: an upper-case B is a byte, a
// lower-case b a bit, "T/s" is TB/s.
var (
	byteRate = regexp.MustCompile(`^([kKMGTP]i?)?(B|[bB]ytes?)?\s?(/\s?s|/\s?sec|/\s?second|ps|p/s| per second)$`)
	bitRate  = regexp.MustCompile(`^([kKMGTPmgtp])?(b|bits?)\s?(/\s?s|/\s?sec|/\s?second|ps|p/s| per second)$`)
)

// ParseBandwidth reads a transfer rate in bytes/s: 1.8TBps, 1.8 TB/s, 900GB/s, and
// bits with a lower-case b: 100Gb/s, 400Gbps.
func ParseBandwidth(s string) (float64, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: "a transfer rate such as 1.8TB/s, 900GB/s or 100Gb/s (bits)"}
	if !ok {
		return 0, bad
	}
	var prefix string
	if m := byteRate.FindStringSubmatch(unit); m != nil && (m[1] != "" || m[2] != "") {
		prefix = m[1]
	} else if m := bitRate.FindStringSubmatch(unit); m != nil {
		prefix = strings.ToUpper(m[1])
		value.Quo(value, big.NewRat(8, 1))
	} else {
		return 0, bad
	}
	factor, ok := siPrefix(prefix)
	if !ok {
		return 0, bad
	}
	f, fits := toFloat(value.Mul(value, factor))
	if !fits {
		return 0, bad
	}
	return f, nil
}

// IsBitRate reports whether a rate was written in bits.
func IsBitRate(s string) bool {
	_, unit, ok := splitNumber(s)
	return ok && bitRate.MatchString(unit)
}

const wantDuration = "a time such as 10s, 500ms, 30 µs or 2 min"

// ParseDuration reads a time in seconds: 10s, 500ms, 30 ms, µs, us, ns, min, h.
func ParseDuration(s string) (float64, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: wantDuration}
	if !ok {
		return 0, bad
	}
	factor, ok := timeUnit(unit)
	if !ok {
		return 0, bad
	}
	f, fits := toFloat(value.Mul(value, factor))
	if !fits {
		return 0, bad
	}
	return f, nil
}

// timeUnit is a unit of time in seconds.
func timeUnit(u string) (*big.Rat, bool) {
	switch strings.ToLower(strings.TrimSuffix(strings.TrimSpace(u), ".")) {
	case "s", "sec", "secs", "second", "seconds":
		return decimal(0), true
	case "ms", "msec", "msecs", "millisecond", "milliseconds":
		return decimal(-3), true
	case "us", "µs", "μs", "usec", "microsecond", "microseconds":
		return decimal(-6), true
	case "ns", "nanosecond", "nanoseconds":
		return decimal(-9), true
	case "min", "mins", "minute", "minutes":
		return big.NewRat(60, 1), true
	case "h", "hr", "hour", "hours":
		return big.NewRat(3600, 1), true
	}
	return nil, false
}

// tokenRate is a count of tokens over a unit of time.
var tokenRate = regexp.MustCompile(`(?i)^(k|m)?\s?(tokens?|toks?|t)\s?(?:/|per\s)\s?(?:an?\s|each\s)?(\pL+)$|^(k|m)?\s?(tps)$`)

// ParseTokenRate reads a token rate in tokens/s: 100tokens/ms, 5000 tok/s, 3 ktok/s, 80 TPS.
func ParseTokenRate(s string) (float64, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: "a token rate such as 5000 tokens/s or 100tokens/ms"}
	m := tokenRate.FindStringSubmatch(unit)
	if !ok || m == nil {
		return 0, bad
	}
	scale, _ := siPrefix(strings.ToUpper(m[1] + m[4]))
	per := decimal(0)
	if m[3] != "" {
		if per, ok = timeUnit(m[3]); !ok {
			return 0, bad
		}
	}
	value.Mul(value, scale)
	f, fits := toFloat(value.Quo(value, per))
	if !fits {
		return 0, bad
	}
	return f, nil
}
