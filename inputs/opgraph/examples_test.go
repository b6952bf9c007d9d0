package opgraph

import (
	"bytes"
	flags "flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flags.Bool("update", false, "write the graphs of examples/graphs anew from the shapes")

// The graphs of examples/graphs follow from published shapes by this arithmetic, which
// docs/operator-graphs.md repeats. A product of m×k with k×n is 2mkn FLOP; weights and
// activations are BF16. A layer is one node.
const element = 2 // bytes

// drawing collects the nodes and edges of a graph.
type drawing struct {
	name  string
	nodes []string
	edges []string
}

// block is the shape of one transformer layer: width, heads·head width, feed-forward width
// with its number of matrices.
type block struct{ width, inner, ffn, matrices int }

// layer is a transformer layer on new tokens: projections and scores of its self-attention
// over so many keys, and of a cross-attention over the encoder's tokens where it has one.
func (d *drawing) layer(name string, s block, batch, tokens, cross int, from ...int) int {
	n, keys := float64(batch*tokens), float64(tokens)
	w, q := float64(s.width), float64(s.inner)
	parameters := 4*w*q + float64(s.matrices)*w*float64(s.ffn)
	flops := 2*n*parameters + 4*n*keys*q
	kernels := 8 + s.matrices
	if cross > 0 {
		c := float64(batch * cross)
		parameters += 4 * w * q
		flops += 2*n*2*w*q + 2*c*2*w*q + 4*n*float64(cross)*q // query and output, key and value, scores
		kernels += 6
	}
	return d.node(name, flops, kernels, parameters, n*w, from...)
}

// node adds a node with its parameters and the elements of its output.
func (d *drawing) node(name string, flops float64, kernels int, parameters, output float64, from ...int) int {
	id := len(d.nodes)
	d.nodes = append(d.nodes, fmt.Sprintf(`{"id": %d, "name": %q, "flops": %.0f, "kernels": %d, "weight_bytes": %.0f, "activation_bytes": %.0f, "output_bytes": %.0f}`,
		id, name, flops, kernels, parameters*element, 2*output*element, output*element))
	for _, u := range from {
		d.edges = append(d.edges, fmt.Sprintf(`{"sourceId": %d, "destId": %d}`, u, id))
	}
	return id
}

func (d *drawing) json() []byte {
	var b bytes.Buffer
	list := func(items []string) {
		for i, item := range items {
			comma := ","
			if i == len(items)-1 {
				comma = ""
			}
			fmt.Fprintf(&b, "    %s%s\n", item, comma)
		}
	}
	fmt.Fprintf(&b, "{\n  \"name\": %q,\n  \"nodes\": [\n", d.name)
	list(d.nodes)
	b.WriteString("  ],\n  \"edges\": [\n")
	list(d.edges)
	b.WriteString("  ]\n}\n")
	return b.Bytes()
}

// t5 is T5-11B (24 encoder and 24 decoder layers of width 1024, 128 heads of 128,
// feed-forward width 65536, vocabulary 32128) scoring 128 target tokens of 8 texts of 512:
// every decoder layer reads the encoder's output.
func t5() *drawing {
	const batch, source, target, width, vocab = 8, 512, 128, 1024, 32128
	s := block{width, 128 * 128, 65536, 2}
	d := &drawing{name: "t5-11b"}
	x := d.node("embed source", 0, 1, vocab*width, batch*source*width)
	for i := range 24 {
		x = d.layer(fmt.Sprintf("encoder %d", i), s, batch, source, 0, x)
	}
	y := d.node("embed target", 0, 1, vocab*width, batch*target*width)
	for i := range 24 {
		y = d.layer(fmt.Sprintf("decoder %d", i), s, batch, target, source, y, x)
	}
	d.node("head", 2*batch*target*width*vocab, 1, vocab*width, batch*target*vocab, y)
	return d
}

// twoTowers is a vision-language model of 7B with two vision towers, as OpenVLA and
// Prismatic have them: SigLIP SO400M/14 (27 layers, width 1152, 4304) and DINOv2 L/14 (24
// layers, width 1024, 4096) on 224×224 pixels, 256 patches each, joined channel by channel,
// projected (2176 → 8704 → 4096 → 4096) and read by Llama-2-7B (32 layers, width 4096,
// 11008) with 64 tokens of text; 16 pictures at once.
func twoTowers() *drawing {
	const batch, patches, text, vocab = 16, 256, 64, 32064
	d := &drawing{name: "vision-language-7b"}
	tower := func(name string, s block, layers, tokens int, from int) int {
		const pixels = 14 * 14 * 3
		x := d.node(name+" patches", 2*batch*patches*pixels*float64(s.width), 2, float64((pixels+tokens)*s.width), float64(batch*tokens*s.width), from)
		for i := range layers {
			x = d.layer(fmt.Sprintf("%s %d", name, i), s, batch, tokens, 0, x)
		}
		return x
	}
	picture := d.node("pictures", 0, 0, 0, batch*224*224*3)
	a := tower("siglip", block{1152, 1152, 4304, 2}, 27, patches, picture)
	b := tower("dinov2", block{1024, 1024, 4096, 2}, 24, patches+5, picture)
	const joined, wide, width = 1152 + 1024, 4 * (1152 + 1024), 4096
	parameters := float64(joined*wide + wide*width + width*width)
	p := d.node("projector", 2*batch*patches*parameters, 5, parameters, batch*patches*width, a, b)
	x := d.node("embed text", 0, 1, vocab*width, batch*text*width)
	x = d.node("join", 0, 1, 0, batch*(patches+text)*width, p, x)
	for i := range 32 {
		x = d.layer(fmt.Sprintf("llama %d", i), block{width, width, 11008, 3}, batch, patches+text, 0, x)
	}
	d.node("head", 2*batch*text*width*vocab, 1, vocab*width, batch*text*vocab, x)
	return d
}

func TestExamplesFollowFromShapes(t *testing.T) {
	for _, d := range []*drawing{t5(), twoTowers()} {
		path := filepath.Join("..", "..", "examples", "graphs", d.name+".json")
		if *update {
			if err := os.WriteFile(path, d.json(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(d.json()), string(data)); diff != "" {
			t.Errorf("%s is not what its shapes give; go test ./inputs/opgraph -update (-want +got):\n%s", path, diff)
		}
		m, err := ParseModel(path, data)
		if err != nil {
			t.Fatal(err)
		}
		var weights int64
		for _, n := range m.Graph.Nodes {
			weights += n.WeightBytes
		}
		// The published sizes: 11.3B parameters with the embeddings twice, 7.5B.
		if b := float64(weights) / element / 1e9; d.name == "t5-11b" && (b < 11.2 || b > 11.5) || d.name == "vision-language-7b" && (b < 7.3 || b > 7.7) {
			t.Errorf("%s has %.2fB parameters", d.name, b)
		}
	}
}
