package dot

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadsTheWholeLanguage(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"nothing but a graph", "digraph {}", "\"\" directed=true strict=false\ngraph []"},
		{"byte order mark, preprocessor, comments", "\xef\xbb\xbf# 1 \"x\"\n/* a */ // b\nGraph g{a--b}", `"g" directed=false strict=false
edge "a" "b" []
graph []
node "a" []
node "b" []`},
		{"strings put together and continued", "digraph {\"a\" + /* x */ \"b\\\nc\" [l=\"x\\\"y\\n\\\\\"]}", `"" directed=true strict=false
graph []
node "abc" ["l"="x\"y\\n\\\\"]`},
		{"HTML", "digraph {a [label=<<b>x</b> <i/> \"}>]}", `"" directed=true strict=false
graph []
node "a" ["label"="<b>x</b> <i/> \"}"]`},
		{"a flag", "digraph {a [bold; x=1 y=2,z=3]}", `"" directed=true strict=false
graph []
node "a" ["bold"="true" "x"="1" "y"="2" "z"="3"]`},
		{"defaults by scope", "digraph {a node [x=1] b subgraph s {node [x=2] edge [k=v] c a -> d} e; e -> f [k=w]}", `"" directed=true strict=false
edge "a" "d" ["k"="v"]
edge "e" "f" ["k"="w"]
graph []
node "a" []
node "b" ["x"="1"]
node "c" ["x"="2"]
node "d" ["x"="2"]
node "e" ["x"="1"]
node "f" ["x"="1"]
sub /s ["a" "c" "d"]`},
		{"a subgraph opened again and as an end", "digraph {subgraph s {a} subgraph s {b} subgraph s -> {c; d} -> e:p:n}", `"" directed=true strict=false
edge "a" "c" []
edge "a" "d" []
edge "b" "c" []
edge "b" "d" []
edge "c" "e" []
edge "d" "e" []
graph []
node "a" []
node "b" []
node "c" []
node "d" []
node "e" []
sub /#2 ["c" "d"]
sub /s ["a" "b"]`},
		{"keywords in quotes are names", `digraph "digraph" {"node" -> "edge"; "graph"="x"}`, `"digraph" directed=true strict=false
edge "node" "edge" []
graph [".graph"="x"]
node "edge" []
node "node" []`},
		{"attributes of subgraphs", "digraph {rank=same; subgraph c {graph [label=x] gpu=y}}", `"" directed=true strict=false
graph [".rank"="same" "/c.gpu"="y" "/c.label"="x"]
sub /c []`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := mustRead(t, row.text); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	r := &record{}
	if _, err := Read(strings.NewReader("digraph {\n  ä -> b\n\t/* x\n */ \"c\" [x=1]\n}"), r); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.places); got != "[2:3 2:8 4:5]" {
		t.Errorf("places are %s", got)
	}
}

