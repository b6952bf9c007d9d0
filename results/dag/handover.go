package dag

import "fmt"

// piece is what travels from one rank of a stage to ranks of the next: some sequences,
// some tokens of each, a slice of the hidden state.
type piece struct {
	block, part               int // which of the next stage's blocks, which slice; 0 in a folded graph
	sequences, tokens, hidden int
}

func (p *piece) tensor() Tensor {
	return tensor(Dim{"batch_size", p.sequences}, Dim{"seq_len", p.tokens}, Dim{"hidden", p.hidden})
}

// hop is one piece on its way from a lane to a lane.
type hop struct {
	from, to  int
	sent, got piece // the same tensor; block is the receiver's and the sender's
}

// overlap is the number of things that two parts of n have in common: part i of so many
// and part j of so many others.
func overlap(n, parts, i, others, j int) int {
	lo := max(start(n, parts, i), start(n, others, j))
	hi := min(start(n, parts, i)+share(n, parts, i), start(n, others, j)+share(n, others, j))
	return max(0, hi-lo)
}

// hops lists what goes from a stage to the next. Every rank sends of the tokens that it
// holds: where the next stage has as many TP ranks or more, all of them, one rank to one
// or several; where it has fewer, the ranks that serve one receiver send a slice of the
// hidden state each. Sequences and tokens go where the next stage deals them.
func hops(a, b *stage, hidden int, folded bool) []hop {
	var out []hop
	known := map[hop]bool{}
	for i, r := range a.ranks {
		for j, q := range b.ranks {
			part, parts, meets := serves(a.src.TP, r.t, b.src.TP, q.t)
			if !meets {
				continue
			}
			n := overlap(a.batch, a.src.DPAttention, r.d, b.src.DPAttention, q.d)
			s := overlap(a.seqLen, a.src.CP, r.c, b.src.CP, q.c)
			if n*s == 0 {
				continue
			}
			p := piece{sequences: n, tokens: s, hidden: share(hidden, parts, part)}
			h := hop{from: a.laneOf[i], to: b.laneOf[j], sent: p, got: p}
			if !folded {
				h.sent.block, h.sent.part = q.d*b.src.CP+q.c, part
				h.got.block, h.got.part = r.d*a.src.CP+r.c, part
			}
			if !known[h] {
				known[h] = true
				out = append(out, h)
			}
		}
	}
	return out
}

// exchange tells of a rank what it sends and gets, by size: ranks that are drawn as one
// have the same. a sends to b; sending tells on which side the rank is.
func exchange(a, b *stage, j, hidden int, sending bool) string {
	var sizes []piece
	mine, theirs := a, b
	if !sending {
		mine, theirs = b, a
	}
	r := mine.ranks[j]
	for _, q := range theirs.ranks {
		from, to := r, q
		if !sending {
			from, to = q, r
		}
		part, parts, meets := serves(a.src.TP, from.t, b.src.TP, to.t)
		if !meets {
			continue
		}
		p := piece{
			sequences: overlap(a.batch, a.src.DPAttention, from.d, b.src.DPAttention, to.d),
			tokens:    overlap(a.seqLen, a.src.CP, from.c, b.src.CP, to.c),
			hidden:    share(hidden, parts, part),
		}
		if p.sequences*p.tokens > 0 {
			sizes = append(sizes, p)
		}
	}
	return fmt.Sprint(sizes)
}

// serves tells whether TP rank t of so many sends to TP rank u of so many others, and
// which of how many slices.
func serves(from, t, to, u int) (part, parts int, meets bool) {
	if from <= to {
		return 0, 1, u*from/to == t
	}
	if t*to/from != u {
		return 0, 0, false
	}
	// Senders first … last serve u.
	first := ceil(u*from, to)
	return t - first, ceil((u+1)*from, to) - first, true
}

// handOver draws what goes from one stage to the next; a and b draw on them. Nodes of a
// are fed by a.x, and b.x are the nodes that have what arrived.
func handOver(a, b *layerPen) {
	moves := hops(a.s, b.s, a.m.Hidden, a.p.folded)
	sends := map[int]map[piece]id{}
	for lane := range a.s.lanes {
		if made := sendOf(a, lane, moves); made != nil {
			sends[lane] = made
		}
	}
	b.x = make([]id, len(b.s.lanes))
	for lane := range b.s.lanes {
		b.x[lane] = receiveOf(b, lane, moves, sends)
	}
}

// sendOf draws the sends of a lane, by piece.
func sendOf(a *layerPen, lane int, moves []hop) map[piece]id {
	var pieces []piece
	for i := range moves {
		if h := &moves[i]; h.from == lane && !containsPiece(pieces, h.sent) {
			pieces = append(pieces, h.sent)
		}
	}
	if len(pieces) == 0 {
		return nil
	}
	at := &a.s.lanes[lane]
	source, held := a.x[lane], a.hidden(lane)
	if width := pieces[0].hidden; width != a.m.Hidden {
		part := tensor(held.dims[0], held.dims[1], Dim{"hidden", width})
		source, held = a.on(lane, Slice, "own slice", []Tensor{held}, []Tensor{part}, source), part
	}
	var parts []Tensor
	for i := range pieces {
		parts = append(parts, pieces[i].tensor())
	}
	if len(pieces) > 1 || parts[0] != held {
		if a.p.folded {
			parts = distinct(parts)
		}
		source = a.on(lane, Split, "split for the next stage", []Tensor{held}, parts, source)
	}
	made := map[piece]id{}
	for i := range pieces {
		t := []Tensor{pieces[i].tensor()}
		made[pieces[i]] = a.place(lane, &node{op: Send, name: "send", gpus: at.line, in: t, out: t}, source)
	}
	return made
}

// receiveOf draws what a lane gets and puts it together; 0 where it gets nothing.
func receiveOf(b *layerPen, lane int, moves []hop, sends map[int]map[piece]id) id {
	var pieces []piece
	var nodes []id
	for i := range moves {
		h := &moves[i]
		if h.to != lane {
			continue
		}
		k := 0
		for k < len(pieces) && pieces[k] != h.got {
			k++
		}
		if k == len(pieces) {
			t := []Tensor{h.got.tensor()}
			pieces = append(pieces, h.got)
			nodes = append(nodes, b.on(lane, Receive, "receive", t, t))
		}
		b.p.edge(sends[h.from][h.sent], nodes[k], false)
	}
	if len(pieces) == 0 {
		return 0
	}
	held := b.hidden(lane)
	if len(pieces) == 1 && pieces[0].tensor() == held {
		return nodes[0]
	}
	var parts []Tensor
	for i := range pieces {
		parts = append(parts, pieces[i].tensor())
	}
	if b.p.folded {
		parts = distinct(parts)
	}
	return b.on(lane, Concat, "put together", parts, []Tensor{held}, nodes...)
}

func containsPiece(list []piece, p piece) bool {
	for i := range list {
		if list[i] == p {
			return true
		}
	}
	return false
}
