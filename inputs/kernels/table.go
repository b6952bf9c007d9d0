package kernels

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"partita/inputs"
)

// Bounds of what is read: far above every published table, small enough that a wrong file
// neither fills the memory nor overflows a product.
const (
	mostRows     = 1 << 20
	mostSize     = 1 << 40 // of one dimension, or bytes of a buffer
	mostProblems = 100     // listed of one file
)

// Load reads one file: Parquet by its first bytes, else CSV. The error is
// inputs.Diagnostics with all its problems; those of a Parquet file are at row and column.
func Load(path string) (*Table, error) {
	data, err := inputs.ReadTable(path)
	if err != nil {
		hint := ""
		if errors.Is(err, inputs.ErrFolder) {
			hint = "name the files in it: " + filepath.Join(path, "*_perf.parquet")
		}
		return nil, inputs.Diagnostics{{Place: inputs.Place{File: path}, Problem: err.Error(), Want: "a table of operator timings in CSV or Parquet", Hint: hint}}
	}
	return Parse(path, data)
}

// Parse reads the content of one file; file names it in problems.
func Parse(file string, data []byte) (*Table, error) {
	p := &parser{table: Table{File: file}, skipped: map[string]int{}}
	switch {
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		p.problem(1, 1, "this is a pointer of Git LFS, not the table", "the table itself", "fetch it with git lfs pull")
	case bytes.HasPrefix(data, []byte("PAR1")):
		p.parquet(data)
	default:
		p.csv(data)
	}
	if len(p.problems) == 0 && p.form == nil {
		p.problem(1, 1, "the file is empty", "a table of operator timings", "docs/calibrate.md lists the columns")
	}
	if len(p.problems) == 0 && p.table.Rows == 0 {
		p.problem(1, 1, "the table has no rows", "at least one timing", "")
	}
	if p.more > 0 {
		last := p.problems[len(p.problems)-1].Place
		p.problems = append(p.problems, inputs.Diagnostic{Place: inputs.Place{File: file, Line: last.Line + 1}, Problem: fmt.Sprintf("%d more problems from here on", p.more)})
	}
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	for reason, n := range p.skipped {
		p.table.Skipped = append(p.table.Skipped, Skip{n, reason})
	}
	slices.SortFunc(p.table.Skipped, func(a, b Skip) int { return strings.Compare(a.Reason, b.Reason) })
	return &p.table, nil
}

// form is one kind of table.
type form struct {
	kind  string
	needs []string // columns without which it is not of the kind; the first one no other kind has
	may   []string // further columns that are read
	exact bool     // a column that is not listed is a problem
	// read makes a sample of a row, or says why it holds none. Problems are noted.
	read func(r *row) (s Sample, skip string)
}

// parser reads one table and notes every problem on the way.
type parser struct {
	table    Table
	form     *form
	column   map[string]int
	lacks    string  // what keeps the table from being another one
	latency  string  // the column of the time
	unit     float64 // of it, seconds
	skipped  map[string]int
	problems inputs.Diagnostics
	more     int // problems that are not listed
}

func (p *parser) problem(line, col int, problem, want, hint string) {
	if len(p.problems) >= mostProblems {
		p.more++
		return
	}
	p.problems = append(p.problems, inputs.Diagnostic{Place: inputs.Place{File: p.table.File, Line: line, Col: col}, Problem: problem, Want: want, Hint: hint})
}

// latencies are the columns of times with their unit in seconds. The one that does not
// name its unit is AIConfigurator's and in milliseconds.
func latencies() map[string]float64 {
	return map[string]float64{"latency": 1e-3, "latency_ms": 1e-3, "latency_us": 1e-6, "latency_s": 1}
}

