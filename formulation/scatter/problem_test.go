package scatter

import (
	"math"
	"slices"
	"strings"
	"testing"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
	"partita/solver"

	"pgregory.net/rapid"
)

// node is an operator of a graph by hand: a tenth of its core's speed on an accelerator.
func node(time float64, send float64, colour int) opgraph.Node {
	return opgraph.Node{OnAccelerator: true, AcceleratorTime: time, CPUTime: 10 * time, Bytes: int64(10 * time), Send: send, Colour: colour}
}

func edges(g *opgraph.Graph, pairs ...[2]int) {
	for _, e := range pairs {
		g.Edges = append(g.Edges, opgraph.Edge{From: e[0], To: e[1], Cost: g.Nodes[e[0]].Send})
	}
}

func TestClassesAreOneCluster(t *testing.T) {
	g := &opgraph.Graph{Accelerators: 2, CPUs: 1, AcceleratorBytes: 1000}
	free := opgraph.NoColour
	g.Nodes = []opgraph.Node{node(1, 5, 7), node(2, 3, free), node(4, 2, 7), node(8, 0, free)}
	// Both of the class send to node 3: one net with both costs. Node 0 sends to node 2
	// as well, which is at home.
	edges(g, [2]int{0, 2}, [2]int{0, 3}, [2]int{2, 3}, [2]int{1, 3})
	p := newProblem(g)
	if len(p.clusters) != 3 || !slices.Equal(p.clusters[0].nodes, []int{0, 2}) {
		t.Fatalf("clusters %+v", p.clusters)
	}
	if c := p.clusters[0]; c.work != p.ticks(5) || c.cpu != p.ticks(50) || c.bytes != 50 {
		t.Errorf("the class is %+v", c)
	}
	if len(p.nets) != 2 || p.nets[0].cost+p.nets[1].cost != p.ticks(5+2+3) {
		t.Errorf("nets %+v", p.nets)
	}
}

func TestIdleNodesGoWithTheirOnlyNeighbour(t *testing.T) {
	g := &opgraph.Graph{Accelerators: 2, AcceleratorBytes: 1000}
	free := opgraph.NoColour
	// A chain of idle nodes before the work, an idle end behind it, and one between two.
	g.Nodes = []opgraph.Node{node(0, 1, free), node(0, 1, free), node(3, 1, free), node(0, 0, free), node(0, 1, free), node(4, 0, free)}
	edges(g, [2]int{0, 1}, [2]int{1, 2}, [2]int{2, 3}, [2]int{2, 4}, [2]int{4, 5})
	p := newProblem(g)
	var sizes []int
	for i := range p.clusters {
		sizes = append(sizes, len(p.clusters[i].nodes))
	}
	slices.Sort(sizes)
	if !slices.Equal(sizes, []int{1, 1, 4}) {
		t.Errorf("clusters of %v nodes; the idle one between two works stays free", sizes)
	}
	// A node that only a core runs draws no idle accelerator node to it.
	g = &opgraph.Graph{Accelerators: 1, CPUs: 1, AcceleratorBytes: 1000, Nodes: []opgraph.Node{node(0, 1, free), node(3, 0, free)}}
	edges(g, [2]int{0, 1})
	g.Nodes[0].OnAccelerator = false
	if p := newProblem(g); len(p.clusters) != 2 {
		t.Errorf("a node for cores joined one that may run anywhere: %+v", p.clusters)
	}
}

func TestTicksAreFine(t *testing.T) {
	for _, scale := range []float64{1e-9, 1, 1e9} {
		g := &opgraph.Graph{Accelerators: 6, CPUs: 1, AcceleratorBytes: 1 << 40}
		for range 1000 {
			g.Nodes = append(g.Nodes, node(scale, scale, opgraph.NoColour))
		}
		p := newProblem(g)
		sum := p.everything()
		if sum <= 0 || sum > 1<<(tickBits+1) {
			t.Errorf("times of %g ms: %d ticks in all", scale, sum)
		}
		if got := p.ms(p.ticks(scale)); math.Abs(got-scale) > 1e-9*scale {
			t.Errorf("%g ms is %g ms in ticks", scale, got)
		}
	}
}

// TestAssignmentsGoThereAndBack: what expand gives, given takes.
func TestAssignmentsGoThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newProblem(smallGraph(t))
		for _, device := range [][]int32{greedyStart(p, false), greedyStart(p, true), chainStart(p, narrowOrder(p))} {
			if device == nil {
				continue
			}
			nodes := p.expand(device)
			if !possible(p.g, nodes) {
				t.Fatalf("%v breaks a rule", nodes)
			}
			if back := given(p, nodes); !slices.Equal(back, device) {
				t.Fatalf("%v is %v again", device, back)
			}
		}
	})
}

func TestWhatFitsNowhereIsSaid(t *testing.T) {
	free := opgraph.NoColour
	for _, row := range []struct {
		name   string
		change func(*opgraph.Graph)
		want   string
	}{
		{"a node that nothing runs", func(g *opgraph.Graph) { g.Nodes[1].OnAccelerator = false }, "node 11 "},
		{"a node larger than a device", func(g *opgraph.Graph) { g.Nodes[1].Bytes = 41 }, "node 11 "},
		{"a class larger than a device", func(g *opgraph.Graph) { g.Nodes[0].Colour, g.Nodes[1].Colour = 3, 3 }, "of its class fit no device together"},
		{"all larger than all devices", func(g *opgraph.Graph) { g.Accelerators = 1 }, "70 bytes"},
		{"three thirds for two halves", func(g *opgraph.Graph) {
			g.Nodes = append(g.Nodes, node(2.5, 0, free))
			g.Nodes[0].Bytes, g.Nodes[1].Bytes = 25, 25
		}, "all assignments"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := &opgraph.Graph{Accelerators: 2, AcceleratorBytes: 40, Nodes: []opgraph.Node{node(3, 1, free), node(4, 1, free)}}
			g.Nodes[0].ID, g.Nodes[1].ID = 10, 11
			row.change(g)
			r := solved(t, g, Options{})
			if r.Status != solver.Infeasible || r.Device != nil || !strings.Contains(r.Because, row.want) {
				t.Errorf("%+v; want infeasible because of %q", r, row.want)
			}
		})
	}
}

// TestTightMemoryIsPacked: where the largest first does not pack, the tree does; and a
// search without any turn left ends.
func TestTightMemoryIsPacked(t *testing.T) {
	g := &opgraph.Graph{Accelerators: 3, AcceleratorBytes: 100}
	for _, bytes := range []int64{44, 44, 24, 24, 22, 21, 17, 8, 8, 6, 56, 26} {
		n := node(float64(bytes%7)+1, 1, opgraph.NoColour)
		n.Bytes, n.ID = bytes, len(g.Nodes)
		g.Nodes = append(g.Nodes, n)
	}
	for v := 1; v < len(g.Nodes); v++ {
		edges(g, [2]int{v - 1, v})
	}
	if p := newProblem(g); greedyStart(p, true) != nil || greedyStart(p, false) != nil || chainStart(p, narrowOrder(p)) != nil {
		t.Fatal("a start fits; the case shows nothing")
	}
	r := solved(t, g, Options{})
	if r.Device == nil || !possible(g, r.Device) || r.Status != solver.Optimal {
		t.Errorf("%+v", r)
	}
	alone := narrowGraph(30)
	alone.Accelerators, alone.CPUs = 1, 0
	if r := solved(t, alone, Options{}); r.Status != solver.Optimal {
		t.Errorf("one device: %+v", r)
	}
}

// optimum solves a small graph, which the tree settles; +Inf: infeasible.
func optimum(t *rapid.T, g *opgraph.Graph) float64 {
	r, err := Solve(t.Context(), g, Options{})
	if err != nil || r.Status != solver.Optimal && r.Status != solver.Infeasible {
		t.Fatalf("%+v, %v", r, err)
	}
	return r.Value
}

// TestMoreNeverHurts: of memory, of accelerators, of cores; and all times twice as long
// make the load twice as large.
func TestMoreNeverHurts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		value := optimum(t, g)
		memory, accelerators, cores := *g, *g, *g
		memory.AcceleratorBytes++
		accelerators.Accelerators++
		cores.CPUs++
		for name, more := range map[string]*opgraph.Graph{"memory": &memory, "accelerators": &accelerators, "cores": &cores} {
			if v := optimum(t, more); v > value && !near(v, value) {
				t.Fatalf("%g, with more %s %g", value, name, v)
			}
		}
		twice := *g
		twice.Nodes, twice.Edges = slices.Clone(g.Nodes), slices.Clone(g.Edges)
		for v := range twice.Nodes {
			n := &twice.Nodes[v]
			n.AcceleratorTime, n.CPUTime, n.Send = 2*n.AcceleratorTime, 2*n.CPUTime, 2*n.Send
		}
		for e := range twice.Edges {
			twice.Edges[e].Cost *= 2
		}
		if v := optimum(t, &twice); v != 2*value && !near(v, 2*value) {
			t.Fatalf("%g, with all times twice as long %g", value, v)
		}
	})
}

// renumbered is a graph with its nodes in the opposite order.
func renumbered(g *opgraph.Graph) *opgraph.Graph {
	other := *g
	n := len(g.Nodes)
	other.Nodes, other.Edges = slices.Clone(g.Nodes), slices.Clone(g.Edges)
	slices.Reverse(other.Nodes)
	slices.Reverse(other.Edges)
	for i := range other.Edges {
		e := &other.Edges[i]
		e.From, e.To = n-1-e.From, n-1-e.To
	}
	return &other
}

func TestNumbersOfNodesDoNotMatter(t *testing.T) {
	graphs := published(t)
	for _, name := range []string{"layer-bert24_training", "operator-bert_l-3_inference"} {
		a, b := solved(t, graphs[name], Options{}), solved(t, renumbered(graphs[name]), Options{})
		if a.Status != solver.Optimal || b.Status != solver.Optimal || !near(a.Value, b.Value) {
			t.Errorf("%s: %v %.9f, renumbered %v %.9f", name, a.Status, a.Value, b.Status, b.Value)
		}
		if v := slices.Max(assignment.Loads(graphs[name], a.Device)); v != a.Value {
			t.Errorf("%s: load %g, value %g", name, v, a.Value)
		}
	}
}
