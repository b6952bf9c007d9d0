package export

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/results"
)

// course is a variation over numbers, each with the strategy of a kind; "no plan" has no
// figures.
func course(kinds []string, numbers ...float64) *results.Variation {
	v := &results.Variation{FormatVersion: 1, Condition: "c & d", Path: "cluster.network", Objective: "balanced", Quantity: true, Unit: "GB/s", Resolution: 0.01, ThroughputOf: "deployment", Points: []results.VariationPoint{}, Changes: []results.VariationChange{}, Summary: "one until 3, another from 4 on"}
	for i, x := range numbers {
		p := results.VariationPoint{Value: fmt.Sprintf("%gGB/s", x), Number: x, Status: results.StatusOptimal, Kind: kinds[i], Summary: kinds[i] + ", layers 40+40"}
		if kinds[i] == "no plan" {
			p.Status, p.Reason, p.Summary = results.StatusInfeasible, "memory: 3 GiB short", ""
		} else {
			g := figuresAt(1000+10*x, 2000+x, 0)
			p.FrontierFigures = &g
			p.Plan = &results.Plan{Verification: &results.Verification{OK: true}}
		}
		v.Points = append(v.Points, p)
	}
	return v
}

func TestVariationFiles(t *testing.T) {
	v := course([]string{"TP8", "TP8", "TP16", "no plan"}, 1, 2, 4, 8)
	v.Points[1].Between = true
	paths, err := WriteVariation(filepath.Join(t.TempDir(), "v"), v)
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	data, err := os.ReadFile(paths[1])
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatal(rows, err)
	}
	at := func(row int, name string) string { return rows[row][slices.Index(rows[0], name)] }
	if at(1, "latency_ms") != "1010" || at(2, "between") != "1" || at(3, "kind") != "TP16" || at(4, "status") != "infeasible" || at(4, "latency_ms") != "" || at(4, "reason") != "memory: 3 GiB short" {
		t.Errorf("%q", rows)
	}
	v.Points[0].Plan.Verification.OK = false
	if _, err := WriteVariation(t.TempDir(), v); err == nil {
		t.Error("a plan that failed was written")
	}
}

func TestVariationText(t *testing.T) {
	v := course([]string{"TP8", "TP8", "TP16", "no plan"}, 1, 2, 4, 8)
	v.Points[1].Between = true
	v.Changes = []results.VariationChange{{Last: "2GB/s", First: "4GB/s"}}
	var b strings.Builder
	if err := VariationText(&b, v, Screen{}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"The best plan (balanced) at each cluster.network", "1GB/s", "no plan: memory: 3 GiB short", "one until 3, another from 4 on.", "at most 1 % apart"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "2GB/s ") {
		t.Errorf("a value between is listed:\n%s", text)
	}
}

// Whatever varies, the picture is well formed, no text lies on another, and every
// strategy has its letter below.
func TestVariationSVGProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "points")
		var kinds []string
		var numbers []float64
		x := rapid.Float64Range(0.001, 1000).Draw(t, "first")
		for range n {
			kinds = append(kinds, rapid.SampledFrom([]string{"TP8", "PP2 × TP8", "4 replicas × PP1 × TP4", "no plan", strings.Repeat("long ", 40)}).Draw(t, "kind"))
			numbers = append(numbers, x)
			x *= rapid.Float64Range(1.0001, 2).Draw(t, "step")
		}
		v := course(kinds, numbers...)
		v.Quantity, v.Log = rapid.Bool().Draw(t, "quantity"), rapid.Bool().Draw(t, "log")
		if !v.Quantity {
			for i := range v.Points {
				v.Points[i].Number = float64(i)
			}
		}
		data := VariationSVG(v)
		if !bytes.Equal(data, VariationSVG(v)) {
			t.Fatalf("other bytes")
		}
		p := look(t, data)
		if what := p.overlaps(); what != "" {
			t.Fatalf("%s", what)
		}
		slices.Sort(kinds)
		for _, k := range slices.Compact(kinds) {
			if !slices.ContainsFunc(p.texts, func(x placed) bool { return strings.HasPrefix(x.text, strings.TrimSpace(k[:3])) }) {
				t.Fatalf("%q is not explained", k)
			}
		}
	})
}

// Ticks are round, rise, and lie within the scale.
func TestScaleTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(1e-6, 1e9).Draw(t, "low")
		s := scaleOf(low, low*rapid.Float64Range(1, 1e6).Draw(t, "ratio"), 0, 100)
		ticks := s.ticks(rapid.IntRange(3, 9).Draw(t, "about"))
		if len(ticks) > 14 {
			t.Fatalf("%d ticks: %v", len(ticks), ticks)
		}
		for i, v := range ticks {
			if at := s.at(v); at < -1e-6 || at > 100+1e-6 || math.IsNaN(at) || i > 0 && v <= ticks[i-1] {
				t.Fatalf("%+v: tick %d of %v is at %g", s, i, ticks, at)
			}
		}
		if !s.log && len(ticks) < 2 {
			t.Fatalf("%+v has %v", s, ticks)
		}
	})
}
