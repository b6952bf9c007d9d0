package export

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"partita/results"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWriteLeavesPlanReportAndManifest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	m, err := Write(dir, sampleReport())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), []string{manifestName, planName, htmlName, reportName}; !slices.Equal(got, want) {
		t.Errorf("files %q: want %q", got, want)
	}
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		t.Fatal(err)
	}
	var listed map[string]string
	if err := json.Unmarshal(data, &listed); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"plan": m.Plan, "report": m.Report, "report_html": m.ReportHTML}
	if len(listed) != len(want) {
		t.Errorf("manifest lists %v: want %v", listed, want)
	}
	for key, path := range listed {
		if !filepath.IsAbs(path) || path != want[key] {
			t.Errorf("manifest %s: %q, want the absolute path %q", key, path, want[key])
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("manifest %s: %v", key, err)
		}
	}
}

func TestWriteInARelativeFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	m, err := Write("out", sampleReport())
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(m.Plan) || !filepath.IsAbs(m.Report) {
		t.Errorf("manifest %+v: want absolute paths", m)
	}
}

// What an earlier run left never contradicts the run after it.
func TestWriteRemovesTheOtherKindOfPlan(t *testing.T) {
	dir := t.TempDir()
	steps := []struct {
		name   string
		report *results.Report
		want   []string
	}{
		{"a plan", sampleReport(), []string{manifestName, planName, htmlName, reportName}},
		{"then none fits", closestReport(), []string{closestName, manifestName, htmlName, reportName}},
		{"then a plan again", sampleReport(), []string{manifestName, planName, htmlName, reportName}},
		{"then nothing in time", &results.Report{Status: results.StatusUnknown}, []string{manifestName, htmlName, reportName}},
	}
	for _, s := range steps {
		m, err := Write(dir, s.report)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := names(t, dir); !slices.Equal(got, s.want) {
			t.Errorf("%s: files %q, want %q", s.name, got, s.want)
		}
		if (m.Plan != "") != slices.Contains(s.want, planName) || (m.ClosestPlan != "") != slices.Contains(s.want, closestName) {
			t.Errorf("%s: manifest %+v does not list the files %q", s.name, m, s.want)
		}
	}
}

func TestWriteRefusesWhatWasNotVerified(t *testing.T) {
	unverified, failed := sampleReport(), sampleReport()
	unverified.Plan.Verification = nil
	failed.Plan.Verification.OK = false
	for name, tc := range map[string]struct {
		report *results.Report
		want   error
	}{"nil": {nil, ErrNoReport}, "not verified": {unverified, ErrUnverified}, "failed": {failed, ErrUnverified}} {
		dir := filepath.Join(t.TempDir(), "out")
		if _, err := Write(dir, tc.report); !errors.Is(err, tc.want) {
			t.Errorf("%s: error %v, want %v", name, err, tc.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestWriteIsTheSameEveryTime(t *testing.T) {
	read := func() map[string]string {
		dir := t.TempDir()
		if _, err := Write(dir, sampleReport()); err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, n := range []string{planName, reportName} {
			data, err := os.ReadFile(filepath.Join(dir, n))
			if err != nil {
				t.Fatal(err)
			}
			out[n] = string(data)
		}
		return out
	}
	a, b := read(), read()
	for n := range a {
		if a[n] != b[n] {
			t.Errorf("%s differs between two runs", n)
		}
	}
}
