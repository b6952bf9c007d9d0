package dagcheck

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// drawing is a deployment DAG that tests change before it is written: two replicas of two
// stages, tensor parallelism 2, a dense layer and a layer with four experts.
type drawing struct {
	phase, attrs string
	nodes        []*drawn
	edges        []*link
}

type drawn struct {
	id, op, shape, cluster    string
	name, gpus, input, output string
	layer, expert             string
}

type link struct {
	from, to string
	dashed   bool
}

func (d *drawing) node(id string) *drawn {
	return d.nodes[slices.IndexFunc(d.nodes, func(n *drawn) bool { return n.id == id })]
}

func (d *drawing) edge(from, to string) *link {
	return d.edges[slices.IndexFunc(d.edges, func(e *link) bool { return e.from == from && e.to == to })]
}

func (d *drawing) cut(from, to string) {
	e := d.edge(from, to)
	d.edges = slices.DeleteFunc(d.edges, func(f *link) bool { return f == e })
}

func (d *drawing) remove(id string) {
	d.nodes = slices.DeleteFunc(d.nodes, func(n *drawn) bool { return n.id == id })
	d.edges = slices.DeleteFunc(d.edges, func(e *link) bool { return e.from == id || e.to == id })
}

func (d *drawing) link(from, to string) { d.edges = append(d.edges, &link{from: from, to: to}) }

// on puts a node on a GPU, after nodes.
func (d *drawing) on(gpu, id, op, layer, input, output string, after ...string) *drawn {
	n := &drawn{id: id, op: op, shape: "box", cluster: gpu, name: op, gpus: "GPU: " + gpu, input: input, output: output, layer: layer}
	switch op {
	case "send", "receive":
		n.shape = "ellipse"
	case "gate", "top_k", "dispatch", "combine", "slice":
		n.shape = "parallelogram"
	}
	d.nodes = append(d.nodes, n)
	for _, a := range after {
		d.link(a, id)
	}
	return n
}

// between puts a node between GPUs.
func (d *drawing) between(gpus, id, op, input, output string, after ...string) {
	d.on("", id, op, "", input, output, after...)
	n := d.node(id)
	n.gpus, n.shape = "GPUs: "+gpus, "ellipse"
	if op == "split" || op == "concat" {
		n.shape = "parallelogram"
	}
}

func valid(phase string) *drawing {
	d := &drawing{phase: phase}
	seq := 6
	if phase == "decode" {
		seq = 1
	}
	t := func(dims string) string { return fmt.Sprintf("[batch_size=2, seq_len=%d, %s]", seq, dims) }
	tokens, all := fmt.Sprintf("[batch_size=2, seq_len=%d]", seq), fmt.Sprintf("[batch_size=4, seq_len=%d]", seq)
	hidden, halves := t("d_model=64"), t("d_model=32")
	const starts = "n0/gpu-0, n0/gpu-1, n1/gpu-0, n1/gpu-1"
	d.between(starts, "in", "input", all, all)
	d.between(starts, "split", "split", all, tokens+"; "+tokens, "in")
	var ends []string
	for r := range 2 {
		gpu := func(i int) string { return fmt.Sprintf("n%d/gpu-%d", r, i) }
		id := func(name string, i int) string { return fmt.Sprintf("r%d_%s_%d", r, name, i) }
		first, second := gpu(0)+", "+gpu(1), gpu(2)+", "+gpu(3)
		for i := range 2 {
			d.on(gpu(i), id("embed", i), "embedding", "", tokens, hidden, "split")
			d.attention(id, gpu(i), i, hidden, t)
		}
		d.between(first, id("scatter", 0), "reduce_scatter", hidden, halves, id("proj", 0), id("proj", 1))
		for i := range 2 {
			d.on(gpu(i), id("act", i), "activation", "0", halves, halves, id("scatter", 0))
		}
		d.between(first, id("gather", 0), "all_gather", halves, hidden, id("act", 0), id("act", 1))
		for i := range 2 {
			d.on(gpu(i), id("add", i), "residual_add", "0", hidden+"; "+hidden, hidden, id("embed", i), id("gather", 0))
			d.on(gpu(i), id("send", i), "send", "", hidden, hidden, id("add", i))
			d.on(gpu(i+2), id("recv", i), "receive", "", hidden, hidden, id("send", i))
			d.experts(id, gpu(i+2), i, hidden, t)
		}
		d.between(second, id("reduce", 0), "all_reduce", hidden, hidden, id("combine", 0), id("combine", 1))
		for i := range 2 {
			d.on(gpu(i+2), id("sum", i), "residual_add", "1", hidden+"; "+hidden, hidden, id("recv", i), id("reduce", 0))
			d.on(gpu(i+2), id("head", i), "lm_head", "", hidden, t("vocabulary=50"), id("sum", i))
		}
		d.between(second, id("logits", 0), "all_gather", t("vocabulary=50"), t("vocabulary=100"), id("head", 0), id("head", 1))
		d.on(gpu(2), id("sample", 0), "sampling", "", t("vocabulary=100"), tokens, id("logits", 0))
		ends = append(ends, id("sample", 0))
	}
	d.between("n0/gpu-2, n1/gpu-2", "join", "concat", tokens+"; "+tokens, all, ends...)
	d.between("n0/gpu-2, n1/gpu-2", "out", "output", all, all, "join")
	return d
}

