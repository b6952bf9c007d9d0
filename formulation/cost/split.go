package cost

import "math"

// split is what one attention rank of a stage works on. Sequences go over
// DPAttention, new tokens over CP, both rounded up: the fullest rank decides.
type split struct {
	t         float64 // TP
	sequences float64 // of this rank
	new       float64 // new tokens a sequence on this rank
	tokens    float64 // sequences · new
	total     float64 // tokens of the whole stage
}

func splitStep(s Shape, st Step) split {
	sequences := ceilDiv(st.Sequences, s.DPAttention)
	tokens := ceilDiv(st.New, s.CP)
	return split{
		t:         float64(s.TP),
		sequences: float64(sequences),
		new:       float64(tokens),
		tokens:    float64(sequences) * float64(tokens),
		total:     float64(st.Sequences) * float64(st.New),
	}
}

// within is the largest chunk of a step where each of so many ranks takes so many
// new tokens at once; 0: all.
func (w split) within(budget, ranks int) split {
	if most := float64(budget); budget > 0 && w.tokens > most {
		w.total = math.Min(w.total, most*float64(ranks))
		w.tokens, w.new = most, most/w.sequences
	}
	return w
}

// ceilDiv is ⌈a/b⌉ for a ≥ 0; a degree below 1 counts as 1.
func ceilDiv(a, b int) int {
	if b <= 1 {
		return a
	}
	return (a + b - 1) / b
}
