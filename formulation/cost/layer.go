package cost

import (
	"math"

	"partita/inputs"
)

// Layer is the time of one layer of the given kind on one micro-batch, in seconds,
// with the collectives inside the stage. A decode step gains nothing from CP: it
// has one new token, so its ranks repeat each other.
func (c *Calculator) Layer(pool, kind int, s Shape, st Step) float64 {
	if st.Sequences <= 0 || st.New <= 0 {
		return 0
	}
	d, k := &c.devices[pool], &c.kinds[kind]
	w := splitStep(s, st)
	return c.attention(d, k, s, st, &w) + c.feedForward(d, k, s, &w)
}

// Embedding is the time of looking up the new tokens, in seconds. The table is
// split over TP by vocabulary, so partial results are summed. 0 where the
// vocabulary is unknown.
func (c *Calculator) Embedding(pool int, s Shape, st Step) float64 {
	m := &c.model
	if m.vocab == 0 || st.Sequences <= 0 || st.New <= 0 {
		return 0
	}
	d := &c.devices[pool]
	w := splitStep(s, st)
	t := d.stream.stream(w.tokens * m.hidden * (m.wideBytes + m.activationBytes))
	return t + d.allReduce(w.tokens*m.hidden*m.activationBytes, d.groupOf(s.TP, 1))
}

// Head is the time of the final norm and of the logits of one position a sequence,
// in seconds. The head is split over TP by vocabulary and the logits are gathered.
// Without a vocabulary only the norm is left.
func (c *Calculator) Head(pool int, s Shape, st Step) float64 {
	m := &c.model
	if st.Sequences <= 0 || st.New <= 0 {
		return 0
	}
	d := &c.devices[pool]
	w := splitStep(s, st)
	if st.Phase == inputs.Decode {
		w.sequences = w.tokens // every token is one to choose the next by: drafts are verified
	}
	t := d.stream.stream(4 * w.sequences * m.hidden * m.activationBytes)
	if m.vocab == 0 {
		return t
	}
	t += d.wide.matmul(w.sequences, m.hidden, math.Ceil(m.vocab/w.t), m.wideBytes, m.activationBytes)
	return t + d.allGather(w.sequences*m.vocab*m.activationBytes, d.groupOf(s.TP, 1))
}

// Send is the time of handing the hidden state of one micro-batch to the next
// stage, in seconds, from a stage of pool from and shape s to pool to. Every rank
// sends the tokens it holds over its own link. Inside a host the slower of the two
// pools' links counts, across hosts the network.
func (c *Calculator) Send(from, to int, s Shape, st Step, sameHost bool) float64 {
	if st.Sequences <= 0 || st.New <= 0 {
		return 0
	}
	w := splitStep(s, st)
	network := c.devices[from].network
	l := sendLink{network.sendLatency, network.sendPerByte}
	if sameHost {
		l = c.sends[from*len(c.devices)+to]
	}
	return l.latency + w.tokens*c.model.hidden*c.model.activationBytes*l.perByte
}
