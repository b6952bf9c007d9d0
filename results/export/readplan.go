package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"partita/inputs"
	"partita/results"
)

// ReadPlan reads what PlanJSON wrote, in the format of this program or an earlier one. What
// cannot be a plan is refused with every place where it is not, as inputs.Diagnostics
// without a file: bytes that are no JSON, fields that are unknown or given twice, values of
// another type, a later format. A plan that is read only in part must not be applied. What a plan lacks shows
// where it is verified.
func ReadPlan(data []byte) (*results.Plan, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	p := &results.Plan{}
	if err := d.Decode(p); err != nil {
		return nil, notAPlan(data, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, problemAt(data, d.InputOffset(), "more follows after the plan", "one plan", "")
	}
	if p.FormatVersion < results.OldestFormat || p.FormatVersion > results.FormatVersion {
		return nil, wrongFormat(data)
	}
	if problems := misfits(data, reflect.TypeFor[results.Plan]()); len(problems) > 0 {
		return nil, problems.Err()
	}
	return p, nil
}

// notAPlan says where a text is no plan. A plan of another format is told by that: its
// fields are others.
func notAPlan(data []byte, err error) error {
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return problemAt(data, 0, "the file is empty", "a plan", "")
	case errors.As(err, &syntax):
		return problemAt(data, syntax.Offset-1, "not valid JSON: "+syntax.Error(), "", "")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return problemAt(data, int64(len(bytes.TrimRight(data, " \t\r\n"))), "not valid JSON: it ends in the middle", "", "is the file whole?")
	}
	if wrong := wrongFormat(data); wrong != nil {
		return wrong
	}
	if problems := misfits(data, reflect.TypeFor[results.Plan]()); len(problems) > 0 {
		return problems.Err()
	}
	return inputs.Diagnostics{{Problem: "not a plan of this program: " + err.Error()}}
}

// wrongFormat is what is wrong with the format that a plan states, nil where it is one that
// is read.
func wrongFormat(data []byte) error {
	var p struct {
		FormatVersion *json.RawMessage `json:"format_version"`
	}
	if json.Unmarshal(data, &p) != nil {
		return nil // no object: said by what is looked at next
	}
	read := fmt.Sprintf("a plan of format %d to %d", results.OldestFormat, results.FormatVersion)
	if p.FormatVersion == nil {
		return problemAt(data, 0, "the file has no format_version", read, "is it the plan.json of a solve?")
	}
	var version int
	at := offsetOf(data, "format_version")
	if json.Unmarshal(*p.FormatVersion, &version) != nil {
		return nil // told as a value of a wrong type
	}
	switch {
	case version > results.FormatVersion:
		return problemAt(data, at, fmt.Sprintf("format_version %d is later than this program", version), read, "use the version of partita that wrote it, or a later one, or solve again")
	case version < results.OldestFormat:
		return problemAt(data, at, fmt.Sprintf("there is no format_version %d", version), read, "solve again")
	}
	return nil
}

// offsetOf is where the value of a field of the outermost object begins, 0 where there is none.
func offsetOf(data []byte, field string) int64 {
	w := &jsonWalk{data: data, d: json.NewDecoder(bytes.NewReader(data))}
	if open, err := w.d.Token(); err != nil || open != json.Delim('{') {
		return 0
	}
	for w.d.More() {
		name, err := w.d.Token()
		if err != nil {
			return 0
		}
		at := w.next()
		if name == field {
			return at
		}
		var skipped json.RawMessage
		if w.d.Decode(&skipped) != nil {
			return 0
		}
	}
	return 0
}

// problemAt is one problem at an offset into a text.
func problemAt(data []byte, offset int64, problem, want, hint string) error {
	return inputs.Diagnostics{{Place: placeAt(data, offset), Problem: problem, Want: want, Hint: hint}}
}

// placeAt is the line and the column (in letters) of an offset into a text.
func placeAt(data []byte, offset int64) inputs.Place {
	before := data[:min(max(offset, 0), int64(len(data)))]
	line := bytes.LastIndexByte(before, '\n') + 1
	return inputs.Place{Line: bytes.Count(before, []byte("\n")) + 1, Col: len([]rune(string(before[line:]))) + 1}
}
