package cost

import (
	"testing"

	"partita/inputs"
)

// An operator that is priced by itself costs what it costs in a layer: a layer without it is
// shorter by that much.
func TestSingleIsWhatALayerHas(t *testing.T) {
	pool := plain(1)
	pool.Accelerator.Efficiency, pool.Accelerator.Generation = nil, "hopper"
	pool.Intra = inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9}
	pool.Accelerator.Link = pool.Intra
	s, err := NewSingle(&pool.Accelerator, inputs.BF16)
	if err != nil {
		t.Fatal(err)
	}
	m := small()
	m.Kinds[0].FFN = inputs.FFN{}
	a := m.Kinds[0].Attention
	one := Shape{TP: 1, CP: 1, DPAttention: 1, EP: 1, ETP: 1}
	c := mustNew(t, conditionOf(m, pool))
	d := &c.devices[0]
	for _, st := range []Step{
		{Phase: inputs.Decode, Sequences: 16, New: 1, Cached: 4095},
		{Phase: inputs.Prefill, Sequences: 2, New: 1000, Cached: 500},
	} {
		tokens, hidden := float64(st.Sequences*st.New), float64(m.Hidden)
		width := float64(a.Heads+2*a.KVHeads) * float64(a.HeadDim)
		rest := d.stream.stream(8*tokens*hidden) + // norm
			s.Matmul(tokens, width, hidden, 2) +
			d.stream.stream(tokens*(4*float64(a.Heads+a.KVHeads)*float64(a.HeadDim)+4*float64(a.KVHeads)*float64(a.HeadDim))) + // rotary, cache
			s.Matmul(tokens, hidden, float64(a.Heads*a.HeadDim), 2) +
			d.stream.stream(8*tokens*hidden) // norm of the feed-forward block
		kernel := s.Attention(st.Phase, SingleAttention{Heads: a.Heads, KVHeads: a.KVHeads, Width: a.HeadDim, Sequences: st.Sequences, New: st.New, Cached: st.Cached, CacheBytes: 2})
		near(t, string(st.Phase), rest+kernel, c.Layer(0, 0, one, st), 1e-9)
	}
}

// Sizes and formats act as they must.
func TestSingleGrows(t *testing.T) {
	pool := plain(1)
	pool.Accelerator.Efficiency, pool.Accelerator.Generation = nil, "hopper"
	pool.Accelerator.Link = inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9}
	s, err := NewSingle(&pool.Accelerator, inputs.BF16)
	if err != nil {
		t.Fatal(err)
	}
	latent := SingleAttention{Latent: true, Heads: 16, Sequences: 8, New: 1, Cached: 1023, CacheBytes: 2}
	longer := latent
	longer.Cached = 100_000
	moe := SingleExperts{Tokens: 512, Hidden: 4096, Width: 2048, Experts: 64, TopK: 8, EP: 1, ETP: 1, WeightBytes: 2}
	spread := moe
	spread.EP = 8
	for what, pair := range map[string][2]float64{
		"wider weights":      {s.Matmul(1, 4096, 4096, 1), s.Matmul(1, 4096, 4096, 2)},
		"more rows":          {s.Matmul(4096, 4096, 4096, 2), s.Matmul(8192, 4096, 4096, 2)},
		"longer latent":      {s.Attention(inputs.Decode, latent), s.Attention(inputs.Decode, longer)},
		"prompts of latents": {s.Attention(inputs.Decode, latent), s.Attention(inputs.Prefill, SingleAttention{Latent: true, Heads: 16, Sequences: 8, New: 4096, CacheBytes: 2})},
		"spread experts":     {s.Experts(spread), s.Experts(moe)},
		"stream":             {s.Stream(1e6), s.Stream(1e9)},
		"all-reduce":         {s.AllReduce(1e6, 8), s.AllReduce(1e8, 8)},
		"half of it":         {s.AllGather(1e8, 8), s.AllReduce(1e8, 8)},
		"all-to-all":         {s.AllToAll(1e6, 8), s.AllToAll(1e8, 8)},
		"send":               {s.Send(1e6), s.Send(1e8)},
	} {
		if !(pair[0] > 0 && pair[0] < pair[1]) {
			t.Errorf("%s: %g and %g", what, pair[0], pair[1])
		}
	}
	if _, err := NewSingle(&inputs.Accelerator{Name: "X"}, inputs.BF16); err == nil {
		t.Error("a device without figures is priced")
	}
}
