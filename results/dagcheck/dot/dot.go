// Package dot reads graphs in the DOT language, of any writer and any length, and hands
// them to a Handler as they come: nothing of a graph is kept but the names of its nodes
// and subgraphs.
//
// The whole language is read (https://graphviz.org/doc/info/lang.html): several graphs in
// a file, strict and undirected ones, nested and repeated subgraphs, defaults by scope,
// edge chains with subgraphs as ends, ports, HTML strings, quoted strings put together
// with +, comments and lines of a preprocessor. Every statement comes with its place, so
// that whoever looks at the graph can say where something is wrong; parsers that make a
// tree of the file keep no places, and several times the file in memory.
package dot

import (
	"fmt"
	"io"
)

// Pos is a place in a file. Lines and columns count from 1, columns in characters.
type Pos struct{ Line, Col uint32 }

func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Col) }

// Before reports whether p comes first.
func (p Pos) Before(q Pos) bool { return p.Line < q.Line || p.Line == q.Line && p.Col < q.Col }

// Value is the text of an attribute. Escapes of labels, such as \n and \N, are as they
// stand in the file.
type Value struct {
	Text []byte // of the reader: valid until the call returns
	HTML bool   // a string in angle brackets, without them
}

// Attr is an attribute with the place of its name.
type Attr struct {
	Pos  Pos
	Name string
	Value
}

// Header is how a graph starts.
type Header struct {
	Name             string
	Directed, Strict bool
}

// Root is the number of a graph itself among its subgraphs.
const Root = 0

// Handler is told what a file holds. Nodes and subgraphs are numbered by first mention
// within their graph, nodes from 0 and subgraphs from 1. An error ends the reading.
type Handler interface {
	Begin(at Pos, h Header) error
	// Subgraph is a subgraph at its first mention; the name is empty where it has none.
	Subgraph(at Pos, sub, parent int, name string) error
	// GraphAttr is an attribute of a subgraph, or of the graph itself.
	GraphAttr(sub int, a Attr) error
	// Node is a node at its first mention. Its defaults follow as attributes.
	Node(at Pos, node int, name string) error
	// Member says that a node is mentioned in a subgraph, and so belongs to it and to
	// those around it; said again at every mention.
	Member(node, sub int) error
	NodeAttr(node int, a Attr) error
	// Edge is one edge, with the defaults of its scope before its own attributes.
	Edge(at Pos, from, to int, attrs []Attr) error
	// End is the brace that closes the graph.
	End(at Pos) error
}

// SyntaxError says where a file stops being DOT.
type SyntaxError struct {
	Pos
	Wrong, Want string
}

func (e *SyntaxError) Error() string {
	if e.Want == "" {
		return fmt.Sprintf("%s: %s", e.Pos, e.Wrong)
	}
	return fmt.Sprintf("%s: %s; expected %s", e.Pos, e.Wrong, e.Want)
}

// Bounds of what a file may ask for: a short file can nest without end, hold one endless
// word, or join every node of a set with every node of another.
const (
	deepest     = 500
	longestWord = 32 << 20 // bytes
	mostEdges   = 50_000_000
)

// Read reads every graph of r. What is not DOT is a *SyntaxError; other errors are those
// of r and of the handler. Read returns the number of graphs.
func Read(r io.Reader, h Handler) (int, error) {
	p := &parser{lexer: newLexer(r), handler: h}
	graphs := 0
	for {
		if err := p.next(); err != nil {
			return graphs, err
		}
		switch {
		case p.token.kind == endOfFile:
			return graphs, nil
		case p.token.kind == ';': // Graphviz takes one between graphs
			continue
		}
		if err := p.graph(); err != nil {
			return graphs, err
		}
		graphs++
	}
}
