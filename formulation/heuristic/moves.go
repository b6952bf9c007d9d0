package heuristic

import "slices"

// move changes a pipeline a little; false where it cannot.
type move func(pipeline) (pipeline, bool)

// shifts are the numbers of layers that move between neighbours.
var shifts = [...]int{1, 2, 4, 8}

// factors are those by which replicas and groups grow and shrink.
var factors = [...]int{2, 3}

// moves lists the changes to try on a pipeline, in a fixed order.
func (s *search) moves(x pipeline) []move { return append(s.along(x, shifts[:]), s.everywhere(x)...) }

// along lists the changes of one stage or two neighbours; layers move in these numbers.
func (s *search) along(x pipeline, shifts []int) []move {
	var out []move
	for i := range x.stations {
		if i+1 < len(x.stations) {
			for _, n := range shifts {
				out = append(out, shift(i, i+1, n), shift(i+1, i, n))
			}
			out = append(out, s.merge(i))
			if x.stations[i].pool != x.stations[i+1].pool {
				out = append(out, swap(i))
			} else {
				out = append(out, s.trades(x, i)...)
			}
		}
		for _, st := range s.shapes[x.stations[i].pool][x.stations[i].shape.GPUs()] {
			if st != x.stations[i] {
				out = append(out, reshape(i, st))
			}
		}
		for _, f := range factors {
			out = append(out, s.split(i, f))
		}
	}
	return out
}

// everywhere lists the changes of all stages at once, which balance makes
// necessary: one stage alone would fall out of step.
func (s *search) everywhere(x pipeline) []move {
	out := s.reshapes(x)
	all := factors[:]
	if x.replicas > factors[len(factors)-1] {
		all = append(slices.Clone(all), x.replicas) // one replica, where no factor divides
	}
	for _, f := range all {
		out = append(out,
			chain(replicate(f, 1), s.resize(1, f)), // more replicas of narrower stages
			chain(replicate(f, 1), join(f)),        // more replicas of shorter pipelines
			chain(replicate(1, f), s.resize(f, 1)), // fewer replicas of wider stages
			chain(replicate(1, f), repeat(f)),      // fewer replicas of longer pipelines
			chain(repeat(f), s.resize(1, f)),       // longer pipelines of narrower stages
			chain(join(f), s.resize(f, 1)),         // shorter pipelines of wider stages
		)
	}
	return out
}

// reshapes lists the changes of all stages of one shape to another of as many GPUs.
func (s *search) reshapes(x pipeline) []move {
	var out []move
	var seen []station
	for _, have := range x.stations {
		if slices.Contains(seen, have) {
			continue
		}
		seen = append(seen, have)
		for _, want := range s.shapes[have.pool][have.shape.GPUs()] {
			if want != have {
				out = append(out, reshapeAll(have, want))
			}
		}
	}
	return out
}

// chain is one move after another.
func chain(first, second move) move {
	return func(x pipeline) (pipeline, bool) {
		y, ok := first(x)
		if !ok {
			return x, false
		}
		return second(y)
	}
}

// replicate multiplies the replicas by up/down.
func replicate(up, down int) move {
	return func(x pipeline) (pipeline, bool) {
		if x.replicas*up%down != 0 {
			return x, false
		}
		y := x.clone()
		y.replicas = x.replicas * up / down
		return y, true
	}
}

// resize multiplies the GPUs of every stage by up/down.
func (s *search) resize(up, down int) move {
	return func(x pipeline) (pipeline, bool) {
		y := x.clone()
		for i, st := range y.stations {
			q := st.shape.GPUs() * up
			if q%down != 0 {
				return x, false
			}
			var ok bool
			if y.stations[i], ok = s.shapes.like(st, q/down); !ok {
				return x, false
			}
		}
		return y, true
	}
}

