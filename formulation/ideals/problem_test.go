package ideals

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
)

// drawGraph is a random acyclic graph with colours, backward nodes, nodes that no
// accelerator runs, and memory that may bind.
func drawGraph(t *rapid.T, most int) *opgraph.Graph {
	n := rapid.IntRange(1, most).Draw(t, "nodes")
	g := &opgraph.Graph{
		Accelerators: rapid.IntRange(0, 3).Draw(t, "accelerators"),
		CPUs:         rapid.IntRange(0, 2).Draw(t, "cores"),
	}
	training := rapid.Bool().Draw(t, "training")
	colours := rapid.IntRange(1, 2*n).Draw(t, "colours")
	total := int64(0)
	for v := 0; v < n; v++ {
		node := opgraph.Node{ID: v, Colour: opgraph.NoColour, OnAccelerator: rapid.IntRange(0, 9).Draw(t, "runs") > 0,
			AcceleratorTime: float64(rapid.IntRange(0, 8).Draw(t, "time")),
			CPUTime:         float64(rapid.IntRange(0, 20).Draw(t, "slow")),
			Bytes:           int64(rapid.IntRange(0, 5).Draw(t, "bytes")),
			Send:            float64(rapid.IntRange(0, 4).Draw(t, "send"))}
		if rapid.Bool().Draw(t, "coloured") {
			node.Colour = rapid.IntRange(0, colours).Draw(t, "colour")
		}
		node.Backward = training && v >= n/2
		g.Nodes = append(g.Nodes, node)
		total += node.Bytes
	}
	density := rapid.IntRange(1, 4).Draw(t, "density")
	for to := 1; to < n; to++ {
		for from := 0; from < to; from++ {
			if rapid.IntRange(0, 5).Draw(t, "edge") < density {
				g.Edges = append(g.Edges, opgraph.Edge{From: from, To: to, Cost: g.Nodes[from].Send})
			}
		}
	}
	g.AcceleratorBytes = total
	if rapid.Bool().Draw(t, "binds") {
		g.AcceleratorBytes = total/2 + 1
	}
	return g
}

func TestLoadsAreThoseOfAssignments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t, 12)
		if g.Devices() == 0 {
			g.CPUs = 1
		}
		p := FromGraph(g)
		stages := make([]Stage, g.Devices())
		for d := range stages {
			if g.IsCPU(d) {
				stages[d].Class = cores
			}
		}
		device := make([]int, len(g.Nodes))
		for v := range device {
			device[v] = rapid.IntRange(0, g.Devices()-1).Draw(t, "device")
			stages[device[v]].Nodes = append(stages[device[v]].Nodes, v)
			if !g.Nodes[v].OnAccelerator && device[v] < g.Accelerators {
				g.Nodes[v].AcceleratorTime = math.Inf(1)
			}
		}
		if diff := cmp.Diff(assignment.Loads(g, device), p.Loads(stages)); diff != "" {
			t.Fatalf("loads of one placement differ (-assignment +ideals):\n%s", diff)
		}
	})
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	sound := func() *Problem {
		return &Problem{Nodes: []Node{{Colour: NoColour}, {Colour: NoColour}}, Edges: []Edge{{0, 1}},
			Classes: []Class{{Name: "gpu", Count: 1, Time: []float64{1, 2}, Transfer: []float64{1, 0}, Bytes: Unlimited}}}
	}
	if err := sound().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Problem){
		"no nodes":        func(p *Problem) { p.Nodes = nil },
		"0 → 2 of 2":      func(p *Problem) { p.Edges[0].To = 2 },
		"-1 bytes":        func(p *Problem) { p.Nodes[1].Bytes = -1 },
		"times of 1":      func(p *Problem) { p.Classes[0].Time = []float64{1} },
		"time NaN":        func(p *Problem) { p.Classes[0].Time[1] = math.NaN() },
		"transfer +Inf":   func(p *Problem) { p.Classes[0].Transfer[0] = math.Inf(1) },
		"transfers of 1":  func(p *Problem) { p.Classes[0].Transfer = []float64{1} },
		"-1 devices":      func(p *Problem) { p.Classes[0].Count = -1 },
		"more than":       func(p *Problem) { p.Nodes[0].Bytes, p.Nodes[1].Bytes = mostBytes, 1 },
		"time 1e+301":     func(p *Problem) { p.Classes[0].Time[1] = 1e301 },
		"61 classes":      func(p *Problem) { p.Classes = make([]Class, 61) },
		"-5 bytes of mem": func(p *Problem) { p.Classes[0].Bytes = -5 },
	} {
		p := sound()
		spoil(p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
