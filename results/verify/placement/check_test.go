package placement

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"partita/inputs/instance"
	"partita/inputs/opgraph"
	"partita/results"
)

func number(x float64) *float64 { return &x }

// chainCase is a pipeline over three layers, proved.
func chainCase() (*instance.Instance, *results.Placed) {
	i := &instance.Instance{Name: "c", Chain: &instance.Chain{Layers: 3, Machines: []instance.Machine{
		{Type: "big", Count: 1, Throughput: []float64{30, 20}},
		{Type: "small", Count: 2, Throughput: []float64{9, 6}},
	}}}
	return i, &results.Placed{Name: "c", Goal: "series", Sense: "maximize", Status: "optimal", Objective: number(9), BestBound: number(9), Gap: number(0),
		Solution: &results.PlacedSolution{Stages: []results.PlacedStage{
			{FirstLayer: 0, LastLayer: 1, Machine: "big", TokensPerS: 20}, {FirstLayer: 2, LastLayer: 2, Machine: "small", Index: 1, TokensPerS: 9}}}}
}

// rentalCase fills one instance of six GPUs by groups of 4 and 2, and one of two.
func rentalCase() (*instance.Instance, *results.Placed) {
	i := &instance.Instance{Name: "r", Rental: &instance.Rental{
		Layers: 4, MaxStages: 3, Batch: 8, MicroBatch: 2, RealWorldEfficiency: 0.5,
		Types: []instance.RentalType{{Name: "six", Count: 1, GPUs: 6, USDPerHour: 10.1}, {Name: "two", Count: 2, GPUs: 2, USDPerHour: 2.2}},
		Segments: []instance.Segment{{Type: "six", TP: 4, Layers: 2, TokensPerS: 50}, {Type: "six", TP: 2, Layers: 1, TokensPerS: 60},
			{Type: "two", TP: 2, Layers: 1, TokensPerS: 40}, {Type: "two", TP: 1, Layers: 1, TokensPerS: 45}},
	}}
	price := 12.3 / (40 * 0.9 * 4 / 6 * 0.5 * 3600) * 1e6
	return i, &results.Placed{Name: "r", Goal: "usd-per-million", Sense: "minimize", Status: "time limit", Objective: number(price), BestBound: number(price / 2), Gap: number(0.5),
		Solution: &results.PlacedSolution{Stages: []results.PlacedStage{
			{FirstLayer: 0, LastLayer: 1, Machine: "six", TP: 4, TokensPerS: 50}, {FirstLayer: 2, LastLayer: 2, Machine: "six", TP: 2, TokensPerS: 60},
			{FirstLayer: 3, LastLayer: 3, Machine: "two", TP: 2, TokensPerS: 40}},
			Rented: []results.PlacedRental{{Type: "six", Count: 1}, {Type: "two", Count: 1}}, USDPerHour: 12.3}}
}

