// Package dagsvg draws deployment DAGs as pictures: one SVG file with a picture for each
// graph of a DOT file, laid out by Graphviz, which is part of the program.
//
//	svg, err := dagsvg.Draw(dotText)
//
// Boxes compute, ellipses communicate, parallelograms route, in colours of their own; each
// GPU has a box, layers that are alike are drawn once in a dashed one, and the selection of
// experts is dashed. The picture follows the page's light or dark colours and prints in
// the light ones. It has no script and asks for nothing. Same text, same bytes.
package dagsvg

import (
	"errors"
	"fmt"
	"io"

	"partita/results/dagcheck/dot"
)

// MostNodes is the number of nodes of a graph up to which it is drawn: a picture of more
// is no help to anyone, and takes many seconds to lay out.
const MostNodes = 1000

// ErrTooLarge is the error of a graph of more than MostNodes nodes, or with more than four
// times as many edges.
var ErrTooLarge = fmt.Errorf("the graph has more than %d nodes, or %d edges: it is not drawn", MostNodes, 4*MostNodes)

// LayoutError is that of a graph which Graphviz cannot draw: a defect of one of the two.
type LayoutError struct {
	Graph string
	Err   error
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("the graph %q cannot be drawn: graphviz: %v", e.Graph, e.Err)
}

func (e *LayoutError) Unwrap() error { return e.Err }

// Draw draws the graphs of a text in the DOT language, of any writer.
func Draw(text io.Reader) ([]byte, error) {
	c := &collector{most: MostNodes}
	switch _, err := dot.Read(text, c); {
	case errors.Is(err, errLarge{}):
		return nil, ErrTooLarge
	case err != nil:
		return nil, err
	case len(c.graphs) == 0:
		return nil, errors.New("the text holds no graph")
	}
	var pictures []picture
	for _, g := range c.graphs {
		var p picture
		svg, err := layout(g.styled())
		if err == nil {
			p, err = pictureOf(g, svg)
		}
		if err != nil {
			return nil, &LayoutError{g.name, err}
		}
		pictures = append(pictures, p)
	}
	return page(pictures), nil
}
