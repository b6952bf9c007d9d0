package dag

// What arrives is dealt over replicas, and in each over the ranks that hold different
// tokens; what leaves is put together the same way. Where there is one part only there is
// no node for it. Ranks that hold the same tokens get the same part.

// arrivesAt is what a batch is when it arrives: token ids, or hidden states where the
// vocabulary is not known.
func (g *graph) arrivesAt(batch int) Tensor {
	dims := []Dim{{"batch_size", batch}, {"seq_len", g.seqLen}}
	if g.model.Vocab == 0 {
		dims = append(dims, Dim{"hidden", g.model.Hidden})
	}
	return tensor(dims...)
}

// drawn is the number of sequences of a graph, over all replicas.
func drawn(sets []twins) int {
	n := 0
	for i := range sets {
		n += sets[i].batch * len(sets[i].replicas)
	}
	return n
}

// input draws what arrives, and its split over replicas. Both name the GPUs of first
// stages that have tokens.
func (g *graph) input(p *pen, sets []twins, gpus []string, folded bool) id {
	var parts []Tensor
	for i := range sets {
		for range sets[i].replicas {
			parts = append(parts, g.arrivesAt(sets[i].batch))
		}
	}
	line := gpuLines(gpus)
	all := []Tensor{g.arrivesAt(drawn(sets))}
	n := p.outside(&node{op: Input, name: "input", gpus: line, in: all, out: all})
	if len(g.replicas) > 1 {
		if folded {
			parts = distinct(parts)
		}
		n = p.outside(&node{op: Split, name: "split over replicas", gpus: line, in: all, out: parts}, n)
	}
	p.flushLoose()
	return n
}

// deal draws the split of a replica's batch over the ranks of its first stage.
func (g *graph) deal(l *layerPen, from id, folded bool) id {
	var parts []Tensor
	for j, r := range l.s.ranks {
		if r.t == 0 && r.sequences*r.tokens > 0 {
			parts = append(parts, l.arrives(l.s.laneOf[j]))
		}
	}
	if len(parts) < 2 {
		return from
	}
	if folded {
		parts = distinct(parts)
	}
	return l.between(Split, "split over ranks", gpuLines(l.s.busy()), []Tensor{g.arrivesAt(l.s.batch)}, parts, from)
}

// busy lists the GPUs of a stage that have tokens.
func (s *stage) busy() []string {
	var lanes []int
	for i := range s.lanes {
		if !s.lanes[i].idle() {
			lanes = append(lanes, i)
		}
	}
	return s.gpusOf(lanes)
}

// leaders lists the GPUs that have results: those that sample, or all that compute the
// final norm where nothing is sampled.
func (s *stage) leaders(sampled bool) []string {
	var gpus []string
	var lanes []int
	for i := range s.lanes {
		l := &s.lanes[i]
		have := l.leaders
		if !sampled {
			have = l.gpus
		}
		if !l.heads || l.idle() || len(have) == 0 {
			continue
		}
		lanes = append(lanes, i)
		gpus = append(gpus, have...)
	}
	if s.short {
		return s.gpusOf(lanes)
	}
	return gpus
}

// join puts the results of a replica's ranks together.
func (g *graph) join(l *layerPen, results []id, outs []Tensor, gpus []string, folded bool) ([]id, []Tensor) {
	if min(l.s.src.DPAttention, l.s.batch) < 2 {
		return results, outs
	}
	if folded {
		outs = distinct(outs)
	}
	whole := g.leavesAt(l.s.batch)
	n := l.between(Concat, "put together from ranks", gpuLines(gpus), outs, []Tensor{whole}, results...)
	return []id{n}, []Tensor{whole}
}

// leavesAt is what a batch is when it leaves: the next token of each sequence, or the last
// hidden state where the vocabulary is not known.
func (g *graph) leavesAt(batch int) Tensor {
	dims := []Dim{{"batch_size", batch}, {"seq_len", 1}}
	if g.model.Vocab == 0 {
		dims = append(dims, Dim{"hidden", g.model.Hidden})
	}
	return tensor(dims...)
}

// output draws what leaves, put together from the replicas.
func (g *graph) output(p *pen, sets []twins, results []id, outs []Tensor, gpus []string, folded bool) {
	line := gpuLines(gpus)
	all := []Tensor{g.leavesAt(drawn(sets))}
	if len(g.replicas) > 1 {
		if folded {
			outs = distinct(outs)
		}
		results = []id{p.outside(&node{op: Concat, name: "put together from replicas", gpus: line, in: outs, out: all}, results...)}
	}
	p.outside(&node{op: Output, name: "output", gpus: line, in: all, out: all}, results...)
	p.flushLoose()
}
