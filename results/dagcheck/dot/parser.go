package dot

import (
	"slices"
	"strings"
)

// parser reads one file. What it keeps of a graph lets it tell names apart and join the
// nodes of a subgraph that is an end of an edge.
type parser struct {
	*lexer
	handler Handler

	header Header
	nodes  map[string]int
	subs   []subgraph
	named  map[inner]int
	names  map[string]string
	ends   []end  // of the edge statements that are open, the innermost last
	arena  []byte // texts of attrs
	attrs  []Attr
	joined []Attr // defaults and attributes of an edge
	edges  int
}

// inner is the name of a subgraph within the one around it.
type inner struct {
	parent int
	name   string
}

// subgraph is the graph itself at Root.
type subgraph struct {
	parent   int
	children []int
	members  []int // nodes mentioned in it directly, some more than once
	node     []Attr
	edge     []Attr // defaults set in it
}

// end is one end of an edge: a node, or the nodes of a subgraph.
type end struct {
	at   Pos
	node int // -1: a subgraph
	sub  int
}

func (t token) is(k kind) bool { return t.kind == k }

// graph reads one graph, its first token being read.
func (p *parser) graph() error {
	start := p.token.at
	p.header = Header{}
	if p.token.is(kwStrict) {
		p.header.Strict = true
		if err := p.next(); err != nil {
			return err
		}
	}
	switch p.token.kind {
	case kwDigraph:
		p.header.Directed = true
	case kwGraph:
	default:
		return wrong(p.token.at, `"digraph"`, "%v starts no graph", p.token)
	}
	if err := p.next(); err != nil {
		return err
	}
	if p.token.is(word) {
		p.header.Name = string(p.token.text)
		if err := p.next(); err != nil {
			return err
		}
	}
	if p.token.kind != '{' {
		return wrong(p.token.at, `"{"`, "%v after the head of the graph", p.token)
	}
	p.nodes, p.named = map[string]int{}, map[inner]int{}
	p.subs = []subgraph{{parent: -1}}
	p.names = map[string]string{}
	p.edges = 0
	if err := p.handler.Begin(start, p.header); err != nil {
		return err
	}
	if err := p.next(); err != nil {
		return err
	}
	if err := p.statements(Root, 0, start); err != nil {
		return err
	}
	return p.handler.End(p.token.at)
}

// statements reads what stands between braces; the closing one stays the token.
func (p *parser) statements(sub, depth int, start Pos) error {
	for {
		switch p.token.kind {
		case '}':
			return nil
		case ';':
			if err := p.next(); err != nil {
				return err
			}
			continue
		case endOfFile:
			return wrong(p.token.at, `"}"`, "the file ends inside the graph or subgraph that starts at %s: it was cut off, or a brace is missing", start)
		}
		if err := p.statement(sub, depth); err != nil {
			return err
		}
	}
}

// statement reads one statement and the token after it.
func (p *parser) statement(sub, depth int) error {
	switch p.token.kind {
	case kwGraph, kwNode, kwEdge:
		return p.defaults(sub)
	case word:
		at := p.token.at
		name := p.intern(p.token.text)
		if err := p.next(); err != nil {
			return err
		}
		if p.token.kind == '=' {
			return p.assignment(sub, at, name)
		}
		node, err := p.mention(at, name, sub)
		if err != nil {
			return err
		}
		if err := p.port(); err != nil {
			return err
		}
		if p.token.kind != arrow && p.token.kind != line {
			return p.nodeAttrs(node)
		}
		return p.edge(sub, depth, end{at: at, node: node})
	case kwSubgraph, '{':
		at := p.token.at
		inner, err := p.subgraph(sub, depth)
		if err != nil {
			return err
		}
		if p.token.kind != arrow && p.token.kind != line {
			return nil
		}
		return p.edge(sub, depth, end{at: at, node: -1, sub: inner})
	}
	return wrong(p.token.at, "a node, an edge, an attribute, a subgraph or the closing brace", "%v starts no statement", p.token)
}

// intern is a name that stays. Names of nodes share the text of the table of nodes.
func (p *parser) intern(text []byte) string {
	if s, ok := p.names[string(text)]; ok {
		return s
	}
	s := string(text)
	p.names[s] = s
	return s
}

// mention is the node of a name, which is new or not, as a member of a subgraph.
func (p *parser) mention(at Pos, name string, sub int) (int, error) {
	node, ok := p.nodes[name]
	if !ok {
		node = len(p.nodes)
		p.nodes[name] = node
		if err := p.handler.Node(at, node, name); err != nil {
			return 0, err
		}
	}
	if sub != Root {
		s := &p.subs[sub]
		if n := len(s.members); n == 0 || s.members[n-1] != node {
			s.members = append(s.members, node)
		}
		if err := p.handler.Member(node, sub); err != nil {
			return 0, err
		}
	}
	if ok {
		return node, nil
	}
	return node, p.nodeDefaults(node, sub)
}

