package cost

import (
	"math"

	"partita/inputs"
)

// ChunkTokens is the number of prompt tokens that an attention rank takes into one step:
// the default budget of current serving engines on large GPUs.
const ChunkTokens = 8192

// Serving is the work of a replica under continuous batching: every step decodes all
// sequences of a group, and where prompts wait it takes a chunk of them along. Weights
// are read once a step, for both.
type Serving struct {
	Sequences int // in flight in the replica
	Groups    int // that take turns in the pipeline
	Workload  *inputs.Workload
}

// Mix are the steps whose prices make up the average step of a group (C3c). Plain steps
// have a context of nothing: the price of everything but attention.
type Mix struct {
	Decode Step
	// Draft is a decode step of one token; Drafts is how many of them proposing takes.
	Draft  Step
	Drafts float64
	// Yield is how many tokens of each sequence a step decodes.
	Yield float64
	// Chunk and Next are chunks of whole prompts between which the one of the average step
	// lies, by the share Part of the second.
	Chunk, Next Step
	Part        float64
	// DecodePlain, ChunkPlain and BothPlain are as many new tokens without attention.
	DecodePlain, ChunkPlain, BothPlain Step
	// Share is how many chunks a step takes along: below one, that many of the steps have
	// one. 0: nothing is mixed in.
	Share float64
	// Passes are the steps that a chunk takes, where a prompt is longer than a step's budget.
	Passes float64
}

// Prices are the prices of a part of a stage in the steps of a mix, in seconds.
type Prices struct{ Decode, Draft, Chunk, Next, DecodePlain, ChunkPlain, BothPlain float64 }

// DecodeStep is a step of one group (C3b); of speculative decoding it verifies a draft.
func (w *Serving) DecodeStep() Step {
	st := w.draftStep()
	st.New += w.Workload.Speculative.DraftTokens
	return st
}

func (w *Serving) draftStep() Step {
	in, out := w.Workload.Input.Mid(), w.Workload.Output.Mid()
	return Step{Phase: inputs.Decode, Sequences: ceilDiv(w.Sequences, w.Groups), New: 1, Cached: in + ceilDiv(out, 2)}
}

// PromptStep is a prompt of full length by itself (C2), but for what is in the cache.
func (w *Serving) PromptStep() Step { return w.prompts(1, w.Workload.Input.Max) }

func (w *Serving) prompts(n, tokens int) Step {
	cached := w.Workload.Cached(tokens)
	return Step{Phase: inputs.Prefill, Sequences: n, New: tokens - cached, Cached: cached}
}

// Mix is the average step with so many attention ranks.
//
// In one round all sequences gain a token, so that (Sequences − 1)/Output of the others
// end and as many prompts are read: the arrivals of a round. Where a step sees less than
// one arrival, each prompt is a chunk of its own; where it sees more, they go together, up
// to the budget.
func (w *Serving) Mix(ranks int) Mix {
	draft := w.Workload.Speculative
	m := Mix{Decode: w.DecodeStep(), Yield: draft.TokensPerStep()}
	if draft.DraftTokens > 0 {
		m.Draft, m.Drafts = w.draftStep(), float64(draft.DraftTokens)*draft.DraftCost
	}
	if w.Sequences <= 1 || w.Workload.Phase == inputs.Decode {
		return m
	}
	in := w.Workload.Input.Mid()
	read := w.prompts(1, in).New
	m.Passes = passes(read)
	arrivals, size := w.chunk(ranks)
	whole := int(size)
	m.Share, m.Part = arrivals/size, size-float64(whole)
	m.Chunk, m.Next = w.prompts(whole, in), w.prompts(min(whole+1, w.Sequences), in)
	tokens, decoded := whole*min(read, ChunkTokens), m.Decode.Sequences*m.Decode.New
	m.DecodePlain, m.ChunkPlain, m.BothPlain = bare(decoded), bare(tokens), bare(tokens+decoded)
	return m
}

// chunk is how many prompts come in a step of a group, and how many go into a chunk.
func (w *Serving) chunk(ranks int) (arrivals, size float64) {
	read := w.prompts(1, w.Workload.Input.Mid()).New
	arrivals = w.Workload.Speculative.TokensPerStep() * float64(w.Sequences-1) / float64(w.Workload.Output.Mid()) / float64(w.Groups)
	most := float64(min(w.Sequences, ranks*max(1, ChunkTokens/max(1, read))))
	return arrivals, min(max(1, arrivals), most)
}

