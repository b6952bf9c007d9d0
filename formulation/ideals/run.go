package ideals

import (
	"context"
	"errors"
	"math"

	"partita/solver"
)

// run is one call of Solve.
type run struct {
	ctx     context.Context
	p       *Problem
	k       *core
	weights []weighting
	workers int
	memory  int64
	stages  int64 // that may still be visited
	best    Solution
	// proved: no chain has all loads within this many ticks, because of that.
	proved  int64
	because string
}

// question is where a core stands: it has no chain within low.
type question struct {
	k       *core
	weights []weighting
	low     int64
	steps   int64 // stages that one decision may visit
	beam    int   // of decide
}

// chainBeams are how many labels are kept of an ideal of a linear order, one after the
// other: with a few unlike classes the first is enough for an answer.
var chainBeams = []int{8, 64}

// solve asks along linear orders, then the lattice.
func (r *run) solve() decision {
	r.proved, r.because = r.ground(), "work and memory of all"
	var chains []question
	for _, order := range r.k.orders() {
		q := question{k: r.k.along(order), weights: make([]weighting, len(r.weights)), low: r.proved, steps: math.MaxInt64}
		for i := range q.weights {
			q.weights[i] = r.weights[i].along(q.k, order)
		}
		chains = append(chains, q)
	}
	for _, beam := range chainBeams {
		wider := false
		for i := range chains {
			chains[i].beam = beam
			switch answer := r.narrow(&chains[i]); {
			case answer == cancelled || r.stages <= 0:
				return answer
			case answer != no:
				wider = true
			}
		}
		if !wider {
			break
		}
	}
	return r.prove()
}

// ground is a limit that the work and memory of all, and each super-node by itself,
// prove out of reach.
func (r *run) ground() int64 {
	least := int64(0)
	for v := range r.k.n {
		fastest := never
		for c := range r.k.classes {
			if r.k.classes[c].count > 0 {
				fastest = min(fastest, r.k.classes[c].time[v])
			}
		}
		least = max(least, fastest)
	}
	counts, support := make([]int32, len(r.k.classes)), uint64(0)
	for c := range counts {
		if counts[c] = int32(r.k.classes[c].count); counts[c] > 0 {
			support |= 1 << c
		}
	}
	for i := range r.weights {
		if support&^r.weights[i].mask == 0 {
			need := r.weights[i].least(counts)
			least = max(least, int64(math.Ceil(math.Min(need, float64(never)))))
		}
	}
	return least - 1
}

// slack is the number of ticks within which rounding may move a load.
func (r *run) slack() int64 { return int64(len(r.p.Nodes)) + 1 }

// below is the largest limit that makes a placement better than the best one, or than what
// is asked for, by more than the resolution, so that every yes is an improvement.
func (r *run) below() int64 {
	if math.IsInf(r.best.Value, 1) {
		return everything
	}
	return int64(r.best.Value*(1-r.resolution())*r.k.scale) - r.slack()
}

func (r *run) resolution() float64 { return Resolution + roundingPerNode*float64(len(r.p.Nodes)) }

// everything is a limit that every load keeps.
const everything = int64(1) << 60

// ask answers whether a core has a chain within a limit, and keeps the chain.
func (r *run) ask(q *question, limit int64) decision {
	answer, s := q.k.decide(r.ctx, limit, q.weights, r.workers, q.beam, bounds{steps: min(q.steps, r.stages), bytes: r.memory})
	r.stages -= s.steps
	if !q.k.chain {
		r.best.Explored += s.explored
	}
	switch answer {
	case yes:
		r.best.Stages = s.stages()
		r.best.Value = r.p.value(r.best.Stages)
	case no:
		q.low = limit
	}
	return answer
}

// firstStep is the part of the way to what is proved that the second question of
// narrow leaves out.
const firstStep = 64

