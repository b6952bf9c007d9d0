package verify

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// stepPrices can be worked out by hand: a layer takes kind + 1 seconds forward, twice that
// backward, and once more what is recomputed.
type stepPrices struct{}

func (stepPrices) TrainLayer(_, kind int, _ cost.TrainShape, _ cost.TrainStep, r inputs.Recompute) (forward, backward float64) {
	f := float64(kind + 1)
	if r == inputs.FullRecompute {
		return f, 3 * f
	}
	return f, 2 * f
}
func (stepPrices) TrainEmbedding(_ int, s cost.TrainShape, _ cost.TrainStep) (forward, backward float64) {
	if !s.SP {
		return 1, 0.5
	}
	return 0.5, 0.5
}
func (stepPrices) TrainHead(int, cost.TrainShape, cost.TrainStep) (forward, backward float64) {
	return 1, 2
}
func (stepPrices) TrainSend(_, _ int, sameNode bool, _ cost.TrainShape, _ cost.TrainStep) float64 {
	if sameNode {
		return 0.25
	}
	return 0.5
}
func (stepPrices) TrainSync(_ int, counts []int, first, _ bool, _ cost.TrainShape, _ cost.TrainStep, _ int) float64 {
	if first {
		return 3 + float64(counts[0])
	}
	return 3
}
func (stepPrices) TrainUpdate(int, []int, bool, bool, cost.TrainShape) float64 { return 1 }
func (stepPrices) TrainFLOPs(cost.TrainStep) float64                           { return 1e16 }
func (stepPrices) PeakFLOPS(int) float64                                       { return 1e14 }
func (stepPrices) Capacity(int) int64                                          { return 40 << 30 }

// TrainMemory has a GiB of weights for each layer, and as much for each micro-batch kept.
func (stepPrices) TrainMemory(_ int, _ cost.TrainShape, _ cost.TrainStep, held []cost.TrainHeld) cost.TrainBytes {
	b := cost.TrainBytes{Reserve: 2 << 30}
	for _, h := range held {
		for _, n := range h.Counts {
			b.Weights += int64(n) << 30
			b.Activations += int64(float64(n) * h.InFlight * (1 << 30))
		}
	}
	b.Gradients, b.Optimizer = 2*b.Weights, b.Weights/2
	return b
}

