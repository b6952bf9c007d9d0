package export

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Screen is the terminal that a text is laid out for. The zero value is one of 80 columns
// without colours. Colour says nothing that the words do not: the text with its codes
// taken out is the text without them.
type Screen struct {
	// Width is the number of columns; 0: 80.
	Width int
	// Color marks headings, what is met and what is not.
	Color bool
}

// defaultWidth is the classic terminal's.
const defaultWidth = 80

// minWidth is the narrowest terminal that the tables can be laid out for.
const minWidth = 40

// tone is how a piece of text stands out: the parameter of ECMA-48's SGR.
type tone string

const (
	bare   tone = ""
	strong tone = "1" // headings
	soft   tone = "2" // what is read second
	good   tone = "32"
	doubt  tone = "33"
	bad    tone = "31"
)

// plainAgain ends every tone.
const plainAgain = "\x1b[0m"

// on puts the codes around a text; blanks at its end stay outside.
func (l tone) on(s string) string {
	content := strings.TrimRight(s, " ")
	if l == bare || content == "" {
		return s
	}
	return "\x1b[" + string(l) + "m" + content + plainAgain + s[len(content):]
}

// tones of cells that are one of the program's own words.
func toneOf(cell string) tone {
	switch cell {
	case "met", "yes", "optimal":
		return good
	case "NOT MET", "FAILED":
		return bad
	case "infeasible":
		return soft
	}
	return bare
}

// screen collects lines of a fixed width.
type screen struct {
	b      strings.Builder
	width  int
	colors bool
}

func newScreen(on Screen) *screen {
	if on.Width == 0 {
		on.Width = defaultWidth
	}
	return &screen{width: max(on.Width, minWidth), colors: on.Color}
}

// paint gives a text a tone where the screen has colours.
func (s *screen) paint(l tone, content string) string {
	if !s.colors {
		return content
	}
	return l.on(content)
}

// line wraps a text; the lines after the first are set in under the mark.
func (s *screen) line(mark, content string) { s.styled(bare, mark, content) }

// styled is line in a look. A mark that is a word is a heading.
func (s *screen) styled(l tone, mark, content string) {
	wrapped := text.WrapSoft(plain(content), s.width-len(mark))
	heading := bare
	if len(mark) > 2 {
		heading = strong
	}
	for i, part := range strings.Split(wrapped, "\n") {
		if i > 0 {
			mark = strings.Repeat(" ", len(mark))
		}
		part = strings.TrimRight(part, " ")
		if part == "" {
			mark = strings.TrimRight(mark, " ")
		}
		s.b.WriteString(s.paint(heading, mark) + s.paint(l, part) + "\n")
	}
}

// gap is an empty line.
func (s *screen) gap() { s.b.WriteByte('\n') }

// table lays rows out in the width of the screen; wide texts wrap inside their
// column. Headers as in document.table; one that ends in "~" is read second, one that
// ends in "!" holds what must not be broken.
func (s *screen) table(header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	header, rows = withoutEmpty(header, rows)
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options.DrawBorder = false
	t.Style().Options.SeparateColumns = false
	titles := make(table.Row, len(header))
	tones := make([]tone, len(header))
	rigid := make([]bool, len(header))
	configs := make([]table.ColumnConfig, len(header))
	for i, h := range header {
		title, second := strings.CutSuffix(h, "~")
		if second {
			tones[i] = soft
		}
		title, figures := strings.CutSuffix(title, "#")
		title, rigid[i] = strings.CutSuffix(title, "!")
		rigid[i] = rigid[i] || figures
		header[i] = title
		titles[i] = s.paint(strong, title)
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMaxEnforcer: text.WrapSoft}
		if figures {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	for i, w := range s.columns(header, rows, rigid) {
		configs[i].WidthMax = w
	}
	t.AppendHeader(titles)
	t.SetColumnConfigs(configs)
	for _, r := range rows {
		cells := make(table.Row, len(r))
		for i, c := range r {
			l := toneOf(c)
			if l == bare {
				l = tones[i]
			}
			cells[i] = s.paint(l, plain(c))
		}
		t.AppendRow(cells)
	}
	s.gap()
	for l := range strings.SplitSeq(t.Render(), "\n") {
		// The padding of a wrapped cell lies before the end of its colour.
		if l = strings.TrimRight(l, " "); strings.HasSuffix(l, plainAgain) {
			l = strings.TrimRight(strings.TrimSuffix(l, plainAgain), " ") + plainAgain
		}
		if strings.Trim(l, "─") == "" {
			l = s.paint(soft, l)
		}
		s.b.WriteString(l + "\n")
	}
}

// fits reports whether a table needs no wrapping.
func (s *screen) fits(header []string, rows [][]string) bool {
	header, rows = withoutEmpty(header, rows)
	for i := range header {
		header[i] = strings.TrimRight(header[i], "!#~")
	}
	return total(naturalWidths(header, rows)) <= s.width
}

// columns gives each column its widest cell and takes from the widest columns until the
// table fits: from texts down to their longest words first, from words and figures last. A
// cell is padded by a space on both sides.
func (s *screen) columns(header []string, rows [][]string, rigid []bool) []int {
	widths, words := naturalWidths(header, rows), longestWords(header, rows)
	for sum := total(widths); sum > s.width; sum-- {
		widest := -1
		for i, w := range widths {
			if !rigid[i] && w > words[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			widest = 0
			for i, w := range widths {
				if w > widths[widest] {
					widest = i
				}
			}
		}
		widths[widest]--
	}
	return widths
}

// naturalWidths are the widest cells of the columns.
func naturalWidths(header []string, rows [][]string) []int {
	widths := make([]int, len(header))
	for i, h := range header {
		widths[i] = text.StringWidthWithoutEscSequences(h)
	}
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(plain(c)))
		}
	}
	return widths
}

// longestWords are the widest words of the columns, which a line is not broken within.
func longestWords(header []string, rows [][]string) []int {
	widths := make([]int, len(header))
	for _, r := range append([][]string{header}, rows...) {
		for i, c := range r {
			for _, word := range strings.Fields(plain(c)) {
				widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(word))
			}
		}
	}
	return widths
}

// total is the width of a table of such columns.
func total(widths []int) int {
	sum := 2 * len(widths)
	for _, w := range widths {
		sum += w
	}
	return sum
}
