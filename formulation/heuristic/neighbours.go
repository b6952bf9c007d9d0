package heuristic

import (
	"slices"

	"partita/formulation/cost"
	"partita/formulation/stagegraph"
)

// Neighbours lists the proposals that are one change away from a given one, each once,
// in a fixed order: a layer moved between neighbouring stages, another degree with its
// counterpart adjusted so that as many GPUs are used, and the changes that take more
// GPUs or fewer. Shapes are those of the space; whether a neighbour fits or keeps any
// requirement is for a judge to say.
func Neighbours(space *stagegraph.Space, p Proposal) []Proposal {
	if len(p.Parts) == 0 {
		return nil
	}
	s := &search{env: Env{Space: space}, shapes: newMenu(space)}
	x := open(p)
	seen := map[string]bool{x.key(): true}
	var out []Proposal
	for _, m := range slices.Concat(s.along(x, shifts[:1]), s.exchanges(x), sizes(x)) {
		y, ok := m(x)
		if !ok || y.replicas < 1 || seen[y.key()] || !oneStep(space, x, y) {
			continue
		}
		seen[y.key()] = true
		out = append(out, y.proposal(""))
	}
	return out
}

// oneStep reports whether every stage of y runs a shape that is at most one change away
// from one of x: as many GPUs with one pair of degrees exchanged, or another number of
// GPUs by one degree. A search changes several at once; advice does not.
func oneStep(space *stagegraph.Space, x, y pipeline) bool {
	for _, st := range y.stations {
		if !slices.ContainsFunc(x.stations, func(from station) bool {
			return from == st || near(from.shape, st.shape) && space.Offers(st.pool, st.shape)
		}) {
			return false
		}
	}
	return true
}

func near(a, b cost.Shape) bool {
	attention := 0
	for _, d := range [][2]int{{a.TP, b.TP}, {a.CP, b.CP}, {a.DPAttention, b.DPAttention}} {
		if d[0] != d[1] {
			attention++
		}
	}
	if a.GPUs() != b.GPUs() {
		return attention == 1
	}
	return attention == 0 || a.EP == b.EP
}

// exchanges lists the changes of all stages at once that leave the number of GPUs.
func (s *search) exchanges(x pipeline) []move {
	out := s.reshapes(x)
	for _, f := range factors {
		out = append(out, chain(replicate(f, 1), join(f)), chain(replicate(1, f), repeat(f)))
		for d := range scalable {
			out = append(out,
				chain(replicate(f, 1), scale(d, 1, f)),
				chain(replicate(1, f), scale(d, f, 1)),
				chain(repeat(f), scale(d, 1, f)),
				chain(join(f), scale(d, f, 1)),
			)
		}
	}
	return out
}

// sizes lists the changes of the number of GPUs.
func sizes(x pipeline) []move {
	out := []move{another(1), another(-1), longer(1), longer(-1)}
	for _, f := range factors {
		out = append(out, replicate(f, 1), replicate(1, f), repeat(f), join(f))
		for d := range scalable {
			out = append(out, scale(d, f, 1), scale(d, 1, f))
			for i := range x.stations {
				out = append(out, widen(i, d, f, 1), widen(i, d, 1, f))
			}
		}
	}
	return out
}

// scalable are the degrees by which a stage takes more GPUs or fewer: TP and attention
// DP.
const scalable = 2

// scaled multiplies one of them by up/down. The experts spread over as many of the GPUs
// as before, in proportion; false where something does not divide.
func scaled(sh cost.Shape, degree, up, down int) (cost.Shape, bool) {
	at := &sh.TP
	if degree == 1 {
		at = &sh.DPAttention
	}
	spread := sh.ETP == 1
	if *at*up%down != 0 {
		return sh, false
	}
	*at = *at * up / down
	q := sh.GPUs()
	if spread && sh.EP > 1 {
		sh.EP = q
	}
	if q%sh.EP != 0 {
		return sh, false
	}
	sh.ETP = q / sh.EP
	return sh, true
}

// scale multiplies a degree of every stage by up/down.
func scale(degree, up, down int) move {
	return func(x pipeline) (pipeline, bool) {
		y := x.clone()
		for i := range y.stations {
			var ok bool
			if y.stations[i].shape, ok = scaled(y.stations[i].shape, degree, up, down); !ok {
				return x, false
			}
		}
		return y, true
	}
}

// widen multiplies a degree of one stage by up/down.
func widen(i, degree, up, down int) move {
	return func(x pipeline) (pipeline, bool) {
		sh, ok := scaled(x.stations[i].shape, degree, up, down)
		if !ok {
			return x, false
		}
		return reshape(i, station{x.stations[i].pool, sh})(x)
	}
}

// another adds replicas, or takes some away.
func another(n int) move {
	return func(x pipeline) (pipeline, bool) {
		y := x.clone()
		y.replicas += n
		return y, y.replicas >= 1
	}
}

// longer adds a stage like the last one, or takes the last one away; layers are cut
// anew as vLLM cuts them.
func longer(n int) move {
	return func(x pipeline) (pipeline, bool) {
		stages, layers := len(x.stations)+n, 0
		for _, l := range x.layers {
			layers += l
		}
		if stages < 1 || stages > layers {
			return x, false
		}
		y := pipeline{replicas: x.replicas, layers: EngineCut(layers, stages)}
		for i := range stages {
			y.stations = append(y.stations, x.stations[min(i, len(x.stations)-1)])
		}
		return y, true
	}
}