// repeat makes f stages of every one.
func repeat(f int) move {
	return func(x pipeline) (pipeline, bool) {
		y := pipeline{replicas: x.replicas}
		for i, st := range x.stations {
			if x.layers[i] < f {
				return x, false
			}
			y.layers = append(y.layers, even(x.layers[i], f)...)
			for range f {
				y.stations = append(y.stations, st)
			}
		}
		return y, true
	}
}

// join makes one stage of every f alike in a row.
func join(f int) move {
	return func(x pipeline) (pipeline, bool) {
		if len(x.stations)%f != 0 {
			return x, false
		}
		y := pipeline{replicas: x.replicas}
		for i := 0; i < len(x.stations); i += f {
			n := 0
			for j := i; j < i+f; j++ {
				if x.stations[j] != x.stations[i] {
					return x, false
				}
				n += x.layers[j]
			}
			y.stations = append(y.stations, x.stations[i])
			y.layers = append(y.layers, n)
		}
		return y, true
	}
}

// shift moves n layers from one stage to another beside it.
func shift(from, to, n int) move {
	return func(x pipeline) (pipeline, bool) {
		if x.layers[from] <= n {
			return x, false
		}
		y := x.clone()
		y.layers[from] -= n
		y.layers[to] += n
		return y, true
	}
}

// swap exchanges two stages on unlike GPUs.
func swap(i int) move {
	return func(x pipeline) (pipeline, bool) {
		y := x.clone()
		y.stations[i], y.stations[i+1] = y.stations[i+1], y.stations[i]
		y.layers[i], y.layers[i+1] = y.layers[i+1], y.layers[i]
		return y, true
	}
}

func reshape(i int, st station) move {
	return func(x pipeline) (pipeline, bool) {
		y := x.clone()
		y.stations[i] = st
		return y, true
	}
}

func reshapeAll(have, want station) move {
	return func(x pipeline) (pipeline, bool) {
		y := x.clone()
		for i := range y.stations {
			if y.stations[i] == have {
				y.stations[i] = want
			}
		}
		return y, true
	}
}

// split makes f stages of stage i, its GPUs and layers shared out.
func (s *search) split(i, f int) move {
	return func(x pipeline) (pipeline, bool) {
		q := x.stations[i].shape.GPUs()
		if q%f != 0 || x.layers[i] < f {
			return x, false
		}
		st, ok := s.shapes.like(x.stations[i], q/f)
		if !ok {
			return x, false
		}
		y := x.clone()
		y.stations = slices.Replace(y.stations, i, i+1, slices.Repeat([]station{st}, f)...)
		y.layers = slices.Replace(y.layers, i, i+1, even(x.layers[i], f)...)
		return y, true
	}
}

// merge makes one stage of stages i and i+1 of one pool.
func (s *search) merge(i int) move {
	return func(x pipeline) (pipeline, bool) {
		a, b := x.stations[i], x.stations[i+1]
		if a.pool != b.pool {
			return x, false
		}
		st, ok := s.shapes.like(a, a.shape.GPUs()+b.shape.GPUs())
		if !ok {
			return x, false
		}
		y := x.clone()
		y.stations = slices.Replace(y.stations, i, i+2, st)
		y.layers = slices.Replace(y.layers, i, i+2, x.layers[i]+x.layers[i+1])
		return y, true
	}
}

// trades share the GPUs of stages i and i+1 of one pool out differently.
func (s *search) trades(x pipeline, i int) []move {
	a, b := x.stations[i], x.stations[i+1]
	sum := a.shape.GPUs() + b.shape.GPUs()
	var out []move
	for q := 1; q < sum; q++ {
		if q == a.shape.GPUs() {
			continue
		}
		left, ok := s.shapes.like(a, q)
		if !ok {
			continue
		}
		right, ok := s.shapes.like(b, sum-q)
		if !ok {
			continue
		}
		out = append(out, func(x pipeline) (pipeline, bool) {
			y := x.clone()
			y.stations[i], y.stations[i+1] = left, right
			return y, true
		})
	}
	return out
}
