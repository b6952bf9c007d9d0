package dag

import (
	"bytes"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
)

// split is a stage of a made-up plan: the number of its layers and its degrees.
type split struct{ layers, tp, cp, dp, ep int }

// made is a plan that is described by hand.
type made struct {
	model    inputs.Model
	phase    inputs.Phase
	batch    int
	input    int
	output   int
	replicas int
	micro    int
	groups   int
	stages   []split
}

// grouped is a layer of grouped-query attention with a gated feed-forward block.
func grouped() inputs.LayerKind {
	return inputs.LayerKind{Name: "dense", Attention: inputs.Attention{Kind: inputs.GQA, Heads: 8, KVHeads: 2, HeadDim: 16}, FFN: inputs.FFN{Intermediate: 48, Gated: true}}
}

// mixture is a layer of latent attention with experts, two of them shared.
func mixture() inputs.LayerKind {
	return inputs.LayerKind{Name: "experts",
		Attention: inputs.Attention{Kind: inputs.MLA, Heads: 8, KVHeads: 8, HeadDim: 24, VHeadDim: 16, QLoraRank: 32, KVLoraRank: 20, RopeDim: 8},
		FFN:       inputs.FFN{Intermediate: 24, Gated: true, Experts: 8, TopK: 2, Shared: 48}}
}

func model(kinds []inputs.LayerKind, layers ...int) inputs.Model {
	return inputs.Model{Name: "tiny", Hidden: 64, Vocab: 100, Kinds: kinds, Layers: layers}
}

func (d made) plan() *results.Plan {
	ph := results.PhasePlan{Phase: d.phase, Strategy: results.Strategy{Replicas: d.replicas, MicroBatches: d.micro, DecodeGroups: d.groups}}
	node := 0
	for r := range d.replicas {
		first := 0
		for i, s := range d.stages {
			n := s.tp * s.cp * s.dp
			st := results.Stage{Replica: r, Index: i, FirstLayer: first, LastLayer: first + s.layers - 1, Pool: "pool",
				TP: s.tp, CP: s.cp, DPAttention: s.dp, EP: s.ep, ETP: n / s.ep}
			first += s.layers
			for g := range n {
				st.GPUs = append(st.GPUs, fmt.Sprintf("node-%d/gpu-%d", node, g))
			}
			node++
			ph.Stages = append(ph.Stages, st)
		}
	}
	w := inputs.Workload{Phase: d.phase, Batch: d.batch, Input: inputs.Range{Min: d.input, Max: d.input}, Output: inputs.Range{Min: d.output, Max: d.output}}
	pool := inputs.Pool{Name: "pool", Accelerator: inputs.Accelerator{Name: "A100"}, GPUsPerNode: 8, Intra: inputs.Link{BytesPerSecond: 300e9}}
	return &results.Plan{FormatVersion: results.FormatVersion, Condition: "made", Phases: []results.PhasePlan{ph}, Deployment: &results.Deployment{
		Model: d.model, Workload: w, Cluster: inputs.Cluster{Pools: []inputs.Pool{pool}, Network: inputs.Link{BytesPerSecond: 25e9}}}}
}

// plans are made-up plans of every form that is drawn, small enough to look at.
func plans() map[string]made {
	dense, experts := model([]inputs.LayerKind{grouped()}, 0, 0, 0, 0), model([]inputs.LayerKind{grouped(), mixture()}, 0, 1, 1, 1)
	plain := model([]inputs.LayerKind{grouped()}, 0, 0)
	plain.Kinds[0].FFN.Gated, plain.Vocab = false, 0
	windowed := model([]inputs.LayerKind{grouped(), grouped()}, 0, 1, 0, 1, 0, 1)
	windowed.Kinds[1].Attention.Window = 8
	whole := mixture()
	whole.Attention.QLoraRank, whole.FFN.Shared, whole.FFN.Gated = 0, 0, false
	simple := model([]inputs.LayerKind{whole}, 0, 0)
	return map[string]made{
		"one GPU":                       {dense, inputs.Mixed, 3, 40, 10, 1, 1, 1, []split{{4, 1, 1, 1, 1}}},
		"tensor parallel":               {dense, inputs.Mixed, 4, 40, 10, 1, 2, 1, []split{{4, 4, 1, 1, 1}}},
		"more ranks than KV heads":      {dense, inputs.Mixed, 4, 40, 10, 1, 2, 1, []split{{4, 8, 1, 1, 1}}},
		"uneven replicas":               {dense, inputs.Mixed, 7, 40, 10, 2, 1, 2, []split{{4, 2, 1, 1, 1}}},
		"unlike stages":                 {dense, inputs.Mixed, 4, 40, 10, 1, 2, 2, []split{{1, 8, 1, 1, 1}, {1, 2, 1, 1, 1}, {2, 4, 1, 1, 1}}},
		"no vocabulary":                 {plain, inputs.Mixed, 4, 40, 10, 2, 1, 1, []split{{2, 2, 1, 1, 1}}},
		"context parallel":              {dense, inputs.Prefill, 2, 41, 0, 1, 1, 0, []split{{2, 2, 4, 1, 1}, {2, 4, 2, 1, 1}}},
		"windows":                       {windowed, inputs.Decode, 4, 40, 10, 1, 0, 2, []split{{6, 2, 1, 1, 1}}},
		"experts on all ranks":          {experts, inputs.Mixed, 4, 40, 10, 1, 1, 1, []split{{4, 4, 1, 1, 2}}},
		"attention data parallel":       {experts, inputs.Mixed, 7, 40, 10, 2, 1, 1, []split{{4, 1, 1, 4, 4}}},
		"attention data × tensor":       {experts, inputs.Mixed, 7, 40, 10, 1, 1, 1, []split{{1, 2, 1, 2, 4}, {3, 1, 1, 4, 2}}},
		"ranks without sequences":       {experts, inputs.Mixed, 3, 40, 10, 1, 1, 1, []split{{2, 1, 1, 4, 4}, {2, 4, 1, 2, 8}}},
		"context parallel with experts": {experts, inputs.Prefill, 3, 41, 0, 1, 1, 0, []split{{2, 1, 2, 2, 4}, {2, 2, 4, 1, 4}}},
		"experts, none shared":          {simple, inputs.Mixed, 5, 40, 10, 1, 1, 1, []split{{1, 1, 1, 2, 2}, {1, 2, 1, 1, 1}}},
		"many ranks":                    {experts, inputs.Mixed, 40, 40, 10, 3, 1, 1, []split{{2, 1, 1, 16, 8}, {2, 2, 1, 8, 4}}},
	}
}

// text is a plan as it is written.
func text(t rapid.TB, p *results.Plan, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// lines are those lines of a text that hold all the words.
func lines(s string, words ...string) []string {
	var out []string
	for line := range strings.Lines(s) {
		has := true
		for _, w := range words {
			has = has && strings.Contains(line, w)
		}
		if has {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}
