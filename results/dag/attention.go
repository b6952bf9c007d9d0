package dag

import "partita/inputs"

// attentionSizes are the tensors of one lane's attention.
type attentionSizes struct {
	b, s   Dim // sequences and new tokens of each
	heads  Dim
	dk, dv Dim
	kv     Dim // kv_len: tokens that are attended to
	stored Dim // kv_len that this lane's cache gives; less than kv with context parallelism
}

// sizes of attention on a lane: heads are split over TP.
func (l *layerPen) sizes(a *inputs.Attention, lane int) attentionSizes {
	at := &l.s.lanes[lane]
	value := a.VHeadDim
	if value == 0 {
		value = a.HeadDim
	}
	z := attentionSizes{
		b: Dim{"batch_size", at.sequences}, s: Dim{"seq_len", at.tokens}, heads: Dim{"heads", a.Heads / l.s.src.TP},
		dk: Dim{"d_k", a.HeadDim}, dv: Dim{"d_v", value},
		kv: Dim{"kv_len", l.s.seqLen}, stored: Dim{"kv_len", at.tokens},
	}
	if l.decode {
		visible := l.context
		if a.Window > 0 {
			visible = min(visible, a.Window)
		}
		z.kv.Size, z.stored.Size = visible, visible
	}
	return z
}

// scores draws scores, softmax and weighted sum over keys and values that other nodes
// give: queries, keys and values as the scores and the sum take them.
func (l *layerPen) scores(lane int, z *attentionSizes, keys, values []Tensor, width Dim, query []Tensor, fromQuery, fromKeys, fromValues []id) id {
	s := []Tensor{tensor(z.b, z.heads, z.s, z.kv)}
	from := append([]id(nil), fromQuery...)
	for _, k := range fromKeys {
		from = appendNew(from, k)
	}
	n := l.on(lane, AttentionScores, "attention scores", append(append([]Tensor(nil), query...), keys...), s, from...)
	n = l.on(lane, Softmax, "softmax", s, s, n)
	return l.on(lane, WeightedSum, "weighted sum", append([]Tensor{s[0]}, values...), []Tensor{tensor(z.b, z.s, z.heads, width)}, append([]id{n}, fromValues...)...)
}

// project draws the output projection, whose parts the tensor-parallel ranks add up.
func (l *layerPen) project(lane int, z *attentionSizes, from id) id {
	return l.on(lane, OutputProjection, "output projection", []Tensor{tensor(z.b, z.s, z.heads, z.dv)}, []Tensor{l.hidden(lane)}, from)
}

// contextGather joins what the caches of context-parallel ranks give.
func (l *layerPen) contextGather(from []id, in, out func(lane int) []Tensor) []id {
	return l.gather(l.s.cp, AllGather, "all-gather of keys and values", from, in, out)
}

// headAttention draws attention with keys and values a head (MHA, GQA, MQA). KV heads are
// rounded up a rank: where there are fewer than ranks they are replicated.
func (l *layerPen) headAttention(a *inputs.Attention, norm []id) []id {
	kvHeads := Dim{"kv_heads", ceil(a.KVHeads, l.s.src.TP)}
	query := make([]id, len(norm))
	cache := func(z *attentionSizes, length Dim) []Tensor {
		return []Tensor{tensor(z.b, length, kvHeads, z.dk), tensor(z.b, length, kvHeads, z.dv)}
	}
	read := l.each(func(i int) id {
		z := l.sizes(a, i)
		q, kv := tensor(z.b, z.s, z.heads, z.dk), cache(&z, z.s)
		n := l.on(i, QKVProjection, "QKV projection", []Tensor{l.hidden(i)}, []Tensor{q, kv[0], kv[1]}, norm[i])
		query[i] = l.on(i, Rotary, "rotary embedding", []Tensor{q, kv[0]}, []Tensor{q, kv[0]}, n)
		w := l.on(i, KVWrite, "KV write", kv, kv, query[i], n)
		return l.on(i, KVRead, "KV read", kv, cache(&z, z.stored), w)
	})
	read = l.contextGather(read,
		func(i int) []Tensor { z := l.sizes(a, i); return cache(&z, z.stored) },
		func(i int) []Tensor { z := l.sizes(a, i); return cache(&z, z.kv) })
	return l.each(func(i int) id {
		z := l.sizes(a, i)
		kv := cache(&z, z.kv)
		n := l.scores(i, &z, kv[:1], kv[1:], z.dv, []Tensor{tensor(z.b, z.s, z.heads, z.dk)}, []id{query[i]}, []id{read[i]}, []id{read[i]})
		return l.project(i, &z, n)
	})
}

