package verify

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"testing"

	"partita/inputs"
	"partita/results"
)

// graphCase is a plan of a branching graph, worked out by hand: two replicas of two stages
// on two pools, each replica in a host of its own or across hosts.
//
//	a ─┬─ b ─┐      work ms   fast 2 3 4 1   slow 4 6 8 2
//	   └─ c ─┴─ d   sends ms       1 0.5 0.25 –
//
// Stage 0 on fast holds a and b, stage 1 on slow c and d: stage 0 takes 2 + 3 and sends a
// and b, 1 + 0.5; stage 1 takes 8 + 2 and receives them, 1.5.
func graphCase() (*results.Plan, *inputs.Condition) {
	ms := func(fast, slow float64) map[string]float64 { return map[string]float64{"fast": fast, "slow": slow} }
	colour := 4
	g := &inputs.Graph{
		Nodes: []inputs.GraphNode{
			{ID: 10, Name: "a", TimesMS: ms(2, 4), SendMS: 1, MemoryBytes: 1 << 30, WeightBytes: 1 << 30, Colour: &colour},
			{ID: 20, Name: "b", TimesMS: ms(3, 6), SendMS: 0.5, MemoryBytes: 3 << 29, WeightBytes: 1 << 30, ActivationBytes: 1 << 29, Colour: &colour},
			{ID: 30, Name: "c", TimesMS: ms(4, 8), SendMS: 0.25, MemoryBytes: 1 << 29},
			{ID: 40, Name: "d", TimesMS: ms(1, 2), MemoryBytes: 1 << 28},
		},
		Edges: []inputs.GraphEdge{{From: 0, To: 1}, {From: 0, To: 2}, {From: 1, To: 3}, {From: 2, To: 3}},
	}
	c := &inputs.Condition{Name: "branches", Model: inputs.Model{Name: "branches", Graph: g, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16},
		Workload: inputs.Workload{Phase: inputs.Inference}, Goal: inputs.Goal{Objective: inputs.Throughput,
			Requirements: []inputs.Requirement{{Kind: inputs.SamplesPerS, Value: 100}, {Kind: inputs.CostUSDPerHour, Value: 10}}}}
	for k, name := range []string{"fast", "slow"} {
		p := inputs.Pool{Name: name, Count: inputs.Count{Min: 2, Max: 2}, GPUsPerNode: 1, MemoryBytes: 6 << 30, Utilization: 1, USDPerHour: float64(2 - k),
			Accelerator: inputs.Accelerator{Name: name, MemoryBandwidth: 1e12, FLOPS: map[inputs.DType]float64{inputs.BF16: 1e14}}}
		for i := range 2 {
			host := fmt.Sprintf("node-%d", i)
			p.Nodes = append(p.Nodes, inputs.Node{Host: host, GPUs: []string{fmt.Sprintf("%s/gpu-%d", host, k)}})
		}
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	one := results.PerStage{1}
	ph := results.PhasePlan{Phase: inputs.Inference,
		Strategy: results.Strategy{Replicas: 2, PP: 2, TP: one, EP: one, CP: one, DPAttention: one, ETP: one, Layers: []int{2, 2}},
		GPUs:     results.GPUCount{Available: pointerTo(4), Used: 4, Parts: 4, Match: true},
		Balance:  results.Balance{TimeMaxOverMean: 11.5 / 9, TimeMinOverMax: 6.5 / 11.5, MemoryMaxOverMean: 4.5 / 3.625},
		Metrics:  results.Metrics{SamplesPerS: pointerTo(2e3 / 11.5), SampleLatencyMS: pointerTo(18.0), USDPerHour: pointerTo(6.0)},
		Solve: results.Solve{Status: "optimal", Objective: 11.5 / 2, ObjectiveUnit: "ms per sample", BestBound: pointerTo(11.5 / 2), Gap: pointerTo(0.0), Backend: "ideals",
			AgreedBy: []string{"ideals"}, Outer: results.Outer{Solved: 1}},
		Requirements: []results.RequirementResult{
			{Name: "samples_per_s", Unit: "samples/s", Want: 100, Got: 2e3 / 11.5, Met: true, MarginPercent: 100 * (1 - 100/(2e3/11.5))},
			{Name: "cost_per_hour", Unit: "USD/h", Want: 10, Got: 6, Met: true, MarginPercent: 40},
		},
	}
	for r := range 2 {
		host := fmt.Sprintf("node-%d", r)
		ph.Stages = append(ph.Stages,
			results.Stage{Replica: r, Index: 0, FirstLayer: 0, LastLayer: 1, Nodes: []int{10, 20}, Pool: "fast", GPUs: []string{host + "/gpu-0"}, TP: 1, EP: 1, ETP: 1, CP: 1, DPAttention: 1,
				TimeMS: 6.5, WorkMS: 5, TransferMS: 1.5, MemoryGiB: 4.5, CapacityGiB: 6, Memory: results.Memory{WeightsGiB: 2, ActivationsGiB: 0.5, ReserveGiB: 2}},
			results.Stage{Replica: r, Index: 1, FirstLayer: 2, LastLayer: 3, Nodes: []int{30, 40}, Pool: "slow", GPUs: []string{host + "/gpu-1"}, TP: 1, EP: 1, ETP: 1, CP: 1, DPAttention: 1,
				TimeMS: 11.5, WorkMS: 10, TransferMS: 1.5, MemoryGiB: 2.75, CapacityGiB: 6, Memory: results.Memory{WeightsGiB: 0.75, ReserveGiB: 2}})
	}
	return &results.Plan{FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{ph}, Deployment: results.DeploymentOf(c)}, c
}

func pointerTo[T any](v T) *T { return &v }

func TestGraphPlanByHandHolds(t *testing.T) {
	p, c := graphCase()
	v, err := Check(p, c)
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK || v.Parts != 4 || v.GPUs != 4 {
		t.Errorf("%d parts on %d GPUs:\n%s", v.Parts, v.GPUs, describe(v))
	}
}

// freeOfGraph are the leaves without a second source, and the condition's own copy, whose
// differences are a rule of its own.
var freeOfGraph = regexp.MustCompile(`\.(Why|Place)$|\.Solve\.(Status|ObjectiveUnit|BestBound|Backend|TimeMS|AgreedBy\[0\]|Outer\.\w+|Certificate\.\w+)$|^Plan\.Deployment`)

// Not one figure of the plan of a graph can be changed unseen.
func TestEveryLeafOfAGraphPlanIsChecked(t *testing.T) {
	p, _ := graphCase()
	tried := 0
	for i := range leaves("Plan", reflect.ValueOf(p)) {
		p, c := graphCase()
		l := leaves("Plan", reflect.ValueOf(p))[i]
		if freeOfGraph.MatchString(l.path) {
			continue
		}
		tried++
		l.spoil()
		if v, err := Check(p, c); err != nil || v.OK {
			t.Errorf("%s changed to %v, and no rule saw it: %v", l.path, l.value, err)
		}
	}
	if tried < 100 {
		t.Errorf("only %d leaves tried", tried)
	}
}

func TestGraphMutationsAreSeen(t *testing.T) {
	stage := func(p *results.Plan, i int) *results.Stage { return &p.Phases[0].Stages[i] }
	for name, row := range map[string]struct {
		spoil func(*results.Plan, *inputs.Condition)
		rule  string
	}{
		"a node on no stage": {func(p *results.Plan, _ *inputs.Condition) {
			stage(p, 0).Nodes, stage(p, 0).LastLayer = []int{10}, 0
		}, ruleNodes},
		"a node on two stages":  {func(p *results.Plan, _ *inputs.Condition) { stage(p, 1).Nodes = []int{30, 20} }, ruleNodes},
		"a node of no graph":    {func(p *results.Plan, _ *inputs.Condition) { stage(p, 1).Nodes = []int{30, 41} }, ruleNodes},
		"a stage without nodes": {func(p *results.Plan, _ *inputs.Condition) { stage(p, 0).Nodes = nil }, ruleNodes},
		"data flows back": {func(p *results.Plan, _ *inputs.Condition) {
			stage(p, 0).Nodes, stage(p, 1).Nodes = []int{30, 40}, []int{10, 20}
		}, ruleEdges},
		"a colour apart": {func(p *results.Plan, _ *inputs.Condition) {
			stage(p, 0).Nodes, stage(p, 1).Nodes = []int{10, 30}, []int{20, 40}
		}, ruleColours},
		"a GPU twice":          {func(p *results.Plan, _ *inputs.Condition) { stage(p, 2).GPUs = stage(p, 0).GPUs }, ruleUnique},
		"a GPU of nowhere":     {func(p *results.Plan, _ *inputs.Condition) { stage(p, 2).GPUs = []string{"node-7/gpu-0"} }, ruleIDs},
		"the other pool's GPU": {func(p *results.Plan, _ *inputs.Condition) { stage(p, 2).GPUs = []string{"node-1/gpu-1"} }, ruleIDs},
		"two GPUs a stage": {func(p *results.Plan, _ *inputs.Condition) {
			stage(p, 0).GPUs = []string{"node-0/gpu-0", "node-1/gpu-0"}
		}, ruleLone},
		"tensor parallelism":   {func(p *results.Plan, _ *inputs.Condition) { stage(p, 0).TP = 2 }, ruleLone},
		"too little memory":    {func(_ *results.Plan, c *inputs.Condition) { c.Cluster.Pools[0].MemoryBytes = 4 << 30 }, ruleFits},
		"a GPU more":           {func(_ *results.Plan, c *inputs.Condition) { c.Cluster.Pools[0].Count = inputs.Count{Min: 3, Max: 3} }, ruleUsed},
		"a load left out":      {func(p *results.Plan, _ *inputs.Condition) { stage(p, 1).TimeMS = 10; stage(p, 1).TransferMS = 0 }, ruleLoads},
		"a better objective":   {func(p *results.Plan, _ *inputs.Condition) { p.Phases[0].Solve.Objective = 5 }, ruleObjective},
		"a bound above it":     {func(p *results.Plan, _ *inputs.Condition) { *p.Phases[0].Solve.BestBound = 6 }, ruleSolve},
		"a token rate":         {func(p *results.Plan, _ *inputs.Condition) { p.Phases[0].Metrics.TokensPerS = pointerTo(1.0) }, ruleMetric("tokens_per_s")},
		"no sample rate":       {func(p *results.Plan, _ *inputs.Condition) { p.Phases[0].Metrics.SamplesPerS = nil }, ruleMetric("samples_per_s")},
		"a requirement missed": {func(_ *results.Plan, c *inputs.Condition) { c.Goal.Requirements[0].Value = 200 }, ruleRequirement("samples_per_s")},
	} {
		p, c := graphCase()
		row.spoil(p, c)
		p.Deployment = results.DeploymentOf(c)
		v, err := Check(p, c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen := false
		for _, rule := range failedRules(v) {
			seen = seen || rule == row.rule
		}
		if !seen {
			t.Errorf("%s: %q does not fail:\n%s", name, row.rule, describe(v))
		}
	}
}

// Sends inside a host count as such only where every replica lies in one.
func TestGraphReplicasAcrossHosts(t *testing.T) {
	for _, across := range []bool{false, true} {
		p, c := graphCase()
		c.Cluster.Network = inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 1e9}
		for k := range c.Cluster.Pools {
			c.Cluster.Pools[k].Accelerator.Efficiency = &inputs.Efficiency{Compute: 1, Bandwidth: 1}
			c.Cluster.Pools[k].Intra = inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9}
		}
		bytes := 36e6
		c.Model.Graph.Nodes[0].OutputBytes = &bytes
		if across {
			s := p.Phases[0].Stages
			s[1].GPUs, s[3].GPUs = s[3].GPUs, s[1].GPUs
		}
		want := 1e3 * bytes / 357e9
		if across {
			want = 1e3 * bytes / 0.72e9
		}
		for i := range p.Phases[0].Stages {
			s := &p.Phases[0].Stages[i]
			s.TransferMS = want + 0.5
			s.TimeMS = s.WorkMS + s.TransferMS
		}
		v, err := Check(p, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range failedRules(v) {
			if rule == ruleLoads {
				t.Errorf("across hosts %t: a transfer of %g ms is wrong:\n%s", across, want, describe(v))
			}
		}
	}
}

// A pass of both directions has no latency of a sample, and backward operators go where
// their colour is.
func TestTrainingGraph(t *testing.T) {
	p, c := graphCase()
	c.Model.Graph.Nodes[1].Backward = true
	c.Workload.Phase, p.Phases[0].Phase = inputs.Training, inputs.Training
	p.Phases[0].Metrics.SampleLatencyMS = nil
	p.Deployment = results.DeploymentOf(c)
	if v, err := Check(p, c); err != nil || !v.OK {
		t.Errorf("%v\n%s", err, describe(v))
	}
	p.Phases[0].Metrics.SampleLatencyMS = pointerTo(18.0)
	if v, _ := Check(p, c); v.OK {
		t.Error("a latency of both directions is taken")
	}
}

func TestGraphWithoutPrices(t *testing.T) {
	p, c := graphCase()
	c.Cluster.Pools[1].Accelerator.MemoryBandwidth = math.NaN()
	if _, err := Check(p, c); err == nil {
		t.Error("a pool that cannot be priced is verified")
	}
}
