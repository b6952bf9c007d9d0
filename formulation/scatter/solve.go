package scatter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
	"partita/solver"
)

// Options of a search. The zero value is ready to use.
type Options struct {
	// Start is an assignment of the nodes to begin with, such as the best contiguous
	// one; nil, or one that breaks a rule: none.
	Start []int
	// Work is the effort after which a search ends by itself, in units of some twenty
	// nanoseconds of one core; 0: DefaultWork. The answer depends on it, not on time.
	Work int64
	// Progress, where given, hears of every better value or bound, in ms; the value is
	// +Inf while there is none.
	Progress func(value, bound float64)
}

// NoLimit has a search go on until all is proved or the context is done.
const NoLimit int64 = math.MaxInt64 / 4

// DefaultWork ends a search after some twenty to thirty seconds of one core.
const DefaultWork int64 = 800_000_000

// Solve looks for the assignment of nodes to devices with the least largest load, in any
// pieces. It always returns what it has: with a context that is done, the best
// assignment and bound so far.
func Solve(ctx context.Context, g *opgraph.Graph, opts Options) (assignment.Result, error) {
	if g == nil || len(g.Nodes) == 0 {
		return assignment.Result{}, errors.New("scatter: a graph without nodes")
	}
	if g.Devices() == 0 {
		return assignment.Result{}, errors.New("scatter: a graph without devices")
	}
	s := &search{ctx: ctx, p: newProblem(g), opts: opts}
	if s.opts.Work == 0 {
		s.opts.Work = DefaultWork
	}
	if why := s.p.impossible(); why != "" {
		return assignment.Result{Status: solver.Infeasible, Value: math.Inf(1), Bound: math.Inf(1), Because: why}, nil
	}
	s.run()
	return s.result(), nil
}

// impossible says why no assignment exists, where that shows at once.
func (p *problem) impossible() string {
	var need int64
	for i := range p.clusters {
		c := &p.clusters[i]
		if !c.onAccel && !c.onCore {
			if len(c.nodes) == 1 {
				return fmt.Sprintf("node %d fits no device", p.g.Nodes[c.nodes[0]].ID)
			}
			return fmt.Sprintf("node %d and the nodes of its class fit no device together", p.g.Nodes[c.nodes[0]].ID)
		}
		if !c.onCore {
			need += c.bytes
		}
	}
	if need > 0 && (need-1)/max(1, p.g.AcceleratorBytes) >= int64(p.g.Accelerators) {
		return fmt.Sprintf("%d bytes that no core takes do not fit %d accelerators", need, p.g.Accelerators)
	}
	return ""
}

// search is one run of Solve.
type search struct {
	ctx    context.Context
	p      *problem
	opts   Options
	local  *local
	dual   *dual
	lower  int64
	tree   tree
	empty  bool // nothing fits, proved
	reason string
	spent  int64
}

// Effort of a turn of the bound and of one of the search for assignments, as parts of
// the usual whole or of less, and of the tree that settles small graphs at the start.
const (
	turns    = 64
	treePart = 400
)

func (s *search) part(n int64) int64 { return max(1, min(s.opts.Work, DefaultWork)/n) }

func (s *search) run() {
	p := s.p
	order := forwardOrder(p)
	if len(order) <= longestNarrow {
		order = narrowOrder(p)
	}
	s.local = newLocal(p, order)
	for _, start := range [][]int32{given(p, s.opts.Start), chainStart(p, order), chainStart(p, forwardOrder(p)), greedyStart(p, false), greedyStart(p, true)} {
		s.local.offer(start)
	}
	if len(order) > longestChain {
		s.local.offer(longStart(s.ctx, p, order, p.everything()))
		s.local.offer(longStart(s.ctx, p, forwardOrder(p), p.everything()))
	}
	s.raise(p.workBound(min(s.local.value, p.everything())), "work")
	s.tell()
	if s.settleSmall() {
		return
	}
	s.dual = newDual(p, order, s.lower)
	turn := s.part(turns)
	for i := 0; !s.over(); i++ {
		before := s.spent
		s.placeTurn(i, turn)
		if s.boundTurn(turn); s.spent == before {
			return // nothing is left to try
		}
	}
}

// everything is a load that no device exceeds: all there is, on one device.
func (p *problem) everything() int64 {
	sum := int64(1)
	for i := range p.clusters {
		c := &p.clusters[i]
		most := int64(0)
		if c.onAccel {
			most = c.work
		}
		if c.onCore {
			most = max(most, c.cpu)
		}
		sum += most
	}
	for i := range p.nets {
		sum += p.nets[i].cost * int64(1+len(p.nets[i].sinks))
	}
	return sum
}

