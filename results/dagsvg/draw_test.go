package dagsvg

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

const sample = `digraph prefill { graph [phase=prefill label="a model: prefill"]
subgraph cluster_replica_0 { label="replica 0"
subgraph "cluster_gpu_node-0/gpu-0" { gpu="node-0/gpu-0" label="node-0/gpu-0\nH100, rank 0"
a [op=gate shape=parallelogram label="layers 3 to 60 (×58): router\nGPU: node-0/gpu-0\nInput: [x=1]\nOutput: [x=2]"]
b [op=dispatch shape=parallelogram label="layers 3 to 60 (×58): dispatch\nGPU: node-0/gpu-0\nInput: [x=1]\nOutput: [x=2]"]
a -> b [style=dashed]
c [op=embedding shape=box label="embedding\nGPU: node-0/gpu-0\nInput: [x=1]\nOutput: [x=2]"]
}}
in [op=input shape=ellipse label="input\nGPUs: node-0/gpu-0\nInput: [x=1]\nOutput: [x=1]"]
in -> c -> a
} digraph decode { graph [phase=decode] x -> y }`

// element is what a test looks at in a picture.
type element struct {
	name, class, text string
	attrs             map[string]string
}

// elements reads a picture as XML.
func elements(t interface {
	Helper()
	Fatalf(string, ...any)
}, svg []byte) []element {
	t.Helper()
	var all []element
	var open []int
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			e.class = e.attrs["class"]
			open = append(open, len(all))
			all = append(all, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				all[open[len(open)-1]].text += string(token)
			}
		}
	}
}

// allowed are the elements of a picture, and harmless the attributes: none runs anything
// or fetches anything.
var (
	allowed  = "svg g title style rect text polygon ellipse path line "
	harmless = "xmlns width height viewBox role style class fill stroke stroke-width stroke-dasharray d points x y x1 y1 x2 y2 cx cy rx ry text-anchor font-size font-weight transform "
)

func draw(t *testing.T, text string) []byte {
	t.Helper()
	svg, err := Draw(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return svg
}

func TestDraw(t *testing.T) {
	svg := draw(t, sample)
	counts := map[string]int{}
	var texts []string
	for _, e := range elements(t, svg) {
		if !strings.Contains(allowed, e.name+" ") {
			t.Errorf("element %s", e.name)
		}
		for name := range e.attrs {
			if !strings.Contains(harmless, name+" ") {
				t.Errorf("%s has the attribute %s", e.name, name)
			}
		}
		counts[e.class]++
		if e.name == "text" {
			texts = append(texts, e.text)
		}
	}
	for class, want := range map[string]int{"node compute": 1, "node communicate": 3, "node route": 2, "edge data": 3, "edge gate": 1, "cluster gpu": 1, "cluster around": 1, "cluster run": 1} {
		if counts[class] != want {
			t.Errorf("%d of class %q, want %d", counts[class], class, want)
		}
	}
	for _, want := range []string{"a model: prefill", "decode", "replica 0", "node-0/gpu-0", "H100, rank 0", "layers 3 to 60 (×58)", "router", "dispatch", "embedding", "GPU: node-0/gpu-0", "Input: [x=1]", "Output: [x=2]", "x", "y"} {
		found := false
		for _, text := range texts {
			found = found || text == want
		}
		if !found {
			t.Errorf("the picture does not say %q: %q", want, texts)
		}
	}
	if n := strings.Count(string(svg), "layers 3 to 60"); n != 1 {
		t.Errorf("the layers stand %d times in the picture, want once, on their box", n)
	}
}

// Same text, same bytes, also where several are drawn at once.
func TestDrawIsDeterministic(t *testing.T) {
	want := draw(t, sample)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got, err := Draw(strings.NewReader(sample)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("another picture (%v)", err)
			}
		})
	}
	all.Wait()
}

