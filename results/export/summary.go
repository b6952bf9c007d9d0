package export

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"partita/results"
)

// SummaryOptions shape the summary of a terminal.
type SummaryOptions struct {
	// Width is the number of columns; 0: 80.
	Width int
}

// defaultWidth is the classic terminal's.
const defaultWidth = 80

// minWidth is the narrowest terminal that the tables can be laid out for.
const minWidth = 40

// Summary prints a report for a terminal of 80 columns.
func Summary(w io.Writer, r *results.Report) error {
	return SummaryWith(w, r, SummaryOptions{})
}

// SummaryWith is Summary with options. Nothing of the condition's texts reaches
// the terminal as a control sequence.
func SummaryWith(w io.Writer, r *results.Report, o SummaryOptions) error {
	if r == nil {
		return ErrNoReport
	}
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	s := &screen{width: max(o.Width, minWidth)}
	s.line("", verdict(r))
	if !r.Feasible {
		for _, reason := range r.Reasons {
			s.line("- ", reason)
		}
		if r.Explanation != nil {
			s.explanation(r.Explanation)
		}
	}
	if r.Plan != nil {
		for i := range r.Plan.Phases {
			s.phase(&r.Plan.Phases[i], r.Feasible)
		}
		s.comparison(r.Plan)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// screen collects lines of a fixed width.
type screen struct {
	b     strings.Builder
	width int
}

// line wraps a text; the lines after the first are set in under the mark.
func (s *screen) line(mark, content string) {
	wrapped := text.WrapSoft(plain(content), s.width-len(mark))
	for i, l := range strings.Split(wrapped, "\n") {
		if i > 0 {
			mark = strings.Repeat(" ", len(mark))
		}
		s.b.WriteString(strings.TrimRight(mark+l, " ") + "\n")
	}
}

func (s *screen) phase(ph *results.PhasePlan, feasible bool) {
	s.b.WriteByte('\n')
	s.line("strategy  ", fmt.Sprintf("%s (%s)", strategyLine(ph), ph.Phase))
	s.line("          ", sequencesLine(&ph.Strategy))
	s.line("GPUs      ", gpuLine(&ph.GPUs))
	s.line("proof     ", proofLine(&ph.Solve, feasible))
	if rules := rulesLine(ph.Solve.Certificate.Rules); rules != "" {
		s.line("rules     ", rules)
	}
	b := &ph.Balance
	s.line("balance   ", fmt.Sprintf("time max/mean %s, memory max/mean %s", figure(b.TimeMaxOverMean), figure(b.MemoryMaxOverMean)))
	s.table([]string{"metric", "predicted#", "interval#"}, metricRows(ph))
	rows := requirementRows(ph)
	for i := range rows {
		rows[i] = rows[i][:6]
	}
	s.table([]string{"requirement", "want#", "got#", "", "margin#", "nearest#"}, rows)
}

func (s *screen) comparison(p *results.Plan) {
	if len(p.Comparison) == 0 {
		return
	}
	s.table([]string{"compared with", "strategy", "objective#", "gap#"}, comparisonRows(p))
}

// table lays rows out in the width of the screen; wide texts wrap inside their
// column. Headers as in document.table.
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
	widths := s.columns(header, rows)
	titles := make(table.Row, len(header))
	configs := make([]table.ColumnConfig, len(header))
	for i, h := range header {
		title, figures := strings.CutSuffix(h, "#")
		titles[i] = title
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: widths[i], WidthMaxEnforcer: text.WrapSoft}
		if figures {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	t.AppendHeader(titles)
	t.SetColumnConfigs(configs)
	for _, r := range rows {
		cells := make(table.Row, len(r))
		for i, c := range r {
			cells[i] = plain(c)
		}
		t.AppendRow(cells)
	}
	s.b.WriteByte('\n')
	for l := range strings.SplitSeq(t.Render(), "\n") {
		s.b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
}

// columns gives each column its widest cell and takes from the widest columns
// until the table fits: a cell is padded by a space on both sides.
func (s *screen) columns(header []string, rows [][]string) []int {
	widths := make([]int, len(header))
	for i, h := range header {
		widths[i] = text.StringWidthWithoutEscSequences(strings.TrimSuffix(h, "#"))
	}
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(plain(c)))
		}
	}
	total := 2 * len(widths)
	for _, w := range widths {
		total += w
	}
	for ; total > s.width; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		widths[widest]--
	}
	return widths
}
