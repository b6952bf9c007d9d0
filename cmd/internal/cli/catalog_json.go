package cli

import (
	"encoding/json"
	"io"

	"partita/inputs"
	"partita/inputs/catalog"
)

// acceleratorLine is one accelerator as `catalog gpus --json` prints it. Rates of
// links are per GPU and direction; what is not known is absent.
type acceleratorLine struct {
	Name                    string                   `json:"name"`
	Aliases                 []string                 `json:"aliases"`
	Vendor                  string                   `json:"vendor"`
	Generation              string                   `json:"generation"`
	MemoryBytes             int64                    `json:"memory_bytes"`
	MemoryBytesPerSecond    float64                  `json:"memory_bytes_per_s"`
	FLOPS                   map[inputs.DType]float64 `json:"flops"`
	LinkKind                inputs.LinkKind          `json:"link,omitempty"`
	LinkBytesPerSecond      float64                  `json:"link_bytes_per_s,omitempty"`
	LinkPairBytesPerSecond  float64                  `json:"link_pair_bytes_per_s,omitempty"`
	PCIeBytesPerSecond      float64                  `json:"pcie_bytes_per_s,omitempty"`
	ThermalDesignPowerWatts float64                  `json:"tdp_watts,omitempty"`
	USDPerHour              float64                  `json:"usd_per_hour,omitempty"`
	Notes                   string                   `json:"notes,omitempty"`
	Provenance              string                   `json:"provenance"`
}

func acceleratorJSON(known *catalog.Catalog, a inputs.Accelerator) acceleratorLine {
	entry, _ := known.AcceleratorEntry(a.Name)
	return acceleratorLine{
		Name: a.Name, Aliases: a.Aliases, Vendor: a.Vendor, Generation: a.Generation,
		MemoryBytes: a.MemoryBytes, MemoryBytesPerSecond: a.MemoryBandwidth, FLOPS: a.FLOPS,
		LinkKind: a.Link.Kind, LinkBytesPerSecond: a.Link.BytesPerSecond, LinkPairBytesPerSecond: a.Link.PairBytesPerSecond,
		PCIeBytesPerSecond: a.PCIe, ThermalDesignPowerWatts: entry.TDPWatts, USDPerHour: a.USDPerHour,
		Notes: entry.Notes, Provenance: a.Provenance,
	}
}

// modelLine is one model as `catalog models --json` prints it.
type modelLine struct {
	Name        string       `json:"name"`
	Aliases     []string     `json:"aliases"`
	HuggingFace string       `json:"hugging_face,omitempty"`
	Family      string       `json:"family"`
	Parameters  float64      `json:"parameters"`
	Hidden      int          `json:"hidden"`
	Vocabulary  int          `json:"vocabulary"`
	Tied        bool         `json:"tied"`
	Weights     inputs.DType `json:"weights"`
	KV          inputs.DType `json:"kv"`
	MaxContext  int          `json:"max_context,omitempty"`
	Layers      int          `json:"layers"`
	Kinds       []kindLine   `json:"kinds"`
	Notes       string       `json:"notes,omitempty"`
	Provenance  string       `json:"provenance"`
}

// kindLine is one kind of layer and how many layers are of it.
type kindLine struct {
	Name         string               `json:"name"`
	Layers       int                  `json:"layers"`
	Attention    inputs.AttentionKind `json:"attention"`
	Heads        int                  `json:"heads"`
	KVHeads      int                  `json:"kv_heads"`
	HeadDim      int                  `json:"head_dim"`
	Window       int                  `json:"window,omitempty"`
	KVLoraRank   int                  `json:"kv_lora_rank,omitempty"`
	RopeDim      int                  `json:"rope_dim,omitempty"`
	Intermediate int                  `json:"intermediate"`
	Experts      int                  `json:"experts,omitempty"`
	TopK         int                  `json:"top_k,omitempty"`
	Shared       int                  `json:"shared,omitempty"`
}

func modelJSON(known *catalog.Catalog, m inputs.Model) modelLine {
	entry, _ := known.ModelEntry(m.Name)
	line := modelLine{
		Name: m.Name, Aliases: append([]string{}, entry.Aliases...), HuggingFace: entry.HuggingFace, Family: entry.Family,
		Parameters: m.DeclaredParams, Hidden: m.Hidden, Vocabulary: m.Vocab, Tied: m.Tied, Weights: m.Weights, KV: m.KV,
		MaxContext: m.MaxContext, Layers: len(m.Layers), Notes: entry.Notes, Provenance: m.Provenance,
	}
	for i, count := range layersOfKind(m) {
		k := m.Kinds[i]
		line.Kinds = append(line.Kinds, kindLine{
			Name: k.Name, Layers: count, Attention: k.Attention.Kind, Heads: k.Attention.Heads, KVHeads: k.Attention.KVHeads,
			HeadDim: k.Attention.HeadDim, Window: k.Attention.Window, KVLoraRank: k.Attention.KVLoraRank, RopeDim: k.Attention.RopeDim,
			Intermediate: k.FFN.Intermediate, Experts: k.FFN.Experts, TopK: k.FFN.TopK, Shared: k.FFN.Shared,
		})
	}
	return line
}

// layersOfKind counts the layers of each kind.
func layersOfKind(m inputs.Model) []int {
	counts := make([]int, len(m.Kinds))
	for _, kind := range m.Layers {
		counts[kind]++
	}
	return counts
}

// eachJSON prints one JSON line an entry.
func eachJSON[T any](w io.Writer, list []T, view func(T) any) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, entry := range list {
		if err := out.Encode(view(entry)); err != nil {
			return err
		}
	}
	return nil
}
