package cli

import (
	"testing"

	"partita/inputs/catalog"
)

func TestComparisons(t *testing.T) {
	const gib = 1 << 30
	for _, row := range []struct {
		text  string
		value func(string) (span, error)
		holds []float64
		fails []float64
	}{
		// An "80 GB" H100 reports 79.6 GiB, an A100 80 GiB; a "48 GB" L40S 45 GiB, a "288 GB" GB300 268 GiB.
		{">=80GB", memorySpan, []float64{79.6 * gib, 80 * gib, 141e9}, []float64{48e9, 0}},
		{"≤80 GB", memorySpan, []float64{79.6 * gib, 80 * gib, 24e9}, []float64{93.6 * gib, 0}},
		{"80GB", memorySpan, []float64{79.6 * gib, 80 * gib, 80e9}, []float64{64 * gib, 93.6 * gib}},
		{">=48GB", memorySpan, []float64{45 * gib}, []float64{40 * gib}},
		{"=288GB", memorySpan, []float64{268 * gib, 288 * gib}, []float64{256 * gib}},
		{"<80GB", memorySpan, []float64{64 * gib}, []float64{79.6 * gib, 80 * gib}},
		{">80GB", memorySpan, []float64{93.6 * gib}, []float64{79.6 * gib, 80 * gib}},
		{"80GiB", memorySpan, []float64{80 * gib, 79.65 * gib}, []float64{79 * gib, 85 * gib}},
		{"40GB..80GB", memorySpan, []float64{40e9, 40 * gib, 80 * gib}, []float64{24 * gib, 94e9}},
		{"<=70B", parameterSpan, []float64{70.55e9, 7e9}, []float64{80e9}},
		{">70B", parameterSpan, []float64{80e9}, []float64{70.55e9}},
		{"7B..14B", parameterSpan, []float64{6.74e9, 14.7e9}, []float64{3e9, 20e9}},
		{">=128k", countSpan, []float64{131072}, []float64{128000}},
		{"<= 400 W", numberSpan("W"), []float64{400, 72}, []float64{700, 0}},
	} {
		c, err := parseComparison(row.text, row.value)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		for _, v := range row.holds {
			if !c.holds(v) {
				t.Errorf("%s does not hold for %g", row.text, v)
			}
		}
		for _, v := range row.fails {
			if c.holds(v) {
				t.Errorf("%s holds for %g", row.text, v)
			}
		}
	}
	for _, text := range []string{"", ">=", "80", ">=lots", "80GB..", "9GB..8GB", "<>80GB", ">=40GB..80GB"} {
		if c, err := parseComparison(text, memorySpan); err == nil {
			t.Errorf("%q was read as %+v", text, c)
		}
	}
}

func TestFamilies(t *testing.T) {
	for _, row := range []struct {
		name, with string
		want       bool
	}{
		{"Llama 3.1", "llama", true}, {"Llama 3.1", "llama-3", true}, {"Llama 3.1", "Llama3.1", true}, {"Llama 3.1", "lla", false},
		{"Llama 3.1", "llama 3.3", false}, {"Llama 3", "llama 3.1", false}, {"Qwen 2.5", "qwen2.5", true}, {"Qwen 2.5", "", false}, {"gpt-oss", "GPT", true},
	} {
		if got := begins(row.name, row.with); got != row.want {
			t.Errorf("%q begins with %q: %v", row.name, row.with, got)
		}
	}
}

// TestColumnsAreShown: every column has a figure of some entry, for people and for CSV,
// and no two have one key.
func TestColumnsAreShown(t *testing.T) {
	known, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	checkColumns(t, known.Accelerators(), gpuColumns(known), "price_usd_h") // nobody states prices of the built-in ones
	checkColumns(t, known.Models(), modelColumns(known))
}

func checkColumns[T any](t *testing.T, list []T, columns []column[T], empty ...string) {
	t.Helper()
	seen := map[string]bool{}
	for _, key := range empty {
		seen[key+" is empty"] = true
	}
	for _, c := range columns {
		if seen[c.key] {
			t.Errorf("two columns are called %s", c.key)
		}
		seen[c.key] = true
		some := false
		for _, entry := range list {
			some = some || c.raw(entry) != "" && c.cell(entry) != ""
		}
		if !some && !seen[c.key+" is empty"] {
			t.Errorf("column %s says nothing of any entry", c.key)
		}
	}
}
