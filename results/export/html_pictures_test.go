package export

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
)

// A stage does one thing at a time, a micro-batch is on one stage at a time, and the last
// ends when the cost model says.
func TestPrefillSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Float64Range(0.1, 50), 1, 9).Draw(t, "times")
		m := rapid.IntRange(1, 20).Draw(t, "micro-batches")
		steps := prefillSteps(times, m)
		if len(steps) != m*len(times) {
			t.Fatalf("%d steps", len(steps))
		}
		apart(t, steps)
		end := slices.MaxFunc(steps, func(a, b step) int { return compare(a.To, b.To) }).To
		if want := makespan(times, m); math.Abs(end-want) > 1e-9*want {
			t.Fatalf("ends at %v, want %v", end, want)
		}
		if b := busy(times, m, end); b <= 0 || b > 1+1e-9 {
			t.Fatalf("busy %v", b)
		}
	})
}

// In many rounds no two groups are on a stage at once, and none on two stages.
func TestDecodeSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Float64Range(0.1, 50), 1, 9).Draw(t, "times")
		m := rapid.IntRange(1, 12).Draw(t, "groups")
		steps, round := decodeSteps(times, m)
		drawn := inRounds(steps, round, 3)
		apart(t, drawn)
		work := 0.0
		for _, s := range drawn {
			if s.From < 0 || s.To > 3*round*(1+1e-9) {
				t.Fatalf("%+v lies outside three rounds of %v", s, round)
			}
			work += s.To - s.From
		}
		if want := 3 * busy(times, m, round) * round * float64(len(times)); math.Abs(work-want) > 1e-6*want {
			t.Fatalf("%v of work are drawn, %v are done: a round is not like the next", work, want)
		}
	})
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// apart fails where two steps of one stage, or of one part, overlap.
func apart(t *rapid.T, steps []step) {
	for i, a := range steps {
		for _, b := range steps[:i] {
			if over := min(a.To, b.To) - max(a.From, b.From); over > 1e-9*a.To && (a.Stage == b.Stage || a.Part == b.Part) {
				t.Fatalf("%+v and %+v overlap", a, b)
			}
		}
	}
}

// Every GPU of the plan has its row, every idle one too, and its bar the layers of its
// stage.
func TestGPUMap(t *testing.T) {
	p := samplePlan()
	p.Deployment = &results.Deployment{Cluster: inputs.Cluster{Pools: []inputs.Pool{{Name: "A100", Nodes: []inputs.Node{{Host: "node-0", GPUs: []string{"node-0/gpu-0", "node-0/gpu-9"}}}}}}}
	c := gpuMap(p, &p.Phases[0])
	if len(c.Rows) != 25 || c.Rows[0] != "node-0/gpu-0" || c.Rows[1] != "gpu-1" || c.Rows[24] != "node-0/gpu-9" || c.End != 80 {
		t.Fatalf("rows %q, end %v", c.Rows, c.End)
	}
	covered := make([]int, len(c.Rows))
	for i, b := range c.Bars {
		for row := b.Row; row < b.Row+b.Rows; row++ {
			covered[row]++
		}
		if i == 1 && (b.From != 60 || b.To != 80 || b.Row != 4 || b.Rows != 2) {
			t.Errorf("the second stage of the first replica: %+v", b)
		}
	}
	if slices.ContainsFunc(covered, func(n int) bool { return n != 1 }) {
		t.Errorf("bars on the rows: %v", covered)
	}
}

// A GPU that works for the other side of a plan is not idle in the picture of this one.
func TestMapOfASide(t *testing.T) {
	p := samplePlan()
	p.Deployment = &results.Deployment{Cluster: inputs.Cluster{Pools: []inputs.Pool{{Name: "A100", Nodes: []inputs.Node{{Host: "node-9", GPUs: []string{"node-9/gpu-0", "node-9/gpu-1"}}}}}}}
	p.Phases[0].Phase = inputs.Prefill
	p.Phases = append(p.Phases, results.PhasePlan{Phase: inputs.Decode, Stages: []results.Stage{{GPUs: []string{"node-9/gpu-1"}}}})
	for name, c := range map[string]*bands{"GPUs": gpuMap(p, &p.Phases[0]), "floor": floorMap(p, &p.Phases[0])} {
		var free []string
		for _, b := range c.Bars {
			if b.Colour == "free" {
				_, does, _ := strings.Cut(b.Tip, ": ")
				free = append(free, does)
			}
		}
		if !slices.Equal(free, []string{"idle", "decode side"}) {
			t.Errorf("%s: %q, want one idle and one of the decode side", name, free)
		}
	}
}

