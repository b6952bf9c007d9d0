package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"partita/inputs"
)

// value is a JSON value that knows where it stands.
type value struct {
	at     inputs.Place
	scalar any // string, json.Number, bool or nil, where it is neither object nor list
	object bool
	list   bool
	names  []string // of the fields of an object, in the order of the file
	items  []*value // of a list, or the fields' values
}

// field is the value of a field, nil where there is none.
func (v *value) field(name string) *value {
	if i := slices.Index(v.names, name); i >= 0 {
		return v.items[i]
	}
	return nil
}

// kind is what a value is, in words.
func (v *value) kind() string {
	switch s := v.scalar.(type) {
	case json.Number:
		return "the number " + s.String()
	case string:
		return fmt.Sprintf("the text %q", s)
	case bool:
		return fmt.Sprint(s)
	}
	switch {
	case v.object:
		return "an object"
	case v.list:
		return "a list"
	}
	return "null"
}

// deepest is how far values may lie in each other: published files need six levels.
const deepest = 64

// tree reads a JSON text into values. Column numbers count bytes, from 1.
type tree struct {
	file     string
	data     []byte
	tokens   *json.Decoder
	line     int // of the byte at counted
	start    int // of that line
	counted  int
	before   int // where the last token was looked for
	problems inputs.Diagnostics
}

func parseTree(file string, data []byte) (*value, error) {
	t := &tree{file: file, data: data, tokens: json.NewDecoder(bytes.NewReader(data)), line: 1}
	t.tokens.UseNumber()
	v, err := t.value(0)
	if err == nil {
		if _, more := t.token(); more != io.EOF {
			err = fmt.Errorf("something follows the end of the object")
		}
	}
	if err != nil {
		blanks := len(data[t.before:]) - len(bytes.TrimLeft(data[t.before:], " \t\r\n"))
		t.line, t.start, t.counted = 1, 0, 0 // it may lie before what was looked at
		at := t.placeOf(t.before + blanks)
		what := strings.TrimPrefix(err.Error(), "json: ")
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			what = "the text ends within a value"
		}
		t.problems = append(t.problems, inputs.Diagnostic{Place: at, Problem: "not JSON: " + what, Want: "one JSON object"})
	}
	return v, t.problems.Err()
}

func (t *tree) token() (json.Token, error) {
	t.before = int(t.tokens.InputOffset())
	return t.tokens.Token()
}

// place is where the next token begins.
func (t *tree) place() inputs.Place {
	at := int(t.tokens.InputOffset())
	for at < len(t.data) && strings.IndexByte(" \t\r\n,:", t.data[at]) >= 0 {
		at++
	}
	return t.placeOf(at)
}

// placeOf is the place of a byte. Bytes are asked for in rising order.
func (t *tree) placeOf(offset int) inputs.Place {
	offset = min(max(offset, t.counted), len(t.data))
	for ; t.counted < offset; t.counted++ {
		if t.data[t.counted] == '\n' {
			t.line, t.start = t.line+1, t.counted+1
		}
	}
	return inputs.Place{File: t.file, Line: t.line, Col: offset - t.start + 1}
}

func (t *tree) value(depth int) (*value, error) {
	if depth > deepest {
		return nil, fmt.Errorf("values lie over %d deep in each other", deepest)
	}
	v := &value{at: t.place()}
	token, err := t.token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		v.object = true
	case json.Delim('['):
		v.list = true
	default:
		v.scalar = token
		return v, nil
	}
	for t.tokens.More() {
		if v.object {
			at := t.place()
			name, err := t.token()
			if err != nil {
				return nil, err
			}
			if slices.Contains(v.names, name.(string)) {
				t.problems = append(t.problems, inputs.Diagnostic{Place: at, Problem: fmt.Sprintf("%q stands twice in one object", name), Want: "one value for it"})
			}
			v.names = append(v.names, name.(string))
		}
		item, err := t.value(depth + 1)
		if err != nil {
			return nil, err
		}
		v.items = append(v.items, item)
	}
	_, err = t.token() // the closing delimiter
	return v, err
}
