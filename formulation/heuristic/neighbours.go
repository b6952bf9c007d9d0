package heuristic

import "partita/formulation/stagegraph"

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
	for _, m := range append(s.movesBy(x, shifts[:1]), s.sizes(x)...) {
		y, ok := m(x)
		if !ok || y.replicas < 1 || seen[y.key()] {
			continue
		}
		seen[y.key()] = true
		out = append(out, y.proposal(""))
	}
	return out
}

// sizes lists the changes of the number of GPUs.
func (s *search) sizes(x pipeline) []move {
	out := []move{another(1), another(-1), s.longer(1), s.longer(-1)}
	for _, f := range factors {
		out = append(out, replicate(f, 1), replicate(1, f), s.resize(f, 1), s.resize(1, f), repeat(f), join(f))
	}
	for i := range x.stations {
		for _, f := range factors {
			out = append(out, s.widen(i, f, 1), s.widen(i, 1, f))
		}
	}
	return out
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
func (s *search) longer(n int) move {
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

// widen multiplies the GPUs of one stage by up/down.
func (s *search) widen(i, up, down int) move {
	return func(x pipeline) (pipeline, bool) {
		q := x.stations[i].shape.GPUs() * up
		if q%down != 0 {
			return x, false
		}
		st, ok := s.shapes.like(x.stations[i], q/down)
		if !ok {
			return x, false
		}
		return reshape(i, st)(x)
	}
}