// latentAttention draws multi-head latent attention: what is cached of a token is its
// latent, on every tensor-parallel rank.
func (l *layerPen) latentAttention(a *inputs.Attention, norm []id) []id {
	latent, rope := Dim{"kv_lora", a.KVLoraRank}, Dim{"d_rope", a.RopeDim}
	nope := Dim{"d_nope", a.HeadDim - a.RopeDim}
	cache := func(z *attentionSizes, length Dim) []Tensor {
		return []Tensor{tensor(z.b, length, latent), tensor(z.b, length, rope)}
	}
	query := make([]id, len(norm))
	read := l.each(func(i int) id {
		z := l.sizes(a, i)
		q, kv := tensor(z.b, z.s, z.heads, z.dk), cache(&z, z.s)
		down := tensor(z.b, z.s, Dim{"q_lora", a.QLoraRank})
		made := []Tensor{down, kv[0], kv[1]}
		if a.QLoraRank == 0 {
			made[0] = q
		}
		n := l.on(i, QKVDownProjection, "QKV down projection", []Tensor{l.hidden(i)}, made, norm[i])
		var normed, up id
		if a.QLoraRank > 0 {
			normed = l.on(i, LatentNorm, "norms of both latents", []Tensor{down, kv[0]}, []Tensor{down, kv[0]}, n)
			up = l.on(i, QUpProjection, "query up projection", []Tensor{down}, []Tensor{q}, normed)
		} else {
			normed, up = l.on(i, LatentNorm, "norm of the latent", kv[:1], kv[:1], n), n
		}
		from := []id{up}
		if up != n {
			from = append(from, n)
		}
		query[i] = l.on(i, Rotary, "rotary embedding", []Tensor{q, kv[1]}, []Tensor{q, kv[1]}, from...)
		w := l.on(i, KVWrite, "KV write", kv, kv, normed, query[i])
		return l.on(i, KVRead, "KV read", kv, cache(&z, z.stored), w)
	})
	if l.decode {
		return l.each(func(i int) id { return l.latentDecode(i, a, latent, rope, query[i], read[i]) })
	}
	read = l.contextGather(read,
		func(i int) []Tensor { z := l.sizes(a, i); return cache(&z, z.stored) },
		func(i int) []Tensor { z := l.sizes(a, i); return cache(&z, z.kv) })
	return l.each(func(i int) id {
		z := l.sizes(a, i)
		keys, values := tensor(z.b, z.kv, z.heads, nope), tensor(z.b, z.kv, z.heads, z.dv)
		up := l.on(i, KVUpProjection, "KV up projection", []Tensor{tensor(z.b, z.kv, latent)}, []Tensor{keys, values}, read[i])
		n := l.scores(i, &z, []Tensor{keys, tensor(z.b, z.kv, rope)}, []Tensor{values}, z.dv,
			[]Tensor{tensor(z.b, z.s, z.heads, z.dk)}, []id{query[i]}, []id{up, read[i]}, []id{up})
		return l.project(i, &z, n)
	})
}

// latentDecode attends in the latent space, which needs no expansion of the cache.
func (l *layerPen) latentDecode(lane int, a *inputs.Attention, latent, rope Dim, query, read id) id {
	z := l.sizes(a, lane)
	absorbed := []Tensor{tensor(z.b, z.s, z.heads, latent), tensor(z.b, z.s, z.heads, rope)}
	q := l.on(lane, QAbsorption, "query into the latent space", []Tensor{tensor(z.b, z.s, z.heads, z.dk)}, absorbed, query)
	kv := []Tensor{tensor(z.b, z.kv, latent), tensor(z.b, z.kv, rope)}
	n := l.scores(lane, &z, kv, kv[:1], latent, absorbed, []id{q}, []id{read}, []id{read})
	n = l.on(lane, VUpProjection, "value up projection", []Tensor{tensor(z.b, z.s, z.heads, latent)}, []Tensor{tensor(z.b, z.s, z.heads, z.dv)}, n)
	return l.project(lane, &z, n)
}
