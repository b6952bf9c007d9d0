package export

import (
	"slices"
	"strings"
	"testing"

	"partita/results"
)

func whatIfReport() *results.Report {
	r := sampleReport()
	r.Plan.WhatIf = []results.WhatIf{
		{Change: "the network twice as fast: 100 GB/s", Path: "cluster.network", Status: results.StatusOptimal, Strategy: "PP1 × TP8", GPUs: 24, LatencyGainPercent: ptr(0.0), ThroughputGainPercent: ptr(0.1), Why: "brings nothing"},
		{Change: "faster links", Path: "cluster.intra_link", Status: results.StatusOptimal, Strategy: "PP1 × TP8", GPUs: 24, LatencyGainPercent: ptr(12.345), ThroughputGainPercent: ptr(-2.0)},
		{Change: "one more node of " + hostile, Path: "cluster.nodes", Status: results.StatusFeasible, Strategy: "PP1 × TP8", GPUs: 32, LatencyGainPercent: ptr(18.0), ThroughputGainPercent: ptr(25.0), Why: "found, not proved to be the best"},
		{Change: "one more GPU", Path: "cluster.count", Status: results.StatusUnknown, Why: "not settled"},
	}
	return r
}

// What brings most comes first; what brings nothing is not spoken of in the summary, and
// stands in the report.
func TestHelps(t *testing.T) {
	r := whatIfReport()
	got := helps(r.Plan)
	want := []string{"one more node of " + hostile + ": 18 % faster, 25 % more tokens/s", "faster links: 12 % faster, 2 % fewer tokens/s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	report := string(Report(r))
	for _, part := range []string{"## What other hardware would bring", "the network twice as fast", "brings nothing", "+12.3 %", "-2 %", "not settled", "| 32 |"} {
		if !strings.Contains(report, part) {
			t.Errorf("report.md lacks %q", part)
		}
	}
	var b strings.Builder
	if err := Summary(&b, r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\nhelps     one more node") || strings.Contains(b.String(), "\x1b") || strings.Contains(b.String(), "network twice") {
		t.Errorf("summary:\n%s", b.String())
	}
}
