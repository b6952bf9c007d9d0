package dag

import "partita/inputs"

// expertSizes are the tensors of a block of experts.
type expertSizes struct {
	f      *inputs.FFN
	each   Tensor // tokens of one expert
	batch  Dim    // sequences and new tokens of the whole stage
	seqLen Dim
	hidden Dim
	topK   Dim
	scores Dim
}

func (l *layerPen) expertSizes(f *inputs.FFN) expertSizes {
	tokens := l.s.batch * l.s.seqLen
	return expertSizes{
		f: f, hidden: Dim{"hidden", l.m.Hidden},
		// The balanced share of the tokens' copies, rounded up: the router decides at run time.
		each:  tensor(Dim{"tokens", ceil(tokens*f.TopK, f.Experts)}, Dim{"hidden", l.m.Hidden}),
		batch: Dim{"batch_size", l.s.batch}, seqLen: Dim{"seq_len", l.s.seqLen},
		topK: Dim{"top_k", f.TopK}, scores: Dim{"experts", f.Experts},
	}
}

// ofTokens is a tensor with a row for each new token of a lane.
func (l *layerPen) ofTokens(lane int, width Dim) Tensor {
	at := &l.s.lanes[lane]
	return tensor(Dim{"batch_size", at.sequences}, Dim{"seq_len", at.tokens}, width)
}

// expertBlock draws norm, router, routed and shared experts, and the residual add.
func (l *layerPen) expertBlock(f *inputs.FFN) {
	z := l.expertSizes(f)
	norm := l.norm("feed-forward norm")
	scores := l.each(func(i int) id {
		return l.on(i, Gate, "router gate", []Tensor{l.hidden(i)}, []Tensor{l.ofTokens(i, z.scores)}, norm[i])
	})
	var shared []id
	if f.Shared > 0 {
		shared = l.each(func(i int) id { return l.dense(i, &sharedDense, f.Shared/l.s.src.TP, f.Gated, norm[i]) })
	}
	local := l.s.src.DPAttention <= 1 && l.s.src.CP <= 1
	var routed []id
	switch {
	case local:
		routed = l.localExperts(&z, norm, scores)
	case l.gatherMovesLess(f):
		routed = l.gatheredExperts(&z, norm, scores)
	default:
		routed = l.exchangedExperts(&z, norm, scores)
	}
	if shared != nil {
		if !local {
			shared = l.sum("all-reduce of shared experts", shared)
		}
		routed = l.each(func(i int) id {
			h := l.hidden(i)
			return l.on(i, SharedAdd, "add of shared experts", []Tensor{h, h}, []Tensor{h}, routed[i], shared[i])
		})
	}
	if local { // ranks hold all tokens and parts of the experts: EP and ETP together are TP
		routed = l.sum("all-reduce of experts", routed)
	}
	l.residual("residual add of feed-forward", routed)
}

// topK draws the choice of experts out of scores of the shape [dims…, experts].
func (l *layerPen) topK(lane int, z *expertSizes, of func(width Dim) Tensor, scores id) id {
	return l.on(lane, TopK, "top-k", []Tensor{of(z.scores)}, []Tensor{of(z.topK)}, scores)
}

// dispatch draws the sorting of tokens by expert, which the router's choice selects.
func (l *layerPen) dispatch(lane int, name string, in, out Tensor, tokens, choice id) id {
	n := l.on(lane, Dispatch, name, []Tensor{in}, []Tensor{out}, tokens)
	l.p.edge(choice, n, true)
	return n
}

// homes lists the experts of a lane, in order: those of its ranks. Ranks are ETP apart.
func (l *layerPen) homes(lane int, f *inputs.FFN) []int {
	var out []int
	each := f.Experts / l.s.src.EP
	last := -1
	for _, j := range l.s.lanes[lane].ranks {
		r := j / l.s.src.ETP
		if r == last {
			continue
		}
		last = r
		for e := range each {
			out = append(out, r*each+e)
		}
	}
	return out
}

// experts draws the experts of a lane, each for itself or the ones of a GPU as one, fed
// by the node that has their tokens, and returns the nodes with their results.
func (l *layerPen) experts(lane int, z *expertSizes, from id) []id {
	homes := l.homes(lane, z.f)
	if l.p.folded {
		return []id{l.expert(lane, z, homes, z.f.Experts/l.s.src.EP, from)}
	}
	out := make([]id, len(homes))
	for i := range homes {
		out[i] = l.expert(lane, z, homes[i:i+1], 1, from)
	}
	return out
}

