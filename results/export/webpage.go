package export

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed html/parts.html html/report.css html/report.js html/charts.min.js html/LICENSE-charts.txt
var htmlFiles embed.FS

// htmlParts are the parts that a page is put together from: a heading, a table, a chart.
var htmlParts = template.Must(template.ParseFS(htmlFiles, "html/parts.html"))

// webpage builds the body of an HTML page, a section for each heading of level 2. Every
// text that is put in is literal: the templates escape it.
type webpage struct {
	b      bytes.Buffer
	ids    []string
	within string // the heading of the section or part that is being written
	open   bool   // a section is open
	// contents are the sections, for the list of contents.
	contents []anchor
	// charts are what report.js draws, by the id of the chart.
	charts map[string]any
	err    error
}

// anchor is a place of a page that is linked to.
type anchor struct{ ID, Title string }

// tableColumn is the head of a column.
type tableColumn struct {
	Title   string
	Figures bool // set to the right
}

// tableCell is a cell of a table. Mark is a class for one that says whether something holds.
type tableCell struct {
	Text    string
	Figures bool
	Mark    string
}

// narrow is how many characters a cell or a title has that is never wrapped.
const narrow, narrowTitle = 28, 14

// Width is the class of a cell of text: one that may be wrapped, or one that is not.
func (c tableCell) Width() string { return widthClass(c.Text, narrow) }

// Width is that of a title.
func (c tableColumn) Width() string { return widthClass(c.Title, narrowTitle) }

func widthClass(text string, most int) string {
	if utf8.RuneCountInString(text) > most {
		return "long"
	}
	return "short"
}

// chartFigure is a chart with its title, what it shows in a sentence, and its key. The table that
// holds the same is written inside it.
type chartFigure struct {
	ID, Title, About string
	Key              []keyEntry
}

// keyEntry is a line of the key of a chart: a class of colour and what it stands for.
type keyEntry struct{ Colour, Name string }

// part writes one of the parts.
func (w *webpage) part(name string, data any) {
	if err := htmlParts.ExecuteTemplate(&w.b, name, data); err != nil && w.err == nil {
		w.err = fmt.Errorf("report.html: %w", err)
	}
}

// id makes an id of a text that no other has.
func (w *webpage) id(text string) string {
	words := strings.FieldsFunc(strings.ToLower(plain(text)), func(r rune) bool { return r > unicode.MaxASCII || !wordy(r) })
	stem := strings.Join(words[:min(len(words), 6)], "-")
	if stem == "" || !unicode.IsLetter(rune(stem[0])) {
		stem = "part-" + stem
	}
	id := stem
	for n := 2; slices.Contains(w.ids, id); n++ {
		id = fmt.Sprintf("%s-%d", stem, n)
	}
	w.ids = append(w.ids, id)
	return id
}

// heading opens a section (level 2) or a part of one (level 3).
func (w *webpage) heading(level int, text string) {
	a := anchor{w.id(text), plain(text)}
	w.within = a.Title
	if level > 2 {
		w.part("part", a)
		return
	}
	w.end()
	w.open = true
	w.contents = append(w.contents, a)
	w.part("section", a)
}

// end closes the section that is open.
func (w *webpage) end() {
	if w.open {
		w.part("end", nil)
	}
	w.open = false
}

func (w *webpage) paragraph(text string) { w.part("paragraph", bound(text)) }
func (w *webpage) strong(text string)    { w.part("strong", bound(text)) }

// bullets is a list; a nil list leaves nothing.
func (w *webpage) bullets(items []string) {
	if len(items) > 0 {
		lines := make([]string, len(items))
		for i, item := range items {
			lines[i] = bound(item)
		}
		w.part("bullets", lines)
	}
}

// table writes a header and rows as document.table does. Where a column without a title
// says how each row stands, its words are marked by colour besides.
func (w *webpage) table(header []string, rows [][]string) { w.titled(w.within, header, rows) }

// titled is table with the name that a screen reader tells.
func (w *webpage) titled(name string, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	header, rows = withoutEmpty(header, rows)
	columns := make([]tableColumn, len(header))
	for i, h := range header {
		columns[i].Title, columns[i].Figures = strings.CutSuffix(h, "#")
	}
	cells := make([][]tableCell, len(rows))
	for i, row := range rows {
		cells[i] = make([]tableCell, len(row))
		for j, text := range row {
			cells[i][j] = tableCell{Text: plain(text), Figures: columns[j].Figures}
			if columns[j].Title == "" {
				cells[i][j].Mark = markOf(text)
			}
		}
	}
	for j := range columns {
		if columns[j].Title == "" {
			columns[j].Title = "outcome"
		}
	}
	w.part("table", struct {
		Name, Class string
		Columns     []tableColumn
		Rows        [][]tableCell
	}{plain(name), tableClass(columns), columns, cells})
}

// tableClass is the class of a table by its columns: one of texts alone, a wide one, or
// none of these.
func tableClass(columns []tableColumn) string {
	const wide = 8
	switch {
	case len(columns) > wide:
		return "wide"
	case !slices.ContainsFunc(columns, func(c tableColumn) bool { return c.Figures }):
		return "texts"
	}
	return ""
}

// markOf is the class of a word that says how something stands.
func markOf(word string) string {
	switch word {
	case "ok", "met":
		return "good"
	case "FAILED", "NOT MET":
		return "bad"
	case "missed, as said":
		return "fair"
	}
	return ""
}

// fold writes what is shown when its title is opened.
func (w *webpage) fold(title string, write func()) {
	w.part("fold", plain(title))
	write()
	w.part("endfold", nil)
}

// figure writes a chart; table writes the same in figures inside it.
func (w *webpage) figure(title, about string, key []keyEntry, chart any, table func()) {
	f := chartFigure{w.id("chart " + title), plain(title), bound(about), key}
	if w.charts == nil {
		w.charts = map[string]any{}
	}
	w.charts[f.ID] = chart
	w.part("figure", f)
	table()
	w.part("endfigure", nil)
}

// figureInText is a number with its unit.
var figureInText = regexp.MustCompile(`(\d) ((?:ms|s|µs|GiB|MiB|GPUs?)\b|%)`)

// bound is a plain text whose numbers are never parted from their units.
func bound(text string) string { return figureInText.ReplaceAllString(plain(text), "$1\u00a0$2") }

func plainAll(items []string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = plain(item)
	}
	return out
}
