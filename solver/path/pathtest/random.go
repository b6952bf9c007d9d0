// Package pathtest makes stage-graph problems for tests and benchmarks: small varied
// ones for comparison with path.BruteForce, and families that grow.
package pathtest

import (
	"math/rand/v2"

	"partita/solver/path"
	"pgregory.net/rapid"
)

// Source draws integers. *rand.Rand is one; Drawn makes one of a *rapid.T.
type Source interface {
	// IntN is a number in [0, n).
	IntN(n int) int
}

// Seeded is the source that a fixed seed gives.
func Seeded(seed uint64) Source { return rand.New(rand.NewPCG(seed, 0x9a97)) }

// Drawn is a source that rapid controls, so that failures shrink.
func Drawn(t *rapid.T) Source { return drawn{t} }

type drawn struct{ t *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }

// Random is a problem small enough for path.BruteForce: up to six layers, three
// resources and two groups, with and without every kind of side condition. About
// a third have no solution.
func Random(src Source) *path.Problem {
	g := generator{Source: src, p: &path.Problem{Boundaries: 2 + src.IntN(6)}}
	g.classes()
	g.resources()
	g.options()
	g.sends()
	g.phases()
	g.packings()
	g.bounds()
	return g.p
}

type generator struct {
	Source
	p      *path.Problem
	groups int
}

func (g *generator) between(lo, hi int) int { return lo + g.IntN(hi-lo+1) }
func (g *generator) oneIn(n int) bool       { return g.IntN(n) == 0 }

// classes: identical layers (by length), unlike ends (by length and position), or
// every interval of its own; now and then an interval that nothing runs.
func (g *generator) classes() {
	n := g.p.Boundaries
	g.p.Class = make([]int32, n*n)
	for i := range g.p.Class {
		g.p.Class[i] = -1
	}
	kind, holes := g.IntN(3), g.oneIn(3)
	number := map[[3]int]int32{}
	for a := range n {
		for b := a + 1; b < n; b++ {
			if holes && g.oneIn(6) {
				continue
			}
			key := [3]int{b - a}
			switch kind {
			case 1:
				key[1] = bit(a == 0) + 2*bit(b == n-1)
			case 2:
				key = [3]int{b - a, a, b}
			}
			id, known := number[key]
			if !known {
				id = int32(len(number))
				number[key] = id
			}
			g.p.Class[a*n+b] = id
		}
	}
	g.p.Options = make([][]path.Option, len(number))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (g *generator) resources() {
	for range g.between(1, 3) {
		g.p.Resources = append(g.p.Resources, path.Resource{Capacity: g.between(1, 6), Exact: g.oneIn(3)})
	}
	g.groups = g.between(1, 2)
}

// options: a speed by resource and units, times that grow with the interval or not.
func (g *generator) options() {
	length := make([]int, len(g.p.Options))
	for a := range g.p.Boundaries {
		for b := a + 1; b < g.p.Boundaries; b++ {
			if c := g.p.ClassOf(a, b); c >= 0 {
				length[c] = b - a
			}
		}
	}
	monotone, fees := g.oneIn(2), g.oneIn(3)
	for c := range g.p.Options {
		for o := range g.between(1, 3) {
			r := g.IntN(len(g.p.Resources))
			opt := path.Option{Group: int32(r % g.groups), Resource: int32(r), Units: int32(g.between(1, 2)), Ref: int32(o)}
			for f := range opt.Time {
				if monotone {
					opt.Time[f] = int64(length[c]*(3+r)*4)/int64(opt.Units) + int64(g.IntN(2))
				} else {
					opt.Time[f] = int64(g.between(1, 30))
				}
			}
			if fees {
				opt.Fee = int64(g.IntN(10))
			}
			g.p.Options[c] = append(g.p.Options[c], opt)
		}
	}
}

func (g *generator) sends() {
	if g.groups == 1 && g.oneIn(2) {
		return
	}
	g.p.Send = make([][][2]int64, g.groups)
	for i := range g.p.Send {
		g.p.Send[i] = make([][2]int64, g.groups)
		for j := range g.p.Send[i] {
			g.p.Send[i][j] = [2]int64{int64(g.IntN(5)), int64(g.IntN(5))}
		}
	}
}

// phases: a sum with a bottleneck term (prefill), a round (decode), pure bottleneck.
func (g *generator) phases() {
	for f := range g.p.Phases {
		m := int64(g.between(1, 4))
		g.p.Phases[f] = [...]path.Phase{{Sum: 1, Peak: m - 1}, {Sum: 1, Rate: m}, {Rate: m}}[g.IntN(3)]
		g.p.Weight[f] = int64(g.IntN(4))
		g.p.Limit[f] = path.NoLimit
	}
}

func (g *generator) packings() {
	if len(g.p.Resources) < 2 || !g.oneIn(3) {
		return
	}
	k := path.Packing{Copies: g.between(1, 2), Total: -1}
	for r := range g.p.Resources {
		k.Resources = append(k.Resources, r)
		k.Sizes = append(k.Sizes, g.between(1, 3))
	}
	for range g.between(1, 3) {
		k.Bins = append(k.Bins, g.between(2, 5))
	}
	if g.oneIn(3) {
		k.Total = g.between(1, 6)
	}
	g.p.Packings = append(g.p.Packings, k)
}

// bounds: limits, cap, balance and number of stages, of a size that sometimes binds.
func (g *generator) bounds() {
	for f := range g.p.Limit {
		if g.oneIn(4) {
			g.p.Limit[f] = int64(g.between(10, 120))
		}
	}
	if g.oneIn(4) {
		g.p.Cap = &path.Cap{Weight: [2]int64{int64(g.IntN(3)), int64(g.IntN(3))}, Max: int64(g.between(20, 250))}
	}
	if g.oneIn(3) {
		g.p.BalanceNum, g.p.BalanceDen = int64(g.between(1, 9)), 10
	}
	if g.oneIn(4) {
		g.p.MaxStages = g.between(1, 4)
	}
	if g.oneIn(4) {
		g.p.MinStages = g.between(1, 4) // now and then more than MaxStages: no path
	}
}
