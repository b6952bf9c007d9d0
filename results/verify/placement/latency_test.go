package placement

import (
	"math"
	"strings"
	"testing"

	"partita/inputs/opgraph"
	"partita/results"
)

// fork is a graph of a fork and a join, with a plan that keeps every rule: the fork and
// one way on an accelerator, the join on another, the second way on the CPU.
func fork() (*opgraph.Graph, *results.PlacedSolution) {
	g := &opgraph.Graph{Accelerators: 2, CPUs: 2, AcceleratorBytes: 10}
	for v, cpu := range []float64{10, 20, 30, 40} {
		g.Nodes = append(g.Nodes, opgraph.Node{ID: 11 + v, OnAccelerator: v != 2, CPUTime: cpu, AcceleratorTime: cpu / 10, Bytes: 5, Colour: opgraph.NoColour})
	}
	g.Nodes[0].Send, g.Nodes[1].Send, g.Nodes[2].Send = 3, 5, 7
	for _, e := range [][2]int{{0, 1}, {0, 2}, {1, 3}, {2, 3}} {
		g.Edges = append(g.Edges, opgraph.Edge{From: e[0], To: e[1], Cost: g.Nodes[e[0]].Send})
	}
	return g, &results.PlacedSolution{Devices: []results.PlacedDevice{
		{Device: "accelerator-0", Nodes: []int{11, 12}, LoadMS: 11, Bytes: 10},
		{Device: "accelerator-1", Nodes: []int{14}, LoadMS: 16, Bytes: 5},
		{Device: "cpu-0", Nodes: []int{13}, LoadMS: 30, Bytes: 5},
	}}
}

func TestLatencyByHand(t *testing.T) {
	g, s := fork()
	// Block 0: work 1 + 2, sends 3 + 5: ends at 11. Node 13: 41. Block 1: 4 + 5 + 7 after that.
	if got, err := Latency(g, s); err != nil || got != 57 {
		t.Errorf("%v, %v: want 57", got, err)
	}
	s.Devices = []results.PlacedDevice{{Device: "cpu-1", Nodes: []int{11, 12, 13, 14}, LoadMS: 100, Bytes: 20}}
	if got, err := Latency(g, s); err != nil || got != 80 {
		t.Errorf("all on the CPU: %v, %v: want 80", got, err)
	}
	// Cores are one pool: a class may lie on two of them.
	g.Nodes[1].Colour, g.Nodes[2].Colour = 1, 1
	s.Devices = []results.PlacedDevice{
		{Device: "cpu-0", Nodes: []int{11, 12}, Bytes: 10},
		{Device: "cpu-1", Nodes: []int{13, 14}, Bytes: 10},
	}
	if got, err := Latency(g, s); err != nil || got != 80 {
		t.Errorf("on two cores: %v, %v: want 80", got, err)
	}
}

func TestLatencyTellsWhatIsBroken(t *testing.T) {
	for want, spoil := range map[string]func(*opgraph.Graph, *results.PlacedSolution){
		"node 13 is on no device":        func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices = s.Devices[:2] },
		"node 14 is on two devices":      func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[2].Nodes = []int{13, 14} },
		"the graph has no node 15":       func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[2].Nodes = []int{13, 15} },
		`device "accelerator-2"`:         func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[1].Device = "accelerator-2" },
		`device "gpu-0"`:                 func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[1].Device = "gpu-0" },
		`device "cpu-00"`:                func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[2].Device = "cpu-00" },
		"accelerator-0 is listed twice":  func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[1].Device = "accelerator-0" },
		"10 bytes, an accelerator has 9": func(g *opgraph.Graph, _ *results.PlacedSolution) { g.AcceleratorBytes = 9 },
		"the solution says 6":            func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[1].Bytes = 6 },
		"nodes 11 and 14 of class 3":     func(g *opgraph.Graph, _ *results.PlacedSolution) { g.Nodes[0].Colour, g.Nodes[3].Colour = 3, 3 },
		"node 13 runs on a core only": func(_ *opgraph.Graph, s *results.PlacedSolution) {
			s.Devices[1].Nodes, s.Devices[2].Nodes = []int{13}, []int{14}
		},
		"takes 16 ms, the solution says 15": func(_ *opgraph.Graph, s *results.PlacedSolution) { s.Devices[1].LoadMS = 15 },
		"waits for itself": func(g *opgraph.Graph, s *results.PlacedSolution) { // 11 and 14 around 12
			s.Devices[0].Nodes, s.Devices[1].Nodes = []int{11, 14}, []int{12}
		},
	} {
		t.Run(want, func(t *testing.T) {
			g, s := fork()
			spoil(g, s)
			if value, err := Latency(g, s); err == nil || !strings.Contains(err.Error(), want) || math.IsNaN(value) {
				t.Errorf("%v, %v: want %q", value, err, want)
			}
		})
	}
}
