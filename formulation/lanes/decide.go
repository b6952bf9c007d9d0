package lanes

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
)

// verdict of a search for a plan that passes f ticks.
type verdict uint8

const (
	undecided verdict = iota // the search left states out, or was ended
	found                    // there is a plan
	refuted                  // there is none
)

// sweep looks for a plan that passes f, breadth first over the layers. The state before
// a layer is what is left of the machines of every type, and how long the machines in
// use still hold layers. A state is dropped where the rest cannot pay for the layers
// left; of the others at most width are kept before each layer, those that can pay most
// beyond.
//
// Machines start only at a layer that the others fall short of, and none that is not
// needed there. That leaves no plan out: a machine that its first layer does not need
// can start one layer later; one that would then reach beyond the last layer is moved
// back so that it ends there, where it still holds all that it is needed for. Where the
// first layer has a table of its own, moving on only makes a machine faster.
type sweep struct {
	*prices
	start  [2]*tariff // what machines that start at the first layer pay, and later
	ctx    context.Context
	layers int
	width  int
	cut    bool // a state was left out for want of width
	ended  bool // by ctx
	ticks  int  // to look at ctx from time to time

	levels []level // by layer
	looked int64   // states expanded; they stay, for the way back
	held   int64   // and those that wait
	spare  scratch
}

// level is the states before one layer.
type level struct {
	states []*state
	at     map[string]struct{}
}

type state struct {
	key    string // left and running, see pack
	slack  int64  // what can be paid beyond the layers left
	parent *state
	layer  int   // where started start
	starts []int // options
}

// running is a machine in use: its option and the layers that it still holds.
type running struct{ option, left int }

// scratch is a state unpacked.
type scratch struct {
	left    []int // machines by type
	running []running
	key     []byte
}

// mostStates is how many states a sweep holds, about 250 bytes each; beyond them it is cut.
const mostStates = 1 << 21

// decide sweeps with the prices of f; states is how many it looked at.
func (g *grid) decide(ctx context.Context, p *prices, width int) (v verdict, plan []Range, states int64) {
	if p.slack(g) < 0 {
		return refuted, nil, 0
	}
	s := &sweep{prices: p, ctx: ctx, layers: g.layers, width: width, levels: make([]level, g.layers), start: [2]*tariff{p.tariff, p.tariff}}
	if g.special {
		s.atFirst(g)
	}
	s.add(nil, 0, nil, g.count, nil) // f is at least 1: the first layer wants a machine
	for l := range s.levels {
		if end := s.expand(l); end != nil {
			return found, s.plan(end), s.looked
		}
		if s.ended {
			return undecided, nil, s.looked
		}
		s.levels[l] = level{}
	}
	if s.cut {
		return undecided, nil, s.looked
	}
	return refuted, nil, s.looked
}

// atFirst replaces the options by those that start at the first layer and those that
// start later. The prices are the same.
func (s *sweep) atFirst(g *grid) {
	copied := *s.prices
	s.prices = &copied
	s.options, s.price = nil, nil
	for i := range s.start {
		own := capped(g.start[i], s.f)
		price := make([]int64, len(own))
		for j, o := range own {
			price[j] = s.budget[o.kind] / int64(o.held)
		}
		s.start[i] = newTariff(own, price, g.count, s.f)
		for j := range s.start[i].items {
			s.start[i].items[j].index += len(s.options)
		}
		s.options, s.price = append(s.options, own...), append(s.price, price...)
	}
}

// plan reads the ranges back from a last state.
func (s *sweep) plan(end *state) []Range {
	var plan []Range
	for ; end != nil; end = end.parent {
		for _, i := range end.starts {
			o := s.options[i]
			plan = append(plan, Range{Type: o.kind, First: min(end.layer, s.layers-o.held), Held: o.held})
		}
	}
	return plan
}

