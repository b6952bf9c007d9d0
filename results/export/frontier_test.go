package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/results"
)

// tradeoff is a frontier of points at (latency in ms, tokens/s, USD/h).
func tradeoff(points ...[3]float64) *results.Frontier {
	f := &results.Frontier{
		FormatVersion: 1, Condition: "two <pools>", Status: results.StatusOptimal, Axes: []string{"latency_ms", "tokens_per_s"},
		ThroughputOf: "deployment", Requirements: "none", Points: []results.FrontierPoint{}, Heuristics: []results.FrontierHeuristic{},
		Reasons: []string{}, Warnings: []string{},
	}
	for i, p := range points {
		x := results.FrontierPoint{
			FrontierFigures: figuresAt(p[0], p[1], p[2]), Status: "optimal", ChosenBy: []string{}, Summary: fmt.Sprintf("%d replicas × PP1 × TP4", i+1),
			Strategy: results.Strategy{Replicas: i + 1, PP: 2, TP: results.PerStage{8, 4}, EP: results.PerStage{1, 1}, CP: results.PerStage{1, 1}, DPAttention: results.PerStage{1, 1}, ETP: results.PerStage{8, 4}, Layers: []int{30, 25}},
			Plan:     &results.Plan{Verification: &results.Verification{OK: true}},
		}
		if p[2] > 0 {
			f.Axes = []string{"latency_ms", "tokens_per_s", "usd_per_hour"}
		}
		f.Points = append(f.Points, x)
	}
	return f
}

func figuresAt(latency, rate, usd float64) results.FrontierFigures {
	g := results.FrontierFigures{LatencyMS: latency, TokensPerS: rate, DeploymentTokens: rate, TokensPerSEachGPU: rate / 16, GPUs: 16}
	if usd > 0 {
		g.USDPerHour = &usd
	}
	return g
}

func heuristicAt(name string, latency, rate float64, why string) results.FrontierHeuristic {
	g := figuresAt(latency, rate, 0)
	return results.FrontierHeuristic{Heuristic: name, Strategy: "PP2 × TP8", Feasible: why == "", Why: why, Figures: &g}
}

func TestFrontierCSVIsReadBack(t *testing.T) {
	f := tradeoff([3]float64{100, 1000, 2.5}, [3]float64{200.125, 3000, 0})
	f.Points[0].ChosenBy = []string{"balanced", "latency"}
	f.Points[0].Summary = `a "quoted", one`
	data, err := FrontierCSV(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v: %q", err, rows)
	}
	at := func(row int, name string) string { return rows[row][slices.Index(rows[0], name)] }
	if at(1, "latency_ms") != "100" || at(1, "usd_per_hour") != "2.5" || at(2, "usd_per_hour") != "" || at(2, "latency_ms") != "200.125" ||
		at(1, "tp") != "8/4" || at(1, "ep") != "1" || at(1, "layers") != "30/25" || at(1, "chosen_by") != "balanced latency" || at(1, "strategy") != `a "quoted", one` {
		t.Errorf("%q", rows)
	}
}

// What is written is written whole, reads as JSON without nulls, and is the same again; a
// plan that was not verified is refused.
func TestWriteFrontier(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	f := tradeoff([3]float64{100, 1000, 0}, [3]float64{200, 3000, 0})
	paths, err := WriteFrontier(dir, f)
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	var first [][]byte
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil || !filepath.IsAbs(path) {
			t.Fatal(path, err)
		}
		first = append(first, data)
	}
	if !json.Valid(first[0]) || bytes.Contains(first[0], []byte("null")) || !bytes.Contains(first[0], []byte(`"condition": "two <pools>"`)) {
		t.Errorf("%s", first[0])
	}
	if _, err := WriteFrontier(dir, f); err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, first[i]) {
			t.Errorf("%s differs when written again (%v)", path, err)
		}
	}
	f.Points[1].Plan.Verification = &results.Verification{}
	fresh := filepath.Join(t.TempDir(), "none")
	if _, err := WriteFrontier(fresh, f); err == nil {
		t.Error("a plan that failed was written")
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a folder is left of a frontier that was refused")
	}
}