// graphCase is a diamond with a tail: 0 → {1, 2} → 3 → 4, of which 4 runs on cores only
// and 1 and 3 are of one class. By loads: accelerator-0 works 1 and 2 ms, sends node 0
// (0.5) and takes node 2 (0.25); accelerator-1 works 4, takes 0 (0.5), sends 2 (0.25).
func graphCase() (*instance.Instance, *results.Placed) {
	g := &opgraph.Graph{Name: "g", Accelerators: 2, CPUs: 2, AcceleratorBytes: 100, Nodes: []opgraph.Node{
		{ID: 10, OnAccelerator: true, CPUTime: 10, AcceleratorTime: 1, Bytes: 30, Send: 0.5, Colour: opgraph.NoColour},
		{ID: 11, OnAccelerator: true, CPUTime: 10, AcceleratorTime: 2, Bytes: 30, Send: 0.75, Colour: 5},
		{ID: 12, OnAccelerator: true, CPUTime: 10, AcceleratorTime: 4, Bytes: 70, Send: 0.25, Colour: opgraph.NoColour},
		{ID: 13, OnAccelerator: true, CPUTime: 10, AcceleratorTime: 1, Bytes: 30, Send: 0.125, Colour: 5},
		{ID: 14, CPUTime: 3, AcceleratorTime: math.Inf(1), Bytes: 999, Colour: opgraph.NoColour},
	}, Edges: []opgraph.Edge{{From: 0, To: 1, Cost: 0.5}, {From: 0, To: 2, Cost: 0.5}, {From: 1, To: 3, Cost: 0.75}, {From: 2, To: 3, Cost: 0.25}, {From: 3, To: 4, Cost: 0.125}}}
	return &instance.Instance{Name: "g", Graph: g}, &results.Placed{Name: "g", Goal: "noncontiguous", Sense: "minimize", Status: "optimal", Objective: number(4.875), BestBound: number(4.875), Gap: number(0),
		Solution: &results.PlacedSolution{Devices: []results.PlacedDevice{
			{Device: "accelerator-0", Nodes: []int{10, 11, 13}, LoadMS: 4.875, Bytes: 90}, // 1+2+1 + sends 0.5 and 0.125 + takes 0.25
			{Device: "accelerator-1", Nodes: []int{12}, LoadMS: 4.75, Bytes: 70},
			{Device: "cpu-1", Nodes: []int{14}, LoadMS: 3, Bytes: 999}}}}
}

// latencyCase: node 10 on the accelerator ends at 1 + 0.5; then 11 on another takes
// 0.5 + 2 + 0.75 and 12 on the cores 10, after which 13 takes 0.75 + 0.25 + 1 + 0.125.
func latencyCase() (*instance.Instance, *results.Placed) {
	i, p := graphCase()
	i.Graph.Accelerators = 3
	for v := range i.Graph.Nodes {
		i.Graph.Nodes[v].Colour = opgraph.NoColour
	}
	p.Goal, p.Objective, p.BestBound = "latency", number(1.5+10+2.125+3), number(1.5+10+2.125+3)
	p.Solution.Devices = []results.PlacedDevice{
		{Device: "accelerator-0", Nodes: []int{10}, LoadMS: 1.5, Bytes: 30}, {Device: "accelerator-1", Nodes: []int{11}, LoadMS: 3.25, Bytes: 30},
		{Device: "accelerator-2", Nodes: []int{13}, LoadMS: 2.125, Bytes: 30}, {Device: "cpu-0", Nodes: []int{12, 14}, LoadMS: 13, Bytes: 1069}}
	return i, p
}

// chainOfIdeals is graphCase in a contiguous form: {10, 12}, then {11, 13}.
func chainOfIdeals() (*instance.Instance, *results.Placed) {
	i, p := graphCase()
	p.Goal, p.Objective, p.BestBound = "contiguous", number(5.75), number(5.75)
	p.Solution.Devices = []results.PlacedDevice{
		{Device: "accelerator-1", Nodes: []int{10, 12}, LoadMS: 5.75, Bytes: 100},
		{Device: "accelerator-0", Nodes: []int{11, 13}, LoadMS: 3.875, Bytes: 60},
		{Device: "cpu-0", Nodes: []int{14}, LoadMS: 3, Bytes: 999}}
	return i, p
}

