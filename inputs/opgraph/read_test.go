package opgraph_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs/opgraph"
)

const small = `{"maxSizePerFPGA": 100.9, "maxFPGAs": 2, "maxCPUs": 1,
 "nodes": [
  {"id": 7, "name": "a", "supportedOnFpga": 1, "cpuLatency": 10, "fpgaLatency": 1.5, "isBackwardNode": 0, "colorClass": 3, "size": 10.2},
  {"id": 2, "supportedOnFpga": false, "cpuLatency": 20, "isBackwardNode": true, "size": 0}],
 "edges": [{"sourceId": 7, "destId": 2, "cost": 0.25, "size": 4}]}`

func TestParse(t *testing.T) {
	g, err := opgraph.Parse("g.json", "g", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if g.Accelerators != 2 || g.CPUs != 1 || g.AcceleratorBytes != 100 {
		t.Errorf("devices %d + %d of %d bytes; memory is rounded down", g.Accelerators, g.CPUs, g.AcceleratorBytes)
	}
	a, b := g.Nodes[0], g.Nodes[1]
	if a.ID != 7 || a.Colour != 3 || a.Send != 0.25 || a.Bytes != 11 || !a.OnAccelerator || a.Backward {
		t.Errorf("node %+v; sizes are rounded up", a)
	}
	if b.OnAccelerator || !b.Backward || b.Colour != opgraph.NoColour || !math.IsInf(b.AcceleratorTime, 1) {
		t.Errorf("node %+v", b)
	}
	if a.Place.Line != 3 || a.Place.Col != 3 || b.Place.Line != 4 {
		t.Errorf("nodes at %v and %v", a.Place, b.Place)
	}
	if !g.IsCPU(2) || g.IsCPU(1) || g.Devices() != 3 {
		t.Error("the accelerators come first, then the cores")
	}
}

// TestProblems: everything that is wrong is told at once, where it is.
func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"syntax":  {"{\"nodes\": [}", []string{"g.json:1:12: not JSON"}},
		"missing": {`{"nodes": [{"id": 1, "cpuLatency": 1, "fpgaLatency": 1}], "edges": []}`, []string{"maxFPGAs is missing", "maxCPUs is missing", "maxSizePerFPGA is missing"}},
		"many": {`{"maxSizePerFPGA": -1, "maxFPGAs": 1, "maxCPUs": 1, "nodes": [
{"id": 1, "cpuLatency": 1, "fpgaLatency": -3},
{"id": 1, "cpuLatency": 1, "fpgaLatency": 1},
{"id": 2, "cpuLatency": 1, "fpgaLatency": 1},
{"id": 3, "fpgaLatency": 1, "size": -4},
{"cpuLatency": 1}],
"edges": [{"sourceId": 2, "destId": 9, "cost": 1},
{"sourceId": 2, "destId": 3, "cost": 1}, {"sourceId": 2, "destId": 1, "cost": 2},
{"sourceId": 2, "destId": 1}]}`, []string{"maxSizePerFPGA: -1", "g.json:2:1: node 1: fpgaLatency -3", "g.json:3:1: id 1 is given to two nodes",
			"g.json:5:1: node 3: cpuLatency is missing", "g.json:5:1: node 3: size -4", "g.json:6:1: a node without id", "g.json:7:11: destId 9",
			"g.json:8:42: edges out of node 2 cost 1 and 2", "g.json:9:1: an edge with a wrong cost"}},
		"type": {`{"maxSizePerFPGA": 1, "maxFPGAs": 1, "maxCPUs": 1, "nodes": [{"id": "x", "cpuLatency": 1, "fpgaLatency": 1}], "edges": []}`, []string{"id: string, want a whole number"}},
		"cycle": {`{"maxSizePerFPGA": 1, "maxFPGAs": 1, "maxCPUs": 1, "nodes": [{"id": 1, "cpuLatency": 1, "fpgaLatency": 1}, {"id": 2, "cpuLatency": 1, "fpgaLatency": 1}],
"edges": [{"sourceId": 1, "destId": 2, "cost": 0}, {"sourceId": 2, "destId": 1, "cost": 0}]}`, []string{"has a cycle"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := opgraph.Parse("g.json", "g", []byte(c.text))
			if err == nil {
				t.Fatal("read without a problem")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q among\n%v", want, err)
				}
			}
			if n := strings.Count(err.Error(), "\n") + 1; n != len(c.want) {
				t.Errorf("%d problems, want %d:\n%v", n, len(c.want), err)
			}
		})
	}
}

// TestPublished reads every published graph; an edge never goes against the order.
func TestPublished(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/instances/dnn-partitioning/*/*.json")
	if len(files) == 0 {
		t.Skip("the published instances are not here")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		g, err := opgraph.Parse(file, filepath.Base(file), data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		order, ok := g.Topological()
		at := make([]int, len(g.Nodes))
		for i, v := range order {
			at[v] = i
		}
		for _, e := range g.Edges {
			if !ok || at[e.From] >= at[e.To] {
				t.Fatalf("%s: edge %v goes backwards", file, e)
			}
		}
	}
}

// TestAnyBytes: no input makes the reader fail otherwise than by a diagnostic.
func TestAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(small)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text[i] = rapid.SampledFrom([]byte(`0-1e9{}[]",:x `)).Draw(t, "byte")
		}
		if g, err := opgraph.Parse("g.json", "g", text); err == nil && len(g.Nodes) == 0 {
			t.Fatal("a graph without nodes")
		}
	})
}
