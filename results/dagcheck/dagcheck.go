// Package dagcheck reads a deployment DAG back from a DOT file and checks it against the
// rules that every such DAG keeps, by code that shares nothing with what writes them: a
// graph checked by its own writer proves nothing.
//
//	report, err := dagcheck.Check(file, "dag.dot", dagcheck.Options{})
//	if err == nil && !report.OK { fmt.Print(report.Text()) }
//
// Any DOT will do. Where a writer leaves out the attributes op, gpu and layer, the rules
// go by labels and shapes as far as these tell; a rule that found nothing to apply to says
// so in the report, and never passes in silence.
//
// Files may be long: of a node some 40 bytes are kept and its name, of an edge 20; shapes,
// titles and sets of GPUs are kept once each. The time is linear in the file.
package dagcheck

import (
	"errors"
	"fmt"
	"io"

	"partita/results"
	"partita/results/dagcheck/dot"
)

// Options say what a graph is held against besides the rules.
type Options struct {
	// Plan is the plan that the DAG is of: its GPUs, layers, replicas and stages must be
	// those. Nil: unknown.
	Plan *results.Plan
	// Most is how many findings of one rule are listed; the rest are counted. 0: 20.
	Most int
}

const defaultMost = 20

// NotDOTError says where a file stops being DOT, or that it holds no graph.
type NotDOTError struct {
	File        string
	At          dot.Pos
	Wrong, Want string
}

func (e *NotDOTError) Error() string {
	s := fmt.Sprintf("%s:%s: %s", e.File, e.At, e.Wrong)
	if e.Want != "" {
		s += "; expected " + e.Want
	}
	return s
}

// Check checks every graph of a file; name is the file's in messages. The error is a
// *NotDOTError where the file cannot be read as DOT, or that of r. Rules that are broken
// are no error: the report lists them.
func Check(r io.Reader, name string, o Options) (*Report, error) {
	if o.Most == 0 {
		o.Most = defaultMost
	}
	report := &Report{File: name, Format: reportFormat}
	b := &builder{done: func(g *graph) { report.add(g, o) }}
	graphs, err := dot.Read(r, b)
	var syntax *dot.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, &NotDOTError{File: name, At: syntax.Pos, Wrong: syntax.Wrong, Want: syntax.Want}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case graphs == 0:
		return nil, &NotDOTError{File: name, At: dot.Pos{Line: 1, Col: 1}, Wrong: "the file holds no graph", Want: "a digraph for each phase"}
	}
	report.finish(o)
	return report, nil
}
