package training

import "partita/inputs"

// layout is the layout of a path.
func (n *network) layout(t *trip) *Layout {
	s := &n.s
	l := &Layout{DP: s.DP, TP: s.TP, CP: s.CP, EP: s.EP, ETP: s.ETP, SP: s.SP, ZeRO: s.ZeRO, Virtual: s.Virtual, MicroBatch: s.MicroBatch}
	sizes := make([][]int, n.pp)
	for i, a := range t.arcs {
		sizes[i] = n.chunks(i, int(n.arcs[a].layers))
	}
	at := 0
	for c := range s.Virtual {
		for i, a := range t.arcs {
			size := sizes[i][c]
			l.Stages = append(l.Stages, Stage{First: at, Last: at + size - 1, Pool: int(n.arcs[a].pool), Recompute: recomputes[n.arcs[a].recompute[c]]})
			at += size
		}
	}
	return l
}

// seconds is the time of a step by the prices of the search, not rounded to ticks. It is
// what Price says of the layout.
func (x *space) seconds(l *Layout) float64 {
	s := SplitOf(l, len(x.c.Cluster.Pools))
	t, shape, step := x.table(&s), s.Shape(), x.step(&s)
	pp, m := l.PP(), l.MicroBatches(x.global)
	var total, peak, exchange, update float64
	used := make([]int, len(s.Ranks))
	for i := range pp {
		pool := l.Stages[i].Pool
		time := 0.0
		counts := make([]int, len(x.kinds))
		for k := i; k < len(l.Stages); k += pp {
			st := &l.Stages[k]
			for kind, n := range x.counts(st.First, st.Last+1) {
				counts[kind] += n
				time += float64(n) * t.layer[pool][kind][indexOf(st.Recompute)]
			}
		}
		if i == 0 {
			time += t.embedding[pool]
		}
		if i == pp-1 {
			time += t.head[pool]
		}
		time += float64(sendsOf(i, pp, l.Virtual)) * x.send(t, l, i, used[pool])
		used[pool]++
		total, peak = total+time, max(peak, time)
		exchange = max(exchange, x.costs.TrainSync(pool, counts, i == 0, i == pp-1, shape, step, m))
		update = max(update, x.costs.TrainUpdate(pool, counts, i == 0, i == pp-1, shape))
	}
	return float64(m)*peak + (total-peak)/float64(l.Virtual) + exchange + update
}

// send is one transfer between rank i, which is the one at a position of its pool, and the
// next; after the last comes the first.
func (x *space) send(t *table, l *Layout, i, position int) float64 {
	pp := l.PP()
	from, to := l.Stages[i].Pool, l.Stages[(i+1)%pp].Pool
	first, last := position, position+1
	if i == pp-1 {
		first, last = 0, position
	}
	if from == to && x.together(from, first, last, l.TP*l.CP*l.DP) {
		return t.near[from]
	}
	return t.send[from][to]
}

func indexOf(r inputs.Recompute) int {
	for i, x := range recomputes {
		if x == r {
			return i
		}
	}
	return 0
}