// trained adds a backward pass of class 5 to chainOfIdeals, 15 of the class and 16 without
// forward node, and a class of its own: 16 → 15 asks that {11, 13, 15} come before 16.
func trained() (*instance.Instance, *results.Placed) {
	i, p := chainOfIdeals()
	g := i.Graph
	g.AcceleratorBytes = 200
	g.Nodes = append(g.Nodes,
		opgraph.Node{ID: 15, OnAccelerator: true, AcceleratorTime: 1, Send: 0, Colour: 5, Backward: true},
		opgraph.Node{ID: 16, OnAccelerator: true, CPUTime: 1, AcceleratorTime: 1, Send: 0.5, Colour: opgraph.NoColour, Backward: true})
	g.Edges = append(g.Edges, opgraph.Edge{From: 6, To: 5, Cost: 0.5}, opgraph.Edge{From: 4, To: 6})
	p.Solution.Devices[1] = results.PlacedDevice{Device: "accelerator-0", Nodes: []int{11, 13, 15}, LoadMS: 5.375, Bytes: 60}
	p.Solution.Devices[2] = results.PlacedDevice{Device: "cpu-0", Nodes: []int{14, 16}, LoadMS: 4, Bytes: 999}
	return i, p
}

func cases() map[string]func() (*instance.Instance, *results.Placed) {
	return map[string]func() (*instance.Instance, *results.Placed){
		"chain": chainCase, "rental": rentalCase, "graph": graphCase, "latency": latencyCase, "ideals": chainOfIdeals, "trained": trained,
	}
}

