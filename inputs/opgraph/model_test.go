package opgraph

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"partita/inputs"
)

func number(v float64) *float64 { return &v }
func whole(v int) *int          { return &v }

// Both forms are read: the published one with its devices told as not used, ours with work
// and bytes.
func TestModelForms(t *testing.T) {
	const published = `{"maxFPGAs": 2, "maxCPUs": 1, "maxSizePerFPGA": 1e9,
"nodes": [{"id": 7, "name": "a", "cpuLatency": 9, "fpgaLatency": 1.5, "size": 10.5, "supportedOnFpga": 1, "colorClass": 3, "isBackwardNode": 0, "layerId": 1},
 {"id": 9, "fpgaLatency": 2, "colorClass": -1, "isBackwardNode": true}],
"edges": [{"sourceId": 7, "destId": 9, "cost": 0.25, "size": 100}]}`
	const ours = `{"name": "net", "nodes": [
{"id": 1, "flops": 1e9, "weight_bytes": 100, "activation_bytes": 7, "output_bytes": 40},
{"id": 2, "flops": 0, "kernels": 0, "traffic_bytes": 12, "times": {"H100": 0.5}}],
"edges": [{"sourceId": 1, "destId": 2}]}`
	for _, row := range []struct {
		text string
		want Model
	}{
		{published, Model{Ignored: []string{"maxFPGAs", "maxCPUs", "maxSizePerFPGA"}, Graph: &inputs.Graph{
			Nodes: []inputs.GraphNode{
				{ID: 7, Name: "a", TimeMS: number(1.5), Kernels: 1, MemoryBytes: 11, SendMS: 0.25, Colour: whole(3)},
				{ID: 9, TimeMS: number(2), Kernels: 1, Backward: true},
			},
			Edges: []inputs.GraphEdge{{From: 0, To: 1}},
		}}},
		{ours, Model{Name: "net", Graph: &inputs.Graph{
			Nodes: []inputs.GraphNode{
				{ID: 1, FLOPs: number(1e9), Kernels: 1, MemoryBytes: 107, WeightBytes: 100, ActivationBytes: 7, OutputBytes: number(40)},
				{ID: 2, FLOPs: number(0), TrafficBytes: number(12), TimesMS: map[string]float64{"H100": 0.5}},
			},
			Edges: []inputs.GraphEdge{{From: 0, To: 1}},
		}}},
	} {
		got, err := ParseModel("g.json", []byte(row.text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&row.want, got, cmpopts.IgnoreFields(inputs.GraphNode{}, "Place")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// All that is wrong is told at once, each where it stands.
func TestModelProblems(t *testing.T) {
	for _, row := range []struct {
		text string
		want []string
	}{
		{`{"nodes": [], "edges": []}`, []string{"g.json:1:1: no nodes"}},
		{`{"nodes": [{"id": 1, "fpgaLatency": 1}`, []string{"not JSON"}},
		{`{"nodes": [{"id": 1.5, "fpgaLatency": 1}], "edges": []}`, []string{": id: number 1.5, want a whole number"}},
		{`{"nodes": [
{"id": 1, "flop": 1e9},
{"id": 2, "fpgaLatency": -1},
{"fpgaLatency": 1},
{"id": 2, "fpgaLatency": 1},
{"id": 3, "flops": 1, "size": 4, "weight_bytes": 4},
{"id": 4, "fpgaLatency": 1, "supportedOnFpga": 0},
{"id": 5, "times": {"H100": -1}, "kernels": -2, "weight_bytes": -1}],
"edges": [
{"sourceId": 1, "destId": 99, "cost": 1},
{"sourceId": 1, "destId": 2},
{"sourceId": 3, "destId": 2, "cost": 1, "bytes": 3},
{"sourceId": 3, "destId": 4, "cost": 2}]}`, []string{
			`g.json:2:11: unknown field "flop"`, `did you mean "flops"?`, "g.json:2:1: node 1 has no time", "g.json:3:1: node 2: fpgaLatency -1", "g.json:4:1: a node without id",
			"g.json:5:1: id 2 is given to two nodes", "g.json:6:1: node 3 has a size beside weight_bytes", "g.json:7:1: node 4 runs on no accelerator",
			"g.json:8:1: node 5: times.H100 -1", "node 5: kernels -2", "node 5: weight_bytes -1",
			"g.json:10:1: destId 99", "g.json:11:1: an edge out of node 1 without a cost", `g.json:12:41: unknown field "bytes"`, "edges out of node 3 cost 1 and 2",
		}},
		{`{"nodes": [{"id": 1, "flops": 1, "output_bytes": 4}, {"id": 2, "flops": 1}], "edges": [{"sourceId": 1, "destId": 2, "cost": 1}]}`,
			[]string{"a cost beside the node's output_bytes"}},
		{`{"nodes": [{"id": 1, "fpgaLatency": 1}, {"id": 2, "fpgaLatency": 1}, {"id": 3, "fpgaLatency": 1}],
"edges": [{"sourceId": 1, "destId": 2, "cost": 1}, {"sourceId": 2, "destId": 1, "cost": 1}, {"sourceId": 2, "destId": 3, "cost": 1}]}`,
			[]string{"is on a cycle"}},
		{`{"nodes": [{"id": 1, "fpgaLatency": 1}], "edges": [], "layers": 3}`, []string{`unknown field "layers"`}},
	} {
		_, err := ParseModel("g.json", []byte(row.text))
		if err == nil {
			t.Errorf("no problem in %s", row.text)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not told of\n%s\nbut\n%v", want, row.text, err)
			}
		}
		if _, ok := err.(inputs.Diagnostics); !ok {
			t.Errorf("%T is no list of problems", err)
		}
	}
}

// A field that nobody knows is told once, however many nodes have it.
func TestUnknownFieldOnce(t *testing.T) {
	_, err := ParseModel("g.json", []byte(`{"nodes": [{"id": 1, "flops": 1, "x": {"flops": [1]}}, {"id": 2, "flops": 1, "x": 1}], "edges": []}`))
	if err == nil || strings.Count(err.Error(), "unknown field") != 1 {
		t.Errorf("got %v", err)
	}
}

// Every published graph is read as a model, with as many nodes, edges and colours as
// as an instance.
func TestPublishedGraphsAsModels(t *testing.T) {
	paths, _ := filepath.Glob("../../../shared/instances/dnn-partitioning/throughput/*.json")
	if len(paths) == 0 {
		t.Skip("the published instances are not beside the project")
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseModel(path, data)
		if err != nil {
			t.Fatal(err)
		}
		g, err := Parse(path, "", data)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Graph.Nodes) != len(g.Nodes) || len(m.Graph.Edges) != len(g.Edges) {
			t.Errorf("%s: %d nodes and %d edges, the instance has %d and %d", path, len(m.Graph.Nodes), len(m.Graph.Edges), len(g.Nodes), len(g.Edges))
		}
		for v, n := range m.Graph.Nodes {
			is := g.Nodes[v]
			if *n.TimeMS != is.AcceleratorTime || n.MemoryBytes != is.Bytes || n.SendMS != is.Send || n.Backward != is.Backward {
				t.Fatalf("%s: %s is %+v, the instance has %+v", path, n.Label(), n, is)
			}
		}
	}
}

// No text makes the reader panic.
func FuzzParseModel(f *testing.F) {
	f.Add([]byte(`{"nodes": [{"id": 1, "flops": 1e9, "times": {"a": 1}}], "edges": [{"sourceId": 1, "destId": 1, "cost": 0}]}`))
	f.Add([]byte(`{"nodes": {"id": 1}, "edges": 3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := ParseModel("f.json", data); err == nil && len(m.Graph.Nodes) == 0 {
			t.Error("a graph without nodes")
		}
	})
}
