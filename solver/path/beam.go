package path

import (
	"cmp"
	"context"
	"slices"
)

// A beam is a label search that keeps few labels a node: those whose cheapest priced
// completions cost least. It finds good paths where there are many, and proves nothing.
const (
	beamWidth = 200
	firstDive = 1.0 / 1024 // how far above the bound the first beam may go
	lastDives = 8          // beams between the last threshold without a path and the first with one
)

// dive looks for paths by beams along the ray, below thresholds that grow from the bound
// until one has a path, and then between the two.
func (s *search) dive(ctx context.Context, b *box, ph int) {
	c, v := s.c, s.c.values[ph]
	low, top := b.lo[ph], b.hi[ph]
	for part := firstDive; low < top; part *= 2 {
		high := min(top, index(v, int64(float64(v[b.lo[ph]])*(1+part))+1)-1)
		s.beam(ctx, b, ph, high)
		if s.ended(ctx) {
			return
		}
		if c.cut(b, s.cutoff()); s.chain != nil && b.hi[ph] <= high {
			break
		}
		low = high
	}
	for dives := 0; dives < lastDives && low < b.hi[ph] && !s.ended(ctx); dives++ {
		mid := index(v, (v[low]+v[b.hi[ph]]+1)/2)
		s.beam(ctx, b, ph, mid)
		if c.cut(b, s.cutoff()); b.hi[ph] >= mid {
			low = mid
		}
	}
}

// index is the first of the ascending values that is at least x.
func index(values []int64, x int64) int {
	i, _ := slices.BinarySearch(values, x)
	return i
}

// beam looks for a path of the box whose bottleneck is at most the value of high.
func (s *search) beam(ctx context.Context, b *box, ph, high int) {
	part := *b
	part.hi[ph] = min(high, b.hi[ph])
	s.work += boxWork
	legs := s.c.filter(&part)
	if pr := s.alongRay(legs, &priced{form: s.c.forms(&part, s.c.p.Weight)[0]}); pr != nil {
		s.offer(pr.chain)
		s.sweep(ctx, &part, legs, pr)
	}
}

// sweep runs a beam over the legs of a box.
func (s *search) sweep(ctx context.Context, b *box, legs [][]leg, pr *priced) {
	l := newLabeling(s.c.graphOf(legs, pr, s.cutoff()), b, nil, s.cutoff(), beamWidth)
	l.open = l.g.meets()
	out := l.run(ctx)
	s.labels += len(l.labels)
	s.work += int64(len(l.labels))
	s.offer(l.chain)
	if out == finished && l.chain == nil && l.open {
		chain, made := l.meet(ctx)
		s.labels += made
		s.work += int64(made)
		s.offer(chain)
	}
}

// first looks, once, for a first path, so that a search that is ended has one to show: by
// beams in the windows of the least bounds, below guesses that grow.
func (s *search) first(ctx context.Context) {
	if s.dived || s.chain != nil || s.work < firstWork {
		return
	}
	s.dived = true
	if s.gather(ctx); s.known != nil {
		return
	}
	guess := s.guess
	defer func() { s.guess = guess }()
	roots := slices.Clone(s.roots)
	slices.SortStableFunc(roots, func(a, b *box) int { return cmp.Compare(a.bound, b.bound) })
	made := s.labels
	for part := int64(firstPart); part > 0; part /= 4 {
		s.guess = min(s.best, s.low+s.low/part+1)
		for _, b := range roots[:min(len(roots), firstWindows)] {
			if s.ended(ctx) || s.labels-made > softLabels {
				return
			}
			part := *b
			if legs, pr := s.narrow(&part); legs != nil {
				s.sweep(ctx, &part, legs, pr)
			}
			if s.chain != nil {
				return
			}
		}
	}
}

const (
	firstWork    = 1 << 18 // what is spent on proofs before
	firstPart    = 64      // the first beams look so much above the bound, as 1/n
	firstWindows = 4
)
