package cost

import (
	"testing"

	"partita/inputs"
)

// Context-parallel ranks split the new tokens and gather their latents, so that each makes
// the keys and values of all of them: that product does not get shorter with CP.
func TestContextParallelLatents(t *testing.T) {
	m := deepSeekV3(inputs.BF16)
	k := newKindFigures(&m, &m.Kinds[0])
	calc := mustNew(t, conditionOf(m, plain(8)))
	const tokens = 8192
	step := Step{Phase: inputs.Prefill, Sequences: 1, New: tokens}
	d := &calc.devices[0]
	n := k.heads
	whole := d.matmul.matmul(tokens, k.kvRank, n*(k.nope+k.v), calc.model.weightBytes, calc.model.activationBytes)
	for _, cp := range []int{2, 4, 8} {
		s := Shape{TP: 1, CP: cp, DPAttention: 1, EP: cp, ETP: 1}
		w := splitStep(s, step)
		if w.new != tokens/float64(cp) {
			t.Fatalf("CP %d: %g new tokens a rank", cp, w.new)
		}
		// All else of the block is worked out with the rank's tokens; what is left is the product.
		got := calc.latentAttention(d, &k, s, step, &w)
		rest := d.matmul.matmul(w.tokens, calc.model.hidden, k.qRank+k.kvRank+k.rope, calc.model.weightBytes, calc.model.activationBytes) +
			d.stream.stream(2*w.tokens*(k.qRank+k.kvRank+k.rope)*calc.model.activationBytes) +
			d.matmul.matmul(w.tokens, k.qRank, n*k.qk, calc.model.weightBytes, calc.model.activationBytes) +
			d.stream.stream(w.tokens*(2*calc.model.activationBytes*(n+1)*k.rope+calc.model.kvBytes*(k.kvRank+k.rope))) +
			d.prefill.time(k.prefillFLOPs(n, &w, step), calc.model.activationBytes*w.tokens*n*(k.qk+k.v)+calc.model.activationBytes*tokens*n*(k.qk+k.v)+tokens*(k.kvRank+k.rope)*calc.model.kvBytes) +
			calc.contextExchange(d, s, step, &w, (k.kvRank+k.rope)*calc.model.kvBytes)
		near(t, "making keys and values", got-rest, whole, 1e-9)
	}
}