// narrow asks for better chains until there is none (no), or an answer fails to come.
// Without a placement to start from it asks for worse and worse ones; after an
// improvement it asks for a better one by steps that double.
func (r *run) narrow(q *question) decision {
	for above := 0.02; r.best.Stages == nil; above *= 2 {
		limit := r.below()
		if limit <= q.low {
			return no
		}
		if more := float64(max(q.low, 1)) * (1 + above); more < float64(limit) {
			limit = int64(more) + 1
		}
		answer := r.ask(q, limit)
		if answer == cancelled || answer == tooLarge || (limit == r.below() && answer != yes) {
			return answer
		}
	}
	for step := int64(0); ; {
		limit := r.below() - step
		if limit <= q.low {
			if step == 0 {
				return no
			}
			step = 0
			continue
		}
		switch answer := r.ask(q, limit); {
		case answer == yes:
			step = max(2*step, (limit-q.low)/firstStep)
		case step > 0 && (answer == no || answer == tooLong):
			step = 0
		default:
			return answer
		}
	}
}

// Stages that a decision over the lattice may visit at first, and how that grows; how
// wide the first beam is, which grows alike; and the steps from which on what is proved
// is raised by easier questions.
const (
	firstSteps = 1 << 20
	growth     = 4
	firstBeam  = 4
	raiseSteps = 1 << 22
)

// prove asks the lattice for better chains than those along linear orders. Where an
// answer takes too long, a beam looks for better chains first, for the better the best
// one is the easier the question; then the question may take longer.
func (r *run) prove() decision {
	q := question{k: r.k, weights: r.weights, low: r.proved, steps: firstSteps}
	for beam := firstBeam; ; beam *= growth {
		answer := r.narrow(&q)
		large := answer == tooLarge
		if answer == tooLong || large {
			q.beam = beam
			answer = r.narrow(&q)
			q.beam = 0
			large = large || answer == tooLarge
		}
		if answer == tooLong && q.steps >= raiseSteps || large {
			answer = r.raise(&q)
		}
		if q.low > r.proved {
			r.proved, r.because = q.low, "no chain of ideals has smaller loads"
		}
		if answer == no || answer == cancelled || large || r.stages <= 0 {
			return answer
		}
		q.steps *= growth
	}
}

// finestRaise is the part of the value to which raise finds what can be proved.
const finestRaise = 200

// raise proves what it can with the steps of the question, by halving the way to the
// best placement. It returns no where that proves the best placement.
func (r *run) raise(q *question) decision {
	answer := tooLong
	for high := r.below(); high < everything && high-q.low > r.below()/finestRaise; {
		limit := q.low + (high-q.low)/2
		switch answer = r.ask(q, limit); answer {
		case cancelled:
			return cancelled
		case yes:
			high = min(limit, r.below())
		case tooLong, tooLarge:
			high = limit
		}
	}
	if q.low >= r.below() {
		return no
	}
	return tooLong
}

// finish writes the bound and the status.
func (r *run) finish(answer decision) {
	b := &r.best
	b.Because = r.because
	b.Bound = float64(r.proved+1-r.slack()) / r.k.scale
	asked := b.Value
	if b.Stages == nil {
		b.Value = math.Inf(1)
	}
	switch {
	case answer == no && b.Stages == nil && !math.IsInf(asked, 1):
		b.Status, b.Bound, b.Because = solver.Infeasible, asked, "no chain of ideals has smaller loads than asked for"
		return
	case answer == no && b.Stages == nil:
		b.Status, b.Bound, b.Because = solver.Infeasible, math.Inf(1), "no chain of ideals fits the devices"
		return
	case answer == no:
		b.Status = solver.Optimal
		b.Bound = max(b.Bound, float64(r.below()+1-r.slack())/r.k.scale)
	case errors.Is(r.ctx.Err(), context.DeadlineExceeded):
		b.Status = solver.TimeLimit
	case r.ctx.Err() != nil:
		b.Status = solver.Interrupted
	}
	b.Bound = max(0, min(b.Bound, asked))
}
