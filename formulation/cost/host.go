package cost

import "partita/inputs"

// hostOf is what a serving engine adds to the kernels of a device; nothing where the
// condition states the utilisation.
func hostOf(p *inputs.Profile, engine string, stated bool) inputs.HostConstants {
	if stated {
		return inputs.HostConstants{}
	}
	h := p.Host
	if engine == "trtllm" {
		h.Step = h.StepTRTLLM
	}
	return h
}

// HostStep is what the host adds to a step of so many sequences on a stage, in seconds.
func (c *Calculator) HostStep(pool, sequences int) float64 {
	h := &c.devices[pool].host
	return h.Step + h.Sequence*float64(sequences)
}

// HostRequest is what the host adds to a request's first token beside its steps, in
// seconds, for a prompt of so many tokens.
func (c *Calculator) HostRequest(pool, tokens int) float64 {
	h := &c.devices[pool].host
	return h.Request + h.Token*float64(tokens)
}

// HostToken is what the host adds to a token of each sequence of a group on a stage, in
// seconds.
func (c *Calculator) HostToken(pool int, w *Serving) float64 {
	return c.HostStep(pool, w.DecodeStep().Sequences) / w.Workload.Speculative.TokensPerStep()
}

// HostFirst is what the host adds to a request's first token, in seconds: on every stage,
// and on the one that it comes in at.
func (c *Calculator) HostFirst(pool int, w *Serving) (every, entry float64) {
	return w.FirstSteps() * c.HostStep(pool, w.Sequences), c.HostRequest(pool, w.Workload.Input.Max)
}
