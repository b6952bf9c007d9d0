package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds nested values; published configurations stay below ten.
const maxDepth = 64

// Problem is one thing that is wrong with a configuration, at a position that
// counts from 1 (0: none).
type Problem struct {
	Line, Col int
	Text      string // what was found
	Want      string // what was expected; may be empty
	Hint      string // what to do about it; may be empty
}

// treeReader turns JSON into YAML nodes, so that one parser reads a config.json
// and the catalogue. A YAML parser reads most JSON, but not tabs between tokens.
type treeReader struct {
	data []byte
	dec  *json.Decoder
	at   int
	line int // of data[at]
	col  int // in characters, as editors count
}

// parseJSON reads one JSON value. Every node carries its line and column.
func parseJSON(data []byte) (*yaml.Node, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r := &treeReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1, col: 1}
	r.dec.UseNumber()
	root, problem := r.value(0)
	if problem != nil {
		return nil, problem
	}
	r.skip()
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.problem("text after the end of the JSON value", "one JSON object", "")
	}
	return root, nil
}

// skip moves to the next token.
func (r *treeReader) skip() {
	r.advance(int(r.dec.InputOffset()))
	for r.at < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[r.at]) >= 0 {
		r.advance(r.at + 1)
	}
}

// advance keeps count of lines and characters; bytes inside a UTF-8 sequence are none.
func (r *treeReader) advance(to int) {
	for ; r.at < to && r.at < len(r.data); r.at++ {
		switch b := r.data[r.at]; {
		case b == '\n':
			r.line, r.col = r.line+1, 1
		case utf8.RuneStart(b):
			r.col++
		}
	}
}

func (r *treeReader) problem(text, want, hint string) *Problem {
	return &Problem{Line: r.line, Col: r.col, Text: text, Want: want, Hint: hint}
}

func (r *treeReader) value(depth int) (*yaml.Node, *Problem) {
	if depth > maxDepth {
		return nil, r.problem("values nested too deeply", fmt.Sprintf("at most %d levels", maxDepth), "")
	}
	r.skip()
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line, Column: r.col}
	token, err := r.dec.Token()
	if err != nil {
		return nil, r.syntax(err)
	}
	switch t := token.(type) {
	case json.Delim:
		return r.collection(node, t, depth)
	case string:
		node.Tag, node.Value = "!!str", t
	case json.Number:
		node.Tag, node.Value = "!!float", t.String()
		if _, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			node.Tag = "!!int"
		}
	case bool:
		node.Tag, node.Value = "!!bool", strconv.FormatBool(t)
	default:
		node.Tag, node.Value = "!!null", "null"
	}
	return node, nil
}

func (r *treeReader) collection(node *yaml.Node, open json.Delim, depth int) (*yaml.Node, *Problem) {
	node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
	if open == '{' {
		node.Kind, node.Tag = yaml.MappingNode, "!!map"
	}
	for r.dec.More() {
		if node.Kind == yaml.MappingNode {
			key, problem := r.value(depth + 1)
			if problem != nil {
				return nil, problem
			}
			node.Content = append(node.Content, key)
		}
		item, problem := r.value(depth + 1)
		if problem != nil {
			return nil, problem
		}
		node.Content = append(node.Content, item)
	}
	r.skip()
	if _, err := r.dec.Token(); err != nil { // the closing delimiter
		return nil, r.syntax(err)
	}
	return node, nil
}

func (r *treeReader) syntax(err error) *Problem {
	var s *json.SyntaxError
	if errors.As(err, &s) {
		r.advance(max(0, int(s.Offset)-1))
		return r.problem("not JSON: "+s.Error(), "a JSON object", "")
	}
	r.advance(len(r.data))
	return r.problem("the JSON ends early", "a complete JSON object", "is the file cut off?")
}