// expert draws one expert, or several that lie on one GPU and are drawn as one. Its width
// is split over the ranks of expert tensor parallelism.
func (l *layerPen) expert(lane int, z *expertSizes, homes []int, times int, from id) id {
	in := []Tensor{z.each}
	wide := []Tensor{tensor(z.each.dims[0], Dim{"ffn", z.f.Intermediate / l.s.src.ETP})}
	draw := func(op Op, name string, in, out []Tensor, from ...id) id {
		return l.place(lane, &node{op: op, name: name, in: in, out: out, experts: homes, times: times}, from...)
	}
	inner := []id{draw(ExpertUp, "up", in, wide, from)}
	if z.f.Gated {
		inner = append(inner, draw(ExpertGate, "gate", in, wide, from))
	}
	n := draw(ExpertActivation, "activation", wide, wide, inner...)
	return draw(ExpertDown, "down", wide, in, n)
}

// localExperts: every rank has all tokens, takes those of its own experts, and what it
// gets is a part of the sum.
func (l *layerPen) localExperts(z *expertSizes, norm, scores []id) []id {
	return l.each(func(i int) id {
		of := func(width Dim) Tensor { return l.ofTokens(i, width) }
		choice := l.topK(i, z, of, scores[i])
		n := l.dispatch(i, "dispatch to own experts", l.hidden(i), z.each, norm[i], choice)
		return l.combine(i, []Tensor{z.each, of(z.topK)}, l.hidden(i), append(l.experts(i, z, n), choice))
	})
}

// combine draws the weighted sum of what experts give.
func (l *layerPen) combine(lane int, in []Tensor, out Tensor, from []id) id {
	return l.on(lane, Combine, "combine", in, []Tensor{out}, from...)
}

// copies is what a lane sends and gets back: each of its tokens to min(top_k, EP) ranks,
// its slice of the hidden state alone where TP ranks hold the same tokens.
func (l *layerPen) copies(lane int, z *expertSizes) Tensor {
	at := &l.s.lanes[lane]
	n := at.sequences * at.tokens * min(z.f.TopK, l.s.src.EP) * l.s.src.ETP
	return tensor(Dim{"tokens", n}, Dim{"hidden", at.hidden})
}

// exchangedExperts takes tokens to their experts and back by all-to-all.
func (l *layerPen) exchangedExperts(z *expertSizes, norm, scores []id) []id {
	choice := l.each(func(i int) id {
		return l.topK(i, z, func(width Dim) Tensor { return l.ofTokens(i, width) }, scores[i])
	})
	sent := l.each(func(i int) id {
		return l.dispatch(i, "dispatch", l.hidden(i), l.copies(i, z), norm[i], choice[i])
	})
	copies := func(i int) []Tensor {
		if l.s.lanes[i].idle() {
			return nil
		}
		return []Tensor{l.copies(i, z)}
	}
	each := func(int) []Tensor { return []Tensor{z.each} }
	arrived := l.gather(l.s.whole, AllToAllDispatch, "all-to-all dispatch", sent, copies, each)
	var results []id
	for i := range l.s.lanes {
		results = append(results, l.experts(i, z, arrived[i])...)
	}
	var outs []Tensor
	for i := range l.s.lanes {
		outs = append(outs, copies(i)...)
	}
	whole := &l.s.whole[0]
	back := l.between(AllToAllCombine, whole.named("all-to-all combine"), whole.line, each(0), distinct(outs), results...)
	return l.joinSlices(l.each(func(i int) id {
		topK := l.ofTokens(i, z.topK)
		return l.combine(i, []Tensor{l.copies(i, z), topK}, l.slice(i), []id{back, choice[i]})
	}))
}

// slice is the part of the hidden states of a lane that it puts together itself.
func (l *layerPen) slice(lane int) Tensor {
	return l.ofTokens(lane, Dim{"hidden", l.s.lanes[lane].hidden})
}

// joinSlices gathers the slices of the ranks of each tensor-parallel group.
func (l *layerPen) joinSlices(from []id) []id {
	return l.gather(l.s.tp, AllGather, "all-gather of experts' results", from,
		func(i int) []Tensor { return []Tensor{l.slice(i)} },
		func(i int) []Tensor { return []Tensor{l.hidden(i)} })
}

