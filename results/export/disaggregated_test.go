package export_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"partita/formulation"
	"partita/inputs/read"
	"partita/results/export"
	"partita/results/verify"
)

// TestApartIsToldAsOne: the texts of prefill and decode apart tell the whole first, its
// requirements once, and each side by itself; a terminal has its 80 columns.
func TestApartIsToldAsOne(t *testing.T) {
	c, err := read.Load(read.Options{Paths: []string{"../../examples/disaggregated/llama-3.1-70b-fp8-2x8-h100.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan.Verification, err = verify.Check(r.Plan, c); err != nil {
		t.Fatal(err)
	}
	var summary bytes.Buffer
	if err := export.Summary(&summary, r); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(summary.String(), "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
	report := string(export.Report(r))
	for name, text := range map[string]string{"summary": summary.String(), "report.md": report} {
		at := 0
		for _, want := range []string{"prefill on ", "requests/s, as many as the ", "KV cache of a prompt: ", "time to first token", "prefill", "decode", "half-and-half", "mixed"} {
			i := strings.Index(text[at:], want)
			if i < 0 {
				t.Fatalf("%s has no %q after %q", name, want, text[:at])
			}
			at += i
		}
		if n := strings.Count(text, "\n ttft ") + strings.Count(text, "\n| ttft |"); n != 1 {
			t.Errorf("%s tells the requirement on the first token %d times", name, n)
		}
		if strings.Count(text, "this plan") > 1 {
			t.Errorf("%s compares more than one plan", name)
		}
	}
	if n := strings.Count(report, "\n| whole request |"); n != 1 {
		t.Errorf("the whole request is told %d times", n)
	}
	if n := strings.Count(report, "Where the proof stands"); n != 3 {
		t.Errorf("%d proofs: of the split and of either side", n)
	}
}