// Whatever names a condition has, they are text in the picture and nothing else.
func TestForeignNamesAreText(t *testing.T) {
	hostile := []string{`"; rm -rf ~; <script>alert(1)</script>`, `]]>&amp;<!-- --`, `</text><image href="http://x"/>`, "\x00\x1b[31m", "\u202eabc\ufffe", `\N\G\"`, "日本", "<b", "&", "}{][", "]; graph [stylesheet=x"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.SampledFrom(hostile), rapid.String()).Draw(t, "name")
		quoted := strings.ReplaceAll(strings.ReplaceAll(name, `\`, `\\`), `"`, `\"`)
		quoted = strings.NewReplacer("\x00", "", "\n", " ", "\r", " ").Replace(quoted)
		text := fmt.Sprintf(`digraph { label="%s: prefill" subgraph "cluster_%s" { gpu=x label="%s\n%s" a [label="layers %s: %s\nInput: %s" shape=box] } }`, quoted, quoted, quoted, quoted, quoted, quoted, quoted)
		svg, err := Draw(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, e := range elements(t, svg) {
			if !strings.Contains(allowed, e.name+" ") {
				t.Fatalf("element %s of %q", e.name, name)
			}
			for attr := range e.attrs {
				if !strings.Contains(harmless, attr+" ") {
					t.Fatalf("%s has the attribute %s of %q", e.name, attr, name)
				}
			}
		}
	})
}

func TestWhatIsNotDrawn(t *testing.T) {
	many := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i, i)
		}
		return "digraph {" + b.String() + "}"
	}
	for text, want := range map[string]string{
		"":                                    "the text holds no graph",
		"digraph {":                           "1:10: the file ends inside",
		many("n%d [label=%d]\n", MostNodes+1): ErrTooLarge.Error(),
		many("a -> b [x=%d y=%d]\n", 4*MostNodes+1): ErrTooLarge.Error(),
	} {
		svg, err := Draw(strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || svg != nil {
			t.Errorf("%.30q: %v, want %s", text, err, want)
		}
	}
	if _, err := layout("digraph { a -> "); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("Graphviz says nothing of a graph that is none: %v", err)
	}
	var not *LayoutError
	if err := error(&LayoutError{"g", errors.New("why")}); !errors.As(err, &not) || !strings.Contains(err.Error(), "why") {
		t.Error(err)
	}
}

// GPUs that work side by side stand in their order, whatever order has fewer crossings.
func TestGPUsStandInTheirOrder(t *testing.T) {
	var b strings.Builder
	b.WriteString("digraph { node [shape=ellipse]; in -> split; sum0; sum1; sum2; all; out; node [shape=box]\n")
	for i := range 8 {
		// A layer of tensor parallelism: embedding, attention and feed-forward, head.
		text := `subgraph cluster_@ { gpu="@" label="gpu @" e@ n@ q@ r@ w@ k@ s@ p@ a@ g@ u@ d@ h@ }
split -> e@ -> sum0 -> n@ -> q@ -> r@ -> w@ -> k@ -> s@ -> p@ -> sum1 -> a@; q@ -> w@; r@ -> s@; k@ -> p@; sum0 -> a@
a@ -> g@ -> d@; a@ -> u@ -> d@ -> sum2 -> h@ -> all; a@ -> h@
`
		b.WriteString(strings.ReplaceAll(text, "@", strconv.Itoa(i)))
	}
	b.WriteString("subgraph cluster_0 { t } all -> t -> out")
	var order []string
	at := map[string]float64{}
	for _, e := range elements(t, draw(t, b.String()+"}")) {
		if e.name == "text" && strings.HasPrefix(e.text, "gpu ") {
			x, err := strconv.ParseFloat(e.attrs["x"], 64)
			if err != nil {
				t.Fatal(err)
			}
			order, at[e.text] = append(order, e.text), x
		}
	}
	if len(order) != 8 || !slices.IsSortedFunc(slices.Sorted(maps.Keys(at)), func(a, b string) int { return cmp.Compare(at[a], at[b]) }) {
		t.Errorf("from left to right: %v", at)
	}
}