// gatheredExperts gives every rank all tokens with their scores, and adds up what the
// experts of all ranks give to each.
func (l *layerPen) gatheredExperts(z *expertSizes, norm, scores []id) []id {
	whole := func(width Dim) Tensor { return tensor(z.batch, z.seqLen, width) }
	all := whole(z.hidden)
	tokens := l.everywhere("all-gather of tokens", z.hidden, norm)
	router := l.everywhere("all-gather of router scores", z.scores, scores)
	parts := make([]id, len(l.s.lanes))
	for i := range l.s.lanes {
		choice := l.topK(i, z, whole, router[i])
		n := l.dispatch(i, "dispatch to own experts", all, z.each, tokens[i], choice)
		parts[i] = l.combine(i, []Tensor{z.each, whole(z.topK)}, all, append(l.experts(i, z, n), choice))
	}
	return l.joinSlices(l.ownShare(parts, z))
}

// ownShare adds up what all ranks have for all tokens and leaves each the sum of its own
// tokens and its slice of the hidden state. It is one reduce-scatter over the stage, drawn
// dimension by dimension: TP ranks share the hidden state, attention ranks the sequences,
// context ranks the tokens.
func (l *layerPen) ownShare(parts []id, z *expertSizes) []id {
	const name = "reduce-scatter of experts' results"
	lane := func(i int) *lane { return &l.s.lanes[i] }
	slice := func(i int) Dim { return Dim{"hidden", lane(i).hidden} }
	all := func(int) []Tensor { return []Tensor{tensor(z.batch, z.seqLen, z.hidden)} }
	sliced := func(i int) []Tensor { return []Tensor{tensor(z.batch, z.seqLen, slice(i))} }
	sequences := func(i int) []Tensor {
		if lane(i).sequences == 0 {
			return nil
		}
		return []Tensor{tensor(Dim{"batch_size", lane(i).sequences}, z.seqLen, slice(i))}
	}
	own := func(i int) []Tensor {
		if lane(i).idle() {
			return nil
		}
		return []Tensor{l.slice(i)}
	}
	parts = l.gather(l.s.tpAll, ReduceScatter, name, parts, all, sliced)
	parts = l.gather(l.s.dp, ReduceScatter, name, parts, sliced, sequences)
	parts = l.gather(l.s.cpAll, ReduceScatter, name, parts, sequences, own)
	return l.each(func(i int) id { return parts[i] })
}

// everywhere gathers what ranks have of their tokens: over context parallelism, then over
// attention data parallelism.
func (l *layerPen) everywhere(name string, width Dim, from []id) []id {
	whole := Dim{"seq_len", l.s.seqLen}
	from = l.gather(l.s.cpAll, AllGather, name, from,
		func(i int) []Tensor {
			if l.s.lanes[i].idle() {
				return nil
			}
			return []Tensor{l.ofTokens(i, width)}
		},
		func(i int) []Tensor {
			return []Tensor{tensor(Dim{"batch_size", l.s.lanes[i].sequences}, whole, width)}
		})
	return l.gather(l.s.dp, AllGather, name, from,
		func(i int) []Tensor {
			if l.s.lanes[i].sequences == 0 {
				return nil
			}
			return []Tensor{tensor(Dim{"batch_size", l.s.lanes[i].sequences}, whole, width)}
		},
		func(int) []Tensor { return []Tensor{tensor(Dim{"batch_size", l.s.batch}, whole, width)} })
}

// gatherMovesLess tells that an all-gather of all tokens and a reduce-scatter take less
// time on the links than an all-to-all there and back, latencies aside. Inside a node
// and between nodes as in docs/cost-model.md, (L3) and (L4).
func (l *layerPen) gatherMovesLess(f *inputs.FFN) bool {
	src := l.s.src
	gpus := src.TP * src.CP * src.DPAttention
	tokens := float64(l.s.batch * l.s.seqLen)
	inside, network := l.s.inside, l.s.network
	local := min(l.perNode(1), gpus)
	copies := tokens / float64(gpus) * float64(min(f.TopK, src.EP)*src.ETP)
	direct := 2 * copies * (float64(local-1)*inside + float64(gpus-local)*network) / float64(gpus)
	gather := func(size, stride int) float64 {
		per := min(l.perNode(stride), size)
		nodes := ceil(size, per)
		return tokens * (float64(per-1)/float64(per)*inside + float64(nodes-1)/float64(nodes)/float64(per)*network)
	}
	return gather(src.DPAttention*src.CP, src.TP)+gather(gpus, 1) < direct
}

// perNode is the number of members of a group on one node, that many ranks apart.
func (l *layerPen) perNode(stride int) int { return max(1, max(1, l.s.perNode)/stride) }
