package export_test

import (
	"bytes"
	"encoding/json"
	"html"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs/read"
	"partita/results/export"
)

// The pictures of every example end where its metrics say: the prefill at the time to first
// token, the round at the time per output token. The metrics come from the search, the
// pictures from the stages of the plan.
func TestPicturesOfExamplesAgreeWithTheMetrics(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join("..", "..", "examples", "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	for _, path := range examples {
		c, err := read.Load(read.Options{Paths: []string{path}})
		if err != nil {
			continue // part of a condition, or a batch
		}
		r, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		page, err := export.HTML(r, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(page) > 3<<20 {
			t.Errorf("%s: the page has %d bytes", path, len(page))
		}
		for line := range strings.Lines(string(export.Report(r))) {
			title, second := strings.CutPrefix(strings.TrimSpace(line), "## ")
			if second && !bytes.Contains(page, []byte(">"+html.EscapeString(title)+"</h2>")) {
				t.Errorf("%s: the page has no section %q", path, title)
			}
		}
		if r.Plan == nil {
			continue
		}
		_, rest, _ := bytes.Cut(page, []byte(`id="data">`))
		data, _, found := bytes.Cut(rest, []byte("</script>"))
		var charts map[string]struct {
			End   float64
			Rules []struct{ A float64 }
		}
		if err := json.Unmarshal(data, &charts); !found || err != nil {
			t.Fatalf("%s: the data of the charts: %v", path, err)
		}
		ph := &r.Plan.Phases[0]
		agree := func(what string, got, want float64) {
			drawn++
			if math.Abs(got-want) > 1e-6*want {
				t.Errorf("%s: %s ends at %v ms, the metric is %v ms", path, what, got, want)
			}
		}
		if chart, ok := charts["chart-prefill"]; ok {
			agree("the prefill", chart.End, *ph.Metrics.TTFTMS)
		}
		if chart, ok := charts["chart-decode-round"]; ok {
			agree("the round", chart.Rules[0].A, *ph.Metrics.TPOTMS)
		}
	}
	if drawn < 10 {
		t.Errorf("only %d pipelines were drawn", drawn)
	}
}