// stepCase is a step of eight layers, the first two dense, the others with four experts, on
// two nodes of four: two replicas of two ranks with two stages each, TP 2, every expert on a
// GPU of its own.
//
//	stage 0 (rank 0)  2·1+0.5 forward, 2·2+0.5 backward, 1 send           8
//	stage 1 (rank 1)  4, 8, 1                                             13
//	stage 2 (rank 0)  4, 12 with full recompute, 1                        17
//	stage 3 (rank 1)  4+1, 8+2, no send                                   15
//
// Four micro-batches: 4·28 + (25 + 28 − 28)/2 + 5 + 1 = 130.5 seconds. Kept are min(4, (2·1 +
// 2 + 1)/2) = 2.5 micro-batches on rank 0, (0 + 2 + 1)/2 = 1.5 on rank 1.
func stepCase() (*results.Plan, *inputs.Condition) {
	attention := inputs.Attention{Kind: inputs.GQA, Heads: 8, KVHeads: 8, HeadDim: 16}
	c := &inputs.Condition{Name: "step",
		Model: inputs.Model{Name: "m", Hidden: 128, Vocab: 1000, FFNScale: 1, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16, Layers: []int{0, 0, 1, 1, 1, 1, 1, 1},
			Kinds: []inputs.LayerKind{{Name: "dense", Attention: attention, FFN: inputs.FFN{Intermediate: 512, Gated: true}},
				{Name: "moe", Attention: attention, FFN: inputs.FFN{Intermediate: 128, Gated: true, Experts: 4, TopK: 2}}}},
		Workload: inputs.Workload{Phase: inputs.Training, Batch: 16, Input: inputs.Range{Min: 1000, Max: 1000},
			Training: &inputs.TrainingStep{OptimizerBytes: 12, GradientBytes: 4, MicroBatch: 2, ZeRO: pointerTo(1)}},
		Goal:  inputs.Goal{Objective: inputs.Balanced, Requirements: []inputs.Requirement{{Kind: inputs.StepTime, Value: 200}, {Kind: inputs.TokensPerSGPU, Value: 10}, {Kind: inputs.CostUSDPerHour, Value: 20}}},
		Rules: []inputs.Rule{{Name: "inside", Expr: "tp <= gpus_per_node"}},
	}
	p := inputs.Pool{Name: "big", Count: inputs.Count{Min: 8, Max: 8}, GPUsPerNode: 4, MemoryBytes: 80 << 30, Utilization: 0.9, USDPerHour: 2,
		Accelerator: inputs.Accelerator{Name: "X", MemoryBandwidth: 1e12, FLOPS: map[inputs.DType]float64{inputs.BF16: 1e14}}}
	for n := range 2 {
		host := fmt.Sprintf("node-%d", n)
		node := inputs.Node{Host: host}
		for g := range 4 {
			node.GPUs = append(node.GPUs, fmt.Sprintf("%s/gpu-%d", host, g))
		}
		p.Nodes = append(p.Nodes, node)
	}
	c.Cluster.Pools = []inputs.Pool{p}
	one := results.PerStage{1}
	const seconds = 130.5
	tokens := 16000 / seconds
	ph := results.PhasePlan{Phase: inputs.Training,
		Strategy: results.Strategy{Replicas: 2, PP: 2, TP: results.PerStage{2}, EP: results.PerStage{4}, CP: one, DPAttention: one, ETP: one, Layers: []int{2, 2, 2, 2},
			MicroBatches: 4, MicroBatchSequences: 2, SequencesPerReplica: 8, VirtualStages: 2, ZeRO: pointerTo(1), SequenceParallel: pointerTo(true),
			Recompute: results.Recomputes{"none", "none", "full", "none"}},
		GPUs: results.GPUCount{Available: pointerTo(8), Used: 8, Parts: 8, Match: true},
		Metrics: results.Metrics{StepMS: pointerTo(seconds * 1e3), TokensPerS: pointerTo(tokens), TokensPerSPerGPU: pointerTo(tokens / 8), MFU: pointerTo(1.6e17 / seconds / 8e14),
			BubbleShare: pointerTo(12.5 / seconds), SyncMS: pointerTo(5e3), UpdateMS: pointerTo(1e3), USDPerHour: pointerTo(16.0), USDPerMillion: pointerTo(16 / (tokens * 3600) * 1e6)},
		Solve: results.Solve{Status: "optimal", Objective: seconds, ObjectiveUnit: unitStep, BestBound: pointerTo(seconds), Gap: pointerTo(0.0), Backend: "labels", AgreedBy: []string{"labels"}, Outer: results.Outer{Solved: 1}},
		Requirements: []results.RequirementResult{
			{Name: "step_time", Unit: "s", Want: 200, Got: seconds, Met: true, MarginPercent: 100 * (1 - seconds/200)},
			{Name: "throughput_per_gpu", Unit: "tokens/s/GPU", Want: 10, Got: tokens / 8, Met: true, MarginPercent: 100 * (1 - 10/(tokens/8))},
			{Name: "cost_per_hour", Unit: "USD/h", Want: 20, Got: 16, Met: true, MarginPercent: 20},
		},
	}
	memory := []float64{2 + 3.5*4 + 2.5*4, 2 + 3.5*4 + 1.5*4} // GiB
	ph.Balance = results.Balance{TimeMaxOverMean: 28 / 26.5, TimeMinOverMax: 25.0 / 28, MemoryMaxOverMean: memory[0] / ((memory[0] + memory[1]) / 2)}
	for r := range 2 {
		for k, t := range [][3]float64{{2.5, 4.5, 1}, {4, 8, 1}, {4, 12, 1}, {5, 10, 0}} {
			rank, chunk := k%2, k/2
			kept := []float64{2.5, 1.5}[rank]
			ph.Stages = append(ph.Stages, results.Stage{
				Replica: r, Index: k, FirstLayer: 2 * k, LastLayer: 2*k + 1, Pool: "big", GPUs: slices.Clone(p.Nodes[rank].GPUs[2*r : 2*r+2]),
				TP: 2, EP: 4, ETP: 1, CP: 1, DPAttention: 1, Rank: &rank, Chunk: &chunk, Recompute: ph.Strategy.Recompute[k],
				TimeMS: 1e3 * (t[0] + t[1] + t[2]), ForwardMS: 1e3 * t[0], BackwardMS: 1e3 * t[1], SendMS: 1e3 * t[2], InFlight: kept,
				MemoryGiB: memory[rank], CapacityGiB: 40, Memory: results.Memory{WeightsGiB: 4, GradientsGiB: 8, OptimizerGiB: 2, ActivationsGiB: 4 * kept, ReserveGiB: 2},
			})
		}
	}
	return &results.Plan{FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{ph}}, c
}