// over reports whether the search ends: proved, stopped or out of effort.
func (s *search) over() bool {
	return s.empty || s.closed() || s.ctx.Err() != nil || s.spent >= s.opts.Work
}

func (s *search) closed() bool { return s.lower >= s.local.value }

// raise takes a bound that is better.
func (s *search) raise(bound int64, reason string) {
	if bound > s.lower || s.reason == "" {
		s.lower, s.reason = bound, reason
		s.local.target = bound
	}
}

// settleSmall tries all assignments of a small graph, as far as a part of the effort
// goes; true where that settled it. Where memory is so tight that no start was found, half
// of the effort goes into finding any, the largest clusters first.
func (s *search) settleSmall() bool {
	s.tree = tree{p: s.p, upper: min(s.local.value, s.p.everything()), effort: s.part(treePart)}
	if s.local.best == nil {
		s.tree.effort, s.tree.bytesFirst = s.part(2), true
	}
	finished := s.tree.run(s.ctx) && s.p.accelerators == s.p.boundAccelerators && s.p.cores == s.p.boundCores
	s.spent += s.tree.spent
	if s.tree.best != nil {
		s.local.offer(s.tree.best)
	}
	if !finished {
		return s.over()
	}
	if s.local.best == nil {
		s.empty = true
		return true
	}
	s.raise(s.local.value, "all assignments tried or cut off")
	s.tell()
	return true
}

// heats are the temperatures that walks begin with, in turn: mostly so low that they end
// near where they began.
var heats = [...]float64{0.001, 0.01, 0.1}

// placeTurn looks for better assignments: first from the best start downhill, then by
// walks and downhill again. One in four goes on from where the last ended, not from the
// best.
func (s *search) placeTurn(i int, effort int64) {
	l := s.local
	if l.best == nil {
		return
	}
	before, until := l.value, l.spent+effort
	used := l.spent
	if i%4 < 3 {
		l.st.reset(l.best)
	}
	if i > 0 {
		l.anneal(s.ctx, heats[i%len(heats)], effort/4)
	}
	l.descend(s.ctx, until)
	s.spent += l.spent - used
	if l.value < before {
		s.tell()
	}
}

// boundTurn raises the bound for a turn's effort, or until nothing is left to gain.
func (s *search) boundTurn(effort int64) {
	upper := min(s.local.value, s.p.everything())
	for used := int64(0); used < effort && !s.dual.useless && !s.over(); {
		made := s.dual.improve(s.ctx, upper, s.part(4)) + int64(len(s.p.clusters))
		used += made
		s.spent += made
		if s.dual.best > s.lower {
			s.raise(s.dual.best, "prices of the nodes: what devices hold within the bound is worth less than all")
			s.tell()
		}
	}
}

func (s *search) tell() {
	if s.opts.Progress == nil {
		return
	}
	value := math.Inf(1)
	if s.local.best != nil {
		value = s.p.ms(s.local.value)
	}
	s.opts.Progress(value, min(value, s.boundMS()))
}

// boundMS is the bound in ms, less what rounding times to ticks may have added.
func (s *search) boundMS() float64 {
	slack := int64(len(s.p.g.Nodes) + len(s.p.g.Edges))
	return max(0, s.p.ms(s.lower-slack))
}

// result of the search; the value is computed anew from the assignment.
func (s *search) result() assignment.Result {
	r := assignment.Result{
		Value: math.Inf(1), Bound: s.boundMS(), Explored: s.tree.nodes, Because: s.reason,
	}
	if s.dual != nil {
		r.Explored += s.dual.runs
	}
	if s.empty {
		r.Status, r.Bound, r.Because = solver.Infeasible, math.Inf(1), "all assignments tried or cut off"
		return r
	}
	if s.local.best != nil {
		r.Device = s.p.expand(s.local.best)
		r.Value = slices.Max(assignment.Loads(s.p.g, r.Device))
		r.Bound = min(r.Bound, r.Value)
	}
	switch {
	case s.closed():
		// Within the resolution of ticks, some 1e-12 of the value, nothing is better.
		r.Status, r.Bound = solver.Optimal, r.Value
	case errors.Is(s.ctx.Err(), context.Canceled) && !errors.Is(context.Cause(s.ctx), context.DeadlineExceeded):
		r.Status = solver.Interrupted
	case s.ctx.Err() != nil:
		r.Status = solver.TimeLimit
	default: // the effort is spent
		r.Status = solver.Unknown
	}
	return r
}
