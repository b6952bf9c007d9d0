package cost

import "partita/inputs"

// Mixed holds something of each step of a mix that stages are priced from: a table of
// prices, or the price of one stage. Of a step that the mix does not have it is that of the
// decode step, and counts for nothing.
type Mixed[T any] struct {
	mix                                                                 Mix
	passes                                                              float64 // of a whole prompt
	decode, draft, chunk, next, decodePlain, chunkPlain, bothPlain, own T
}

// MixedOf asks for each step of the average step with so many attention ranks, and for the
// prompt of a request by itself.
func MixedOf[T any](w *Serving, ranks int, of func(Step) T) *Mixed[T] {
	m := w.Mix(ranks)
	x := &Mixed[T]{mix: m, passes: w.PromptPasses(), decode: of(m.Decode)}
	x.draft, x.chunk, x.next, x.decodePlain, x.chunkPlain, x.bothPlain, x.own = x.decode, x.decode, x.decode, x.decode, x.decode, x.decode, x.decode
	if m.Drafts > 0 {
		x.draft = of(m.Draft)
	}
	if m.Share > 0 {
		x.chunk, x.next = of(m.Chunk), of(m.Next)
		x.decodePlain, x.chunkPlain, x.bothPlain = of(m.DecodePlain), of(m.ChunkPlain), of(m.BothPlain)
	}
	if w.Workload.Phase != inputs.Decode {
		x.own = of(w.PromptStep())
	}
	return x
}

func (x *Mixed[T]) prices(part func(T) float64) Prices {
	return Prices{
		Decode: part(x.decode), Draft: part(x.draft), Chunk: part(x.chunk), Next: part(x.next),
		DecodePlain: part(x.decodePlain), ChunkPlain: part(x.chunkPlain), BothPlain: part(x.bothPlain),
	}
}

// Token is Mix.Token for a part of a stage, the host's share aside.
func (x *Mixed[T]) Token(part func(T) float64) float64 {
	p := x.prices(part)
	return x.mix.Token(&p)
}

// First is Mix.First for a part of a stage, the host's share aside.
func (x *Mixed[T]) First(part func(T) float64) float64 {
	p := x.prices(part)
	return x.mix.First(part(x.own), &p, x.passes)
}
