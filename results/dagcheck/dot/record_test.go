package dot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// record is a handler that notes what a graph comes to, in a form that can be compared.
type record struct {
	head    string
	names   []string
	attrs   []map[string]string
	places  []Pos
	edges   []string
	subs    []string // paths
	members map[string]map[string]bool
	graph   map[string]string // attributes of graphs, by path and name
	graphs  []string
}

func (r *record) Begin(at Pos, h Header) error {
	*r = record{head: fmt.Sprintf("%q directed=%v strict=%v", h.Name, h.Directed, h.Strict), subs: []string{""},
		members: map[string]map[string]bool{}, graph: map[string]string{}, graphs: r.graphs}
	return nil
}

func (r *record) Subgraph(_ Pos, sub, parent int, name string) error {
	if sub != len(r.subs) || parent >= sub {
		return fmt.Errorf("subgraph %d in %d comes after %d", sub, parent, len(r.subs))
	}
	if name == "" {
		name = fmt.Sprintf("#%d", sub)
	}
	r.subs = append(r.subs, r.subs[parent]+"/"+name)
	r.members[r.subs[sub]] = map[string]bool{}
	return nil
}

func (r *record) GraphAttr(sub int, a Attr) error {
	r.graph[r.subs[sub]+"."+a.Name] = string(a.Text)
	return nil
}

func (r *record) Node(at Pos, node int, name string) error {
	if node != len(r.names) {
		return fmt.Errorf("node %d comes after %d", node, len(r.names))
	}
	r.names = append(r.names, name)
	r.places = append(r.places, at)
	r.attrs = append(r.attrs, map[string]string{})
	return nil
}

// Member notes a node in a subgraph and in those around it.
func (r *record) Member(node, sub int) error {
	for path := r.subs[sub]; path != ""; path = path[:strings.LastIndexByte(path, '/')] {
		r.members[path][r.names[node]] = true
	}
	return nil
}

func (r *record) NodeAttr(node int, a Attr) error {
	r.attrs[node][a.Name] = string(a.Text)
	return nil
}

func (r *record) Edge(_ Pos, from, to int, attrs []Attr) error {
	all := map[string]string{}
	for _, a := range attrs {
		all[a.Name] = string(a.Text)
	}
	r.edges = append(r.edges, fmt.Sprintf("%q %q %s", r.names[from], r.names[to], sorted(all)))
	return nil
}

func (r *record) End(Pos) error {
	r.graphs = append(r.graphs, r.String())
	return nil
}

func sorted(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%q=%q", k, m[k]))
	}
	return "[" + strings.Join(out, " ") + "]"
}

// String has everything in an order that does not depend on how a reader goes about it.
func (r *record) String() string {
	lines := []string{}
	for i, name := range r.names {
		lines = append(lines, fmt.Sprintf("node %q %s", name, sorted(r.attrs[i])))
	}
	for _, e := range r.edges {
		lines = append(lines, "edge "+e)
	}
	for path, nodes := range r.members {
		lines = append(lines, fmt.Sprintf("sub %s %q", path, slices.Sorted(maps.Keys(nodes))))
	}
	lines = append(lines, "graph "+sorted(r.graph))
	slices.Sort(lines)
	return r.head + "\n" + strings.Join(lines, "\n")
}

// read is what our reader makes of a text.
func read(text string) ([]string, error) {
	r := &record{}
	_, err := Read(strings.NewReader(text), r)
	return r.graphs, err
}

func mustRead(t *testing.T, text string) string {
	t.Helper()
	graphs, err := read(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return strings.Join(graphs, "\n")
}