// nodeDefaults gives a new node the defaults of its scope, those of outer scopes first.
func (p *parser) nodeDefaults(node, sub int) error {
	if sub < 0 {
		return nil
	}
	if err := p.nodeDefaults(node, p.subs[sub].parent); err != nil {
		return err
	}
	for _, a := range p.subs[sub].node {
		if err := p.handler.NodeAttr(node, a); err != nil {
			return err
		}
	}
	return nil
}

// port goes past a port and a compass point.
func (p *parser) port() error {
	for range 2 {
		if p.token.kind != ':' {
			return nil
		}
		if err := p.next(); err != nil {
			return err
		}
		if !p.token.is(word) {
			return wrong(p.token.at, "a port or a compass point", "%v after \":\"", p.token)
		}
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// assignment reads NAME = VALUE, the sign being the token.
func (p *parser) assignment(sub int, at Pos, name string) error {
	if err := p.next(); err != nil {
		return err
	}
	if !p.token.is(word) {
		return wrong(p.token.at, "a value", "%v after \"=\"", p.token)
	}
	if err := p.handler.GraphAttr(sub, Attr{at, name, Value{p.token.text, p.token.html}}); err != nil {
		return err
	}
	return p.next()
}

// defaults reads graph [..], node [..] or edge [..].
func (p *parser) defaults(sub int) error {
	what := p.token
	name := strings.ToLower(string(what.text))
	if err := p.next(); err != nil {
		return err
	}
	if p.token.kind != '[' {
		return wrong(p.token.at, `"["`, "%v after %q, which is a keyword: a node of that name needs quotes", p.token, name)
	}
	if err := p.attrList(); err != nil {
		return err
	}
	s := &p.subs[sub]
	for _, a := range p.attrs {
		var err error
		switch what.kind {
		case kwGraph:
			err = p.handler.GraphAttr(sub, a)
		case kwNode:
			s.node, err = setDefault(s.node, a)
		case kwEdge:
			s.edge, err = setDefault(s.edge, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mostDefaults bounds what every new node and edge of a scope is given.
const mostDefaults = 500

func setDefault(list []Attr, a Attr) ([]Attr, error) {
	a.Text = slices.Clone(a.Text)
	if i := slices.IndexFunc(list, func(b Attr) bool { return b.Name == a.Name }); i >= 0 {
		list[i] = a
		return list, nil
	}
	if len(list) == mostDefaults {
		return nil, wrong(a.Pos, "at most 500", "too many default attributes in one scope")
	}
	return append(list, a), nil
}

// attrList reads all the lists in brackets that follow, none or several, into attrs.
func (p *parser) attrList() error {
	p.arena, p.attrs = p.arena[:0], p.attrs[:0]
	for p.token.kind == '[' {
		open := p.token.at
		if err := p.next(); err != nil {
			return err
		}
		for p.token.kind != ']' {
			switch p.token.kind {
			case word:
			case endOfFile:
				return wrong(open, `"]"`, "the attributes that start here never end")
			default:
				return wrong(p.token.at, `the name of an attribute, or "]"`, "%v among attributes", p.token)
			}
			a := Attr{Pos: p.token.at, Name: p.intern(p.token.text), Value: Value{Text: []byte("true")}}
			if err := p.next(); err != nil {
				return err
			}
			if p.token.kind == '=' {
				if err := p.next(); err != nil {
					return err
				}
				if !p.token.is(word) {
					return wrong(p.token.at, "a value (quoted, where it is a keyword)", "%v after %q", p.token, a.Name+" =")
				}
				from := len(p.arena)
				p.arena = append(p.arena, p.token.text...)
				a.Value = Value{p.arena[from:len(p.arena):len(p.arena)], p.token.html}
				if err := p.next(); err != nil {
					return err
				}
			}
			p.attrs = append(p.attrs, a)
			if p.token.kind == ';' || p.token.kind == ',' {
				if err := p.next(); err != nil {
					return err
				}
			}
		}
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// nodeAttrs reads the attributes of a node statement.
func (p *parser) nodeAttrs(node int) error {
	if err := p.attrList(); err != nil {
		return err
	}
	for _, a := range p.attrs {
		if err := p.handler.NodeAttr(node, a); err != nil {
			return err
		}
	}
	return nil
}
