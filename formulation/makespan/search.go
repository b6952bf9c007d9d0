package makespan

import (
	"context"
	"math"
	"slices"
)

// resolution is what an improvement has to be worth: labels that cannot lower the
// incumbent by more than this part of it are dropped.
const resolution = 1e-9

// maxLive is the most labels that wait at a time: some hundred MB. A search that would
// need more stops with its bound.
const maxLive = 3_000_000

// label is a way to get an ideal done. It dominates another of the same ideal if it
// uses no more accelerators, has no frontier node finished later, and nothing else either.
type label struct {
	ideal  int32
	used   int32 // accelerators
	bound  float64
	done   float64   // ms: the last finish of all
	finish []float64 // ms, in the order of the ideal's frontier
	parent *label
}

// search finds shortest paths over lattices of the same problem.
type search struct {
	*problem
	tails *tails
	ctx   context.Context

	best     float64 // ms: the incumbent's
	last     *label  // its end, over the lattice at
	at       *lattice
	explored int64 // labels made
	work     int64 // steps of this run
	limit    int64 // of steps; 0: none
	live     int   // labels that are still to be expanded
	stride   int   // of a chain: blocks begin and end at every so many ideals; 0: at all
	stopped  bool
	inexact  bool // an option was too hard to decide: no proof

	block *block
	pos   []int32 // of a node in the frontier of the ideal at hand; -1
	// Scratch:
	time   []float64 // finishes of an item's nodes
	inputs []int     // places in the frontier that a block needs
	start  []float64 // of the block at hand, by label
	rest   []float64 // what comes after it, by accelerators left
	restAt []int64   // in which step that was found
}

func newSearch(ctx context.Context, p *problem, t *tails) *search {
	s := &search{problem: p, tails: t, ctx: ctx, best: math.Inf(1), block: newBlock(p), pos: make([]int32, len(p.itemOf)), time: make([]float64, len(p.itemOf)), rest: make([]float64, p.blocks+1), restAt: make([]int64, p.blocks+1)}
	for v := range s.pos {
		s.pos[v] = -1
	}
	return s
}

// run searches a lattice; width > 0 keeps only the best labels of an ideal. It returns
// a lower bound on all solutions that run over this lattice and beat the incumbent, which
// is +Inf if it came to the end with all labels.
func (s *search) run(l *lattice, width int) float64 {
	s.work, s.stopped, s.live = 0, false, 0
	clear(s.restAt)
	labels := make([][]*label, l.size())
	labels[0] = []*label{{bound: s.tails.start[s.blocks]}}
	stamp := make([]int32, l.size())
	for at := range labels {
		found := len(labels[at])
		here := slices.DeleteFunc(labels[at], s.hopeless)
		if width > 0 && len(here) > width {
			slices.SortStableFunc(here, func(a, b *label) int {
				if a.bound != b.bound {
					return int(math.Copysign(1, a.bound-b.bound))
				}
				return int(a.used - b.used)
			})
			here = here[:width]
		}
		labels[at] = here
		s.live -= found - len(here)
		if len(here) > 0 {
			s.expand(l, labels, int32(at), here, stamp)
		}
		if s.stopped {
			return pending(labels[at:])
		}
		s.live -= len(here)
		labels[at] = nil
	}
	if width > 0 {
		return math.Inf(-1)
	}
	return math.Inf(1)
}

func pending(labels [][]*label) float64 {
	bound := math.Inf(1)
	for _, list := range labels {
		for _, lb := range list {
			bound = min(bound, lb.bound)
		}
	}
	return bound
}

func (s *search) hopeless(lb *label) bool { return lb.bound >= s.best*(1-resolution) }

// tick counts a step of work, and looks at the context now and then.
func (s *search) tick() bool {
	if s.work++; s.work == s.limit || s.live > maxLive || s.work&1023 == 0 && s.ctx.Err() != nil {
		s.stopped = true
	}
	return s.stopped
}

// expand makes the labels that follow those of an ideal by one step.
func (s *search) expand(l *lattice, labels [][]*label, at int32, here []*label, stamp []int32) {
	for i, v := range l.frontier[at] {
		s.pos[v] = int32(i)
	}
	for e := l.first[at]; e < l.first[at+1]; e++ {
		if it := &s.items[l.item[e]]; it.cpu {
			for _, lb := range here {
				if s.tick() {
					break
				}
				s.onCPU(l, labels, lb, it, l.child[e])
			}
		}
	}
	spare := slices.DeleteFunc(slices.Clone(here), func(lb *label) bool { return int(lb.used) == s.blocks })
	if len(spare) > 0 && s.bounds(l, at) {
		s.walk(l, labels, at, at, spare, stamp)
	}
	for _, v := range l.frontier[at] {
		s.pos[v] = -1
	}
}

// bounds reports whether blocks may begin and end at an ideal.
func (s *search) bounds(l *lattice, at int32) bool {
	return s.stride <= 1 || int(at)%s.stride == 0 || int(at) == l.size()-1
}

// walk visits the ideals above one along the lattice, which makes blocks of what lies
// between.
func (s *search) walk(l *lattice, labels [][]*label, from, at int32, here []*label, stamp []int32) {
	for e := l.first[at]; e < l.first[at+1]; e++ {
		i, child := l.item[e], l.child[e]
		it := &s.items[i]
		if stamp[child] == from+1 || math.IsInf(it.work, 1) || s.block.bytes+it.bytes > s.g.AcceleratorBytes {
			continue
		}
		if it.class >= 0 && slices.Contains(l.begun[from], int32(it.class)) {
			continue
		}
		stamp[child] = from + 1
		if s.tick() {
			return
		}
		s.block.push(int(i))
		if s.promising(l, here, child) {
			if s.block.openClass == 0 && s.bounds(l, child) {
				s.onAccelerator(l, labels, here, child)
			}
			s.walk(l, labels, from, child, here, stamp)
		}
		s.block.pop()
		if s.stopped {
			return
		}
	}
}
