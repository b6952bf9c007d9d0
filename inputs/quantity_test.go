package inputs

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// parse runs a float parser under a name, so that one table serves all of them.
type parse func(string) (float64, error)

func asFloat[T int | int64](f func(string) (T, error)) parse {
	return func(s string) (float64, error) { v, err := f(s); return float64(v), err }
}

func TestParseQuantities(t *testing.T) {
	bytes, count := asFloat(ParseBytes), asFloat(ParseCount)
	bad := math.NaN()
	for _, c := range []struct {
		name  string
		parse parse
		text  string
		want  float64 // NaN: refused
	}{
		{"bytes", bytes, "64GB", 64e9},
		{"bytes", bytes, "80 GiB", 80 << 30},
		{"bytes", bytes, "81559 MiB", 81559 << 20},
		{"bytes", bytes, "1.5G", 15e8},
		{"bytes", bytes, "24gb", 24e9},
		{"bytes", bytes, "2 TB", 2e12},
		{"bytes", bytes, "16 gigabytes", 16e9},
		{"bytes", bytes, "512M", 512e6},
		{"bytes", bytes, "64Gb", bad},
		{"bytes", bytes, "64", bad},
		{"bytes", bytes, "0.3 B", bad},
		{"bytes", bytes, "1e30 GB", bad},
		{"bytes", bytes, "GB", bad},
		{"bytes", bytes, "64 GB/s", bad},
		{"flops", ParseFLOPS, "400TFlops", 400e12},
		{"flops", ParseFLOPS, "989 TFLOP/s", 989e12},
		{"flops", ParseFLOPS, "1.98 PFLOPS", 1.98e15},
		{"flops", ParseFLOPS, "400 TOPS", 400e12},
		{"flops", ParseFLOPS, "312 teraflops", 312e12},
		{"flops", ParseFLOPS, "400", bad},
		{"flops", ParseFLOPS, "400TB", bad},
		{"bandwidth", ParseBandwidth, "1.8TBps", 1.8e12},
		{"bandwidth", ParseBandwidth, "1.8 TB/s", 1.8e12},
		{"bandwidth", ParseBandwidth, "900GB/s", 900e9},
		{"bandwidth", ParseBandwidth, "100Gb/s", 12.5e9},
		{"bandwidth", ParseBandwidth, "400Gbps", 50e9},
		{"bandwidth", ParseBandwidth, "400 Gbit/s", 50e9},
		{"bandwidth", ParseBandwidth, "1GiB/s", 1 << 30},
		{"bandwidth", ParseBandwidth, "2T/s", 2e12},
		{"bandwidth", ParseBandwidth, "64GB", bad},
		{"duration", ParseDuration, "10s", 10},
		{"duration", ParseDuration, "500ms", .5},
		{"duration", ParseDuration, "30 ms", .03},
		{"duration", ParseDuration, "12 µs", 12e-6},
		{"duration", ParseDuration, "12us", 12e-6},
		{"duration", ParseDuration, "2 min", 120},
		{"duration", ParseDuration, "1.5 seconds", 1.5},
		{"duration", ParseDuration, "10", bad},
		{"duration", ParseDuration, "10 parsecs", bad},
		{"tokens", ParseTokenRate, "100tokens/ms", 1e5},
		{"tokens", ParseTokenRate, "5000 tok/s", 5000},
		{"tokens", ParseTokenRate, "5,000 tokens per second", 5000},
		{"tokens", ParseTokenRate, "3 ktok/s", 3000},
		{"tokens", ParseTokenRate, "80 TPS", 80},
		{"tokens", ParseTokenRate, "80 tokens", bad},
		{"tokens", ParseTokenRate, "80 tokens/mile", bad},
		{"count", count, "64GB", bad}, // a unit is no noun
		{"count", count, "30 ms", bad},
		{"count", count, "400 TFLOPS", bad},
		{"count", count, "8 minutes", bad},
		{"count", count, "94-layer", 94},
		{"count", count, "128 sequences", 128},
		{"count", count, "151,936", 151936},
		{"count", count, "128k", 131072},
		{"count", count, "-3", -3},
		{"count", count, "1.5", bad},
		{"count", count, "1e12", bad},
		{"count", count, "12,34", bad},
		{"parameters", ParseParameters, "10B", 10e9},
		{"parameters", ParseParameters, "770M", 770e6},
		{"parameters", ParseParameters, "1.5 trillion parameters", 1.5e12},
		{"parameters", ParseParameters, "7e9", 7e9},
		{"parameters", ParseParameters, "8x7B", bad},
		{"share", ParseShare, "60%", .6},
		{"share", ParseShare, "60 percent", .6},
		{"share", ParseShare, "0.6", .6},
		{"share", ParseShare, "60", bad},
		{"price", ParsePrice, "$2.50/h", 2.5},
		{"price", ParsePrice, "2.5 USD per hour", 2.5},
		{"price", ParsePrice, "$3.2 per GPU-hour", 3.2},
		{"price", ParsePrice, "2.5 €/h", bad},
		{"real", ParseReal, "0.25", .25},
		{"real", ParseReal, "1e999", bad},
	} {
		got, err := c.parse(c.text)
		switch {
		case math.IsNaN(c.want) && err == nil:
			t.Errorf("%s %q: got %v, want an error", c.name, c.text, got)
		case !math.IsNaN(c.want) && (err != nil || got != c.want):
			t.Errorf("%s %q: got %v, %v, want %v", c.name, c.text, got, err, c.want)
		}
	}
}

