package kernels

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// parquet reads a table of flat columns. Places of its cells are row, counted from 1, and
// column, counted from 1.
func (p *parser) parquet(data []byte) {
	defer func() {
		// The library panics on some files that break its assumptions.
		if cause := recover(); cause != nil {
			p.broken(fmt.Errorf("%v", cause))
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		p.broken(err)
		return
	}
	if file.NumRows() > mostRows {
		p.problem(0, 0, fmt.Sprintf("the table has %d rows", file.NumRows()), fmt.Sprintf("at most %d", mostRows), "")
		return
	}
	fields := file.Schema().Fields()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name()
		if !f.Leaf() || f.Repeated() {
			p.problem(0, i+1, fmt.Sprintf("column %q holds lists or groups", f.Name()), "columns of numbers and texts", "")
		}
	}
	if len(p.problems) > 0 || !p.header(names, func(i int) (int, int) { return 0, i + 1 }) {
		return
	}
	number := 0
	for _, group := range file.RowGroups() {
		if number, err = p.rowGroup(group, len(fields), number); err != nil {
			p.broken(err)
			return
		}
	}
}

// rowGroup reads the rows of a group behind so many others, and returns how many there are
// by then.
func (p *parser) rowGroup(group parquet.RowGroup, columns, number int) (int, error) {
	rows := group.Rows()
	defer rows.Close()
	var batch [256]parquet.Row
	for {
		n, err := rows.ReadRows(batch[:])
		for _, values := range batch[:n] {
			number++
			cells := make([]string, columns)
			for _, v := range values {
				if c := v.Column(); c >= 0 && c < columns {
					cells[c] = cell(v)
				}
			}
			p.add(cells, func(i int) (int, int) { return number, i + 1 })
		}
		switch {
		case errors.Is(err, io.EOF):
			return number, nil
		case err != nil:
			return number, err
		case n == 0:
			return number, io.ErrNoProgress
		}
	}
}

func (p *parser) broken(err error) {
	p.problems = nil // what was noted of a broken file says nothing
	p.problem(0, 0, "the Parquet file cannot be read: "+err.Error(), "a whole Parquet file", "")
}

// cell is a value as text; "" where it is null.
func cell(v parquet.Value) string {
	if v.IsNull() {
		return ""
	}
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.FormatBool(v.Boolean())
	case parquet.Int32:
		return strconv.FormatInt(int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10)
	case parquet.Float:
		return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32)
	case parquet.Double:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64)
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return string(v.ByteArray())
	}
	return v.String()
}