func TestStepByHandHolds(t *testing.T) {
	p, c := stepCase()
	v := checkTrainingWith(p, c, stepPrices{}, Options{})
	if !v.OK || v.Parts != 8 || v.GPUs != 8 {
		t.Errorf("%d parts on %d GPUs:\n%s", v.Parts, v.GPUs, describe(v))
	}
}

// freeOfStep are the leaves without a second source.
var freeOfStep = regexp.MustCompile(`\.(Why|Place)$|\.Solve\.(Status|BestBound|Backend|TimeMS|AgreedBy\[0\]|Outer\.\w+|Certificate\.\w+)$`)

// Not one figure of the plan of a step can be changed unseen.
func TestEveryLeafOfAStepIsChecked(t *testing.T) {
	p, _ := stepCase()
	tried := 0
	for i := range leaves("Plan", reflect.ValueOf(p)) {
		p, c := stepCase()
		l := leaves("Plan", reflect.ValueOf(p))[i]
		if freeOfStep.MatchString(l.path) {
			continue
		}
		tried++
		l.spoil()
		if checkTrainingWith(p, c, stepPrices{}, Options{}).OK {
			t.Errorf("%s changed to %v, and no rule saw it", l.path, l.value)
		}
	}
	if tried < 200 {
		t.Errorf("only %d leaves tried", tried)
	}
}

func TestStepMutationsAreSeen(t *testing.T) {
	stage := func(p *results.Plan, i int) *results.Stage { return &p.Phases[0].Stages[i] }
	strategy := func(p *results.Plan) *results.Strategy { return &p.Phases[0].Strategy }
	for name, row := range map[string]struct {
		spoil func(*results.Plan, *inputs.Condition)
		rule  string
	}{
		"a layer moved": {func(p *results.Plan, _ *inputs.Condition) {
			for _, i := range []int{0, 4} {
				stage(p, i).LastLayer, stage(p, i+1).FirstLayer = 0, 1
			}
			strategy(p).Layers = []int{1, 3, 2, 2}
		}, ruleStepTimes},
		"a layer twice":           {func(p *results.Plan, _ *inputs.Condition) { stage(p, 1).FirstLayer = 1 }, ruleLayers},
		"a chunk on another rank": {func(p *results.Plan, _ *inputs.Condition) { stage(p, 2).GPUs = stage(p, 3).GPUs }, ruleRanks},
		"a rank twice": {func(p *results.Plan, _ *inputs.Condition) {
			stage(p, 4).GPUs = stage(p, 0).GPUs
			stage(p, 6).GPUs = stage(p, 0).GPUs
		}, ruleUnique},
		"a tensor group apart": {func(p *results.Plan, _ *inputs.Condition) {
			a, b := stage(p, 0), stage(p, 1)
			a.GPUs[1], b.GPUs[1] = b.GPUs[1], a.GPUs[1]
			stage(p, 2).GPUs, stage(p, 3).GPUs = a.GPUs, b.GPUs
		}, ruleTrainPlace},
		"ranks across nodes": {func(p *results.Plan, _ *inputs.Condition) {
			for _, i := range []int{0, 2} { // replicas in nodes rather than ranks
				a, b := stage(p, i+4), stage(p, i+1)
				a.GPUs, b.GPUs = b.GPUs, a.GPUs
			}
		}, ruleTrainPlace},
		"unlike replicas":   {func(p *results.Plan, _ *inputs.Condition) { stage(p, 4).Recompute = "full" }, ruleAlike},
		"odd micro-batches": {func(p *results.Plan, _ *inputs.Condition) { strategy(p).MicroBatches = 3 }, ruleBatches},
		"no groups of micro-batches": {func(p *results.Plan, c *inputs.Condition) {
			c.Workload.Batch, strategy(p).MicroBatches, strategy(p).SequencesPerReplica = 12, 3, 6
		}, ruleBatches},
		"another ZeRO asked":      {func(_ *results.Plan, c *inputs.Condition) { c.Workload.Training.ZeRO = pointerTo(3) }, ruleAsked},
		"another micro-batch":     {func(_ *results.Plan, c *inputs.Condition) { c.Workload.Training.MicroBatch = 1 }, ruleAsked},
		"virtual stages asked":    {func(_ *results.Plan, c *inputs.Condition) { c.Workload.Training.VirtualStages = 4 }, ruleAsked},
		"no recompute asked":      {func(_ *results.Plan, c *inputs.Condition) { c.Workload.Training.Recompute = []inputs.Recompute{"none"} }, ruleAsked},
		"sequences apart":         {func(_ *results.Plan, c *inputs.Condition) { c.Workload.Training.SequenceParallel = pointerTo(false) }, ruleAsked},
		"experts without a home":  {func(_ *results.Plan, c *inputs.Condition) { c.Model.Kinds[1].FFN.Experts = 6 }, ruleExperts},
		"heads that do not split": {func(_ *results.Plan, c *inputs.Condition) { c.Model.Kinds[0].Attention.Heads = 7 }, ruleDegrees},
		"too large experts' group": {func(p *results.Plan, _ *inputs.Condition) {
			strategy(p).EP = results.PerStage{8}
			for i := range p.Phases[0].Stages {
				stage(p, i).EP = 8
			}
		}, ruleTrainShape},
		"a rule broken":        {func(_ *results.Plan, c *inputs.Condition) { c.Rules[0].Expr = "tp < 2" }, ruleKnowledge("inside")},
		"a GPU more":           {func(_ *results.Plan, c *inputs.Condition) { c.Cluster.Pools[0].Count = inputs.Count{Min: 9, Max: 9} }, ruleUsed},
		"a cache":              {func(p *results.Plan, _ *inputs.Condition) { stage(p, 0).Memory.KVGiB = 1 }, ruleServing},
		"a token time":         {func(p *results.Plan, _ *inputs.Condition) { p.Phases[0].Metrics.TPOTMS = pointerTo(1.0) }, ruleMetric("tpot_ms")},
		"no utilisation":       {func(p *results.Plan, _ *inputs.Condition) { p.Phases[0].Metrics.MFU = nil }, ruleMetric("mfu")},
		"a better objective":   {func(p *results.Plan, _ *inputs.Condition) { p.Phases[0].Solve.Objective = 100 }, ruleStepGoal},
		"an unknown objective": {func(p *results.Plan, _ *inputs.Condition) { p.Phases[0].Solve.ObjectiveUnit = "weighted ratios" }, ruleStepGoal},
		"a requirement missed": {func(_ *results.Plan, c *inputs.Condition) { c.Goal.Requirements[0].Value = 100 }, ruleRequirement("step_time")},
		"one too near":         {func(_ *results.Plan, c *inputs.Condition) { c.Goal.Requirements[0].Value = 140 }, ruleRequirement("step_time")},
	} {
		p, c := stepCase()
		row.spoil(p, c)
		if v := checkTrainingWith(p, c, stepPrices{}, Options{}); !slices.Contains(failedRules(v), row.rule) {
			t.Errorf("%s: %q does not fail:\n%s", name, row.rule, describe(v))
		}
	}
}

