package export

import (
	"bytes"
	"fmt"
	"strings"

	"partita/results"
	"partita/results/dag"
	"partita/results/dagsvg"
)

// A plan's graph has a picture up to a number of nodes over its phases. mostDrawn is that
// of the complete graph: Llama-3.1-8B on one GPU has 1,037, a picture 35,000 points high
// that takes 0.4 s of a processor. mostFoldedDrawn is what dagsvg draws of two phases.
const (
	mostDrawn       = 1_200
	mostFoldedDrawn = 2 * dagsvg.MostNodes
)

// notDrawnSuffix ends the names of the files that say in a line why a graph has no picture.
const notDrawnSuffix = "-not-drawn.txt"

func (g graphs) wholeDrawn() bool {
	return g.whole <= mostDrawn && !(g.operators && g.whole > mostOperatorsDrawn)
}

func (g graphs) foldedDrawn() bool {
	return g.folded <= mostFoldedDrawn && !(g.operators && g.folded > mostOperatorsDrawn)
}

// mostOperatorsDrawn is that of an operator graph, whose edges may be long: the layout of
// one with 250 nodes a replica, most of them constants, did not end in minutes.
const mostOperatorsDrawn = 200

// pictures says in a sentence or two which graphs have a picture.
func (g graphs) pictures() string {
	switch {
	case g.wholeDrawn() && g.foldedDrawn():
		return fmt.Sprintf("Both are pictures too: %s and %s.", dagPictureName, foldedPictureName)
	case g.foldedDrawn():
		return fmt.Sprintf("%s is its picture; the complete graph has more than the %s nodes up to which it is drawn.", foldedPictureName, count(g.most(mostDrawn)))
	}
	return fmt.Sprintf("It has more than the %s nodes up to which it is drawn, so there is no %s.", count(g.most(mostFoldedDrawn)), foldedPictureName)
}

// most is the number of nodes up to which a graph is drawn.
func (g graphs) most(ofLayers int) int {
	if g.operators {
		return mostOperatorsDrawn
	}
	return ofLayers
}

// graphPicture is a graph of a plan as SVG.
func graphPicture(p *results.Plan, o dag.Options) ([]byte, error) {
	if size, known, err := graphsOf(p); err == nil && known && size.operators {
		if n := map[bool]int64{false: size.whole, true: size.folded}[o.Folded]; n > mostOperatorsDrawn {
			return nil, fmt.Errorf("it has %s nodes, more than the %s up to which an operator graph is drawn: %w", count(int(n)), count(mostOperatorsDrawn), dagsvg.ErrTooLarge)
		}
	}
	var text bytes.Buffer
	if err := dag.Write(&text, p, o); err != nil {
		return nil, err
	}
	return dagsvg.Draw(&text)
}

// drawnOrWhy is the picture of a graph, or, where it cannot be drawn, a file of one line
// that says why: no plan is lost because of a picture.
func drawnOrWhy(p *results.Plan, name string, o dag.Options) Stream {
	svg, err := graphPicture(p, o)
	if err != nil {
		return notDrawn(name, err)
	}
	return Whole(name, svg)
}

// notDrawn is the file that says in a line why a picture is not there.
func notDrawn(picture string, err error) Stream {
	why := strings.Join(strings.Fields(plain(err.Error())), " ")
	return Whole(strings.TrimSuffix(picture, ".svg")+notDrawnSuffix, []byte(why+"\n"))
}

// pictureTargets are the exports of both pictures.
func pictureTargets() []Target {
	target := func(name, about, file string, o dag.Options) Target {
		return Target{Name: name, About: about, Files: func(p *results.Plan) ([]Stream, error) {
			svg, err := graphPicture(p, o)
			return []Stream{Whole(file, svg)}, err
		}}
	}
	folded := target("svg", "a picture of the graph with what is alike drawn once (SVG)", foldedPictureName, dag.Options{Folded: true})
	folded.TooLarge = tooLarge(graphs.foldedDrawn, "the folded graph has too many nodes to be drawn")
	whole := target("svg-full", "a picture of the complete graph, where it is small (SVG)", dagPictureName, dag.Options{})
	whole.TooLarge = tooLarge(graphs.wholeDrawn, "the complete graph has too many nodes to be drawn")
	return []Target{folded, whole}
}

// tooLarge says why, among all targets, a picture is left out.
func tooLarge(drawn func(graphs) bool, why string) func(p *results.Plan) string {
	return func(p *results.Plan) string {
		if size, known, err := graphsOf(p); err == nil && known && !drawn(size) {
			return why
		}
		return ""
	}
}
