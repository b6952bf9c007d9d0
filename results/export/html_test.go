package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"partita/inputs"
	"partita/results"
)

func htmlOf(t *testing.T, r *results.Report) []byte {
	t.Helper()
	page, err := HTML(r, []FileNote{{Name: planName, Note: "the plan"}, {Name: "launch/a b#?.sh", Note: hostile}, {Name: foldedPictureName, Picture: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")}})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// htmlReports are reports of every outcome.
func htmlReports() map[string]*results.Report {
	found := sampleReport()
	found.Status = results.StatusFeasible
	explained := closestReport()
	explained.Explanation = &results.Explanation{Minimal: true, Conflict: []results.Clash{{Requirement: "ttft", Sentence: "TTFT at most 1 s: 2.4 s would do"}},
		Nearest: []results.Nearest{{Requirement: "ttft", Unit: "s", Want: ptr(1.0), Nearest: ptr(2.4), Strategy: "TP 4", Proved: true}}, Scope: []string{"more GPUs: up to 1024"}}
	better := sampleReport()
	better.Plan.WhatIf = []results.WhatIf{{Change: "one more a100", Status: results.StatusOptimal, Strategy: "TP 5", GPUs: 25,
		Metrics: &results.Metrics{E2EMS: ptr(6000.0), TokensPerS: ptr(130000.0)}, LatencyGainPercent: ptr(7.8), ThroughputGainPercent: ptr(5.3)}}
	two := sampleReport()
	decode := two.Plan.Phases[0]
	decode.Phase = inputs.Decode
	two.Plan.Phases = append(two.Plan.Phases, decode)
	return map[string]*results.Report{
		"two phases": two,
		"optimal":    sampleReport(), "found": found, "closest": closestReport(), "explained": explained, "other hardware": better, "large": {Plan: largePlan(20), Feasible: true, Status: results.StatusOptimal},
		"unknown":    {Status: results.StatusUnknown, Condition: hostile},
		"infeasible": {Status: results.StatusInfeasible, Condition: "sample", Reasons: []string{"no placement exists"}},
	}
}

// largePlan is the sample with so many replicas on 2 × 8 GPUs each.
func largePlan(replicas int) *results.Plan {
	p := samplePlan()
	ph := &p.Phases[0]
	first := ph.Stages[:2]
	ph.Strategy.Replicas, ph.Stages = replicas, nil
	for r := range replicas {
		for i, s := range first {
			s.Replica, s.GPUs = r, nil
			for g := range 8 {
				s.GPUs = append(s.GPUs, fmt.Sprintf("node-%d/gpu-%d", 2*r+i, g))
			}
			ph.Stages = append(ph.Stages, s)
		}
	}
	ph.GPUs = results.GPUCount{Available: ptr(16 * replicas), Used: 16 * replicas, Parts: 16 * replicas, Match: true}
	return p
}

func parsed(t *testing.T, page []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// elements are those of a name below a node, "" for all, in the order of the page.
func elements(n *html.Node, name string) []*html.Node {
	var out []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && (name == "" || d.Data == name) {
			out = append(out, d)
		}
	}
	return out
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.ReplaceAll(b.String(), "\u00a0", " ")
}

// What report.md says under each heading, report.html says too: the same headings, the same
// cells of the tables, the same points of the lists.
func TestHTMLSaysWhatTheReportSays(t *testing.T) {
	for name, r := range htmlReports() {
		t.Run(name, func(t *testing.T) {
			root := parsed(t, htmlOf(t, r))
			var headings []string
			for _, level := range []string{"h1", "h2", "h3"} {
				for _, h := range elements(root, level) {
					headings = append(headings, inline(textOf(h)))
				}
			}
			said := map[string]bool{}
			for _, name := range []string{"td", "th", "li", "p", "summary", "dt", "b", "span"} {
				for _, e := range elements(root, name) {
					said[inline(textOf(e))] = true
				}
			}
			block := false
			for line := range strings.SplitSeq(string(Report(r)), "\n") {
				block = block != strings.HasPrefix(line, "```")
				hashes, title, _ := strings.Cut(line, " ")
				switch {
				case block:
				case strings.Trim(hashes, "#") == "" && hashes != "":
					title = strings.TrimSpace(title)
					if !slices.Contains(headings, title) && title != "Stages" && title != "GPUs by replica" && !strings.HasPrefix(title, "Outer choices") {
						t.Errorf("no heading %q", title)
					}
				case strings.HasPrefix(line, "- "):
					if !said[line[2:]] && !said[strings.Replace(line[2:], `\`, "", 1)] {
						t.Errorf("no point %q", line)
					}
				case strings.HasPrefix(line, "| ") && !strings.Contains(line, "stage by stage") && !strings.HasPrefix(line, "| metric"):
					for cell := range strings.SplitSeq(strings.TrimSuffix(line[2:], " |"), " | ") {
						if cell = strings.TrimSpace(cell); !said[cell] && !strings.Contains(cell, "; ") && cell != "" { // the GPUs of a replica are a row each
							t.Errorf("no cell %q of %q", cell, line)
						}
					}
				}
			}
			if v := elements(root, "header"); len(v) != 1 || !strings.Contains(textOf(v[0]), verdict(r)) {
				t.Error("the verdict does not come first")
			}
		})
	}
}

// Headings come in order, ids are unique, links lead somewhere, every chart is named and
// has its figures in a table, and nothing is asked of a network.
func TestHTMLIsWellFormed(t *testing.T) {
	for name, r := range htmlReports() {
		t.Run(name, func(t *testing.T) {
			root := parsed(t, htmlOf(t, r))
			ids, level := map[string]bool{}, 0
			for _, e := range elements(root, "") {
				if id := attribute(e, "id"); id != "" {
					if ids[id] {
						t.Errorf("id %q twice", id)
					}
					ids[id] = true
				}
				if len(e.Data) == 2 && e.Data[0] == 'h' && e.Data[1] >= '1' && e.Data[1] <= '6' {
					if next := int(e.Data[1] - '0'); next > level+1 {
						t.Errorf("%s %q after a heading of level %d", e.Data, textOf(e), level)
					} else {
						level = next
					}
				}
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "src" && !(e.Data == "img" && strings.HasPrefix(a.Val, "data:image/svg+xml;base64,")) || a.Key == "srcset" || a.Key == "style" {
						t.Errorf("<%s %s=%q>", e.Data, a.Key, a.Val)
					}
				}
				if slices.Contains([]string{"link", "iframe", "object", "embed", "base", "form", "svg"}, e.Data) {
					t.Errorf("<%s> in the page", e.Data)
				}
			}
			if n := len(elements(root, "h1")); n != 1 {
				t.Errorf("%d headings of level 1", n)
			}
			for _, a := range elements(root, "a") {
				href := attribute(a, "href")
				if id, here := strings.CutPrefix(href, "#"); here && !ids[id] || !here && !strings.HasPrefix(href, "./") || strings.TrimSpace(textOf(a)) == "" {
					t.Errorf("link %q to %q", textOf(a), href)
				}
			}
			for _, h := range elements(root, "th") {
				if attribute(h, "scope") != "col" || textOf(h) == "" {
					t.Errorf("head of a column %q without scope or text", textOf(h))
				}
			}
			var data map[string]json.RawMessage
			for _, s := range elements(root, "script") {
				if attribute(s, "id") == "data" {
					if err := json.Unmarshal([]byte(textOf(s)), &data); err != nil {
						t.Fatal(err)
					}
				}
			}
			plots := 0
			for _, f := range elements(root, "figure") {
				for _, d := range elements(f, "div") {
					if attribute(d, "class") != "plot" {
						continue
					}
					plots++
					if attribute(d, "role") != "img" || attribute(d, "aria-label") == "" || data[attribute(d, "id")] == nil {
						t.Errorf("chart %q without a name or without data", attribute(d, "id"))
					}
				}
				if len(elements(f, "table")) == 0 || len(elements(f, "figcaption")) != 1 {
					t.Errorf("a figure without table or title: %q", textOf(f))
				}
			}
			if plots != len(data) || r.Plan != nil && plots < 2 {
				t.Errorf("%d charts, data of %d", plots, len(data))
			}
		})
	}
}

// The policy of the page admits the scripts that are in it and no others.
func TestHTMLPolicy(t *testing.T) {
	for name, r := range htmlReports() {
		root := parsed(t, htmlOf(t, r))
		policy := ""
		for _, m := range elements(root, "meta") {
			if attribute(m, "http-equiv") == "Content-Security-Policy" {
				policy = attribute(m, "content")
			}
		}
		admitted := strings.Count(policy, "'sha256-")
		for _, s := range elements(root, "script") {
			if attribute(s, "type") != "" {
				continue // data: never run
			}
			digest := sha256.Sum256([]byte(textOf(s)))
			if hash := "'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'"; !strings.Contains(policy, hash) {
				t.Errorf("%s: a script is not admitted by %q", name, policy)
			}
			admitted--
		}
		if admitted != 0 || !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "script-src 'unsafe") {
			t.Errorf("%s: policy %q", name, policy)
		}
	}
}

// poison puts a hostile text in front of every string of a value that is not a word of the
// program itself.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			poison(v.Field(i), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.String:
		switch v.Interface().(type) {
		case inputs.Phase, results.Status:
		default:
			v.SetString(text + v.String())
		}
	}
}

func TestHTMLTakesEveryTextLiterally(t *testing.T) {
	for _, text := range []string{hostile, "</script><script>alert(1)</script>", "<!--", "</style><img src=x onerror=alert(1)>", "\u2028{{.}}", "]]>&quot;&#x3c;", "javascript:alert(1)//", "</title></textarea></div>", "\x00\xff\ufeff\u202e"} {
		// The same report with words that mean nothing in their place is the measure: words of
		// the program that are replaced change the page too.
		with := func(text string) []*html.Node {
			r := closestReport()
			r.Plan.Deployment = &results.Deployment{Cluster: inputs.Cluster{Pools: []inputs.Pool{{Name: "p", Nodes: []inputs.Node{{Host: "h", GPUs: []string{"h/idle"}}}}}}}
			r.Plan.Warnings = append(r.Plan.Warnings, "one more")
			poison(reflect.ValueOf(r), text)
			return elements(parsed(t, htmlOf(t, r)), "")
		}
		clean, dirty := with("words that mean nothing "), with(text)
		names := func(list []*html.Node) (out []string) {
			for _, e := range list {
				var keys []string
				for _, a := range e.Attr {
					keys = append(keys, a.Key)
				}
				out = append(out, e.Data+" "+strings.Join(keys, " "))
			}
			return out
		}
		if a, b := names(clean), names(dirty); !slices.Equal(a, b) {
			t.Errorf("%q changes the elements of the page: %d before, %d after", text, len(a), len(b))
		}
	}
}

func TestHTMLOfALargeClusterIsSmall(t *testing.T) {
	page := htmlOf(t, &results.Report{Plan: largePlan(1024), Feasible: true, Status: results.StatusOptimal})
	if len(page) > 3<<20 {
		t.Errorf("%d bytes for 16,384 GPUs", len(page))
	}
	for _, ids := range []string{"node-0/gpu-0…7", "node-2047/gpu-0…7"} {
		if !bytes.Contains(page, []byte("<td class=\"short\">"+ids+"</td>")) {
			t.Errorf("the page does not name %s", ids)
		}
	}
}

// Pages of plans that are large in other ways: as many replicas as GPUs, or as many decode
// groups as stages.
func TestHTMLOfLargePlansIsSmall(t *testing.T) {
	lone := largePlan(1)
	ph := &lone.Phases[0]
	one := ph.Stages[0]
	ph.Strategy.Replicas, ph.Strategy.PP, ph.Stages = 16384, 1, nil
	for r := range 16384 {
		s := one
		s.Replica, s.GPUs = r, []string{fmt.Sprintf("node-%d/gpu-%d", r/8, r%8)}
		ph.Stages = append(ph.Stages, s)
	}
	long := largePlan(1)
	ph = &long.Phases[0]
	ph.Strategy.PP, ph.Strategy.DecodeGroups, ph.Strategy.MicroBatches, ph.Stages = 126, 126, 1000, nil
	for i := range 126 {
		s := one
		s.Index, s.FirstLayer, s.LastLayer, s.GPUs = i, i, i, []string{fmt.Sprintf("node-%d/gpu-%d", i/8, i%8)}
		ph.Stages = append(ph.Stages, s)
	}
	for name, p := range map[string]*results.Plan{"a GPU a replica": lone, "126 stages": long, "two GPUs a stage": pairs()} {
		page := htmlOf(t, &results.Report{Plan: p, Feasible: true, Status: results.StatusOptimal})
		if len(page) > 3<<20 {
			t.Errorf("%s: %d bytes", name, len(page))
		}
	}
	if page := htmlOf(t, &results.Report{Plan: lone, Feasible: true, Status: results.StatusOptimal}); !bytes.Contains(page, []byte("16376–16383</td>")) || !bytes.Contains(page, []byte("node-2047/gpu-0…7, one each")) {
		t.Error("the last replicas are not named with their GPUs")
	}
}

// pairs are 8,192 replicas of two GPUs.
func pairs() *results.Plan {
	p := largePlan(1)
	ph := &p.Phases[0]
	one := ph.Stages[0]
	ph.Strategy.Replicas, ph.Strategy.PP, ph.Stages = 8192, 1, nil
	for r := range 8192 {
		s := one
		s.Replica, s.GPUs = r, []string{fmt.Sprintf("node-%d/gpu-%d", r/4, r%4*2), fmt.Sprintf("node-%d/gpu-%d", r/4, r%4*2+1)}
		ph.Stages = append(ph.Stages, s)
	}
	return p
}

func TestHTMLIsDeterministic(t *testing.T) {
	for name, r := range htmlReports() {
		if a, b := htmlOf(t, r), htmlOf(t, r); !bytes.Equal(a, b) {
			t.Errorf("%s: two pages differ", name)
		}
	}
}

func TestHTMLTellsWhyAnEngineCannotRun(t *testing.T) {
	notes, err := notesOf([]Stream{Whole(planName, nil), Whole("launch/x"+refusedSuffix, []byte("X cannot run this plan: TP differs\n")), Whole("launch/y.sh", []byte("y"))})
	if err != nil {
		t.Fatal(err)
	}
	want := []FileNote{{Name: planName, Note: "the plan, for programs"}, {Name: "launch/x" + refusedSuffix, Note: "X cannot run this plan: TP differs\n"}, {Name: "launch/y.sh"}}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Error(diff)
	}
	for size, shown := range map[int]bool{100: true, shownPicture + 1: false} {
		notes, err := notesOf([]Stream{Whole(foldedPictureName, make([]byte, size))})
		if err != nil || (len(notes[0].Picture) > 0) != shown {
			t.Errorf("a picture of %d bytes is shown: %v, %v", size, len(notes[0].Picture) > 0, err)
		}
	}
}

// The bundle is what the lock gives, as far as its banner tells, and its licences are there.
func TestChartsAreLicensed(t *testing.T) {
	licences := htmlFile("LICENSE-charts.txt")
	for _, words := range []string{"Apache License", "Baidu", "Mike Bostock", "Microsoft"} {
		if !strings.Contains(licences, words) {
			t.Errorf("LICENSE-charts.txt does not hold the licence with %q", words)
		}
	}
	lock, err := os.ReadFile(filepath.Join("html", "charts", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pinned struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	if err := json.Unmarshal(lock, &pinned); err != nil {
		t.Fatal(err)
	}
	echarts := pinned.Packages["node_modules/echarts"]
	if !strings.HasPrefix(htmlFile("charts.min.js"), "/*! Apache ECharts "+echarts.Version+",") || !strings.HasPrefix(echarts.Integrity, "sha512-") {
		t.Errorf("the bundle is not of Apache ECharts %s, as the lock has it", echarts.Version)
	}
	notice, err := os.ReadFile(filepath.Join("..", "..", "NOTICE"))
	if err != nil || !strings.Contains(string(notice), "Apache ECharts "+echarts.Version) {
		t.Errorf("NOTICE does not name Apache ECharts %s (%v)", echarts.Version, err)
	}
	if head := htmlFile("charts.min.js"); !strings.HasPrefix(head, "/*! Apache ECharts ") || strings.Contains(head, "</script") {
		t.Errorf("bundle begins with %q", head[:60])
	}
}
