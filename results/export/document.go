package export

import (
	"bytes"
	"fmt"
	"strings"
)

// form is what a report is written in: Markdown (document) or HTML (webpage). Every text
// that is put in is literal: the methods escape it.
type form interface {
	heading(level int, text string)
	paragraph(text string)
	strong(text string)
	bullets(items []string)
	table(header []string, rows [][]string)
}

// document builds a Markdown text. Every text that is put in is literal: the
// methods escape it.
type document struct{ b bytes.Buffer }

func (d *document) heading(level int, text string) {
	fmt.Fprintf(&d.b, "%s %s\n\n", strings.Repeat("#", level), inline(text))
}

func (d *document) paragraph(text string) { fmt.Fprintf(&d.b, "%s\n\n", paragraph(text)) }

// strong is a paragraph in bold.
func (d *document) strong(text string) { fmt.Fprintf(&d.b, "**%s**\n\n", inline(text)) }

// bullets is a list; a nil list leaves nothing.
func (d *document) bullets(items []string) {
	for _, i := range items {
		fmt.Fprintf(&d.b, "- %s\n", paragraph(i))
	}
	if len(items) > 0 {
		d.b.WriteByte('\n')
	}
}

// table writes a header and rows; a table without rows leaves nothing, nor does a
// column without content. Columns whose header ends in "#" hold figures: they are
// set to the right, without the mark.
func (d *document) table(header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	header, rows = withoutEmpty(header, rows)
	titles, rule := make([]string, len(header)), make([]string, len(header))
	for i, h := range header {
		title, figures := strings.CutSuffix(h, "#")
		titles[i], rule[i] = title, "---"
		if figures {
			rule[i] = "---:"
		}
	}
	d.row(titles)
	fmt.Fprintf(&d.b, "|%s|\n", strings.Join(rule, "|"))
	for _, r := range rows {
		d.row(r)
	}
	d.b.WriteByte('\n')
}

func (d *document) row(cells []string) {
	for _, c := range cells {
		fmt.Fprintf(&d.b, "| %s ", inline(c))
	}
	d.b.WriteString("|\n")
}

// block is preformatted text; the lines are plain text of this package.
func (d *document) block(lines []string) {
	if len(lines) == 0 {
		return
	}
	d.b.WriteString("```text\n")
	for _, l := range lines {
		// A line of three backticks would end the block; names cannot make one.
		d.b.WriteString(strings.ReplaceAll(l, "`", "'"))
		d.b.WriteByte('\n')
	}
	d.b.WriteString("```\n\n")
}

// withoutEmpty leaves out the columns that hold nothing in any row.
func withoutEmpty(header []string, rows [][]string) ([]string, [][]string) {
	var keep []int
	for i := range header {
		for _, r := range rows {
			if r[i] != "" {
				keep = append(keep, i)
				break
			}
		}
	}
	pick := func(cells []string) []string {
		out := make([]string, len(keep))
		for k, i := range keep {
			out[k] = cells[i]
		}
		return out
	}
	kept := make([][]string, len(rows))
	for i, r := range rows {
		kept[i] = pick(r)
	}
	return pick(header), kept
}
