package stagegraph

import (
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/solver/path"
)

// Scale is the length of a tick in each phase, in seconds. Durations are rounded up
// to whole ticks.
type Scale [2]float64

// Ticks is a duration in ticks of phase ph, rounded up. A billionth of a tick is
// forgiven: it is rounding of the price, not time.
func (u Scale) Ticks(ph int, seconds float64) int64 {
	return int64(math.Ceil(seconds/u[ph] - 1e-9))
}

// Seconds is the length of so many ticks.
func (u Scale) Seconds(ph int, ticks int64) float64 { return float64(ticks) * u[ph] }

// Graph is the path problem of one outer choice; an option's Ref is the index of
// its shape in the pool.
type Graph struct {
	Problem *path.Problem
	Choice  Choice
	Scale   Scale
	space   *Space
	// senders are the groups of Problem.Send: what the price of a send depends on.
	senders []sender
}

// sender is a group that sends are charged by: the pool of a stage and how its ranks
// share the tokens.
type sender struct{ pool, context, data int }

// Build makes the graph of an outer choice. Objective, limits and balance are left
// open for the caller. Of shapes with the same pool and number of GPUs only those
// are kept that no other beats in both phases.
func (s *Space) Build(ch Choice, u Scale) *Graph { return s.build(ch, u, false, false) }

// BuildWide is Build with every shape that fits, for a balance floor that a slower
// shape may be needed for.
func (s *Space) BuildWide(ch Choice, u Scale) *Graph { return s.build(ch, u, true, false) }

// BuildAny is Build or BuildWide less the rules that speak of micro-batches or decode
// groups: a relaxation of the graphs of all choices that differ in the other phase's
// parts, where those of ch take the least memory.
func (s *Space) BuildAny(ch Choice, u Scale, wide bool) *Graph { return s.build(ch, u, wide, true) }

func (s *Space) build(ch Choice, u Scale, wide, anyParts bool) *Graph {
	l := ch.Layout
	p := &path.Problem{
		Boundaries: s.layers + 1,
		Class:      s.classes.of,
		Options:    make([][]path.Option, len(s.classes.list)),
		Limit:      [2]int64{path.NoLimit, path.NoLimit},
		BalanceDen: 1,
	}
	if l.Case != nil {
		p.MinStages, p.MaxStages = l.Case.Stages[0], l.Case.Stages[1]
	}
	g := &Graph{Problem: p, Choice: ch, Scale: u, space: s}
	resource := s.resources(p, l)
	price := s.pricing(l.Replicas, ch.Micro, ch.Groups)
	left := s.mask(ch, anyParts)
	if !anyParts {
		s.ruled.tell(left)
	}
	fits := s.ruled.filter(s.fitting(l.Replicas, ch.Micro, ch.Groups), left)
	group := s.groups(g, l, &price, u)
	keep, shapes := keepBest, s.everyShape
	if wide {
		keep = keepAll
	} else {
		shapes = s.live(&price, fits, l)
	}
	for j := range s.classes.list {
		c := &s.classes.list[j]
		var all []path.Option
		for k := range s.pools {
			from := len(all)
			for _, i := range shapes[k] {
				sh := s.pools[k].shapes[i]
				q := sh.GPUs()
				if q > l.GPUs[k] || !fits[k][i][j] {
					continue
				}
				t := price.times(k, i, c)
				o := path.Option{Group: group(k, sh), Resource: resource(k, q), Units: int32(q), Ref: int32(i)}
				for ph := range 2 {
					if !c.last && p.Send == nil {
						t[ph] += price.sends(k, i, k, l.SameHost)[ph]
					}
					o.Time[ph] = u.Ticks(ph, t[ph])
				}
				all = keep(all, from, o)
			}
		}
		p.Options[j] = slices.Clip(all)
	}
	return g
}

func keepAll(all []path.Option, _ int, o path.Option) []path.Option { return append(all, o) }

