package export

import (
	"io"

	"partita/results"
	"partita/results/dag"
)

// Names of the files of the graph.
const (
	dagName    = "dag.dot"
	foldedName = "dag-folded.dot"
)

// dagStream is the graph of a plan, written as it is drawn. The error is that of a plan
// that cannot be drawn.
func dagStream(p *results.Plan, name string, o dag.Options) (Stream, error) {
	if _, err := dag.Nodes(p, o); err != nil {
		return Stream{}, err
	}
	return Stream{Name: name, Write: func(w io.Writer) error { return dag.Write(w, p, o) }}, nil
}

// dagTarget is the export of one of the graphs.
func dagTarget(name, about, file string, o dag.Options) Target {
	return Target{Name: name, About: about, Files: func(p *results.Plan) ([]Stream, error) {
		s, err := dagStream(p, file, o)
		return []Stream{s}, err
	}}
}
