package export

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/results"
)

var update = flag.Bool("update", false, "write the golden files anew; read them before they are kept")

func golden(t *testing.T, name string, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestReportGolden(t *testing.T) {
	for name, r := range map[string]*results.Report{
		"report.md":  sampleReport(),
		"closest.md": closestReport(),
		"unknown.md": {Status: results.StatusUnknown, Condition: "sample", Assumptions: []results.Assumption{{What: "batch", Value: "1", Because: "none was stated"}}},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, string(Report(r))) })
	}
}

func TestSummaryGolden(t *testing.T) {
	for name, r := range map[string]*results.Report{"summary.txt": sampleReport(), "closest.txt": closestReport()} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := Summary(&b, r); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.String())
		})
	}
}

// A unit of many words is said where it is explained, not in every cell.
func TestUnitOfTheObjectiveIsSaidOnce(t *testing.T) {
	r := sampleReport()
	unit := r.Plan.Phases[0].Solve.ObjectiveUnit
	if n := strings.Count(string(Report(r)), unit); n != 1 {
		t.Errorf("report.md says %q %d times", unit, n)
	}
	var b strings.Builder
	if err := Summary(&b, r); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), unit) {
		t.Errorf("the summary says %q:\n%s", unit, b.String())
	}
}

func TestPoolsOfAStrategy(t *testing.T) {
	several := samplePlan().Phases[0]
	if got := strategyLine(&several); !strings.HasSuffix(got, " on A100/L40S") {
		t.Errorf("%q does not name its pools", got)
	}
	unlike := samplePlan().Phases[0]
	unlike.Stages[3].MemoryGiB++ // the second replica differs
	if got := strategyLine(&unlike); !strings.HasSuffix(got, ", on several pools") {
		t.Errorf("%q names the pools of one replica for all", got)
	}
	one := samplePlan().Phases[0]
	for i := range one.Stages {
		one.Stages[i].Pool = "A100"
	}
	if got := strategyLine(&one); strings.Contains(got, "A100") {
		t.Errorf("%q names the only pool", got)
	}
}

func TestWhatAMissedRequirementLacks(t *testing.T) {
	ph := results.PhasePlan{Requirements: []results.RequirementResult{
		{Name: "ttft", Unit: "s", Want: 1, Got: 2.4, MarginPercent: -140},
		{Name: "throughput", Unit: "tokens/s", Want: 100, Got: 80, MarginPercent: -25},
		{Name: "tpot", Unit: "s", Want: 0.05, Got: 0.048, MarginPercent: 4}, // met, but not by the margin asked for
	}}
	var got []string
	for _, row := range requirementRows(&ph) {
		got = append(got, row[4])
	}
	if diff := cmp.Diff([]string{"140 % over", "20 % short", "4 %"}, got); diff != "" {
		t.Error(diff)
	}
}