// keepBest adds an option to those of its pool unless one with as many GPUs is no
// slower in both phases.
func keepBest(all []path.Option, from int, o path.Option) []path.Option {
	kept := all[:from]
	for i := from; i < len(all); i++ {
		x := all[i]
		if x.Units == o.Units && x.Group == o.Group {
			if x.Time[0] <= o.Time[0] && x.Time[1] <= o.Time[1] {
				return append(kept, all[i:]...)
			}
			if o.Time[0] <= x.Time[0] && o.Time[1] <= x.Time[1] {
				continue
			}
		}
		kept = append(kept, x)
	}
	return append(kept, o)
}

// resources makes the counts (2) and returns which resource q GPUs of pool k take.
// A pool whose groups pack whenever their sum fits is one number; otherwise each
// group size is counted by itself and must pack into the nodes.
func (s *Space) resources(p *path.Problem, l *Layout) func(k, q int) int32 {
	first := make([]int32, len(s.pools))
	var all []int
	for k := range s.pools {
		first[k] = int32(len(p.Resources))
		pl := &s.pools[k]
		if pl.chains {
			all = append(all, len(p.Resources))
			p.Resources = append(p.Resources, path.Resource{Capacity: l.GPUs[k], Exact: l.Exact})
			continue
		}
		pack := path.Packing{Bins: pl.bins, Copies: l.Replicas, Total: -1}
		if l.Exact {
			pack.Total = l.GPUs[k]
		}
		for _, q := range pl.sizes {
			pack.Resources = append(pack.Resources, len(p.Resources))
			pack.Sizes = append(pack.Sizes, q)
			all = append(all, len(p.Resources))
			p.Resources = append(p.Resources, path.Resource{Capacity: l.GPUs[k] / q * q})
		}
		p.Packings = append(p.Packings, pack)
		if mine := pack.Resources; !l.Exact {
			p.Packings = append(p.Packings, atMost(mine, l.GPUs[k], -1))
		}
	}
	if l.Total >= 0 {
		p.Packings = append(p.Packings, atMost(all, l.Total, l.Total))
	}
	return func(k, q int) int32 {
		if s.pools[k].chains {
			return first[k]
		}
		i, _ := slices.BinarySearch(s.pools[k].sizes, q)
		return first[k] + int32(i)
	}
}

// atMost bounds the GPUs that several resources of one path take together: one bin
// that single GPUs fill. A total ≥ 0 asks for exactly so many.
func atMost(resources []int, gpus, total int) path.Packing {
	out := path.Packing{Resources: resources, Bins: []int{max(1, gpus)}, Copies: 1, Total: total}
	for range resources {
		out.Sizes = append(out.Sizes, 1)
	}
	return out
}

// groups decides where sends are charged. Where the send does not depend on the
// next pool it is part of the option's time and Send stays nil; else options fall
// into groups by pool and by how the ranks share the tokens (the two ways of sharing
// round up differently).
func (s *Space) groups(g *Graph, l *Layout, price *pricing, u Scale) func(int, cost.Shape) int32 {
	index := map[sender]int32{}
	var list []sender
	var shape []int
	depends := false
	for k := range s.pools {
		for i, sh := range s.pools[k].shapes {
			x := sender{k, sh.CP, sh.DPAttention}
			if _, ok := index[x]; !ok {
				index[x] = int32(len(list))
				list = append(list, x)
				shape = append(shape, i)
			}
			for next := range s.pools {
				depends = depends || price.sends(k, i, next, l.SameHost) != price.sends(k, i, k, l.SameHost)
			}
		}
	}
	if !depends {
		return func(k int, _ cost.Shape) int32 { return int32(k) }
	}
	p := g.Problem
	g.senders, p.Send = list, make([][][2]int64, len(list))
	for a, x := range list {
		for _, y := range list {
			t := price.sends(x.pool, shape[a], y.pool, l.SameHost)
			p.Send[a] = append(p.Send[a], [2]int64{u.Ticks(0, t[0]), u.Ticks(1, t[1])})
		}
	}
	return func(k int, sh cost.Shape) int32 { return index[sender{k, sh.CP, sh.DPAttention}] }
}