// Objectives in other units follow from the step too.
func TestObjectivesOfAStep(t *testing.T) {
	const seconds = 130.5
	for unit, value := range map[string]float64{
		unitWork:  seconds * 8,
		unitRatio: seconds/100 + 3*seconds*8/500,
		unitMiss:  16.0 / 20,
	} {
		p, c := stepCase()
		c.Goal.LatencyWeight, c.Goal.ThroughputWeight = 1, 3
		s := &p.Phases[0].Solve
		s.Objective, s.ObjectiveUnit, s.BestBound = value, unit, &value
		s.Certificate.Passes = []results.CertificatePass{{Purpose: "step time", Best: pointerTo(100.0)}, {Purpose: "GPU time of a step", Best: pointerTo(500.0)}}
		if v := checkTrainingWith(p, c, stepPrices{}, Options{}); !v.OK {
			t.Errorf("%s:\n%s", unit, describe(v))
		}
		s.Objective *= 1.01
		if v := checkTrainingWith(p, c, stepPrices{}, Options{}); !slices.Contains(failedRules(v), ruleStepGoal) {
			t.Errorf("%s, one percent more:\n%s", unit, describe(v))
		}
	}
}

// A closest plan whose ranks have several stages each is on the GPUs given, whose names it has.
func TestClosestStepOnTheGPUsGiven(t *testing.T) {
	p, c := stepCase()
	for i := range p.Phases[0].Stages {
		for j, id := range p.Phases[0].Stages[i].GPUs {
			p.Phases[0].Stages[i].GPUs[j] = "rack/" + id
		}
	}
	for i := range c.Cluster.Pools[0].Nodes {
		for j, id := range c.Cluster.Pools[0].Nodes[i].GPUs {
			c.Cluster.Pools[0].Nodes[i].GPUs[j] = "rack/" + id
		}
	}
	if beyond(p, c) {
		t.Fatal("stages of one rank are counted twice")
	}
	p.Phases[0].Stages[0].GPUs[0] = "rack/other"
	if !beyond(p, c) {
		t.Fatal("a GPU that is not there is seen as given")
	}
}

