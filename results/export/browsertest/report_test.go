package browsertest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/export"
	"partita/results/verify"
)

// solved is the report of an example with a model of a hostile name.
func solved(t *testing.T, example string, change func(*inputs.Condition)) *results.Report {
	t.Helper()
	c, err := read.Load(read.Options{Paths: []string{filepath.Join("..", "..", "..", "examples", example)}})
	if err != nil {
		t.Fatal(err)
	}
	c.Model.Name = `"; rm -rf ~; <script>document.title='pwned'</script>`
	c.Name = "</title><script>document.title='pwned'</script> " + c.Name
	if change != nil {
		change(c)
	}
	r, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan == nil {
		t.Fatalf("%s has no plan", example)
	}
	if r.Plan.Verification, err = verify.CheckWith(r.Plan, c, verify.Options{Closest: !r.Feasible}); err != nil {
		t.Fatal(err)
	}
	return r
}

func pageOf(t *testing.T, r *results.Report) []byte {
	t.Helper()
	picture := `<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="20"><rect width="2000" height="20"/></svg>`
	page, err := export.HTML(r, []export.FileNote{{Name: "plan.json", Note: "the plan"}, {Name: "dag-folded.svg", Picture: []byte(picture)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 3<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	return page
}

// The reports of hard examples open from the disk without a request or a word on the
// console, draw every chart, fit a phone and follow the reader's colours.
func TestReportsInABrowser(t *testing.T) {
	b := openTab(t)
	for _, x := range []struct {
		example string
		change  func(*inputs.Condition)
	}{
		{"deepseek-v3-fp8-4x8-h200.yaml", nil},
		{"three-pools-llama-70b-fp16.yaml", nil},
		{"gpus-7.yaml", nil},
		{"llama-3.1-405b-16384-h100.yaml", nil},
		{"two-kinds-infeasible.yaml", nil},
		{"qwen3-235b-unlimited-64gb.md", nil},
		{"llama-3.1-405b-fp8-2x8-h100.yaml", func(c *inputs.Condition) { c.Workload.Phase = inputs.Prefill }},
		{"training-mixtral-8x22b-256-h100.md", nil},
		{"llama-3.1-8b-one-24gb.yaml", func(c *inputs.Condition) { c.Workload.Phase = inputs.Decode }},
	} {
		t.Run(strings.TrimSuffix(x.example, filepath.Ext(x.example)), func(t *testing.T) {
			r := solved(t, x.example, x.change)
			page := pageOf(t, r)
			address := b.open(t, page, 1280, "light")
			if title := eval[string](t, b, "document.title"); title == "pwned" || !strings.HasPrefix(title, "Deployment plan: </title>") {
				t.Errorf("title %q", title)
			}
			for _, h := range []string{"Strategy", "What was assumed", "What was read", "Where the proof stands", "Verification", "Files beside this report", "Compared with heuristics"} {
				want := h
				if h == "Strategy" && !r.Feasible {
					want = "Closest plan"
				}
				if !eval[bool](t, b, "[...document.querySelectorAll('h2')].some((h) => h.textContent.startsWith('"+want+"') && h.offsetHeight > 0)") {
					t.Errorf("no section %q", want)
				}
			}
			drawn(t, b)
			if width, err := chromedp.Run(b.ctx, chromedp.Evaluate[int]("(async () => { const i = document.querySelector('img'); i.closest('details').open = true; await i.decode(); return i.naturalWidth; })()", chromedp.EvalAwaitPromise)); err != nil || width != 2000 {
				t.Errorf("the picture of the graph is %d wide: %v", width, err)
			}
			light := eval[string](t, b, "getComputedStyle(document.body).backgroundColor + document.querySelector('.plot svg text').getAttribute('fill')")
			b.look(t, 390, "dark")
			if dark := eval[string](t, b, "getComputedStyle(document.body).backgroundColor + document.querySelector('.plot svg text').getAttribute('fill')"); dark == light || strings.Contains(dark, "rgb(255, 255, 255)") {
				t.Errorf("in the dark the page has the colours %s, in the light %s", dark, light)
			}
			settled(t, b)
			if wide := eval[int](t, b, "document.documentElement.scrollWidth"); wide > 390 {
				t.Errorf("the page is %d wide on a phone of 390: %s", wide, eval[string](t, b, widest))
			}
			drawn(t, b)
			b.quiet(t, address)
		})
	}
}

// settled waits until what follows a change of size is done.
func settled(t *testing.T, b *tab) {
	t.Helper()
	const frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](frames, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}

// widest names what reaches beyond the screen.
const widest = `[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > 391 && !e.closest('.scroll')).slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(' | ')`

// drawn fails where a chart is empty, or wider than its place.
func drawn(t *testing.T, b *tab) {
	t.Helper()
	if n := eval[int](t, b, "document.querySelectorAll('.plot').length"); n == 0 {
		t.Error("no chart")
	}
	const empty = `[...document.querySelectorAll('.plot')].filter((p) => { const s = p.querySelector('svg');
		return !s || s.querySelectorAll('path').length < 2 || s.querySelectorAll('text').length < 2 || s.getBoundingClientRect().width > p.parentElement.clientWidth + 1; }).map((p) => p.id + ' ' + p.clientWidth + ' of ' + p.parentElement.clientWidth + ': ' + (p.querySelector('svg') || {outerHTML: 'no svg'}).outerHTML.slice(0, 120))`
	if ids := eval[[]string](t, b, empty); len(ids) > 0 {
		t.Errorf("charts that are not drawn, or too wide: %q", ids)
	}
}

// By keyboard a reader comes to the skip link, the contents, and then down the page, and
// sees where they are.
func TestReportByKeyboard(t *testing.T) {
	b := openTab(t)
	b.open(t, pageOf(t, solved(t, "three-pools-llama-70b-fp16.yaml", nil)), 390, "light")
	settled(t, b)
	stops := eval[int](t, b, "[...document.querySelectorAll('a[href], summary, [tabindex]')].filter((e) => e.checkVisibility()).length")
	if stops > 60 {
		t.Errorf("%d stops of the Tab key", stops)
	}
	last, seen := -1.0, map[string]bool{}
	for i := range stops {
		if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
		at := eval[struct {
			Tag, Text, Outline string
			Top                float64
			Index              int
		}](t, b, `(() => { const e = document.activeElement, box = e.getBoundingClientRect(); return { tag: e.tagName, text: e.textContent.slice(0, 40),
			outline: getComputedStyle(e).outlineStyle, top: box.top + scrollY, index: [...document.querySelectorAll('*')].indexOf(e) }; })()`)
		seen[at.Tag] = true
		switch {
		case i == 0 && (at.Tag != "A" || !strings.HasPrefix(at.Text, "Skip")):
			t.Errorf("the first stop is %+v, not the skip link", at)
		case float64(at.Index) <= last:
			t.Fatalf("stop %d, %+v, lies before the stop before it", i, at)
		case at.Outline == "none":
			t.Errorf("stop %d, %+v, does not show that it has the focus", i, at)
		}
		last = float64(at.Index)
	}
	for _, tag := range []string{"A", "SUMMARY", "DIV"} {
		if !seen[tag] {
			t.Errorf("no stop on a %s: links, folded parts and wide tables are stops", tag)
		}
	}
	if err := chromedp.Do(b.ctx, chromedp.Focus(chromedp.CSS("summary")), chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	if !eval[bool](t, b, "document.querySelector('details').open") {
		t.Error("Enter does not open a folded part")
	}
}

// Without scripts the figures are there, and no empty frames of charts.
func TestReportWithoutScripts(t *testing.T) {
	b := openTab(t)
	page := string(pageOf(t, solved(t, "gpus-7.yaml", nil)))
	before, _, found := strings.Cut(page, "script-src")
	if !found {
		t.Fatal("no policy on scripts")
	}
	_, after, _ := strings.Cut(page[len(before):], `">`)
	b.open(t, []byte(before+`script-src 'none'">`+after), 1280, "light")
	if n := eval[int](t, b, "[...document.querySelectorAll('.plot, .key')].filter((p) => p.offsetHeight > 0).length"); n > 0 {
		t.Errorf("%d empty charts", n)
	}
	if n := eval[int](t, b, "[...document.querySelectorAll('figure')].filter((f) => !f.querySelector('table')).length"); n > 0 {
		t.Errorf("%d figures without figures", n)
	}
}

// On paper a report has light colours, whatever the screen has, and its charts.
func TestReportOnPaper(t *testing.T) {
	b := openTab(t)
	b.open(t, pageOf(t, solved(t, "three-pools-llama-70b-fp16.yaml", nil)), 1280, "dark")
	b.media(t, "print", 720, "dark")
	settled(t, b)
	drawn(t, b)
	if back := eval[string](t, b, "getComputedStyle(document.body).backgroundColor"); back != "rgb(255, 255, 255)" {
		t.Errorf("paper has the colour %s", back)
	}
	if n := eval[int](t, b, "document.querySelectorAll('figure details:not([open])').length"); n > 2 {
		t.Errorf("%d tables of figures are folded on paper: only the longest stay so", n)
	}
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		t.Fatal(err)
	}
	if len(pdf) < 50_000 {
		t.Errorf("a PDF of %d bytes", len(pdf))
	}
	b.media(t, "screen", 1280, "dark")
	settled(t, b)
	drawn(t, b)
	if n := eval[int](t, b, "document.querySelectorAll('figure details[open]').length"); n > 0 {
		t.Errorf("%d folded tables are left open after printing", n)
	}
}

// PARTITA_AXE names axe.min.js, which scripts/check-report.sh fetches: it finds what readers
// with a screen reader, or with little sight, would stumble over.
func TestReportIsAccessible(t *testing.T) {
	path := os.Getenv("PARTITA_AXE")
	if path == "" {
		t.Skip("PARTITA_AXE is not set: scripts/check-report.sh runs this")
	}
	axe, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := openTab(t)
	for _, example := range []string{"three-pools-llama-70b-fp16.yaml", "two-kinds-infeasible.yaml", "llama-3.1-405b-16384-h100.yaml"} {
		page := pageOf(t, solved(t, example, nil))
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{390, 1400} {
				b.open(t, page, width, scheme)
				settled(t, b)
				eval[bool](t, b, string(axe)+";true")
				found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](
					`axe.run().then((r) => (r.passes.length < 10 ? ['only ' + r.passes.length + ' rules were looked at'] : []).concat(r.violations.map((v) => v.id + ': ' + v.help + ' (' + v.nodes.length + ') ' + v.nodes[0].html.slice(0, 160))))`, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(found)
				for _, f := range found {
					t.Errorf("%s, %s, %d wide: %s", example, scheme, width, f)
				}
			}
		}
	}
}
