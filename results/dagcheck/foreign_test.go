package dagcheck

import (
	"slices"
	"strings"
	"testing"
)

// foreign is a graph of another writer: no attributes but labels, shapes and clusters, in
// HTML and records too.
const foreign = `// by hand
strict digraph "prefill of a small model" {
  node [shape=box]
  x [shape=ellipse, label="Input\nGPUs: 0, 1\nInput: [batch_size=4, seq_len=8]\nOutput: [batch_size=4, seq_len=8]"]
  subgraph cluster_0 {
    label="GPU 0"
    e0 [label=<<b>Embedding</b><br/>GPU: 0<br/>Input: [batch_size=4, seq_len=8]<br/>Output: [batch_size=4, seq_len=8, d=16]>]
    m0 [shape=record, label="{Layer 0 MLP|GPU: 0|Input: [batch_size=4, seq_len=8, d=16]|Output: [batch_size=4, seq_len=8, d=16]}"]
    r0 [label="Layer 0 residual add\lGPU: 0\lInput: [batch_size=4,seq_len=8,d=16], [batch_size=4, seq_len=8, d=16]\lOutput: [batch_size=4, seq_len=8, d=16]\l"]
  }
  subgraph cluster_1 {
    label="GPU 1"
    e1 [label="Embedding\nGPU: GPU 1\nInput: [batch_size=4, seq_len=8]\nOutput: [batch_size=4, seq_len=8, d=16]"]
    m1 [label="Layer 0 MLP\nGPU: 1\nInput: [batch_size=4, seq_len=8, d=16]\nOutput: [batch_size=4, seq_len=8, d=16]"]
  }
  ar [shape=ellipse, label="Layer 0 All-Reduce\nGPUs: 0,\n1\nInput: [batch_size=4, seq_len=8, d=16]\nOutput: [batch_size=4, seq_len=8, d=16]"]
  r1 [label="sum\nGPU: 1\nInput: [batch_size=4, seq_len=8, d=16]\nOutput: [batch_size=4, seq_len=8, d=16]"]
  subgraph cluster_1 { r1 }
  last [shape=ellipse, label="Output\nGPU: 0, 1\nInput: [batch_size=4, seq_len=8, d=16]\nOutput: [batch_size=4, seq_len=8, d=16]"]
  x -> {e0 e1}
  e0 -> m0 -> ar
  e1 -> m1 -> ar
  ar -> r0:n
  ar -> r1
  e0 -> r0
  {r0; r1} -> last
}
`

func TestGraphOfAnotherWriter(t *testing.T) {
	r := checked(t, foreign, Options{})
	if !r.OK {
		t.Fatal(r.Text())
	}
	for rule, n := range map[string]int{"gpu": 9, "cluster": 9, "residual": 1, "participants": 3, "conservation": 3, "traffic": 8, "experts": 0, "gate": 0, "kv": 0} {
		rules := r.Graphs[0].Rules
		at := slices.IndexFunc(rules, func(t Ticked) bool { return t.Rule == rule })
		if got := rules[at]; got.Checked != n || n == 0 && got.Unchecked == "" {
			t.Errorf("%s was checked on %d, want %d (%s)", rule, got.Checked, n, got.Unchecked)
		}
	}
	// What an operator is that no word tells is not known, and the report says so.
	if shape := r.Graphs[0].Rules[1]; shape.Rule != "shape" || shape.Unchecked != "5 nodes without an operator" {
		t.Errorf("%+v", shape)
	}
	for from, to := range map[string]string{
		"e0 -> r0":                        "e0 -> e0",      // a cycle, and one input of the add
		"GPUs: 0,\\n1":                    "GPUs: 0",       // a participant not named
		"ar -> r1":                        "m0 -> r1",      // between GPUs past all nodes
		"[batch_size=4,seq_len=8,d=16], ": "[d=2]; ",       // another shape
		"ar [shape=ellipse":               "ar [shape=box", // a collective drawn as computation
		`label="GPU 1"`:                   `label="a box"`, // a GPU without a cluster
	} {
		text := strings.Replace(foreign, from, to, 1)
		if r := checked(t, text, Options{}); text == foreign || r.OK {
			t.Errorf("%q for %q is not told of", to, from)
		}
	}
}

func TestAClusterForTwoGPUsOfOneName(t *testing.T) {
	text := strings.Replace(foreign, `label="GPU 1"`, `label="GPU 0"`, 1)
	r := checked(t, text, Options{})
	if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Rule == "cluster" && strings.Contains(f.Message, "a second cluster of the GPU 0")
	}) {
		t.Error(r.Text())
	}
}

func TestANodeInTwoClusters(t *testing.T) {
	text := strings.Replace(foreign, "subgraph cluster_1 { r1 }", "subgraph cluster_1 { r1 m0 }", 1)
	r := checked(t, text, Options{})
	if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Rule == "cluster" && strings.Contains(f.Message, "clusters of two GPUs")
	}) {
		t.Error(r.Text())
	}
}

func TestGPULists(t *testing.T) {
	for text, good := range map[string]bool{
		"node-0/gpu-3": true, "0": true, "GPU 0, GPU 1": true, "gpu-0,gpu-1": true, "h100/node-0/gpu-7": true, "10.0.0.1/gpu-0": true,
		"all": false, "All GPUs": false, "0-7": false, "GPU0-GPU7": false, "gpu 0 to 7": false, "0..7": false, "0, …, 7": false, "0, 0": false,
		"each GPU": false, "0~7": false, "node-*": false, "0 – 7": false, ", ,": false,
	} {
		s := newGPUSets()
		if set := s.of[s.list([]byte(text))]; (set.problem == "") != good {
			t.Errorf("%q: %v %q", text, set.ids, set.problem)
		}
	}
}

func TestTensors(t *testing.T) {
	s := newTensors()
	same := s.of[s.list([]byte("[ batch_size = 4,d=2 ] ; [batch_size=4, d=2]"))]
	if len(same.tensors) != 2 || len(same.distinct) != 1 || s.all[same.distinct[0]].text != "[batch_size=4, d=2]" || s.all[same.distinct[0]].elements != 8 {
		t.Errorf("%+v %+v", same, s.all)
	}
	for _, text := range []string{"[]", "[a]", "[a=]", "[a=0]", "[a=-1]", "[a=1.5]", "[a=1, a=2]", "[a=1", "a=1]", "[=1]", "[a=99999999999999999999]", "none"} {
		if bad := s.of[s.list([]byte(text))]; bad.problem == "" {
			t.Errorf("%q is taken: %+v", text, bad)
		}
	}
	huge := s.of[s.list([]byte("[a=9000000000000000000, b=9000000000000000000]"))]
	if e := s.all[huge.distinct[0]].elements; e != 1<<63-1 {
		t.Errorf("%d elements", e)
	}
}

// Dimensions that are not there cannot agree, and no rule passes for want of them.
func TestAGraphWithoutDimensions(t *testing.T) {
	r := checked(t, `digraph decode { subgraph cluster_gpu_0 { a [shape=box label="softmax\nGPU: 0"] } a -> b }`, Options{})
	for _, rule := range r.Graphs[0].Rules {
		switch rule.Rule {
		case "agreement":
			if rule.Checked != 0 || rule.Unchecked != "1 edge at nodes without dimensions" {
				t.Errorf("%+v", rule)
			}
		case "decode":
			if rule.Checked != 0 || rule.Unchecked != "2 nodes without dimensions" {
				t.Errorf("%+v", rule)
			}
		}
	}
}
