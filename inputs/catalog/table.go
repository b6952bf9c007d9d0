package catalog

import (
	"fmt"
	"strconv"
	"strings"

	"partita/inputs"
)

// Markdown writes the catalogue as the two tables of docs/catalog.md.
func (c *Catalog) Markdown() string {
	var b strings.Builder
	b.WriteString("## Accelerators\n\n")
	fmt.Fprintf(&b, "%d devices. Memory is in GiB, rates in GB/s per GPU and direction, peaks in dense TFLOP/s.\n\n", len(c.accelerators))
	row(&b, "name", "also", "generation", "memory", "bandwidth", "16 bit", "FP8", "INT8", "FP4", "link in a node", "PCIe", "W", "seen")
	rule(&b, 13)
	for _, e := range c.accelerators {
		row(&b, e.Accelerator.Name, strings.Join(e.DefaultFor, ", "), e.Vendor+" "+e.Generation,
			number(float64(e.MemoryBytes)/(1<<30), 1), number(e.MemoryBandwidth/giga, 0),
			sixteenBit(e.FLOPS), peak(e.FLOPS, inputs.FP8), peak(e.FLOPS, inputs.INT8), peak(e.FLOPS, inputs.FP4),
			linkText(e.Link), rate(e.PCIe), number(e.TDPWatts, 0), e.Seen)
	}
	b.WriteString("\n## Models\n\n")
	fmt.Fprintf(&b, "%d models. Parameters are as published, in 10^9; heads are query/KV × width.\n\n", len(c.models))
	row(&b, "name", "Hugging Face", "parameters", "layers", "hidden", "attention", "FFN", "vocabulary", "context", "weights")
	rule(&b, 10)
	for _, e := range c.models {
		m := e.Model
		tied := ""
		if m.Tied {
			tied = " tied"
		}
		row(&b, m.Name, e.HuggingFace, number(e.Published/giga, 2), layersText(m), strconv.Itoa(m.Hidden),
			attentionText(m.Kinds[0].Attention), ffnText(m), strconv.Itoa(m.Vocab)+tied, strconv.Itoa(m.MaxContext), string(m.Weights))
	}
	b.WriteString("\n## Sources\n\n")
	for _, e := range c.accelerators {
		fmt.Fprintf(&b, "- %s: %s\n", e.Accelerator.Name, e.Accelerator.Provenance)
	}
	for _, e := range c.models {
		fmt.Fprintf(&b, "- %s: %s\n", e.Model.Name, e.Model.Provenance)
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	for _, cell := range cells {
		b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}

func rule(b *strings.Builder, columns int) { b.WriteString(strings.Repeat("|---", columns) + "|\n") }

// number writes up to so many decimals, and nothing for a figure that is not known.
func number(v float64, decimals int) string {
	if v == 0 {
		return ""
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func rate(bytesPerSecond float64) string { return number(bytesPerSecond/giga, 2) }

func peak(flops map[inputs.DType]float64, d inputs.DType) string { return number(flops[d]/tera, 1) }

// sixteenBit is the peak at 16 bits, and which of the two formats where one is missing.
func sixteenBit(flops map[inputs.DType]float64) string {
	switch bf, fp := flops[inputs.BF16], flops[inputs.FP16]; {
	case bf == fp:
		return peak(flops, inputs.BF16)
	case bf == 0:
		return peak(flops, inputs.FP16) + " (FP16)"
	default:
		return peak(flops, inputs.BF16) + " (BF16)"
	}
}

func linkText(l inputs.Link) string {
	if l.PairBytesPerSecond > 0 {
		return fmt.Sprintf("%s %s, pair %s", l.Kind, rate(l.BytesPerSecond), rate(l.PairBytesPerSecond))
	}
	return fmt.Sprintf("%s %s", l.Kind, rate(l.BytesPerSecond))
}

// layersText counts the layers of each kind, in the order in which they appear.
func layersText(m inputs.Model) string {
	counts := make([]int, len(m.Kinds))
	for _, k := range m.Layers {
		counts[k]++
	}
	parts := make([]string, len(m.Kinds))
	for k, kind := range m.Kinds {
		parts[k] = fmt.Sprintf("%d %s", counts[k], kind.Name)
		if w := kind.Attention.Window; w > 0 {
			parts[k] += fmt.Sprintf(" (%d)", w)
		}
	}
	return strings.Join(parts, ", ")
}

func attentionText(a inputs.Attention) string {
	if a.Kind == inputs.MLA {
		text := fmt.Sprintf("MLA %d × %d/%d, KV %d + %d", a.Heads, a.HeadDim, a.VHeadDim, a.KVLoraRank, a.RopeDim)
		if a.QLoraRank > 0 {
			text += fmt.Sprintf(", Q %d", a.QLoraRank)
		}
		return text
	}
	return fmt.Sprintf("%d/%d × %d", a.Heads, a.KVHeads, a.HeadDim)
}

// ffnText writes the distinct FFN blocks of a model.
func ffnText(m inputs.Model) string {
	var parts []string
	seen := map[inputs.FFN]bool{}
	for _, k := range m.Kinds {
		f := k.FFN
		if seen[f] {
			continue
		}
		seen[f] = true
		switch {
		case f.Experts == 0:
			parts = append(parts, strconv.Itoa(f.Intermediate))
		case f.Shared > 0:
			parts = append(parts, fmt.Sprintf("%d of %d × %d + %d", f.TopK, f.Experts, f.Intermediate, f.Shared))
		default:
			parts = append(parts, fmt.Sprintf("%d of %d × %d", f.TopK, f.Experts, f.Intermediate))
		}
	}
	return strings.Join(parts, ", ")
}