func TestCheckAccepts(t *testing.T) {
	for name, make := range cases() {
		i, p := make()
		if err := Check(i, p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	i, p := rentalCase()
	p.Goal, p.Sense, p.BudgetUSDPerHour, p.Objective, p.BestBound, p.Gap = "throughput", "maximize", number(12.3), number(40), number(50), number(0.25)
	if err := Check(i, p); err != nil {
		t.Errorf("within the budget: %v", err)
	}
	for _, p := range []*results.Placed{{Goal: "series", Status: "infeasible"}, {Goal: "series", Status: "time limit", BestBound: number(3)}} {
		if err := Check(i, p); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// TestCheckNoticesWhatIsWrong changes one thing of an answer that is right.
func TestCheckNoticesWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		base, what string
		change     func(i *instance.Instance, p *results.Placed)
		want       string
	}{
		{"chain", "no solution", func(_ *instance.Instance, p *results.Placed) { p.Solution = nil }, "a value or a gap without a solution"},
		{"chain", "nothing is optimal", func(_ *instance.Instance, p *results.Placed) { p.Solution, p.Objective, p.Gap = nil, nil, nil }, "optimal without a solution"},
		{"chain", "a bound on nothing", func(_ *instance.Instance, p *results.Placed) {
			p.Solution, p.Objective, p.Gap, p.Status = nil, nil, nil, "infeasible"
		}, "a bound on what does not exist"},
		{"chain", "another goal", func(_ *instance.Instance, p *results.Placed) { p.Goal = "latency" }, `no goal "latency"`},
		{"chain", "another sense", func(_ *instance.Instance, p *results.Placed) { p.Sense = "minimize" }, "want maximize"},
		{"chain", "another value", func(_ *instance.Instance, p *results.Placed) { p.Objective = number(9.0001) }, "the solution is worth 9"},
		{"chain", "no value", func(_ *instance.Instance, p *results.Placed) { p.Objective = nil }, "value none"},
		{"chain", "infeasible", func(_ *instance.Instance, p *results.Placed) { p.Status = "infeasible" }, "infeasible, with a solution"},
		{"chain", "no bound", func(_ *instance.Instance, p *results.Placed) { p.BestBound = nil }, "without a bound"},
		{"chain", "a wide bound", func(_ *instance.Instance, p *results.Placed) { p.BestBound, p.Gap = number(18), number(1) }, "optimal at 9 with a bound of 18"},
		{"chain", "a bound below", func(_ *instance.Instance, p *results.Placed) { p.BestBound = number(8) }, "the solution is better"},
		{"chain", "a wrong gap", func(_ *instance.Instance, p *results.Placed) { p.Gap = number(0.1) }, "gap 0.1: it is 0"},
		{"rental", "no gap", func(_ *instance.Instance, p *results.Placed) { p.Gap = nil }, "gap none"},
		{"rental", "a bound above", func(_ *instance.Instance, p *results.Placed) { p.BestBound = number(1e9) }, "the solution is better"},

		{"chain", "a layer twice", func(_ *instance.Instance, p *results.Placed) {
			p.Solution.Stages[1].FirstLayer, p.Solution.Stages[1].TokensPerS = 1, 6
		}, "want layer 2 first"},
		{"chain", "a layer less", func(i *instance.Instance, _ *results.Placed) { i.Chain.Layers = 4 }, "3 layers of 4"},
		{"chain", "a machine twice", func(_ *instance.Instance, p *results.Placed) {
			p.Solution.Stages = []results.PlacedStage{{LastLayer: 0, Machine: "small", TokensPerS: 9}, {FirstLayer: 1, LastLayer: 2, Machine: "small", TokensPerS: 6}}
		}, "small 0 is used twice"},
		{"chain", "a machine too many", func(_ *instance.Instance, p *results.Placed) { p.Solution.Stages[1].Index = 2 }, "there are 2"},
		{"chain", "no such type", func(_ *instance.Instance, p *results.Placed) { p.Solution.Stages[0].Machine = "huge" }, "no such type"},
		{"chain", "another speed", func(_ *instance.Instance, p *results.Placed) { p.Solution.Stages[0].TokensPerS = 30 }, "the instance says 20"},
		{"chain", "a longer table", func(i *instance.Instance, _ *results.Placed) { i.Chain.Machines[0].Throughput = []float64{30} }, "1 are possible"},
		{"chain", "routes", func(_ *instance.Instance, p *results.Placed) { p.Solution.Routes = []results.PlacedRoute{{}} }, "routes in a solution of another kind"},
		{"chain", "devices", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices = []results.PlacedDevice{{}} }, "devices in a solution of another kind"},

		{"rental", "a GPU idle", func(i *instance.Instance, _ *results.Placed) { i.Rental.Types[1].GPUs = 3 }, "leave 1 of 3 unused"},
		{"rental", "no room", func(i *instance.Instance, _ *results.Placed) { i.Rental.Types[0].GPUs = 5 }, "do not fit aligned into 5"},
		{"rental", "one stage too many", func(i *instance.Instance, _ *results.Placed) { i.Rental.MaxStages = 2 }, "at most 2"},
		{"rental", "one instance too many", func(i *instance.Instance, _ *results.Placed) { i.Rental.Types[1].Count = 0 }, "1 instances of two: there are 0"},
		{"rental", "not counted from 0", func(_ *instance.Instance, p *results.Placed) { p.Solution.Stages[2].Index = 1 }, "not counted from 0"},
		{"rental", "another degree", func(_ *instance.Instance, p *results.Placed) { p.Solution.Stages[2].TP = 1 }, "no such segment"},
		{"rental", "unpaid", func(_ *instance.Instance, p *results.Placed) { p.Solution.Rented = p.Solution.Rented[:1] }, "0 of two are listed"},
		{"rental", "paid twice", func(_ *instance.Instance, p *results.Placed) { p.Solution.Rented[1].Count = 2 }, "2 of two are listed"},
		{"rental", "paid for nothing", func(_ *instance.Instance, p *results.Placed) {
			p.Solution.Rented = append(p.Solution.Rented, results.PlacedRental{Type: "ten", Count: 1})
		}, `"ten" is rented`},
		{"rental", "another price", func(_ *instance.Instance, p *results.Placed) { p.Solution.USDPerHour = 12.2 }, "said to cost 12.2"},
		{"rental", "over the budget", func(_ *instance.Instance, p *results.Placed) {
			p.Goal, p.BudgetUSDPerHour = "throughput", number(12.29)
		}, "the budget is 12.29"},
		{"rental", "no budget", func(_ *instance.Instance, p *results.Placed) { p.Goal = "throughput" }, "the budget is not stated"},
		{"rental", "another efficiency", func(i *instance.Instance, _ *results.Placed) { i.Rental.Batch = 16 }, "the solution is worth"},

		{"graph", "a node twice", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[1].Nodes = []int{12, 10} }, "node 10 is on two devices"},
		{"graph", "a node less", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[2].Nodes = nil }, "node 14 is on no device"},
		{"graph", "a node more", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[1].Nodes = []int{12, 99} }, "the graph has no node 99"},
		{"graph", "not on an accelerator", func(_ *instance.Instance, p *results.Placed) {
			p.Solution.Devices[1].Nodes, p.Solution.Devices[2].Nodes = []int{14}, []int{12}
		}, "node 14 runs on a core only"},
		{"graph", "too large", func(i *instance.Instance, _ *results.Placed) { i.Graph.AcceleratorBytes = 89 }, "90 bytes, an accelerator has 89"},
		{"graph", "other bytes", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[0].Bytes = 80 }, "the solution says 80"},
		{"graph", "a class apart", func(i *instance.Instance, _ *results.Placed) { i.Graph.Nodes[2].Colour = 5 }, "of class 5 are on two devices"},
		{"graph", "another load", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[1].LoadMS = 4.5 }, "a load of 4.5 ms is said, it is 4.75"},
		{"graph", "a device twice", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[1].Device = "accelerator-0" }, "is listed twice"},
		{"graph", "no such device", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[2].Device = "cpu-2" }, `device "cpu-2"`},
		{"graph", "no name", func(_ *instance.Instance, p *results.Placed) { p.Solution.Devices[2].Device = "cpu-01" }, `"cpu-01"`},
		{"graph", "no ideals", func(_ *instance.Instance, p *results.Placed) { p.Goal = "contiguous" }, "goes round accelerator-0 → accelerator-1 → accelerator-0"},
		{"ideals", "a dearer output", func(i *instance.Instance, _ *results.Placed) { i.Graph.Nodes[0].Send = 9 }, "it is 14.25"},
		{"trained", "backward before its forward", func(_ *instance.Instance, p *results.Placed) {
			p.Solution.Devices[0] = results.PlacedDevice{Device: "accelerator-1", Nodes: []int{10, 12, 16}, LoadMS: 7.25, Bytes: 100}
			p.Solution.Devices[2] = results.PlacedDevice{Device: "cpu-0", Nodes: []int{14}, LoadMS: 3, Bytes: 999}
		}, "goes round"},
		{"graph", "stages", func(_ *instance.Instance, p *results.Placed) { p.Solution.Stages = []results.PlacedStage{{}} }, "stages in a solution of another kind"},

		{"latency", "a faster core", func(i *instance.Instance, _ *results.Placed) { i.Graph.Nodes[2].CPUTime = 1 }, "the solution is worth 9.875"},
		{"latency", "no block", func(_ *instance.Instance, p *results.Placed) {
			p.Solution.Devices = []results.PlacedDevice{
				{Device: "accelerator-0", Nodes: []int{10, 13}, LoadMS: 3.625, Bytes: 60}, {Device: "accelerator-1", Nodes: []int{11}, LoadMS: 3.25, Bytes: 30},
				{Device: "cpu-0", Nodes: []int{12, 14}, LoadMS: 13, Bytes: 1069}}
		}, "blocks wait for each other in a circle"},
		{"latency", "a class apart", func(i *instance.Instance, _ *results.Placed) {
			i.Graph.Nodes[0].Colour, i.Graph.Nodes[1].Colour = 1, 1
		}, "of class 1 are on two devices"},
	} {
		i, p := cases()[row.base]()
		row.change(i, p)
		if err := Check(i, p); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s, %s: %v, want %q", row.base, row.what, err, row.want)
		}
	}
}

// TestSolutionsSurviveJSON: what is printed is what was checked.
func TestSolutionsSurviveJSON(t *testing.T) {
	for name, make := range cases() {
		i, p := make()
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back results.Placed
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if err := Check(i, &back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
