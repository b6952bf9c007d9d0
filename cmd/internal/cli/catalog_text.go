package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/results/export"
)

// formatsOf are the number formats that an accelerator computes natively, by name.
func formatsOf(a inputs.Accelerator) []inputs.DType {
	return slices.Sorted(maps.Keys(a.FLOPS))
}

func modelDetail(env Environment, known *catalog.Catalog, m inputs.Model) error {
	entry, _ := known.ModelEntry(m.Name)
	rows := [][2]string{
		{"name", m.Name},
		{"also known as", strings.Join(append([]string{entry.HuggingFace}, entry.Aliases...), ", ")},
		{"parameters", billions(m.DeclaredParams)},
		{"hidden", fmt.Sprint(m.Hidden)},
		{"vocabulary", fmt.Sprintf("%d, embedding and head tied: %v", m.Vocab, m.Tied)},
		{"weights, KV", fmt.Sprintf("%s, %s", m.Weights, m.KV)},
		{"context", fmt.Sprintf("%d tokens", m.MaxContext)},
		{"layers", fmt.Sprint(len(m.Layers))},
	}
	counts := layersOfKind(m)
	for i, kind := range m.Kinds {
		rows = append(rows, [2]string{fmt.Sprintf("%d × %s", counts[i], kind.Name), kindText(kind)})
	}
	return export.PairsText(env.Out, append(rows, [2]string{"notes", entry.Notes}, [2]string{"provenance", m.Provenance}), env.screen())
}

func kindText(k inputs.LayerKind) string {
	a, f := k.Attention, k.FFN
	text := fmt.Sprintf("%s, %d heads of %d", a.Kind, a.Heads, a.HeadDim)
	if a.Kind == inputs.MLA {
		text += fmt.Sprintf(", latent KV %d + %d", a.KVLoraRank, a.RopeDim)
	} else {
		text += fmt.Sprintf(", %d KV heads", a.KVHeads)
	}
	if a.Window > 0 {
		text += fmt.Sprintf(", window %d", a.Window)
	}
	if f.Experts > 0 {
		text += fmt.Sprintf("; %d experts of width %d, %d a token", f.Experts, f.Intermediate, f.TopK)
		if f.Shared > 0 {
			text += fmt.Sprintf(", shared width %d", f.Shared)
		}
		return text
	}
	return text + fmt.Sprintf("; FFN width %d", f.Intermediate)
}

// shapeText describes the last layer: in models with unlike layers the first ones
// are the exception.
func shapeText(m inputs.Model) (attention, experts string) {
	if len(m.Layers) == 0 {
		return "", ""
	}
	k := m.Kinds[m.Layers[len(m.Layers)-1]]
	attention = fmt.Sprintf("%s %d/%d", k.Attention.Kind, k.Attention.Heads, k.Attention.KVHeads)
	if k.Attention.Kind == inputs.MLA {
		attention = fmt.Sprintf("mla %d", k.Attention.Heads)
	}
	experts = "–"
	if k.FFN.Experts > 0 {
		experts = fmt.Sprintf("%d top %d", k.FFN.Experts, k.FFN.TopK)
	}
	return attention, experts
}

func linkText(a inputs.Accelerator) string {
	if a.Link.BytesPerSecond == 0 {
		return "pcie " + rate(a.PCIe)
	}
	return string(a.Link.Kind) + " " + rate(a.Link.BytesPerSecond)
}

// rate prints bytes/s per GPU and direction.
func rate(bytesPerSecond float64) string {
	if bytesPerSecond == 0 {
		return ""
	}
	return fmt.Sprintf("%.4g GB/s", bytesPerSecond/1e9)
}

func tera(flops float64) string {
	if flops == 0 {
		return "–"
	}
	return fmt.Sprintf("%.4g", flops/1e12)
}

func billions(n float64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.4g B", n/1e9)
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }
