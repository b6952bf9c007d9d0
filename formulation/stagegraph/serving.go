package stagegraph

import "partita/formulation/cost"

// serving is the work of a replica with n sequences in so many groups.
func (s *Space) serving(n, groups int) *cost.Serving {
	return &cost.Serving{Sequences: n, Groups: groups, Workload: &s.Condition.Workload}
}

// served names a table of prices that hangs on the workload: of a step again and again, of
// the average step of serving n sequences in so many groups, or of the first token then.
type served struct {
	step      cost.Step
	n, groups int
	first     bool
}

func (s *Space) servedTable(key served, make func() [][]prices) [][]prices {
	if t, ok := s.work.served[key]; ok {
		return t
	}
	t := make()
	if (len(s.work.served)+1)*s.allShapes() > mostPrices {
		clear(s.work.served)
	}
	s.work.served[key] = t
	return t
}

func (s *Space) allShapes() int {
	n := 0
	for k := range s.pools {
		n += len(s.pools[k].shapes)
	}
	return n
}

// steps prices stages that do a step again and again, with what the host adds to each.
func (s *Space) steps(st cost.Step) [][]prices {
	return s.servedTable(served{step: st}, func() [][]prices {
		out := s.newTable()
		t := s.table(st)
		for k := range out {
			host := s.Costs.HostStep(k, st.Sequences)
			for i := range out[k] {
				x, from := &out[k][i], &t[k][i]
				copy(x.layer, from.layer)
				copy(x.local, from.local)
				x.embed, x.head, x.network = from.embed, from.head, from.network
				x.hosted(host)
			}
		}
		return out
	})
}

// hosted adds what the host takes for a step of a stage: every stage either sends or has
// the head.
func (p *prices) hosted(seconds float64) {
	p.head += seconds
	p.network += seconds
	for i := range p.local {
		p.local[i] += seconds
	}
}

// mixes prices a token of a group, of the average step (C3b, C3c).
func (s *Space) mixes(n, groups int) [][]prices {
	return s.servedTable(served{n: n, groups: groups}, func() [][]prices {
		w := s.serving(n, groups)
		return s.combined(w, (*mixed).Token, func(k int, p *prices) { p.hosted(s.Costs.HostToken(k, w)) })
	})
}

// firsts prices the way of a request to its first token (C2m).
func (s *Space) firsts(n int) [][]prices {
	return s.servedTable(served{n: n, first: true}, func() [][]prices {
		w := s.serving(n, 1)
		return s.combined(w, (*mixed).First, func(k int, p *prices) {
			every, entry := s.Costs.HostFirst(k, w)
			p.hosted(every)
			p.embed += entry
		})
	})
}

// mixed are the tables of the steps of a mix.
type mixed = cost.Mixed[[][]prices]

// combined makes a price of those of the steps of a mix, part by part, and has each pool's
// finished.
func (s *Space) combined(w *cost.Serving, price func(*mixed, func([][]prices) float64) float64, finish func(int, *prices)) [][]prices {
	out := s.newTable()
	for ranks := s.nextRanks(0); ranks > 0; ranks = s.nextRanks(ranks) {
		steps := cost.MixedOf(w, ranks, s.table)
		for k := range out {
			for i, sh := range s.pools[k].shapes {
				if sh.DPAttention != ranks {
					continue
				}
				x := &out[k][i]
				for part := range x.parts() {
					*x.part(part) = price(steps, func(t [][]prices) float64 { return *t[k][i].part(part) })
				}
				finish(k, x)
			}
		}
	}
	return out
}

// nextRanks is the next larger number of attention ranks that some shape has; 0: none.
func (s *Space) nextRanks(ranks int) int {
	next := 0
	for k := range s.pools {
		for _, sh := range s.pools[k].shapes {
			if n := sh.DPAttention; n > ranks && (next == 0 || n < next) {
				next = n
			}
		}
	}
	return next
}

// parts is how many prices there are, and part is one of them.
func (p *prices) parts() int { return len(p.layer) + 3 + len(p.local) }

func (p *prices) part(i int) *float64 {
	switch n := len(p.layer); {
	case i < n:
		return &p.layer[i]
	case i == n:
		return &p.embed
	case i == n+1:
		return &p.head
	case i == n+2:
		return &p.network
	default:
		return &p.local[i-n-3]
	}
}