// The picture of a large cluster has every GPU once, on the stage that it works for.
func TestFloorMap(t *testing.T) {
	p := largePlan(100)
	ph := &p.Phases[0]
	p.Deployment = &results.Deployment{Cluster: inputs.Cluster{Pools: []inputs.Pool{{Name: "A100", Nodes: []inputs.Node{{Host: "node-0", GPUs: append([]string{"node-0/spare"}, ph.Stages[0].GPUs...)}}}}}}
	c := floorMap(p, ph)
	if len(c.Rows) > floorRows {
		t.Errorf("%d rows", len(c.Rows))
	}
	gpus, idle := 0.0, 0.0
	for i, b := range c.Bars {
		if b.Colour == "free" {
			idle += b.To - b.From
		} else {
			gpus += b.To - b.From
		}
		if i > 0 && c.Bars[i-1].Row == b.Row && c.Bars[i-1].To != b.From {
			t.Errorf("a gap between %+v and %+v", c.Bars[i-1], b)
		}
	}
	if gpus != 1600 || idle != 1 {
		t.Errorf("%v GPUs at work, %v idle", gpus, idle)
	}
}

func TestMemoryChartEndsAtTheMemory(t *testing.T) {
	p := samplePlan()
	p.Deployment = &results.Deployment{Cluster: inputs.Cluster{Pools: []inputs.Pool{{Name: "A100", MemoryBytes: 80 << 30}}}}
	stages, rows := unlike(replicaClasses(&p.Phases[0]))
	c := memoryChart(p, usesOf(&p.Phases[0]), stages, rows)
	ends := map[int]float64{}
	for _, b := range c.Bars {
		if b.Colour == "limit" {
			if b.From != stages[b.Row].CapacityGiB {
				t.Errorf("limit %+v of %v GiB", b, stages[b.Row].CapacityGiB)
			}
			continue
		}
		if math.Abs(b.From-ends[b.Row]) > 1e-9 {
			t.Errorf("%+v does not begin where the bar before it ends, %v", b, ends[b.Row])
		}
		ends[b.Row] = b.To
	}
	if ends[0] != 80 || ends[1] != 43.2 || c.End != 80 {
		t.Errorf("bars end at %v, the axis at %v", ends, c.End)
	}
}

func TestComparisonChart(t *testing.T) {
	p := samplePlan()
	p.Comparison = []results.Comparison{
		{Heuristic: "one", Feasible: true, LatencyMS: ptr(9000.0), TokensPerS: ptr(90000.0), GPUs: 24},
		{Heuristic: "two", Feasible: true, LatencyMS: ptr(9000.0), TokensPerS: ptr(90000.0), GPUs: 24},
		{Heuristic: "three", WhyInfeasible: "balance", LatencyMS: ptr(5000.0), TokensPerS: ptr(95000.0), GPUs: 24},
		{Heuristic: "four", WhyInfeasible: "memory"},
	}
	c, missing := comparisonChart(p)
	if len(c.Points) != 3 || c.Points[0].Sort != "plan" || c.Points[1].Name != "one, two" || c.Points[2].Sort != "broken" || !slices.Equal(missing, []string{"four"}) {
		t.Errorf("%+v, missing %q", c.Points, missing)
	}
	if c.Points[0].X != 6.5104 || c.Points[0].Y != 123456.7 {
		t.Errorf("the plan lies at %v, %v", c.Points[0].X, c.Points[0].Y)
	}
	p.Phases[0].GPUs.Available = nil // the number is ours: each GPU counts
	if c, _ := comparisonChart(p); c.Points[1].Y != 3750 || !strings.Contains(c.Y, "each GPU") {
		t.Errorf("%v %s", c.Points[1].Y, c.Y)
	}
}

func TestTilesHoldRequirements(t *testing.T) {
	r := closestReport()
	tiles := tilesOf(&r.Plan.Phases[0])
	byName := map[string]tile{}
	for _, x := range tiles {
		byName[x.Name] = x
	}
	if x := byName["time to first token"]; x.State != "bad" || len(x.Asked) != 1 || x.Asked[0] != "asked ≤ 1\u00a0s: NOT MET, 140\u00a0% over" {
		t.Errorf("%+v", x)
	}
	if x := byName["throughput of each GPU"]; x.State != "good" || x.Asked[0] != "asked ≥ 4,000 tokens/s/GPU: met, margin 22.24\u00a0%" {
		t.Errorf("%+v", x)
	}
	if x := byName["throughput"]; x.Value != "123,500" || x.Unit != "tokens/s" || x.State != "" {
		t.Errorf("%+v", x)
	}
}
