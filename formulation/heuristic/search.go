package heuristic

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"partita/formulation/stagegraph"
)

// The search's bounds. Evaluations keep it well below a tenth of a second on
// pipelines of 80 layers; the other two are what separates its local optima on the
// examples of this repository.
const (
	evaluations = 2000
	kicks       = 100 // restarts from the best plan, changed at random
	kickMoves   = 3   // changes in each of them
	searchSeed  = 1   // any number: the same input shall give the same plan
)

// localSearch is what one does with a cost model and no solver: begin with the best
// rule of thumb, take any small change that helps, and where none does change a few
// things at random and begin again from there.
func localSearch(ctx context.Context, env Env) []Proposal {
	if env.Start == nil || len(env.Start.Parts) == 0 {
		return []Proposal{{Why: "no other rule has a plan to begin from"}}
	}
	s := &search{
		env: env, rng: rand.New(rand.NewPCG(searchSeed, searchSeed)),
		seen: map[string]Verdict{}, left: evaluations, shapes: newMenu(env.Space),
	}
	best := open(*env.Start)
	value := s.judge(best)
	for kick := 0; kick <= kicks && s.left > 0 && ctx.Err() == nil && !s.ends(value); kick++ {
		from := best
		if kick > 0 {
			from = s.kick(best)
		}
		at, v := s.climb(ctx, from)
		if v.Better(value) {
			best, value = at, v
		}
	}
	return []Proposal{best.proposal("the best other rule, improved by small changes")}
}

// ends reports that the search is at its end: nothing better exists.
func (s *search) ends(v Verdict) bool { return s.env.Best != nil && s.env.Best(v) }

// search is the state of one local search.
type search struct {
	env    Env
	rng    *rand.Rand
	seen   map[string]Verdict
	left   int // evaluations
	shapes menu
}

// pipeline is a proposal as moves see it: layers counted, not numbered.
type pipeline struct {
	replicas int
	stations []station
	layers   []int
}

func open(p Proposal) pipeline {
	x := pipeline{replicas: p.Replicas}
	for _, pt := range p.Parts {
		x.stations = append(x.stations, station{pt.Pool, pt.Shape})
		x.layers = append(x.layers, pt.Last-pt.First+1)
	}
	return x
}

func (x pipeline) proposal(why string) Proposal {
	return Proposal{Replicas: x.replicas, Parts: lay(x.stations, x.layers), Why: why}
}

func (x pipeline) clone() pipeline {
	return pipeline{x.replicas, slices.Clone(x.stations), slices.Clone(x.layers)}
}

// key tells pipelines apart.
func (x pipeline) key() string {
	b := binary.AppendVarint(nil, int64(x.replicas))
	for i, s := range x.stations {
		for _, v := range [...]int{x.layers[i], s.pool, s.shape.TP, s.shape.CP, s.shape.DPAttention, s.shape.EP} {
			b = binary.AppendVarint(b, int64(v))
		}
	}
	return string(b)
}

// judge evaluates a pipeline once.
func (s *search) judge(x pipeline) Verdict {
	key := x.key()
	if v, ok := s.seen[key]; ok {
		return v
	}
	s.left--
	v := s.env.Judge(x.proposal(""))
	s.seen[key] = v
	return v
}

// climb takes the first change that helps, in random order, until none does.
func (s *search) climb(ctx context.Context, x pipeline) (pipeline, Verdict) {
	v := s.judge(x)
	for !s.ends(v) {
		improved := false
		moves := s.moves(x)
		s.rng.Shuffle(len(moves), func(i, j int) { moves[i], moves[j] = moves[j], moves[i] })
		for _, m := range moves {
			if s.left <= 0 || ctx.Err() != nil {
				return x, v
			}
			y, ok := m(x)
			if !ok {
				continue
			}
			if w := s.judge(y); w.Better(v) {
				x, v, improved = y, w, true
				break
			}
		}
		if !improved {
			break
		}
	}
	return x, v
}

// kick changes a few things at random.
func (s *search) kick(x pipeline) pipeline {
	for range kickMoves {
		moves := s.moves(x)
		if len(moves) == 0 {
			return x
		}
		if y, ok := moves[s.rng.IntN(len(moves))](x); ok {
			x = y
		}
	}
	return x
}

// menu lists the shapes of each pool by their number of GPUs.
type menu []map[int][]station

func newMenu(s *stagegraph.Space) menu {
	out := make(menu, s.Pools())
	for k := range out {
		out[k] = map[int][]station{}
		for _, sh := range s.Shapes(k) {
			out[k][sh.GPUs()] = append(out[k][sh.GPUs()], station{k, sh})
		}
	}
	return out
}

// like is a shape of so many GPUs that splits as s does: the same share of expert
// parallelism and attention DP where there is one, else the first.
func (m menu) like(s station, gpus int) (station, bool) {
	list := m[s.pool][gpus]
	if len(list) == 0 {
		return s, false
	}
	for _, x := range list {
		if (x.shape.EP == 1) == (s.shape.EP == 1) && (x.shape.DPAttention == 1) == (s.shape.DPAttention == 1) && (x.shape.CP == 1) == (s.shape.CP == 1) && (x.shape.ETP == 1) == (s.shape.ETP == 1) {
			return x, true
		}
	}
	return list[0], true
}