// Together is the most prompts that Mix prices in one step of so many sequences in flight,
// whatever the groups: a plan must hold them.
func Together(w *inputs.Workload, sequences, ranks int) int {
	if sequences <= 1 || w.Phase != inputs.Mixed {
		return 1
	}
	one := Serving{Sequences: sequences, Groups: 1, Workload: w}
	_, size := one.chunk(ranks)
	return int(math.Ceil(size))
}

// HeldStep is the step of prompts that memory is kept for, given the micro-batches: as many
// as one of them has, and in mixed serving no fewer than a step is priced with. Nothing of
// them need be in the cache.
func (w *Serving) HeldStep(micro, ranks int) Step {
	n := max(ceilDiv(w.Sequences, micro), Together(w.Workload, w.Sequences, ranks))
	return Step{Phase: inputs.Prefill, Sequences: n, New: w.Workload.Input.Max}
}

// passes is how many steps a prompt takes. What the last one leaves of its budget is the
// next prompt's.
func passes(tokens int) float64 { return max(1, float64(tokens)/ChunkTokens) }

// bare is a step of so many tokens without a context.
func bare(tokens int) Step { return Step{Phase: inputs.Decode, Sequences: tokens, New: 1} }

// chunk is the price of what prompts the average chunk holds.
func (m *Mix) chunk(p *Prices) float64 { return p.Chunk + m.Part*(p.Next-p.Chunk) }

// decode is a step of decoding, its draft included.
func (m *Mix) decode(p *Prices) float64 { return p.Decode + m.Drafts*p.Draft }

// along is what decoding adds to a step that takes a chunk along: attention, and what as
// many more tokens cost beside those of the chunk.
func (m *Mix) along(p *Prices) float64 {
	return m.decode(p) - p.DecodePlain + max(0, p.BothPlain-p.ChunkPlain)
}

// step is the average step of a group, in seconds, of a part of a stage:
//
//	S = D + σ·max(0, C + n·(A − D))                                              (C3c)
//
// D decodes, C is the chunk, A what decoding adds to each of the n steps of a chunk.
func (m *Mix) step(p *Prices) float64 {
	d := m.decode(p)
	if m.Share == 0 {
		return d
	}
	return d + m.Share*max(0, m.chunk(p)+m.Passes*(m.along(p)-d))
}

// Token is the time of a token of each sequence of a group, in seconds, of a part of a
// stage: the average step over the tokens that it decodes.
func (m *Mix) Token(p *Prices) float64 { return m.step(p) / m.Yield }

// First is the time from a request's arrival to its first token at a part of a stage, in
// seconds, given the price of its prompt by itself and the steps that it takes:
//
//	τ0 = P + n·A + S + ω,   ω = E(step²)/(2·E(step))                             (C2m)
//
// The prompt goes with the decoding of others; it waits for what is left of the step in
// progress (ω: an arrival meets a long step more often than a short one), and for the one
// after that, which engines prepare while the one before runs.
func (m *Mix) First(prompt float64, p *Prices, passes float64) float64 {
	if m.Share == 0 {
		return prompt
	}
	step := m.step(p)
	return prompt + passes*m.along(p) + step + m.residual(p, step)
}

// PromptPasses is how many steps the longest prompt takes.
func (w *Serving) PromptPasses() float64 { return passes(w.PromptStep().New) }

// FirstSteps is how many steps a request meets until its first token, each of which the
// host has its part in: those of its prompt, and where others are in flight the one after
// the step in progress and half of that.
func (w *Serving) FirstSteps() float64 {
	if w.Sequences <= 1 {
		return w.PromptPasses()
	}
	return w.PromptPasses() + 1.5
}

// residual is what is left of the step in progress on average.
func (m *Mix) residual(p *Prices, step float64) float64 {
	if step <= 0 {
		return 0
	}
	d := m.decode(p)
	often := min(1, m.Share*m.Passes) // share of the steps that take a chunk along
	mixed := d + (step-d)/often
	return ((1-often)*d*d + often*mixed*mixed) / (2 * step)
}
