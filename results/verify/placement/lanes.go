// Package placement recomputes the answers to published placement instances from the
// solution alone, by each instance's own definition. It shares no code with the searches.
package placement

import (
	"errors"
	"fmt"
	"math"

	"partita/inputs/instance"
	"partita/results"
)

// tolerance of sums of throughputs, relative: what adding in another order may change.
const tolerance = 1e-9

// Lanes is what a solution passes in tokens/s, where several machines may hold the same
// layers: the maximum flow through its machines. A machine passes what its type's table
// says of the layers that it holds; what leaves i can go on to j if j holds the layer
// after i's last one. The error lists every rule of the instance that the solution
// breaks, its routes included where it has any.
func Lanes(c *instance.Chain, s *results.PlacedSolution) (float64, error) {
	var broken []error
	used := map[[2]int]bool{}
	for i, m := range s.Stages {
		if err := laneMachine(c, m, used); err != nil {
			broken = append(broken, fmt.Errorf("stage %d: %w", i, err))
		}
	}
	if len(broken) > 0 {
		return 0, errors.Join(broken...)
	}
	n := newNetwork(2*len(s.Stages) + 2)
	source, sink := 2*len(s.Stages), 2*len(s.Stages)+1
	for i, m := range s.Stages {
		n.arc(2*i, 2*i+1, m.TokensPerS)
		if m.FirstLayer == 0 {
			n.arc(source, 2*i, math.Inf(1))
		}
		if m.LastLayer == c.Layers-1 {
			n.arc(2*i+1, sink, math.Inf(1))
		}
		for j, next := range s.Stages {
			if follows(m, next) {
				n.arc(2*i+1, 2*j, math.Inf(1))
			}
		}
	}
	value := n.maximum(source, sink)
	if len(s.Routes) > 0 {
		if err := laneRoutes(c, s, value); err != nil {
			return value, err
		}
	}
	return value, nil
}

// laneMachine checks a machine: it exists, once, and passes what its table says.
func laneMachine(c *instance.Chain, m results.PlacedStage, used map[[2]int]bool) error {
	held := m.LastLayer - m.FirstLayer + 1
	if m.FirstLayer < 0 || m.LastLayer >= c.Layers || held < 1 {
		return fmt.Errorf("layers %d to %d: want a range of 0 to %d", m.FirstLayer, m.LastLayer, c.Layers-1)
	}
	for k, t := range c.Machines {
		if t.Type != m.Machine {
			continue
		}
		switch {
		case m.Index < 0 || m.Index >= t.Count:
			return fmt.Errorf("%s %d: there are %d, counted from 0", m.Machine, m.Index, t.Count)
		case used[[2]int{k, m.Index}]:
			return fmt.Errorf("%s %d is used twice", m.Machine, m.Index)
		case held > len(t.Throughput):
			return fmt.Errorf("%s %d holds %d layers: %d are possible", m.Machine, m.Index, held, len(t.Throughput))
		case m.TokensPerS != t.Throughput[held-1]:
			return fmt.Errorf("%s %d passes %v tokens/s with %d layers: the instance says %v", m.Machine, m.Index, m.TokensPerS, held, t.Throughput[held-1])
		}
		used[[2]int{k, m.Index}] = true
		return nil
	}
	return fmt.Errorf("machine %q: the instance has no such type", m.Machine)
}

// follows: a token that leaves m can go on to next.
func follows(m, next results.PlacedStage) bool {
	return next.FirstLayer <= m.LastLayer+1 && m.LastLayer < next.LastLayer
}

// laneRoutes checks that the routes carry value from the first layer to the last.
func laneRoutes(c *instance.Chain, s *results.PlacedSolution, value float64) error {
	var broken []error
	in, out := make([]float64, len(s.Stages)), make([]float64, len(s.Stages))
	entered, left := 0.0, 0.0
	for i, r := range s.Routes {
		from, to := r.From, r.To
		if from < -1 || to < -1 || from >= len(s.Stages) || to >= len(s.Stages) || !(r.TokensPerS > 0) {
			broken = append(broken, fmt.Errorf("route %d: %v tokens/s from stage %d to %d: there is no such route", i, r.TokensPerS, from, to))
			continue
		}
		meets := true
		switch {
		case from == -1 && to == -1:
			meets = false
		case from == -1:
			meets = s.Stages[to].FirstLayer == 0
		case to == -1:
			meets = s.Stages[from].LastLayer == c.Layers-1
		default:
			meets = follows(s.Stages[from], s.Stages[to])
		}
		if !meets {
			broken = append(broken, fmt.Errorf("route %d: stage %d cannot take over from stage %d", i, to, from))
			continue
		}
		if from == -1 {
			entered += r.TokensPerS
		} else {
			out[from] += r.TokensPerS
		}
		if to == -1 {
			left += r.TokensPerS
		} else {
			in[to] += r.TokensPerS
		}
	}
	slack := tolerance * value
	for i, m := range s.Stages {
		if math.Abs(in[i]-out[i]) > slack || in[i] > m.TokensPerS+slack {
			broken = append(broken, fmt.Errorf("stage %d: takes %v tokens/s, passes on %v, can pass %v", i, in[i], out[i], m.TokensPerS))
		}
	}
	if math.Abs(entered-value) > slack || math.Abs(left-value) > slack {
		broken = append(broken, fmt.Errorf("routes carry %v tokens/s in and %v out, the machines pass %v", entered, left, value))
	}
	return errors.Join(broken...)
}
