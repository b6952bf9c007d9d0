package inputs

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// maxCount bounds whole counts (GPUs, layers, tokens): products of two stay within int64.
const maxCount = 1 << 31

// countSuffix is what may follow a count: "94-layer", "128 sequences".
var countSuffix = regexp.MustCompile(`^(|k|K|[- ]?\pL+)$`)

// unitSuffix are units of sizes, rates and times: a figure with one is no count, whatever
// it stands behind.
var unitSuffix = regexp.MustCompile(`(?i)^[- ]?([kmgtp]i?b|[kmgt]?bps|[kmgtp]?flops|[kmgtp]?ops|[mµun]s|secs?|seconds?|mins?|minutes?|hours?|percent|gigabytes?|megabytes?|terabytes?|bytes?)$`)

// ParseCount reads a whole number with an optional noun: 94, 94-layer, 128 sequences,
// 151,936, 128k (128 · 1024, as context lengths are written). A unit is no noun.
func ParseCount(s string) (int, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: "a whole number"}
	if !ok || !countSuffix.MatchString(unit) || unitSuffix.MatchString(unit) {
		return 0, bad
	}
	if unit == "k" || unit == "K" {
		value.Mul(value, big.NewRat(1024, 1))
	}
	if !value.IsInt() || value.Num().CmpAbs(big.NewInt(maxCount)) > 0 {
		return 0, bad
	}
	return int(value.Num().Int64()), nil
}

// parameters is the unit of a parameter count.
var parameters = regexp.MustCompile(`(?i)^(k|m|b|t|thousand|million|billion|trillion)?[- ]?(params?|parameters?|weights?)?$`)

// ParseParameters reads a parameter count: 10B, 235 billion, 1.5T, 770M, 7e9.
func ParseParameters(s string) (float64, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: "a parameter count such as 10B or 770M"}
	m := parameters.FindStringSubmatch(unit)
	if !ok || m == nil {
		return 0, bad
	}
	exponent := 0
	switch strings.ToLower(m[1]) {
	case "k", "thousand":
		exponent = 3
	case "m", "million":
		exponent = 6
	case "b", "billion":
		exponent = 9
	case "t", "trillion":
		exponent = 12
	}
	f, fits := toFloat(value.Mul(value, decimal(exponent)))
	if !fits {
		return 0, bad
	}
	return f, nil
}

// ParseShare reads a share of one: 60%, 60 percent, 0.6. A bare number above one is
// refused: it could be meant as percent.
func ParseShare(s string) (float64, error) {
	value, unit, ok := splitNumber(s)
	bad := &QuantityError{Text: strings.TrimSpace(s), Want: "a share such as 60% or 0.6"}
	if !ok {
		return 0, bad
	}
	switch strings.ToLower(unit) {
	case "%", "percent", "per cent", "pct":
		value.Quo(value, big.NewRat(100, 1))
	case "":
		if value.Cmp(big.NewRat(1, 1)) > 0 {
			return 0, bad
		}
	default:
		return 0, bad
	}
	f, fits := toFloat(value)
	if !fits {
		return 0, bad
	}
	return f, nil
}

// ParseReal reads a plain number, such as a weight of an objective.
func ParseReal(s string) (float64, error) {
	value, unit, ok := splitNumber(s)
	if ok && unit == "" {
		if f, fits := toFloat(value); fits {
			return f, nil
		}
	}
	return 0, &QuantityError{Text: strings.TrimSpace(s), Want: "a number such as 0.5"}
}

// price is a rate of money; only US dollars are known.
var price = regexp.MustCompile(`(?i)^\$?\s*([0-9][0-9.,_]*)\s*(\$|usd|us dollars?|dollars?)?\s*(?:(?:/|per)\s*(?:gpu|card|device)?[\s/-]*(h|hr|hour))?(?:\s*(?:/|per)\s*(?:gpu|card|device))?$`)

// ParsePrice reads US dollars an hour: $2.50/h, 2.5 USD/hour, 2.5.
func ParsePrice(s string) (float64, error) {
	if m := price.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		if value, unit, ok := splitNumber(m[1]); ok && unit == "" {
			if f, fits := toFloat(value); fits {
				return f, nil
			}
		}
	}
	return 0, &QuantityError{Text: strings.TrimSpace(s), Want: "US dollars an hour such as $2.50/h"}
}

// rangeForm is two counts with a separator; the brackets are optional.
var rangeForm = regexp.MustCompile(`(?i)^[\[(]?\s*([0-9][0-9,_]*k?)\s*(,\s|,|;|~|～|-|–|—|\.\.\.?|…|\bto\b|\band\b)\s*([0-9][0-9,_]*k?)\s*(?:[\])]?\s*(\pL+)?|(\pL+)\s*[\])])$`)

// ParseRange reads a range of whole numbers, both ends included: [128, 10240],
// 128 ~ 10240, 128-10240, 128..10240, 128 to 10240, or one number. "[128,256]" with
// brackets is a range, "128,256" without is the number 128256.
func ParseRange(s string) (Range, error) {
	s = strings.TrimSpace(s)
	bad := &QuantityError{Text: s, Want: "a whole number or a range such as [128, 10240] or 128-10240"}
	if !strings.ContainsAny(s, "[(") {
		if n, err := ParseCount(s); err == nil {
			return Range{n, n}, nil
		}
	}
	low, high, ok := rangeEnds(s)
	if !ok {
		inner := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
		if n, err := ParseCount(inner); err == nil && inner != s {
			return Range{n, n}, nil
		}
		return Range{}, bad
	}
	lo, errLow := ParseCount(low)
	hi, errHigh := ParseCount(high)
	if errLow != nil || errHigh != nil {
		return Range{}, bad
	}
	if lo > hi {
		return Range{}, &QuantityError{Text: s, Want: "the lower end of a range first"}
	}
	return Range{lo, hi}, nil
}

