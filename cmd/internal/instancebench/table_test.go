package main

import (
	"strings"
	"testing"
	"time"

	"partita/results"
)

func number(v float64) *float64 { return &v }

// TestTable: what is better is told as better in both senses, and nothing that is not
// recorded is made up.
func TestTable(t *testing.T) {
	known, err := readRecorded()
	if err != nil {
		t.Fatal(err)
	}
	if r := known[key{"helix/single24_70", "series"}]; r.value != 1289.556 || r.gap != 5953 || r.seconds != 600 || r.mib != -1 {
		t.Errorf("recorded %+v", r)
	}
	table := &table{recorded: known, calibration: time.Second}
	table.add(job{group: "chains", objective: "series"}, measured{cpu: 20 * time.Millisecond, bytes: 25e6, answers: []results.Placed{
		{Name: "helix/single24_70", Goal: "series", Sense: "maximize", Status: "optimal", Objective: number(2045.641), BestBound: number(2045.641), Gap: number(0)}}})
	table.add(job{group: "graphs"}, measured{answers: []results.Placed{
		{Name: "layer-bert24_inference", Goal: "noncontiguous", Sense: "minimize", Status: "time limit", Objective: number(17.714718750), BestBound: number(17.5), Gap: number(0.012)}}})
	table.add(job{group: "graphs"}, measured{answers: []results.Placed{{Name: "mine", Goal: "latency", Sense: "minimize", Status: "time limit"}}})
	table.add(job{group: "rentals", objective: "throughput"}, measured{answers: []results.Placed{
		{Name: "a", Sense: "maximize", Status: "optimal", Verified: true, Objective: number(110), Recorded: &results.PlacedRecorded{Value: 100}},
		{Name: "b", Sense: "maximize", Status: "optimal", Verified: true, Objective: number(100.001), Recorded: &results.PlacedRecorded{Value: 100}},
		{Name: "c", Sense: "maximize", Status: "optimal", Verified: true, Objective: number(90), Recorded: &results.PlacedRecorded{Value: 100}}}})
	var out strings.Builder
	table.print(&out)
	squeezed := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"| **chains** |",
		"| helix/single24_70 | 2045.64 | proved | 20 ms | 25 MB | 1289.56 | 5953 % | 600 s | 1.586 · 30000× | stopped at its time limit |",
		"| layer-bert24_inference | 17.7147 | 17.5 (1.2 %) | 0 ms | 0 MB | 17.7147 | | | 1.000 | |",
		"| mine | none | no bound | 0 ms | 0 MB | | | | | |",
		"| 3 × throughput | 3 verified | 3 proved | 0 ms | 0 MB | | | | of 3: 1 equal, 1 better | |",
		"10⁸ steps of xorshift took 1000 ms",
	} {
		if !strings.Contains(squeezed, want) {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
}

func TestJobs(t *testing.T) {
	jobs, err := jobsOf(t.TempDir())
	if err != nil || len(jobs) != 0 {
		t.Errorf("an empty folder gives %d jobs, %v", len(jobs), err)
	}
}
