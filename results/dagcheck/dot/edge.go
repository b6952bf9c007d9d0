package dot

import "slices"

// subgraph reads a subgraph, or a mention of one by its name, and the token after it.
func (p *parser) subgraph(parent, depth int) (int, error) {
	start := p.token.at
	if depth == deepest {
		return 0, wrong(start, "at most 500", "subgraphs nested too deep")
	}
	name := ""
	if p.token.is(kwSubgraph) {
		if err := p.next(); err != nil {
			return 0, err
		}
		if p.token.is(word) {
			name = string(p.token.text)
			if err := p.next(); err != nil {
				return 0, err
			}
		} else if p.token.kind != '{' {
			return 0, wrong(p.token.at, `a name or "{"`, "%v after \"subgraph\"", p.token)
		}
	}
	// As in Graphviz, a name means the same subgraph within the one around it only.
	key := inner{parent, name}
	sub, known := p.named[key]
	if !known || name == "" {
		sub = len(p.subs)
		p.subs = append(p.subs, subgraph{parent: parent})
		p.subs[parent].children = append(p.subs[parent].children, sub)
		p.named[key] = sub
		if err := p.handler.Subgraph(start, sub, parent, name); err != nil {
			return 0, err
		}
	}
	if p.token.kind != '{' {
		return sub, nil
	}
	if err := p.next(); err != nil {
		return 0, err
	}
	if err := p.statements(sub, depth+1, start); err != nil {
		return 0, err
	}
	return sub, p.next()
}

// edge reads the rest of an edge statement whose first end is read, and its attributes.
func (p *parser) edge(sub, depth int, first end) error {
	base := len(p.ends)
	p.ends = append(p.ends, first)
	for p.token.kind == arrow || p.token.kind == line {
		if p.token.is(arrow) != p.header.Directed {
			if p.header.Directed {
				return wrong(p.token.at, `"->"`, `"--" is no edge of a directed graph`)
			}
			return wrong(p.token.at, `"--", or "digraph" as the kind of graph`, `"->" is no edge of an undirected graph`)
		}
		if err := p.next(); err != nil {
			return err
		}
		e := end{at: p.token.at, node: -1}
		var err error
		switch p.token.kind {
		case word:
			name := p.intern(p.token.text)
			if err := p.next(); err != nil {
				return err
			}
			if e.node, err = p.mention(e.at, name, sub); err == nil {
				err = p.port()
			}
		case kwSubgraph, '{':
			e.sub, err = p.subgraph(sub, depth)
		default:
			err = wrong(p.token.at, "a node or a subgraph", "%v is no end of an edge", p.token)
		}
		if err != nil {
			return err
		}
		p.ends = append(p.ends, e)
	}
	if err := p.attrList(); err != nil {
		return err
	}
	p.joined = p.edgeDefaults(p.joined[:0], sub)
	p.joined = append(p.joined, p.attrs...)
	for i := base; i+1 < len(p.ends); i++ {
		if err := p.join(p.ends[i], p.ends[i+1]); err != nil {
			return err
		}
	}
	p.ends = p.ends[:base]
	return nil
}

func (p *parser) edgeDefaults(to []Attr, sub int) []Attr {
	if sub < 0 {
		return to
	}
	return append(p.edgeDefaults(to, p.subs[sub].parent), p.subs[sub].edge...)
}

// join makes the edges between two ends: from every node of the one to every node of the
// other.
func (p *parser) join(a, b end) error {
	if a.node >= 0 && b.node >= 0 {
		return p.oneEdge(a.at, a.node, b.node)
	}
	sources, err := p.nodesOf(a)
	if err != nil {
		return err
	}
	targets, err := p.nodesOf(b)
	if err != nil {
		return err
	}
	for _, from := range sources {
		for _, to := range targets {
			if err := p.oneEdge(a.at, from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parser) oneEdge(at Pos, from, to int) error {
	if err := p.work(at, 1); err != nil {
		return err
	}
	return p.handler.Edge(at, from, to, p.joined)
}

// work counts what edges cost, which the length of the file does not bound.
func (p *parser) work(at Pos, n int) error {
	if p.edges += n; p.edges > mostEdges {
		return wrong(at, "at most 50,000,000", "too many edges")
	}
	return nil
}

// nodesOf are the nodes of an end, in their order, each once.
func (p *parser) nodesOf(e end) ([]int, error) {
	if e.node >= 0 {
		return []int{e.node}, nil
	}
	var nodes []int
	for open := []int{e.sub}; len(open) > 0; {
		s := &p.subs[open[len(open)-1]]
		open = append(open[:len(open)-1], s.children...)
		nodes = append(nodes, s.members...)
		if err := p.work(e.at, 1+len(s.members)); err != nil {
			return nil, err
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes), nil
}
