package dag

// denseOps are the operators of a dense block: of the feed-forward, or of shared experts.
type denseOps struct {
	gate, up, act, down Op
	of                  string
}

var (
	denseForward = denseOps{FFNGate, FFNUp, Activation, FFNDown, "feed-forward"}
	sharedDense  = denseOps{SharedGate, SharedUp, SharedActivation, SharedDown, "shared experts"}
)

// dense draws gate, up, activation and down of the given width on a lane; without the
// gate where the block is plain.
func (l *layerPen) dense(lane int, ops *denseOps, width int, gated bool, from id) id {
	at := &l.s.lanes[lane]
	hidden := []Tensor{l.hidden(lane)}
	wide := []Tensor{tensor(Dim{"batch_size", at.sequences}, Dim{"seq_len", at.tokens}, Dim{"ffn", width})}
	inner := []id{l.on(lane, ops.up, ops.of+" up", hidden, wide, from)}
	if gated {
		inner = append(inner, l.on(lane, ops.gate, ops.of+" gate", hidden, wide, from))
	}
	n := l.on(lane, ops.act, ops.of+" activation", wide, wide, inner...)
	return l.on(lane, ops.down, ops.of+" down", wide, hidden, n)
}
