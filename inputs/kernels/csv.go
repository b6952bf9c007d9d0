package kernels

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// csv reads a table whose first line names the columns.
func (p *parser) csv(data []byte) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		p.problem(1, 1, "the file is compressed with gzip", "a table of operator timings", "unpack it with gunzip; the compression inside Parquet is read")
		return
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		p.problem(1, 1, "the file is neither Parquet nor text in UTF-8", "a table of operator timings", "")
		return
	}
	if isMeasurements(data) {
		p.form, p.table.Kind = &form{}, Measurements
		p.measurements(data)
		return
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord = -1 // told with a place of our own
	in.TrimLeadingSpace = true
	in.Comment = '#'
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return
	}
	if err != nil {
		p.syntax(err)
		return
	}
	if !p.header(header, in.FieldPos) {
		return
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			p.syntax(err) // where the next row begins is not known
			return
		}
		if len(record) != len(header) {
			line, col := in.FieldPos(0)
			p.table.Rows++
			p.problem(line, col, fmt.Sprintf("a row of %d cells", len(record)), fmt.Sprintf("%d, as many as columns", len(header)), "")
			continue
		}
		p.add(record, in.FieldPos)
	}
}

// syntax notes what is no CSV.
func (p *parser) syntax(err error) {
	var at *csv.ParseError
	if errors.As(err, &at) {
		p.problem(at.Line, at.Column, "no CSV: "+at.Err.Error(), "cells apart by commas", `a cell with a comma or a quote stands in quotes, a quote in it twice`)
		return
	}
	p.problem(1, 1, err.Error(), "a table in CSV", "")
}
