package cost

import (
	"fmt"

	"partita/inputs"
)

// ValidShape reports whether layers of the given kind can be split like this, and
// if not, why, as a sentence. Whether a phase admits the shape (CP is for prefill)
// is the caller's to ask: see ValidPhase.
//
// KV heads need not divide: they are rounded up per rank. Dense layers of a model
// with experts may share a stage with EP or DPAttention above 1; they are split
// over TP alone.
func ValidShape(m *inputs.Model, kind int, s Shape) (bool, string) {
	if s.TP < 1 || s.CP < 1 || s.DPAttention < 1 || s.EP < 1 || s.ETP < 1 {
		return false, fmt.Sprintf("every degree must be at least 1 (TP %d, CP %d, attention DP %d, EP %d, expert TP %d)", s.TP, s.CP, s.DPAttention, s.EP, s.ETP)
	}
	if s.EP*s.ETP != s.GPUs() {
		return false, fmt.Sprintf("experts span %d × %d = %d GPUs, but the stage has TP %d × CP %d × attention DP %d = %d", s.EP, s.ETP, s.EP*s.ETP, s.TP, s.CP, s.DPAttention, s.GPUs())
	}
	k := &m.Kinds[kind]
	if k.Attention.Heads%s.TP != 0 {
		return false, fmt.Sprintf("%d attention heads do not divide over TP %d", k.Attention.Heads, s.TP)
	}
	f := &k.FFN
	if f.Experts == 0 {
		if f.Intermediate%s.TP != 0 {
			return false, fmt.Sprintf("feed-forward width %d does not divide over TP %d", f.Intermediate, s.TP)
		}
		if s.EP == 1 && s.DPAttention == 1 {
			return true, ""
		}
		if !m.HasExperts() {
			if s.EP > 1 {
				return false, fmt.Sprintf("EP %d needs experts and the model has none", s.EP)
			}
			return false, fmt.Sprintf("attention DP %d needs experts and the model has none; use replicas", s.DPAttention)
		}
		return true, ""
	}
	if f.Experts%s.EP != 0 {
		return false, fmt.Sprintf("%d experts do not divide over EP %d", f.Experts, s.EP)
	}
	if f.Intermediate%s.ETP != 0 {
		return false, fmt.Sprintf("expert width %d does not divide over expert TP %d", f.Intermediate, s.ETP)
	}
	if f.Shared%s.TP != 0 {
		return false, fmt.Sprintf("width %d of the shared experts does not divide over TP %d", f.Shared, s.TP)
	}
	return true, ""
}

// ValidPhase reports whether a phase admits the shape, and if not, why.
func ValidPhase(phase inputs.Phase, s Shape) (bool, string) {
	if phase != inputs.Prefill && s.CP > 1 {
		return false, fmt.Sprintf("CP %d splits new tokens, and a decode step has one", s.CP)
	}
	return true, ""
}
