package export

import (
	"fmt"
	"io"

	"partita/results"
	"partita/results/dag"
)

// Names of the files of the graph, and of their pictures.
const (
	dagName           = "dag.dot"
	foldedName        = "dag-folded.dot"
	dagPictureName    = "dag.svg"
	foldedPictureName = "dag-folded.svg"
)

// mostNodes is the number of nodes up to which solve writes the complete graph: about
// 220 MB. DeepSeek-V3 on 32 GPUs has a third of them.
const mostNodes = 1_000_000

// graphs is how large the graphs of a plan are, in nodes, and whether they are of an operator
// graph.
type graphs struct {
	whole, folded int64
	operators     bool
}

// graphsOf counts the nodes of both graphs of a plan; false where the plan does not say
// what it is for.
func graphsOf(p *results.Plan) (graphs, bool, error) {
	if p == nil || p.Deployment == nil || ofLanes(p) || trainingPlan(p) {
		return graphs{}, false, nil
	}
	whole, err := dag.Nodes(p, dag.Options{})
	if err != nil {
		return graphs{}, false, err
	}
	folded, err := dag.Nodes(p, dag.Options{Folded: true})
	return graphs{whole, folded, p.Deployment.Model.Graph != nil}, err == nil, err
}

// dagFiles are the graphs that a run leaves, each with its picture: both, or the folded one
// alone where the complete one is too large. The complete one has a picture where it is
// small.
func dagFiles(p *results.Plan) []Stream {
	size, known, err := graphsOf(p)
	switch {
	case err != nil: // no plan is lost because of a graph
		return []Stream{notDrawn(foldedPictureName, fmt.Errorf("the graph could not be made, which is a defect; please report it with the plan: %w", err))}
	case !known:
		return nil
	}
	var files []Stream
	add := func(name, picture string, drawn bool, o dag.Options) {
		files = append(files, dagStream(p, name, o))
		if drawn {
			files = append(files, drawnOrWhy(p, picture, o))
		}
	}
	if size.whole <= mostNodes {
		add(dagName, dagPictureName, size.wholeDrawn(), dag.Options{})
	}
	add(foldedName, foldedPictureName, size.foldedDrawn(), dag.Options{Folded: true})
	return files
}

// dagStream is a graph of a plan, written as it is drawn.
func dagStream(p *results.Plan, name string, o dag.Options) Stream {
	return Stream{Name: name, Write: func(w io.Writer) error { return dag.Write(w, p, o) }}
}

// dagTargets are the exports of both graphs.
func dagTargets() []Target {
	target := func(name, about, file string, o dag.Options) Target {
		return Target{Name: name, About: about, Files: func(p *results.Plan) ([]Stream, error) {
			if _, err := dag.Nodes(p, o); err != nil { // a plan that cannot be drawn
				return nil, err
			}
			return []Stream{dagStream(p, file, o)}, nil
		}}
	}
	whole := target("dot", "the graph of operators, complete (DOT)", dagName, dag.Options{})
	whole.TooLarge = func(p *results.Plan) string {
		if size, known, err := graphsOf(p); err == nil && known && size.whole > mostNodes {
			return fmt.Sprintf("the complete graph has %s nodes: ask for it by name, --to dot", count(int(size.whole)))
		}
		return ""
	}
	folded := target("dot-folded", "the graph with what is alike drawn once (DOT)", foldedName, dag.Options{Folded: true})
	return append([]Target{whole, folded}, pictureTargets()...)
}

// leftOutLine says that the complete graph was not written and how to get it; empty where
// it was. dagFiles reports what cannot be drawn.
func leftOutLine(r *results.Report) string {
	size, known, err := graphsOf(r.Plan)
	if err != nil || !known || size.whole <= mostNodes {
		return ""
	}
	name := closestName
	if r.Feasible {
		name = planName
	}
	return fmt.Sprintf("%s was not written: the complete graph has %s nodes, more than the %s that solve writes. \"partita export %s --to dot -o %s\" makes it.",
		dagName, count(int(size.whole)), count(mostNodes), name, dagName)
}

// reportGraphs says which graphs are beside the report.
func reportGraphs(d form, r *results.Report) {
	size, known, err := graphsOf(r.Plan)
	if ofLanes(r.Plan) {
		d.heading(2, "Graph of operators")
		d.paragraph("There is none of lanes: a graph draws one way through the GPUs, and sequences take several here. The ways are listed above.")
		return
	}
	if trainingPlan(r.Plan) {
		d.heading(2, "Graph of operators")
		d.paragraph(noGraphOfTraining)
		return
	}
	if err != nil || !known {
		return
	}
	d.heading(2, "Graph of operators")
	if line := leftOutLine(r); line != "" {
		d.strong(line)
	} else {
		d.paragraph(fmt.Sprintf("%s has every operator of every layer on every GPU: %s.", dagName, plural(int(size.whole), "node")))
	}
	d.paragraph(fmt.Sprintf("%s draws once what is alike: %s. %s", foldedName, plural(int(size.folded), "node"), size.pictures()))
}
