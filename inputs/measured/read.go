package measured

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"partita/inputs"
)

// Bounds of what is read: far above every published table, small enough that a wrong file
// neither fills the memory nor overflows a product.
const (
	mostGPUs   = 1 << 17
	mostTokens = 1 << 24
	mostFlight = 1 << 24 // requests at once
	// Of values, in the unit of any metric: errors in percent of them are finite.
	leastValue, mostValue = 1e-12, 1e18
)

// Load reads the rows of a CSV file. The error is inputs.Diagnostics: all its problems.
func Load(path string) ([]Row, error) {
	data, err := inputs.ReadTable(path)
	if err != nil {
		return nil, inputs.Diagnostics{{Place: inputs.Place{File: path}, Problem: err.Error(), Want: "a table of measurements in CSV"}}
	}
	return Parse(path, data)
}

// Parse reads the rows of a CSV text; file names it in problems. The first line names
// the columns, in any order.
func Parse(file string, data []byte) ([]Row, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	p := &parser{file: file}
	if !utf8.Valid(data) {
		p.problem(1, 1, "the file is not text in UTF-8", "a table of measurements in CSV", "")
		return nil, p.problems.Err()
	}
	p.csv = csv.NewReader(bytes.NewReader(data))
	p.csv.FieldsPerRecord = -1 // told with a place of our own
	header, err := p.csv.Read()
	if err != nil {
		p.syntax(err)
		return nil, p.problems.Err()
	}
	if !p.columns(header) {
		return nil, p.problems.Err() // what its rows say is not known
	}
	var rows []Row
	for {
		record, err := p.csv.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			p.syntax(err) // where the next row begins is not known
			break
		}
		if row, ok := p.row(record, len(header)); ok {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 && len(p.problems) == 0 {
		p.problem(1, 1, "the table has no rows", "at least one measurement", "")
	}
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	return rows, nil
}

// parser reads the table and notes every problem on the way.
type parser struct {
	file     string
	csv      *csv.Reader
	column   map[string]int // index of each column that is there
	record   []string
	problems inputs.Diagnostics
}

func (p *parser) problem(line, col int, problem, want, hint string) {
	p.problems = append(p.problems, inputs.Diagnostic{Place: inputs.Place{File: p.file, Line: line, Col: col}, Problem: problem, Want: want, Hint: hint})
}

// syntax notes what is no CSV.
func (p *parser) syntax(err error) {
	var at *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		p.problem(1, 1, "the file is empty", "a line with the names of the columns", "")
	case errors.As(err, &at):
		p.problem(at.Line, at.Column, "no CSV: "+at.Err.Error(), "cells apart by commas", `a cell with a comma or a quote stands in quotes, a quote in it twice`)
	default:
		p.problem(1, 1, err.Error(), "a table in CSV", "")
	}
}

// columns reads the names of the columns; false where rows cannot be read by them.
func (p *parser) columns(header []string) bool {
	if apart, ok := separator(header); ok {
		p.problem(1, 1, "the cells are apart by "+apart, "cells apart by commas", "save the table as CSV with commas")
		return false
	}
	p.column = map[string]int{}
	known := Columns()
	for i, name := range header {
		line, col := p.csv.FieldPos(i)
		name = strings.TrimSpace(name)
		switch _, twice := p.column[name]; {
		case !slices.Contains(known, name):
			hint := "docs/validate.md lists the columns; put what else is to be said into notes"
			if near := inputs.Nearest(name, known); near != "" {
				hint = "did you mean " + near + "?"
			}
			p.problem(line, col, fmt.Sprintf("unknown column %q", name), "a column of the table", hint)
		case twice:
			p.problem(line, col, fmt.Sprintf("column %q stands twice", name), "each column once", "")
		}
		p.column[name] = i
	}
	whole := true
	for _, name := range needed {
		if !p.has(name) {
			p.problem(1, 1, "no column "+name, "the columns "+strings.Join(needed, ", "), "")
			whole = false
		}
	}
	if !p.has("model") && !p.has("model_hf_id") {
		p.problem(1, 1, "no column model or model_hf_id", "the model of each row", "")
	}
	return whole
}

// separator tells what cells are apart by where it is no comma, as spreadsheets write them.
func separator(header []string) (string, bool) {
	if len(header) != 1 {
		return "", false
	}
	for mark, name := range map[string]string{";": "semicolons", "\t": "tabs"} {
		if cells := strings.Split(header[0], mark); len(cells) > 1 && slices.Contains(Columns(), strings.TrimSpace(cells[0])) {
			return name, true
		}
	}
	return "", false
}

func (p *parser) has(name string) bool {
	_, ok := p.column[name]
	return ok
}