func TestParseRange(t *testing.T) {
	for text, want := range map[string]Range{
		"[128, 10240]": {128, 10240}, "[128,10240]": {128, 10240}, "128 ~ 10240": {128, 10240},
		"128-10240": {128, 10240}, "128..10240": {128, 10240}, "128 to 10240": {128, 10240},
		"128 – 10240": {128, 10240}, "[128 ~ 256]": {128, 256}, "2048": {2048, 2048}, "[2048]": {2048, 2048},
		"128,256": {128256, 128256}, "[128,256]": {128, 256}, "1k-8k": {1024, 8192}, "128 - 256 tokens": {128, 256},
		"1,024 to 10,240": {1024, 10240},
	} {
		if got, err := ParseRange(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "[1,2,3]", "10240-128", "a-b", "[128, x]", "1.5-2"} {
		if got, err := ParseRange(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestParseDType(t *testing.T) {
	for text, want := range map[string]DType{"FP16": FP16, "bfloat16": BF16, "BF16": BF16, "fp8_e4m3": FP8, "INT8": INT8, "int4": INT4, "mxfp4": FP4, "float32": FP32} {
		if got, err := ParseDType(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	if _, err := ParseDType("FP7"); err == nil {
		t.Error("FP7 is no format")
	}
}

func TestFormatIsShortAndNamed(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{FormatBytes(64e9), "64 GB"}, {FormatBytes(80 << 30), "80 GiB"}, {FormatBytes(81559 << 20), "81559 MiB"},
		{FormatBytes(1500), "1.5 kB"}, {FormatBytes(7), "7 B"}, {FormatBytes(0), "0 B"},
		{FormatFLOPS(400e12), "400 TFLOP/s"}, {FormatFLOPS(1.98e15), "1.98 PFLOP/s"},
		{FormatBandwidth(1.8e12), "1.8 TB/s"}, {FormatBandwidth(12.5e9), "12.5 GB/s"},
		{FormatDuration(10), "10 s"}, {FormatDuration(.5), "500 ms"}, {FormatDuration(30e-6), "30 µs"}, {FormatDuration(0), "0 s"},
		{FormatTokenRate(1e5), "100000 tokens/s"}, {FormatShare(.6), "60 %"}, {FormatParameters(10e9), "10B"},
		{FormatRange(Range{128, 10240}), "128-10240"}, {FormatRange(Range{8, 8}), "8"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// What is printed reads back as the same value, to the last bit.
func TestFormatRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, math.MaxInt64).Draw(t, "bytes")
		if got, err := ParseBytes(FormatBytes(n)); err != nil || got != n {
			t.Fatalf("%d prints %q, reads %d, %v", n, FormatBytes(n), got, err)
		}
		f := rapid.Float64Range(1e-9, 1e18).Draw(t, "value")
		for name, c := range map[string]struct {
			format func(float64) string
			parse  parse
		}{
			"flops": {FormatFLOPS, ParseFLOPS}, "bandwidth": {FormatBandwidth, ParseBandwidth},
			"duration": {FormatDuration, ParseDuration}, "tokens": {FormatTokenRate, ParseTokenRate},
			"share": {FormatShare, ParseShare}, "parameters": {FormatParameters, ParseParameters},
		} {
			if got, err := c.parse(c.format(f)); err != nil || got != f {
				t.Fatalf("%s %v prints %q, reads %v, %v", name, f, c.format(f), got, err)
			}
		}
		lo := rapid.IntRange(0, maxCount).Draw(t, "low")
		r := Range{lo, rapid.IntRange(lo, maxCount).Draw(t, "high")}
		if got, err := ParseRange(FormatRange(r)); err != nil || got != r {
			t.Fatalf("%v prints %q, reads %v, %v", r, FormatRange(r), got, err)
		}
	})
}

// No text makes a parser panic or return what is not a finite number.
func TestParsersTakeAnyText(t *testing.T) {
	parsers := []parse{asFloat(ParseBytes), ParseFLOPS, ParseBandwidth, ParseDuration, ParseTokenRate, asFloat(ParseCount), ParseParameters, ParseShare, ParsePrice, ParseReal}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-+]?[0-9]{1,20}(\.[0-9]{1,5})?(e[0-9]{1,9})? ?[A-Za-z/]{0,8}`)).Draw(t, "text")
		for i, p := range parsers {
			if v, err := p(s); err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
				t.Fatalf("parser %d reads %q as %v", i, s, v)
			}
		}
		_, _ = ParseRange(s)
		_, _ = ParseDType(s)
	})
}
