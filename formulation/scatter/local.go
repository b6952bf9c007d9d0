package scatter

import (
	"context"
	"math"
	"math/rand/v2"
)

// local is the search for good assignments: from a start it splits the clusters of two
// devices anew, as well as the splitter can, and between such steps walks by moves of
// single clusters and of small connected groups (simulated annealing on a high power of
// the loads, which the largest dominate).
type local struct {
	p     *problem
	order []int
	rng   *rand.Rand
	st    *state

	best   []int32
	value  int64 // of best; MaxInt64: none
	target int64 // the bound: a value there ends the search
	spent  int64 // effort so far, in labels of the splitter or their equal

	room splitter // lends its memory to the splitters of pairs, one after the other

	group []int32
	from  []int32
	inSet []int32
	stamp int32
}

// Effort of a step in labels: about what a move of one cluster takes beside a label.
const (
	moveEffort  = 12
	splitLabels = 400 // labels a state keeps in a search for assignments
)

func newLocal(p *problem, order []int) *local {
	l := &local{
		p: p, order: order, value: math.MaxInt64,
		rng: rand.New(rand.NewPCG(1, 2)), inSet: make([]int32, len(order)),
	}
	return l
}

// offer takes an assignment where it is better than the best.
func (l *local) offer(device []int32) {
	if device == nil {
		return
	}
	if l.st == nil {
		l.st = newState(l.p, device)
	} else {
		l.st.reset(device)
	}
	l.keep()
}

// keep notes the current assignment where it is the best so far.
func (l *local) keep() bool {
	if v := l.st.value(); v < l.value {
		l.value = v
		l.best = append(l.best[:0], l.st.device...)
		return true
	}
	return false
}

func (l *local) done(ctx context.Context, until int64) bool {
	return l.spent >= until || l.value <= l.target || ctx.Err() != nil
}

// descend splits the most loaded device with each of the others anew until that helps no
// more.
func (l *local) descend(ctx context.Context, until int64) {
	for !l.done(ctx, until) {
		worst := 0
		for d, load := range l.st.load {
			if load > l.st.load[worst] {
				worst = d
			}
		}
		improved := false
		for d := range l.p.devices() {
			if d != worst && l.resplit(ctx, int32(worst), int32(d), l.st.load[worst]) {
				improved = true
				break
			}
			if l.done(ctx, until) {
				return
			}
		}
		l.keep()
		if !improved {
			return
		}
	}
}

// resplit splits the clusters of two devices anew, so that the larger load of both is
// the least and under a limit; it reports whether such a split was found and taken.
func (l *local) resplit(ctx context.Context, a, b int32, limit int64) bool {
	if l.p.isCore(int(a)) {
		a, b = b, a
	}
	var members []int
	for _, c := range l.order {
		if d := l.st.device[c]; d == a || d == b {
			members = append(members, c)
		}
	}
	if len(members) == 0 {
		return false
	}
	s := between(l.st, a, b, members, splitLabels)
	if s == nil {
		return false
	}
	s.borrow(&l.room)
	defer func() { l.room.borrow(s) }()
	s.capIn, s.capOut = limit, limit
	for _, part := range []float64{0.5, 0.3, 0.7, 0.1, 0.9} {
		s.cut(part, 1-part, float64(limit-1))
	}
	front, _ := s.run(ctx, 1<<24)
	l.spent += s.labels
	if len(front) == 0 {
		return false
	}
	best := front[0]
	for _, f := range front[1:] {
		if max(f.in, f.out) < max(best.in, best.out) {
			best = f
		}
	}
	return l.take(s, best, members, a, b, limit)
}

// take moves the clusters to their sides; where memory or a net that the splitter left
// out spoils the split, it is taken back.
func (l *local) take(s *splitter, label splitLabel, members []int, a, b int32, limit int64) bool {
	side := make([]uint8, len(members))
	s.trace(label, side)
	before := make([]int32, len(members))
	for i, c := range members {
		before[i] = l.st.device[c]
		to := b
		if side[i] == 1 {
			to = a
		}
		if to != before[i] {
			l.st.move(c, to)
		}
	}
	l.st.begin()
	l.spent += moveEffort * int64(len(members))
	fits := func(d int32) bool { return l.p.isCore(int(d)) || l.st.bytes[d] <= l.p.g.AcceleratorBytes }
	if fits(a) && fits(b) && l.st.load[a] < limit && l.st.load[b] < limit {
		return true
	}
	for i, c := range members {
		if l.st.device[c] != before[i] {
			l.st.move(c, before[i])
		}
	}
	l.st.begin()
	return false
}