// text is a cell, "" where the column is not there.
func (p *parser) text(name string) string {
	i, ok := p.column[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(p.record[i])
}

// wrong notes that a cell is not what it should be.
func (p *parser) wrong(name, want, hint string) {
	line, col := p.csv.FieldPos(p.column[name])
	p.problem(line, col, fmt.Sprintf("%s is %q", name, p.text(name)), want, hint)
}

func (p *parser) count(name string, most int) int {
	text := p.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		p.wrong(name, fmt.Sprintf("a whole number from 1 to %d, or nothing", most), "")
		return 0
	}
	return n
}

// length is a mean number of tokens, which need not be whole.
func (p *parser) length(name string) float64 {
	text := p.text(name)
	if text == "" {
		return 0
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= 1) || x > mostTokens {
		p.wrong(name, fmt.Sprintf("tokens a request from 1 to %d, or nothing", mostTokens), "")
		return 0
	}
	return x
}

func (p *parser) row(record []string, columns int) (Row, bool) {
	before := len(p.problems)
	line, col := p.csv.FieldPos(0)
	if len(record) != columns {
		p.problem(line, col, fmt.Sprintf("a row of %d cells", len(record)), fmt.Sprintf("%d, as many as columns", columns), "")
		return Row{}, false
	}
	p.record = record
	r := Row{
		Place: inputs.Place{File: p.file, Line: line, Col: col},
		ID:    p.text("id"), Run: p.text("run_id"), Kind: p.text("kind"), Model: p.text("model"), HuggingFace: p.text("model_hf_id"), Shape: p.text("model_shape"),
		Precision: p.text("precision"), GPU: p.text("gpu"), GPUs: p.count("num_gpus", mostGPUs), Nodes: p.count("nodes", mostGPUs),
		TP: p.count("tp", mostGPUs), PP: p.count("pp", mostGPUs), DP: p.count("dp", mostGPUs), EP: p.count("ep", mostGPUs), CP: p.count("cp", mostGPUs),
		Virtual: p.count("vpp", mostGPUs), Sharding: p.text("sharding"), Recompute: p.text("recompute"),
		MicroBatch: p.count("micro_batch", mostFlight), GlobalBatch: p.count("global_batch", mostFlight),
		Input: p.length("isl"), Output: p.length("osl"), Concurrency: p.concurrency(), Framework: p.text("framework"),
		Metric: p.text("metric"), Group: p.text("choice_group"), Family: p.text("family"), Tier: p.text("tier"), Source: p.text("source"), Notes: p.text("notes"),
	}
	if r.Run == "" {
		r.Run = r.Place.String()
	}
	if r.Metric == "" {
		p.wrong("metric", "the name of a metric", "")
	}
	if unit := timeOf(r.Metric); unit != "" && slices.Contains(times, p.text("unit")) && p.text("unit") != unit {
		p.wrong("unit", unit+", in which "+r.Metric+" is", "values are taken in the unit of the metric's name")
	}
	var err error
	switch r.Value, err = strconv.ParseFloat(p.text("value"), 64); {
	case err != nil || !(r.Value > 0) || math.IsInf(r.Value, 0):
		p.wrong("value", "a number above 0", "")
	case r.Value < leastValue || r.Value > mostValue:
		p.wrong("value", fmt.Sprintf("a number from %g to %g", leastValue, mostValue), "")
	}
	switch p.text("seen") {
	case "", "yes":
	case "no":
		r.Unseen = true
	default:
		p.wrong("seen", "yes or no", "no marks a value from memory")
	}
	return r, len(p.problems) == before
}

// times are units of time, as the names of metrics have them.
var times = []string{"s", "ms", "us"}

// timeOf is the unit of a metric that is a time, by its name; "" of one that is none.
func timeOf(metric string) string {
	before := ""
	for _, part := range strings.Split(metric, "_") {
		if slices.Contains(times, part) && !slices.Contains([]string{"tok", "req", "per"}, before) {
			return part // output_tok_s and tokens_per_s_per_gpu are rates
		}
		before = part
	}
	return ""
}

// concurrency is a number of requests in flight, a rate, or most.
func (p *parser) concurrency() Concurrency {
	text := p.text("concurrency")
	n, err := strconv.Atoi(text)
	switch {
	case text == "":
	case strings.HasPrefix(text, "rate="):
		number, _, _ := strings.Cut(strings.TrimPrefix(text, "rate="), " ")
		rate, err := strconv.ParseFloat(number, 64)
		if err != nil || !(rate > 0) {
			rate = 0
		}
		return Concurrency{Rate: true, PerSecond: rate}
	case text == "max":
		return Concurrency{Most: true}
	case err == nil && n >= 1 && n <= mostFlight:
		return Concurrency{Requests: n}
	default:
		p.wrong("concurrency", "requests in flight, rate=… or max", "")
	}
	return Concurrency{}
}