// rangeEnds are the texts of both ends. In brackets the comma separates.
func rangeEnds(s string) (low, high string, ok bool) {
	if inner, found := strings.CutPrefix(s, "["); found {
		if inner, _, found = strings.Cut(inner, "]"); found {
			if parts := strings.Split(inner, ","); len(parts) == 2 {
				return strings.TrimSpace(parts[0]), strings.TrimSpace(parts[1]), true
			}
			s = strings.TrimSpace(inner)
		}
	}
	if m := rangeForm.FindStringSubmatch(s); m != nil {
		return m[1], m[3], true
	}
	return "", "", false
}

// ParseDType reads a number format: FP16, bfloat16, float8_e4m3fn, INT8, W4A16 is not one.
func ParseDType(s string) (DType, error) {
	switch strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(strings.TrimSpace(s))) {
	case "fp32", "float32", "f32", "float", "single":
		return FP32, nil
	case "bf16", "bfloat16":
		return BF16, nil
	case "fp16", "float16", "f16", "half":
		return FP16, nil
	case "fp8", "float8", "f8", "fp8e4m3", "fp8e5m2", "float8e4m3fn", "float8e5m2", "e4m3", "e5m2":
		return FP8, nil
	case "int8", "i8", "w8a8":
		return INT8, nil
	case "fp4", "float4", "f4", "nvfp4", "mxfp4", "e2m1":
		return FP4, nil
	case "int4", "i4", "w4a16", "awq", "gptq":
		return INT4, nil
	}
	return "", &QuantityError{Text: strings.TrimSpace(s), Want: "one of FP32, BF16, FP16, FP8, INT8, FP4, INT4"}
}

// FormatBytes prints a size exactly, in the largest unit that gives a short
// number: "64 GB", "80 GiB", "81559 MiB". ParseBytes reads it back.
func FormatBytes(n int64) string {
	units := []struct {
		name string
		size int64
	}{{"TB", 1e12}, {"TiB", 1 << 40}, {"GB", 1e9}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"kB", 1e3}, {"KiB", 1 << 10}}
	for _, u := range units {
		if n != 0 && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + " " + u.name
		}
	}
	for _, u := range units {
		// Three decimals: n·1000 divisible by the unit, without overflow.
		if n/u.size != 0 && (n%u.size)%(u.size/gcd(u.size, 1000)) == 0 {
			r := big.NewRat(n, u.size)
			return trimZeros(r.FloatString(3)) + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// FormatFLOPS prints a compute rate exactly: "400 TFLOP/s".
func FormatFLOPS(f float64) string { return formatScaled(f, "FLOP/s") }

// FormatBandwidth prints a transfer rate exactly: "1.8 TB/s".
func FormatBandwidth(f float64) string { return formatScaled(f, "B/s") }

// FormatDuration prints seconds exactly: "10 s", "500 ms", "30 µs".
func FormatDuration(seconds float64) string {
	for _, u := range []struct {
		name string
		exp  int
	}{{"s", 0}, {"ms", -3}, {"µs", -6}} {
		if abs := max(seconds, -seconds); abs == 0 || abs >= pow10(u.exp) {
			return shifted(seconds, u.exp) + " " + u.name
		}
	}
	return shifted(seconds, -9) + " ns"
}

// FormatTokenRate prints a token rate exactly: "100000 tokens/s".
func FormatTokenRate(f float64) string { return shifted(f, 0) + " tokens/s" }

// FormatShare prints a share as percent: "60 %".
func FormatShare(f float64) string { return shifted(f, -2) + " %" }

// FormatParameters prints a parameter count: "10B", "0.42B" for what is near a
// billion, exact.
func FormatParameters(f float64) string {
	switch {
	case f >= 1e12:
		return shifted(f, 12) + "T"
	case f >= 1e9:
		return shifted(f, 9) + "B"
	case f >= 1e6:
		return shifted(f, 6) + "M"
	default:
		return shifted(f, 0)
	}
}

// FormatRange prints "2048" or "128-10240".
func FormatRange(r Range) string {
	if r.Min == r.Max {
		return strconv.Itoa(r.Min)
	}
	return strconv.Itoa(r.Min) + "-" + strconv.Itoa(r.Max)
}

// formatScaled prints a value with the largest decimal prefix that keeps it at one or above.
func formatScaled(f float64, unit string) string {
	for _, p := range []struct {
		name string
		exp  int
	}{{"P", 15}, {"T", 12}, {"G", 9}, {"M", 6}, {"k", 3}} {
		if max(f, -f) >= pow10(p.exp) {
			return shifted(f, p.exp) + " " + p.name + unit
		}
	}
	return shifted(f, 0) + " " + unit
}

func pow10(n int) float64 {
	f, _ := decimal(n).Float64()
	return f
}

// shifted prints f·10^-exp with the shortest decimal that reads back as f.
func shifted(f float64, exp int) string {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	if !ok { // NaN or infinite: never a parsed quantity
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	// A float64 has at most 17 digits, the smallest at 10^-324.
	return trimZeros(r.Mul(r, decimal(-exp)).FloatString(345))
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
