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
