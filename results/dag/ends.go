package dag

// ids are the token ids of a lane, before they are looked up.
func (l *layerPen) ids(lane int) Tensor {
	at := &l.s.lanes[lane]
	return tensor(Dim{"batch_size", at.sequences}, Dim{"seq_len", at.tokens})
}

// arrives is what a lane of the first stage gets of the input: token ids, or hidden states
// where the vocabulary is not known and the embedding is left out.
func (l *layerPen) arrives(lane int) Tensor {
	if l.m.Vocab == 0 {
		return l.hidden(lane)
	}
	return l.ids(lane)
}

// embed draws the look-up of the new tokens. The table is split over TP by vocabulary, so
// the ranks add up what each has.
func (l *layerPen) embed(from id) {
	l.x = l.each(func(int) id { return from })
	if l.m.Vocab == 0 {
		return
	}
	l.x = l.each(func(i int) id {
		return l.on(i, Embedding, "embedding", []Tensor{l.ids(i)}, []Tensor{l.hidden(i)}, from)
	})
	l.x = l.sum("all-reduce of the embedding", l.x)
}

// head draws the final norm, the logits of one position a sequence and the choice of the
// next token, on the ranks that have the last token. It returns the nodes that have the
// results, and the results: one for each rank of attention data parallelism.
func (l *layerPen) head() (results []id, outs []Tensor) {
	last := func(i int, width Dim) Tensor {
		return tensor(Dim{"batch_size", l.s.lanes[i].sequences}, Dim{"seq_len", 1}, width)
	}
	hidden := func(i int) Tensor { return last(i, Dim{"hidden", l.m.Hidden}) }
	switch {
	case l.s.src.CP > 1:
		l.x = l.gather(l.s.cp, LastTokenGather, "last token of each sequence", l.x,
			func(i int) []Tensor { return []Tensor{l.hidden(i)} },
			func(i int) []Tensor { return []Tensor{hidden(i)} })
	case !l.decode:
		l.x = l.each(func(i int) id {
			return l.on(i, LastToken, "last token of each sequence", []Tensor{l.hidden(i)}, []Tensor{hidden(i)}, l.x[i])
		})
	}
	works := func(f func(i int) id) []id {
		return l.each(func(i int) id {
			if !l.s.lanes[i].heads {
				return 0
			}
			return f(i)
		})
	}
	l.x = works(func(i int) id {
		return l.on(i, RMSNorm, "final norm", []Tensor{hidden(i)}, []Tensor{hidden(i)}, l.x[i])
	})
	if l.m.Vocab == 0 {
		return l.leave(hidden)
	}
	l.x = works(func(i int) id {
		return l.on(i, LMHead, "head", []Tensor{hidden(i)}, []Tensor{last(i, Dim{"vocab", l.s.lanes[i].vocab})}, l.x[i])
	})
	logits := func(i int) Tensor { return last(i, Dim{"vocab", l.m.Vocab}) }
	l.x = l.gather(l.s.tp, AllGather, "all-gather of logits", l.x,
		func(i int) []Tensor { return []Tensor{last(i, Dim{"vocab", l.s.lanes[i].vocab})} },
		func(i int) []Tensor { return []Tensor{logits(i)} })
	l.x = works(func(i int) id {
		at := &l.s.lanes[i]
		if len(at.leaders) == 0 {
			return 0
		}
		return l.place(i, &node{op: Sampling, name: "sampling", gpus: at.lead, in: []Tensor{logits(i)}, out: []Tensor{l.next(i)}}, l.x[i])
	})
	return l.leave(l.next)
}

// next is the token that follows, of each sequence of a lane.
func (l *layerPen) next(lane int) Tensor {
	return tensor(Dim{"batch_size", l.s.lanes[lane].sequences}, Dim{"seq_len", 1})
}

// leave lists the nodes that have results and the results. What TP ranks have alike counts
// once.
func (l *layerPen) leave(of func(lane int) Tensor) (results []id, outs []Tensor) {
	for i := range l.s.lanes {
		if l.x[i] == 0 {
			continue
		}
		results = append(results, l.x[i])
		if len(l.s.lanes[i].leaders) > 0 {
			outs = append(outs, of(i))
		}
	}
	return results, outs
}
