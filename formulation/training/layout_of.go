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
	at := hostsOf(x.c, l)
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
		time += float64(sendsOf(i, pp, l.Virtual)) * t.sendOf(at, i)
		total, peak = total+time, max(peak, time)
		exchange = max(exchange, x.costs.TrainSync(pool, counts, i == 0, i == pp-1, shape, step, m))
		update = max(update, x.costs.TrainUpdate(pool, counts, i == 0, i == pp-1, shape))
	}
	return pipelineSeconds(peak, total, l.Virtual, m) + exchange + update
}

// sendOf is one transfer between rank i and the next; after the last comes the first.
func (t *table) sendOf(at *hosts, i int) float64 {
	next := (i + 1) % at.l.PP()
	from, to := at.l.Stages[i].Pool, at.l.Stages[next].Pool
	if at.share(i, next) {
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
