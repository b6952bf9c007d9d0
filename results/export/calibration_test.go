package export

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"partita/results"
)

// The table of errors keeps its words whole on a narrow screen: what rows are of goes first.
func TestCalibrationTextFits(t *testing.T) {
	law := func(path string, ops ...string) results.CalibratedLaw {
		e := results.CalibrationError{MedianPct: 12.34, P90Pct: 57.89}
		return results.CalibratedLaw{Path: path, Ops: ops, Rows: 134400, Shapes: 120800, Outliers: 1234, Impossible: 1357, BuiltIn: e, InSample: &e, HeldOut: &e}
	}
	two := law("operators.gemm16", "matmul")
	two.Frameworks = []string{"sglang", "vllm"}
	one := law("operators.stream", "stream")
	one.Rows, one.Shapes, one.Outliers, one.Impossible = 40, 40, 0, 0
	for name, c := range map[string]struct {
		laws []results.CalibratedLaw
		want []string
		not  string
	}{
		"wide":   {[]results.CalibratedLaw{law("operators.prefill", "prefill_attention", "prefill_mla"), law("links.nvlink", "all_gather", "all_reduce", "all_to_all", "reduce_scatter", "send")}, []string{" links.nvlink ", " fast ", " 1,357 ", " held out"}, "all gather"},
		"mixed":  {[]results.CalibratedLaw{two, one}, []string{"Mixed times of several engines are fitted as one: gemm16 of sglang, vllm. Give"}, "stream of"},
		"narrow": {[]results.CalibratedLaw{one}, []string{" rows of ", " stream ", " held out"}, " out  "},
	} {
		var b bytes.Buffer
		report := &results.Calibration{Devices: []results.CalibratedDevice{{Device: "H100", Generation: "hopper", Laws: c.laws}}}
		if err := CalibrationText(&b, report, Screen{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, &b)
			}
		}
		if strings.Contains(b.String(), c.not) {
			t.Errorf("%s: %q in\n%s", name, c.not, &b)
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			if utf8.RuneCountInString(line) > defaultWidth {
				t.Errorf("%s: more than %d columns: %s", name, defaultWidth, line)
			}
		}
	}
}
