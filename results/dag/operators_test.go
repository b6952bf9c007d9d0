package dag_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
	"partita/results/dag"
	"partita/results/dagcheck"
)

// drawNetwork is a plan of a random operator graph on some GPUs, with names that other
// rules of DAGs would read as layers, experts or collectives.
func drawNetwork(t *rapid.T) *results.Plan {
	n := rapid.IntRange(1, 8).Draw(t, "nodes")
	g := &inputs.Graph{}
	for v := range n {
		node := inputs.GraphNode{ID: rapid.IntRange(-3, 3).Draw(t, "id")*100 + v,
			Name: rapid.SampledFrom([]string{"", "layer 7 softmax", "expert 3", "all-reduce", "residual add", `a "quoted" \n name`, "input", "kv read"}).Draw(t, "name")}
		if rapid.Bool().Draw(t, "bytes") {
			b := float64(rapid.IntRange(0, 3).Draw(t, "output"))
			node.OutputBytes = &b
		}
		g.Nodes = append(g.Nodes, node)
	}
	for to := 1; to < n; to++ {
		for from := range to {
			if rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				g.Edges = append(g.Edges, inputs.GraphEdge{From: from, To: to})
			}
		}
	}
	p := &results.Plan{FormatVersion: results.FormatVersion, Condition: "net", Deployment: &results.Deployment{Model: inputs.Model{Name: "net", Graph: g}}}
	ph := results.PhasePlan{Phase: inputs.Inference}
	cuts := []int{0}
	for v := 1; v < n; v++ {
		if rapid.Bool().Draw(t, "cut") {
			cuts = append(cuts, v)
		}
	}
	cuts = append(cuts, n)
	for r := range rapid.IntRange(1, 20).Draw(t, "replicas") {
		for s := 0; s+1 < len(cuts); s++ {
			stage := results.Stage{Replica: r, Index: s, FirstLayer: cuts[s], LastLayer: cuts[s+1] - 1, Pool: "pool", GPUs: []string{fmt.Sprintf("node-%d/gpu-%d", r, s)},
				TP: 1, EP: 1, ETP: 1, CP: 1, DPAttention: 1}
			for v := cuts[s]; v < cuts[s+1]; v++ {
				stage.Nodes = append(stage.Nodes, g.Nodes[v].ID)
			}
			ph.Stages = append(ph.Stages, stage)
		}
	}
	p.Phases = []results.PhasePlan{ph}
	return p
}

// Every drawing of an operator graph keeps the rules of deployment DAGs, against its plan
// too, and has as many nodes as were counted.
func TestOperatorGraphsKeepTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawNetwork(t)
		for _, folded := range []bool{false, true} {
			var b bytes.Buffer
			if err := dag.Write(&b, p, dag.Options{Folded: folded}); err != nil {
				t.Fatal(err)
			}
			got, err := dagcheck.Check(bytes.NewReader(b.Bytes()), "net.dot", dagcheck.Options{Plan: p, Most: 20})
			if err != nil {
				t.Fatalf("%v\n%s", err, b.String())
			}
			if !got.OK {
				t.Fatalf("folded %t:\n%s\n%s", folded, got.Text(), b.String())
			}
			count, err := dag.Nodes(p, dag.Options{Folded: folded})
			if drawn := int64(strings.Count(b.String(), " [op=")); err != nil || count != drawn {
				t.Fatalf("%d nodes counted, %d drawn: %v", count, drawn, err)
			}
		}
	})
}

// A plan whose stages do not hold the graph is refused, whole.
func TestOperatorGraphsThatCannotBeDrawn(t *testing.T) {
	for name, spoil := range map[string]func(*results.Plan){
		"a node on no stage":   func(p *results.Plan) { p.Phases[0].Stages[1].Nodes = nil },
		"a node twice":         func(p *results.Plan) { p.Phases[0].Stages[1].Nodes = []int{1} },
		"an unknown node":      func(p *results.Plan) { p.Phases[0].Stages[1].Nodes = []int{9} },
		"stages out of order":  func(p *results.Plan) { p.Phases[0].Stages[1].Index = 4 },
		"a stage on two GPUs":  func(p *results.Plan) { p.Phases[0].Stages[1].GPUs = []string{"a", "b"} },
		"an edge from nowhere": func(p *results.Plan) { p.Deployment.Model.Graph.Edges[0].From = 5 },
		"no stages":            func(p *results.Plan) { p.Phases[0].Stages = nil },
	} {
		p := &results.Plan{Deployment: &results.Deployment{Model: inputs.Model{Graph: &inputs.Graph{
			Nodes: []inputs.GraphNode{{ID: 1}, {ID: 2}}, Edges: []inputs.GraphEdge{{From: 0, To: 1}}}}},
			Phases: []results.PhasePlan{{Phase: inputs.Inference, Stages: []results.Stage{
				{Index: 0, Nodes: []int{1}, GPUs: []string{"a"}}, {Index: 1, FirstLayer: 1, LastLayer: 1, Nodes: []int{2}, GPUs: []string{"b"}}}}}}
		spoil(p)
		var b bytes.Buffer
		if err := dag.Write(&b, p, dag.Options{}); err == nil || b.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes written", name, err, b.Len())
		}
	}
}