// header takes the names of the columns, each with its place.
func (p *parser) header(names []string, at func(i int) (line, col int)) bool {
	p.column = map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		names[i] = name
		if _, twice := p.column[name]; twice {
			line, col := at(i)
			p.problem(line, col, fmt.Sprintf("column %q stands twice", name), "each column once", "")
		}
		p.column[name] = i
	}
	forms := forms()
	p.lacks = p.lacking(forms)
	for i := range forms {
		if p.hasAll(forms[i].needs) {
			p.form = &forms[i]
			break
		}
	}
	if p.form == nil {
		line, col := at(0)
		hint := "docs/calibrate.md lists the columns"
		if p.lacks != "" {
			hint = p.lacks + "; " + hint
		}
		p.problem(line, col, "the columns are those of no table of operator timings: "+quotedShort(names), "a *_perf table of AIConfigurator, or the columns op, dtype, latency_us and the sizes", hint)
		return false
	}
	p.table.Kind = p.form.kind
	if p.form.exact {
		known := append(slices.Clone(p.form.needs), p.form.may...)
		for name := range latencies() {
			known = append(known, name)
		}
		for i, name := range names {
			if slices.Contains(known, name) {
				continue
			}
			hint := "docs/calibrate.md lists the columns; put what else is to be said into notes"
			if near := inputs.Nearest(name, known); near != "" {
				hint = "did you mean " + near + "?"
			}
			line, col := at(i)
			p.problem(line, col, fmt.Sprintf("unknown column %q", name), "a column of the table", hint)
		}
	}
	p.timeColumn(at)
	return len(p.problems) == 0
}

// timeColumn finds the column of the times, which a table has once.
func (p *parser) timeColumn(at func(i int) (line, col int)) {
	for _, name := range []string{"latency", "latency_ms", "latency_us", "latency_s"} {
		i, ok := p.column[name]
		switch {
		case !ok:
		case p.latency == "":
			p.latency, p.unit = name, latencies()[name]
		default:
			line, col := at(i)
			p.problem(line, col, fmt.Sprintf("both %s and %s are there", p.latency, name), "one column with the time", "")
		}
	}
	if p.latency == "" {
		line, col := at(0)
		p.problem(line, col, "no column with the time", "latency_us, latency_ms or latency_s", "")
	}
}

func (p *parser) hasAll(names []string) bool {
	for _, name := range names {
		if _, ok := p.column[name]; !ok {
			return false
		}
	}
	return true
}

// add takes one row of cells; at is the place of a cell.
func (p *parser) add(cells []string, at func(i int) (line, col int)) {
	p.table.Rows++
	if p.table.Rows > mostRows {
		if p.table.Rows == mostRows+1 {
			line, _ := at(0)
			p.problem(line, 0, fmt.Sprintf("the table has more than %d rows", mostRows), "a table that can be held in memory", "")
		}
		return
	}
	r := &row{p: p, cells: cells, at: at}
	s, skip := p.form.read(r)
	if r.wrong {
		return
	}
	if skip != "" {
		p.skipped[skip]++
		return
	}
	line, _ := at(0)
	s.Place = inputs.Place{File: p.table.File, Line: line}
	if !s.Library {
		s.Framework = strings.ToLower(r.text("framework"))
	}
	p.table.Samples = append(p.table.Samples, s)
}

// row is one row with its accessors, which note what is not as it should be.
type row struct {
	p     *parser
	cells []string
	at    func(i int) (line, col int)
	wrong bool
}

// text is a cell, "" where the column is not there.
func (r *row) text(name string) string {
	i, ok := r.p.column[name]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

func (r *row) problem(name, want, hint string) {
	r.wrong = true
	line, col := r.at(r.p.column[name])
	r.p.problem(line, col, fmt.Sprintf("%s is %q", name, r.text(name)), want, hint)
}

// whole is a size: a whole number from least; absent where the cell is empty or the
// column is not there. Parquet tables write some of them as 64.0.
func (r *row) whole(name string, least int, absent int) int {
	text := r.text(name)
	if text == "" {
		return absent
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x != math.Trunc(x) || x < float64(least) || x > mostSize {
		r.problem(name, fmt.Sprintf("a whole number from %d", least), "")
		return absent
	}
	return int(x)
}

// size is a size that must be there.
func (r *row) size(name string) int {
	if _, ok := r.p.column[name]; !ok {
		r.wrong = true
		line, _ := r.at(0)
		r.p.problem(line, 1, "no column "+name, "the size "+name+", which this operator has", "docs/calibrate.md lists the sizes of each operator")
		return 0
	}
	if r.text(name) == "" {
		r.problem(name, "a whole number from 1", "docs/calibrate.md lists the sizes of each operator")
		return 0
	}
	return r.whole(name, 1, 0)
}

// number is a finite number above 0.
func (r *row) number(name string) float64 {
	x, err := strconv.ParseFloat(r.text(name), 64)
	if err != nil || !(x > 0) || math.IsInf(x, 0) {
		r.problem(name, "a number above 0", "")
		return 0
	}
	return x
}

// seconds is the time of the row.
func (r *row) seconds() float64 { return r.number(r.p.latency) * r.p.unit }

// quotedShort lists the first names.
func quotedShort(names []string) string {
	const most = 6
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
