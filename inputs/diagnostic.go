package inputs

import (
	"fmt"
	"sort"
	"strings"
)

// Diagnostic is one problem of an input: where it is, what was found, what was
// expected and what to do about it. Hint may be empty.
type Diagnostic struct {
	Place   Place
	Problem string
	Want    string
	Hint    string
}

// Error writes `file:line:col: problem, want …; hint`. Parts that are unknown are left out.
func (d Diagnostic) Error() string {
	var b strings.Builder
	if at := d.Place.String(); at != "" {
		b.WriteString(at + ": ")
	}
	b.WriteString(d.Problem)
	if d.Want != "" {
		b.WriteString(", want " + d.Want)
	}
	if d.Hint != "" {
		b.WriteString("; " + d.Hint)
	}
	return b.String()
}

// String is `file:line:col`, without the numbers that are not known.
func (p Place) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
}

// Diagnostics are all problems of the inputs that are read together. It implements error:
// one line a problem, by place.
type Diagnostics []Diagnostic

// Error lists every problem on a line of its own.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds.Sorted() {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Sorted returns the problems by file, line and column; equal places keep their order.
func (ds Diagnostics) Sorted() Diagnostics {
	out := append(Diagnostics(nil), ds...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i].Place, out[j].Place
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Col < b.Col
	})
	return out
}

// Err is the problems as an error, sorted; nil when there are none.
func (ds Diagnostics) Err() error {
	if len(ds) == 0 {
		return nil
	}
	return ds.Sorted()
}