func TestFrontierTextFitsAndSaysWhatIsProved(t *testing.T) {
	f := tradeoff([3]float64{100, 1000, 0}, [3]float64{200, 3000, 0})
	f.Points[0].ChosenBy = []string{"balanced", "latency"}
	f.Points[1].Status = "feasible"
	f.Heuristics = []results.FrontierHeuristic{heuristicAt("megatron", 300, 900, ""), heuristicAt("memory-greedy", 90, 4000, "balance: the fastest stage takes 0.2 of the slowest, the floor is 0.75")}
	f.Warnings = []string{"an escape \x1b[31m sequence"}
	for _, row := range []struct {
		status       results.Status
		requirements string
		want         []string
	}{
		{results.StatusOptimal, "hold", []string{"2 points, proved complete", "All requirements hold", "best by balanced, latency", "not proved:", "not allowed:"}},
		{results.StatusFeasible, "left out", []string{"as far as it is known", "requirements are left out"}},
		{results.StatusInfeasible, "hold", []string{"Proved: no plan"}},
		{results.StatusUnknown, "hold", []string{"--time-limit"}},
	} {
		f.Status, f.Requirements = row.status, row.requirements
		var b strings.Builder
		if err := FrontierText(&b, f, Screen{}); err != nil {
			t.Fatal(err)
		}
		flat := strings.Join(strings.Fields(b.String()), " ")
		for _, want := range row.want {
			if !strings.Contains(flat, want) {
				t.Errorf("%s: %q is not in\n%s", row.status, want, b.String())
			}
		}
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > defaultWidth || strings.ContainsRune(line, '\x1b') {
				t.Errorf("%s: %d columns: %q", row.status, n, line)
			}
		}
	}
}

// picture is what a test reads off an SVG.
type picture struct {
	title, description string
	texts              []placed
}

type placed struct {
	x, y         float64
	anchor, text string
	upright      bool
}

// look parses an SVG; it must be well formed and have a title and a description.
func look(t interface {
	Fatalf(string, ...any)
	Helper()
}, data []byte) picture {
	t.Helper()
	var p picture
	d := xml.NewDecoder(bytes.NewReader(data))
	var open []string
	var current *placed
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, data)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			if e.Name.Local == "text" {
				x := placed{}
				for _, a := range e.Attr {
					v, _ := strconv.ParseFloat(a.Value, 64)
					switch a.Name.Local {
					case "x":
						x.x = v
					case "y":
						x.y = v
					case "text-anchor":
						x.anchor = a.Value
					case "transform":
						x.upright = true
					}
				}
				current = &x
			}
		case xml.CharData:
			switch {
			case current != nil:
				current.text += string(e)
			case len(open) == 2 && open[1] == "title":
				p.title += string(e)
			case len(open) == 2 && open[1] == "desc":
				p.description += string(e)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
			if e.Name.Local == "text" {
				p.texts = append(p.texts, *current)
				current = nil
			}
		}
	}
	if p.title == "" || p.description == "" || !bytes.Contains(data, []byte("prefers-color-scheme: dark")) {
		t.Fatalf("a picture without title, description or dark colours:\n%s", data)
	}
	return p
}

// overlaps names two texts that lie over each other, "" where none do. A letter is taken
// for 6 px here, about what fonts have, and for 7 px where texts are placed.
func (p *picture) overlaps() string {
	const letter, tall = 6, 11
	var boxes []box
	for _, x := range p.texts {
		w := letter * float64(len([]rune(x.text)))
		b := box{x.x, x.y - tall, x.x + w, x.y}
		switch x.anchor {
		case "middle":
			b.x0, b.x1 = x.x-w/2, x.x+w/2
		case "end":
			b.x0, b.x1 = x.x-w, x.x
		}
		if x.upright {
			b = box{}
		}
		for i, o := range boxes {
			if b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 {
				return fmt.Sprintf("%q at %v and %q at %v", x.text, b, p.texts[i].text, o)
			}
		}
		boxes = append(boxes, b)
	}
	return ""
}