// add enters the state after starts at layer l of parent: before the first layer that
// the running machines fall short of. A state that has none is the end of a plan.
func (s *sweep) add(parent *state, l int, starts []int, left []int, machines []running) *state {
	next := &state{parent: parent, layer: l, starts: starts}
	if parent != nil {
		machines = after(machines)
		l++
	}
	for ; ; l++ {
		if l == s.layers {
			return next
		}
		if s.passed(machines) < s.f {
			break
		}
		machines = after(machines)
	}
	payable := s.payable(left)
	for _, m := range machines {
		payable += int64(m.left) * s.price[m.option]
	}
	next.slack = payable - int64(s.layers-l)*s.least
	if next.slack < 0 {
		return nil
	}
	s.pack(left, machines)
	level := &s.levels[l]
	if _, there := level.at[string(s.spare.key)]; there {
		return nil
	}
	if s.held >= mostStates {
		s.cut = true
		return nil
	}
	s.held++
	next.key = string(s.spare.key)
	if level.at == nil {
		level.at = map[string]struct{}{}
	}
	level.at[next.key] = struct{}{}
	level.states = append(level.states, next)
	if len(level.states) >= 2*s.width {
		s.narrow(level)
	}
	return nil
}

// narrow keeps the states of a level that can pay most.
func (s *sweep) narrow(level *level) {
	slices.SortFunc(level.states, func(a, b *state) int {
		return cmp.Or(cmp.Compare(b.slack, a.slack), cmp.Compare(a.key, b.key))
	})
	if len(level.states) > s.width {
		s.cut = true
		s.held -= int64(len(level.states) - s.width)
		clear(level.states[s.width:])
		level.states = level.states[:s.width]
	}
}

// expand tries what the states before layer l can start there; it returns the end of a
// plan where there is one.
func (s *sweep) expand(l int) *state {
	s.narrow(&s.levels[l])
	for _, parent := range s.levels[l].states {
		s.looked++
		left, machines := s.unpack(parent.key)
		var paid int64
		for _, m := range machines {
			paid += s.price[m.option]
		}
		need := s.f - s.passed(machines)
		tariff := s.start[min(l, 1)]
		for _, starts := range s.continuations(tariff, left, need, s.least+parent.slack-paid) {
			with := slices.Grow(slices.Clone(machines), len(starts))
			rest := slices.Clone(left)
			for _, o := range starts {
				rest[s.options[o].kind]--
				with = append(with, running{o, s.options[o].held})
			}
			slices.SortFunc(with, func(a, b running) int {
				return cmp.Or(cmp.Compare(a.option, b.option), cmp.Compare(a.left, b.left))
			})
			if end := s.add(parent, l, starts, rest, with); end != nil {
				return end
			}
		}
		if s.ended {
			return nil
		}
	}
	return nil
}

// passed is what machines pass together, in ticks.
func (s *sweep) passed(machines []running) int64 {
	var sum int64
	for _, m := range machines {
		sum += s.options[m.option].ticks
	}
	return sum
}

func (s *sweep) pack(left []int, machines []running) {
	key := s.spare.key[:0]
	for _, n := range left {
		key = binary.AppendUvarint(key, uint64(n))
	}
	for _, m := range machines {
		key = binary.AppendUvarint(binary.AppendUvarint(key, uint64(m.option)), uint64(m.left))
	}
	s.spare.key = key
}

func (s *sweep) unpack(key string) ([]int, []running) {
	b := append(s.spare.key[:0], key...)
	s.spare.key = b
	number := func() int {
		n, size := binary.Uvarint(b)
		b = b[size:]
		return int(n)
	}
	left := s.spare.left[:0]
	for range len(s.budget) {
		left = append(left, number())
	}
	machines := s.spare.running[:0]
	for len(b) > 0 {
		option := number()
		machines = append(machines, running{option, number()})
	}
	s.spare.left, s.spare.running = left, machines
	return left, machines
}

// after is what still runs one layer later.
func after(machines []running) []running {
	out := make([]running, 0, len(machines))
	for _, m := range machines {
		if m.left > 1 {
			out = append(out, running{m.option, m.left - 1})
		}
	}
	return out
}