func (d *drawing) attention(id func(string, int) string, gpu string, i int, hidden string, t func(string) string) {
	q, kv, cache := t("heads=4, d_k=8"), t("kv_heads=2, d_k=8"), "[batch_size=2, kv_len=6, kv_heads=2, d_k=8]"
	scores := t("heads=4, kv_len=6")
	d.on(gpu, id("norm", i), "rms_norm", "0", hidden, hidden, id("embed", i))
	d.on(gpu, id("qkv", i), "qkv_projection", "0", hidden, q+"; "+kv, id("norm", i))
	d.on(gpu, id("write", i), "kv_write", "0", kv, cache, id("qkv", i))
	d.on(gpu, id("read", i), "kv_read", "0", cache, cache, id("write", i))
	d.on(gpu, id("scores", i), "attention_scores", "0", q+"; "+cache, scores, id("qkv", i), id("read", i))
	d.on(gpu, id("soft", i), "softmax", "0", scores, scores, id("scores", i))
	d.on(gpu, id("sums", i), "weighted_sum", "0", scores+"; "+cache, q, id("soft", i), id("read", i))
	d.on(gpu, id("proj", i), "output_projection", "0", q, hidden, id("sums", i))
}

func (d *drawing) experts(id func(string, int) string, gpu string, i int, hidden string, t func(string) string) {
	choice, chosen := t("chosen=2"), "[tokens=3, d_model=64]"
	d.on(gpu, id("gate", i), "gate", "1", hidden, t("experts=4"), id("recv", i))
	d.on(gpu, id("top", i), "top_k", "1", t("experts=4"), choice, id("gate", i))
	d.on(gpu, id("dispatch", i), "dispatch", "1", hidden+"; "+choice, chosen, id("recv", i), id("top", i))
	d.edge(id("top", i), id("dispatch", i)).dashed = true
	d.on(gpu, id("combine", i), "combine", "1", chosen+"; "+choice, hidden, id("top", i))
	for e := 2 * i; e < 2*i+2; e++ {
		d.on(gpu, id(fmt.Sprintf("expert%d", e), i), "expert_up", "1", chosen, chosen, id("dispatch", i)).expert = fmt.Sprint(e)
		d.link(id(fmt.Sprintf("expert%d", e), i), id("combine", i))
	}
}

// String is the drawing as DOT, in the form of partita's own.
func (d *drawing) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  graph [%s]\n", d.phase, strings.TrimPrefix(fmt.Sprintf("%s, phase=%s", d.attrs, d.phase), ", "))
	write := func(cluster string) {
		for _, n := range d.nodes {
			if n.cluster == cluster {
				b.WriteString(n.String())
			}
		}
	}
	for r := range 2 {
		fmt.Fprintf(&b, "  subgraph cluster_replica_%d {\n", r)
		for s := range 2 {
			fmt.Fprintf(&b, "    subgraph cluster_stage_%d_%d {\n", r, s)
			for i := 2 * s; i < 2*s+2; i++ {
				gpu := fmt.Sprintf("n%d/gpu-%d", r, i)
				fmt.Fprintf(&b, "      subgraph \"cluster_gpu_%s\" {\n        gpu=%q\n", gpu, gpu)
				write(gpu)
				b.WriteString("      }\n")
			}
			b.WriteString("    }\n")
		}
		b.WriteString("  }\n")
	}
	write("")
	for _, e := range d.edges {
		style := ""
		if e.dashed {
			style = " [style=dashed]"
		}
		fmt.Fprintf(&b, "  %s -> %s%s\n", e.from, e.to, style)
	}
	return b.String() + "}\n"
}

func (n *drawn) String() string {
	var attrs []string
	for _, a := range [][2]string{{"op", n.op}, {"shape", n.shape}, {"layer", n.layer}, {"expert", n.expert}} {
		if a[1] != "" {
			attrs = append(attrs, fmt.Sprintf("%s=%q", a[0], a[1]))
		}
	}
	lines := []string{n.name}
	for _, line := range [][2]string{{"", n.gpus}, {"Input: ", n.input}, {"Output: ", n.output}} {
		if line[1] != "" {
			lines = append(lines, line[0]+line[1])
		}
	}
	return fmt.Sprintf("        %s [%s, label=\"%s\"]\n", n.id, strings.Join(attrs, ", "), strings.Join(lines, `\n`))
}

// checked is the report of a text, which must be DOT.
func checked(t *testing.T, text string, o Options) *Report {
	t.Helper()
	r, err := Check(strings.NewReader(text), "x.dot", o)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return r
}
