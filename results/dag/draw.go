package dag

import (
	"partita/inputs"
)

// layerPen draws the operators of one run of layers, or of an end of a stage, on the
// lanes of a stage. x holds the node that has each lane's hidden state; 0 where the lane
// has no tokens.
type layerPen struct {
	p      *pen
	m      *inputs.Model
	s      *stage
	decode bool
	// context is the number of tokens that a new one may attend to, in decode.
	context int
	run     *run
	x       []id
}

// on draws an operator on a lane, fed by nodes.
func (l *layerPen) on(lane int, op Op, name string, in, out []Tensor, from ...id) id {
	return l.place(lane, &node{op: op, name: name, in: in, out: out}, from...)
}

// place is on of a node that is more than an op.
func (l *layerPen) place(lane int, n *node, from ...id) id {
	at := &l.s.lanes[lane]
	n.run = l.run
	if n.gpus == "" {
		n.gpus = at.line
	}
	to := l.p.draw(&at.buf, n)
	for _, f := range from {
		l.p.edge(f, to, false)
	}
	return to
}

// between draws a node of the stage, outside of its GPUs.
func (l *layerPen) between(op Op, name, gpus string, in, out []Tensor, from ...id) id {
	to := l.p.draw(&l.p.line, &node{op: op, name: name, gpus: gpus, in: in, out: out, run: l.run})
	for _, f := range from {
		l.p.edge(f, to, false)
	}
	return to
}

// hidden is the hidden state of a lane.
func (l *layerPen) hidden(lane int) Tensor {
	at := &l.s.lanes[lane]
	return tensor(Dim{"batch_size", at.sequences}, Dim{"seq_len", at.tokens}, Dim{"hidden", l.m.Hidden})
}

// each calls f for every lane that has tokens, and collects what it draws.
func (l *layerPen) each(f func(lane int) id) []id {
	out := make([]id, len(l.s.lanes))
	for i := range l.s.lanes {
		if !l.s.lanes[i].idle() {
			out[i] = f(i)
		}
	}
	return out
}

// gather is what a collective does with the results of the lanes of each group: one node
// a group, which is then the source for all of them. in and out are a lane's tensors. A
// group of one rank needs none; one that gets or gives nothing has none.
func (l *layerPen) gather(groups []group, op Op, name string, from []id, in, out func(lane int) []Tensor) []id {
	to := append([]id(nil), from...)
	for i := range groups {
		g := &groups[i]
		if g.size < 2 {
			continue
		}
		var ins, outs []Tensor
		var sources []id
		for _, lane := range g.lanes {
			if from[lane] != 0 {
				ins = append(ins, in(lane)...)
				sources = appendNew(sources, from[lane])
			}
			outs = append(outs, out(lane)...)
		}
		if len(sources) == 0 || len(outs) == 0 {
			continue
		}
		ins, outs = distinct(ins), distinct(outs)
		n := l.between(alone(op, ins, outs), g.named(name), g.line, ins, outs, sources...)
		for _, lane := range g.lanes {
			to[lane] = n
		}
	}
	return to
}

// alone is the op of a collective in which one rank alone has tokens: nothing is joined or
// divided.
func alone(op Op, ins, outs []Tensor) Op {
	same := len(ins) == 1 && len(outs) == 1 && ins[0] == outs[0]
	switch {
	case same && op == AllGather:
		return Broadcast
	case same && op == ReduceScatter:
		return Reduce
	}
	return op
}

// appendNew adds an id that is not there.
func appendNew(list []id, n id) []id {
	for _, have := range list {
		if have == n {
			return list
		}
	}
	return append(list, n)
}

// sum is the all-reduce over tensor-parallel ranks of hidden states.
func (l *layerPen) sum(name string, from []id) []id {
	hidden := func(lane int) []Tensor { return []Tensor{l.hidden(lane)} }
	return l.gather(l.s.tp, AllReduce, name, from, hidden, hidden)
}

// residual adds what a block gives to what it got.
func (l *layerPen) residual(name string, block []id) {
	l.x = l.each(func(i int) id {
		h := l.hidden(i)
		return l.on(i, ResidualAdd, name, []Tensor{h, h}, []Tensor{h}, l.x[i], block[i])
	})
}

// norm draws a norm of the hidden states.
func (l *layerPen) norm(name string) []id {
	return l.each(func(i int) id {
		h := []Tensor{l.hidden(i)}
		return l.on(i, RMSNorm, name, h, h, l.x[i])
	})
}

// layer draws one layer of a kind.
func (l *layerPen) layer(kind *inputs.LayerKind) {
	norm := l.norm("attention norm")
	if kind.Attention.Kind == inputs.MLA {
		norm = l.latentAttention(&kind.Attention, norm)
	} else {
		norm = l.headAttention(&kind.Attention, norm)
	}
	l.residual("residual add of attention", l.sum("all-reduce of attention", norm))
	switch f := &kind.FFN; {
	case f.Experts > 0:
		l.expertBlock(f)
	case f.Intermediate > 0:
		norm = l.norm("feed-forward norm")
		norm = l.each(func(i int) id { return l.dense(i, &denseForward, f.Intermediate/l.s.src.TP, f.Gated, norm[i]) })
		l.residual("residual add of feed-forward", l.sum("all-reduce of feed-forward", norm))
	}
}