// Where a requirement is missed by less than is told apart, a plan may say either; that it is
// met by one that misses it by more, or missed by one that meets it, is told.
func TestRequirementsOnTheEdge(t *testing.T) {
	for _, x := range []struct {
		missed      float64 // share
		met, notMet bool    // the plan may say so
	}{{5e-7, true, true}, {1e-4, false, true}, {-1e-4, true, false}} {
		for _, says := range []bool{true, false} {
			p, c := stepCase()
			c.Goal.Margin = pointerTo(0.2)
			line := &p.Phases[0].Requirements[0]
			value := line.Got / (1 + x.missed) / (1 - *c.Goal.Margin)
			c.Goal.Requirements[0].Value, line.Want = value, value
			line.Met, line.MarginPercent = says, 100*(1-line.Got/value)
			v := checkTrainingWith(p, c, stepPrices{}, Options{Closest: true})
			if told := slices.Contains(failedRules(v), ruleRequirement("step_time")); told == (says && x.met || !says && x.notMet) {
				t.Errorf("missed by %g, the plan says met %t: told of it: %t\n%s", x.missed, says, told, describe(v))
			}
		}
	}
}

// No content of a plan makes the checks panic.
func TestAnyStepCanBeChecked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, c := stepCase()
		all := append(leaves("Plan", reflect.ValueOf(p)), leaves("Workload", reflect.ValueOf(&c.Workload))...)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			switch l := rapid.SampledFrom(all).Draw(t, "leaf"); l.value.Kind() {
			case reflect.Int, reflect.Int64:
				l.value.SetInt(rapid.OneOf(rapid.Int64Range(-2, 5), rapid.Int64()).Draw(t, l.path))
			case reflect.Float64:
				l.value.SetFloat(rapid.Float64().Draw(t, l.path))
			case reflect.Bool:
				l.value.SetBool(!l.value.Bool())
			case reflect.String:
				l.value.SetString(rapid.SampledFrom([]string{"", "big", "node-0/gpu-0", "x"}).Draw(t, l.path))
			}
		}
		ph := &p.Phases[0]
		ph.Stages = ph.Stages[:rapid.IntRange(0, len(ph.Stages)).Draw(t, "stages")]
		v := checkTrainingWith(p, c, stepPrices{}, Options{Closest: rapid.Bool().Draw(t, "closest")})
		if v.OK != (len(Violations(v)) == 0) {
			t.Fatalf("OK %t with %d violations", v.OK, len(Violations(v)))
		}
	})
}

// What a workload leaves open of recompute.
func TestRecomputeAsked(t *testing.T) {
	none, full := inputs.NoRecompute, inputs.FullRecompute
	for _, x := range []struct {
		list []inputs.Recompute
		k    int
		want map[inputs.Recompute]bool
	}{
		{nil, 0, nil},
		{[]inputs.Recompute{full}, 3, map[inputs.Recompute]bool{full: true}},
		{[]inputs.Recompute{none, full}, 2, map[inputs.Recompute]bool{none: true}},             // of each rank
		{[]inputs.Recompute{none, none, full, none}, 2, map[inputs.Recompute]bool{full: true}}, // of each stage
		{[]inputs.Recompute{none, full, none}, 2, map[inputs.Recompute]bool{none: true, full: true}},
	} {
		if got := recomputeAsked(x.list, x.k, 2, 2); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%v of stage %d: %v, want %v", x.list, x.k, got, x.want)
		}
	}
}

// A plan of serving, or of an operator graph, says nothing of a training step.
func TestNothingOfTrainingElsewhere(t *testing.T) {
	for name, spoil := range map[string]func(*results.PhasePlan){
		"ranks":          func(p *results.PhasePlan) { p.Stages[0].Rank = pointerTo(0) },
		"virtual stages": func(p *results.PhasePlan) { p.Strategy.VirtualStages = 1 },
		"ZeRO":           func(p *results.PhasePlan) { p.Strategy.ZeRO = pointerTo(0) },
		"a utilisation":  func(p *results.PhasePlan) { p.Metrics.MFU = pointerTo(0.4) },
		"gradients":      func(p *results.PhasePlan) { p.Stages[1].Memory.GradientsGiB = 1 },
	} {
		p, c, prices := handCases[0].make()
		spoil(&p.Phases[0])
		if v := check(p, c, prices, Options{}); !slices.Contains(failedRules(v), ruleNoTraining) {
			t.Errorf("%s:\n%s", name, describe(v))
		}
		g, gc := graphCase()
		spoil(&g.Phases[0])
		if v, err := Check(g, gc); err != nil || !slices.Contains(failedRules(v), ruleNoTraining) {
			t.Errorf("%s of a graph: %v\n%s", name, err, describe(v))
		}
	}
}