// What a file is read in is of no matter.
func TestReadsByteByByte(t *testing.T) {
	text := "strict digraph \"a\\\\\" {a -> b [label=\"x\\\ny\" + \"z\"]; subgraph c {d /* e */}} // end"
	r := &record{}
	if _, err := Read(iotest.OneByteReader(strings.NewReader(text)), r); err != nil {
		t.Fatal(err)
	}
	if got, want := r.graphs[0], mustRead(t, text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"digraph":                  `1:8: the end of the file after the head of the graph; expected "{"`,
		"graph {a":                 `1:9: the file ends inside the graph or subgraph that starts at 1:1: it was cut off, or a brace is missing; expected "}"`,
		"digraph {\n\"a":           `2:1: the string that starts here never ends; expected "\"" before the end of the file`,
		"digraph {a [label=<b}":    `1:19: the HTML string that starts here never ends; expected ">" before the end of the file`,
		"digraph {/* a }":          `1:10: the comment that starts here never ends; expected "*/" before the end of the file`,
		"digraph {a [b=]}":         `1:15: "]" after "b ="; expected a value (quoted, where it is a keyword)`,
		"digraph {a [b=1":          `1:12: the attributes that start here never end; expected "]"`,
		"digraph {node -> a}":      `1:15: "->" after "node", which is a keyword: a node of that name needs quotes; expected "["`,
		"digraph {2a}":             `1:10: "2a" is no number; expected a number, or quotes around a name that starts like one`,
		"digraph {a; } } ":         `1:15: "}" starts no graph; expected "digraph"`,
		"digraph {a + b}":          `1:12: "+" puts quoted strings together; expected quoted strings on both sides of it`,
		"digraph {\"a\" + b}":      `1:16: nothing to put together after "+"; expected a quoted string`,
		"graph {a -> b}":           `1:10: "->" is no edge of an undirected graph; expected "--", or "digraph" as the kind of graph`,
		"digraph {a ! b}":          `1:12: "!" does not belong here; expected a name, a quoted string or one of { } [ ] = ; , : -> --`,
		"digraph {a:}":             `1:12: "}" after ":"; expected a port or a compass point`,
		"d\x00i":                   `1:1: "d" starts no graph; expected "digraph"`,
		"\x00":                     `1:1: a NUL byte: the file is binary or in UTF-16; expected text`,
		"digraph {a / b}":          `1:12: "/" starts no comment; expected // or /* */`,
		"digraph {a #b\n}":         `1:12: "#" starts a line that is left out only as its first character; expected comments as // or /* */`,
		"digraph { subgraph = 3 }": `1:20: "=" after "subgraph"; expected a name or "{"`,
		"digraph {a -> [x=1]}":     `1:15: "[" is no end of an edge; expected a node or a subgraph`,
		"digraph {a {}; [":         `1:16: "[" starts no statement; expected a node, an edge, an attribute, a subgraph or the closing brace`,
	} {
		_, err := read(text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

// Short files that ask for much are refused, and soon.
func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"nesting":  "digraph {" + strings.Repeat("{", 100_000),
		"edges":    "digraph {" + set("a", 8000) + " -> " + set("b", 8000) + "}",
		"chain":    "digraph { subgraph s " + set("a", 20_000) + strings.Repeat(" subgraph s -> b\n", 20_000) + "}",
		"defaults": "digraph { node " + strings.Repeat("[x", 1) + many("y%d=1 ", 600) + "] }",
	} {
		var syntax *SyntaxError
		if _, err := Read(strings.NewReader(text), &nothing{}); !errors.As(err, &syntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Read(io.MultiReader(strings.NewReader("digraph { \""), endless{}), &nothing{})
	if err == nil || !strings.Contains(err.Error(), "longer than any label") {
		t.Errorf("an endless string: %v", err)
	}
}

func many(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func set(name string, n int) string { return "{" + many(name+"%d ", n) + "}" }

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// nothing is a handler that keeps nothing.
type nothing struct{}

func (*nothing) Begin(Pos, Header) error              { return nil }
func (*nothing) Subgraph(Pos, int, int, string) error { return nil }
func (*nothing) GraphAttr(int, Attr) error            { return nil }
func (*nothing) Node(Pos, int, string) error          { return nil }
func (*nothing) Member(int, int) error                { return nil }
func (*nothing) NodeAttr(int, Attr) error             { return nil }
func (*nothing) Edge(Pos, int, int, []Attr) error     { return nil }
func (*nothing) End(Pos) error                        { return nil }

func FuzzRead(f *testing.F) {
	f.Add("digraph {a -> {b c} [x=\"y\"+\"z\"] subgraph s {node [k=v]}} graph {d--e}")
	f.Add("strict digraph <x<y>> {\"\\\"\\\\\" [l=<<b>>]; -1.5:p:n -> .5}")
	f.Add("# x\n/**/digraph{//\n}")
	f.Fuzz(func(t *testing.T, text string) {
		graphs, err := read(text)
		if err != nil || len(text) > 1<<12 {
			return
		}
		again, err := read(text)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(graphs) {
			t.Fatalf("reads %q in two ways: %v", text, err)
		}
	})
}

func TestLabel(t *testing.T) {
	for _, row := range []struct {
		text string
		html bool
		want string
	}{
		{`a\nb\lc\rd`, false, "a\nb\nc\nd"},
		{`\N of \G\\n \"x\" \T\`, false, `v of g\n "x" T\`},
		{`<b>a</b><BR/>b &lt;c&gt;<br align="left"/>d`, true, "a\nb <c>\nd"},
		{`<table><tr><td>a</td><td>b</td></tr></table>`, true, "\n\n\na\n\nb\n\n\n"},
		{`a <b`, true, "a "},
		{`a\nb`, true, `a\nb`},
	} {
		if got := string(Value{Text: []byte(row.text), HTML: row.html}.Label(nil, "v", "g")); got != row.want {
			t.Errorf("%q: %q, want %q", row.text, got, row.want)
		}
	}
}