func TestFrontierSVG(t *testing.T) {
	f := tradeoff([3]float64{13917, 1851.9, 0}, [3]float64{14198, 1877.8, 0})
	f.Points[0].ChosenBy, f.Points[1].ChosenBy = []string{"balanced", "latency"}, []string{"throughput"}
	f.Heuristics = []results.FrontierHeuristic{
		heuristicAt("memory-greedy", 10527, 2363, "balance"), heuristicAt("megatron", 33949, 719, "balance"), heuristicAt("vllm-default", 34854, 706, "balance"),
		heuristicAt("flop-proportional", 82893, 426, "balance"), heuristicAt("local-search", 16826, 1519, ""),
		{Heuristic: "grid", Why: "uses 0 of 8"},
	}
	data := FrontierSVG(f)
	if !bytes.Equal(data, FrontierSVG(f)) {
		t.Error("the same frontier gives other bytes")
	}
	p := look(t, data)
	if what := p.overlaps(); what != "" {
		t.Error(what)
	}
	var all []string
	for _, x := range p.texts {
		all = append(all, x.text)
	}
	text := strings.Join(all, "|")
	for _, want := range []string{"Trade-off of two <pools>", "balanced, latency: 1 replicas × PP1 × TP4", "throughput:", "memory-greedy", "local-search", "beyond the picture: flop-proportional (82.89 s, 426 tokens/s)", "latency of a request (s)", "throughput (tokens/s)", "heuristic that breaks a condition"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the picture: %s", want, text)
		}
	}
	for _, want := range []string{"Point 1: 13.92 s, 1,852 tokens/s on 16 GPUs", "not allowed: balance", "2 points, proved complete"} {
		if !strings.Contains(p.description, want) {
			t.Errorf("%q is not told: %s", want, p.description)
		}
	}
	if p := look(t, FrontierSVG(tradeoff())); !strings.Contains(p.texts[2].text, "no plan") {
		t.Errorf("without points: %+v", p.texts)
	}
}

// Whatever the points, the picture is well formed and no text lies on another.
func TestFrontierSVGProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "points")
		var points [][3]float64
		latency, rate := rapid.Float64Range(1, 1e5).Draw(t, "latency"), rapid.Float64Range(1, 1e6).Draw(t, "rate")
		priced := rapid.Bool().Draw(t, "priced")
		for range n {
			latency *= rapid.Float64Range(1.00001, 1.6).Draw(t, "slower")
			rate *= rapid.Float64Range(1.00001, 1.6).Draw(t, "more")
			usd := 0.0
			if priced {
				usd = float64(rapid.IntRange(1, 12).Draw(t, "usd"))
			}
			points = append(points, [3]float64{latency, rate, usd})
		}
		f := tradeoff(points...)
		f.Condition = rapid.StringN(0, 60, 200).Draw(t, "name")
		f.Points[0].ChosenBy = []string{"latency"}
		f.Points[n-1].ChosenBy = append(f.Points[n-1].ChosenBy, "throughput")
		f.Points[n/2].ChosenBy = append(f.Points[n/2].ChosenBy, "balanced")
		for _, name := range []string{"vllm-default", "megatron", "flop-proportional", "memory-greedy", "aiconfigurator-grid", "local-search"} {
			at := points[rapid.IntRange(0, n-1).Draw(t, "near")]
			why := rapid.SampledFrom([]string{"", "balance"}).Draw(t, "why")
			f.Heuristics = append(f.Heuristics, heuristicAt(name, at[0]*rapid.Float64Range(0.2, 5).Draw(t, "x"), at[1]*rapid.Float64Range(0.2, 5).Draw(t, "y"), why))
		}
		p := look(t, FrontierSVG(f))
		if what := p.overlaps(); what != "" {
			t.Fatalf("%s", what)
		}
	})
}
