package cost

import "partita/inputs"

// Parameters is the number of parameters that the model's shapes add up to:
// embedding, head (once where tied), layers, norms and routers. Biases and the
// small norms of queries and keys are left out. FFNScale is not applied, so that
// the result can be held against a declared count.
func Parameters(m *inputs.Model) float64 { return countParameters(m, 1, false) }

// ScaledParameters is Parameters with the feed-forward widths scaled by FFNScale:
// what the cost model prices.
func ScaledParameters(m *inputs.Model) float64 { return countParameters(m, ffnScale(m), false) }

// ActiveParameters is the number of parameters that one token passes through: all
// but the routed experts that it does not visit. FFNScale is not applied.
func ActiveParameters(m *inputs.Model) float64 { return countParameters(m, 1, true) }

func ffnScale(m *inputs.Model) float64 {
	if m.FFNScale == 0 {
		return 1
	}
	return m.FFNScale
}

func countParameters(m *inputs.Model, scale float64, active bool) float64 {
	scaled := *m
	scaled.FFNScale = scale
	hidden := float64(m.Hidden)
	kinds := make([]float64, len(m.Kinds))
	for i := range m.Kinds {
		k := newKindFigures(&scaled, &m.Kinds[i])
		kinds[i] = k.attentionElements(hidden, 1) + 2*hidden
		if k.experts == 0 {
			kinds[i] += k.matrices * hidden * k.intermediate
			continue
		}
		experts := k.experts
		if active {
			experts = k.topK
		}
		kinds[i] += k.matrices*hidden*(experts*k.intermediate+k.shared) + hidden*k.experts
	}
	total := float64(m.Vocab)*hidden + hidden
	if !m.Tied {
		total += float64(m.Vocab) * hidden
	}
	for _, kind := range m.Layers {
		if kind >= 0 && kind < len(kinds) {
			total += kinds[kind]
		}
	}
	return total
}
