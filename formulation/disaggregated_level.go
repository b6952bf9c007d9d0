package formulation

import (
	"context"
	"fmt"
	"slices"

	"partita/formulation/poolsplit"
	"partita/inputs"
)

// apartLevel is a poolsplit.Problem with what its choices and pairs are.
type apartLevel struct {
	*disaggregation
	splits          []gpuSplit
	prefill, decode []*sideChoice
	problem         poolsplit.Problem
	of              []int            // split of each pair
	links           []poolsplit.Link // of each split
}

// newLevel lists the choices of either side for splits, with their floors.
func (d *disaggregation) newLevel(ctx context.Context, splits []gpuSplit) (*apartLevel, error) {
	l := &apartLevel{disaggregation: d, splits: splits}
	known := map[string][]int{} // choices by side
	choices := func(phase inputs.Phase, split gpuSplit) ([]int, error) {
		s := d.side(phase, split)
		key := s.key
		if list, ok := known[key]; ok {
			return list, nil
		}
		var list []int
		for _, x := range s.choices() {
			if ctx.Err() != nil {
				break
			}
			p, err := d.floorOf(x)
			if err != nil {
				return nil, err
			}
			one := poolsplit.Choice{Replicas: x.replicas, Floor: p}
			if phase == inputs.Prefill {
				list = append(list, len(l.prefill))
				l.prefill, l.problem.Prefill = append(l.prefill, x), append(l.problem.Prefill, one)
			} else {
				list = append(list, len(l.decode))
				l.decode, l.problem.Decode = append(l.decode, x), append(l.problem.Decode, one)
			}
		}
		known[key] = list
		return list, nil
	}
	for i, s := range splits {
		first, err := choices(inputs.Prefill, s)
		if err != nil {
			return nil, err
		}
		second, err := choices(inputs.Decode, s)
		if err != nil {
			return nil, err
		}
		for _, a := range first {
			for _, b := range second {
				l.problem.Pairs = append(l.problem.Pairs, [2]int{a, b})
				l.of = append(l.of, i)
			}
		}
	}
	for _, s := range splits {
		l.links = append(l.links, d.link(s))
	}
	l.problem.Link = func(pair int) poolsplit.Link { return l.links[l.of[pair]] }
	return l, nil
}

// side is the side of a phase of a split.
func (d *disaggregation) side(phase inputs.Phase, split gpuSplit) *side {
	gpus, nodes := split.prefill, split.nodes[0]
	if phase == inputs.Decode {
		gpus, nodes = split.decode, split.nodes[1]
	}
	key := fmt.Sprint(phase, gpus, nodes)
	s, ok := d.sides[key]
	if !ok {
		s = d.newSide(phase, gpus, nodes)
		s.key = key
		d.sides[key] = s
	}
	return s
}

func (s *sideChoice) key() string {
	return fmt.Sprint(s.side.key, s.replicas, s.flight)
}

// choices lists the outer choices of a side: replica counts that divide its GPUs and, of
// the prefilling one, powers of two for the prompts that a replica has in flight.
func (s *side) choices() []*sideChoice {
	batch := s.of.c.Workload.Batch
	most := batch
	for _, n := range s.gpus {
		if n > 0 {
			most = min(most, n)
		}
	}
	var out []*sideChoice
	for r := 1; r <= most; r++ {
		if slices.ContainsFunc(s.gpus, func(n int) bool { return n%r != 0 }) {
			continue
		}
		if s.phase == inputs.Decode {
			out = append(out, &sideChoice{side: s, replicas: r})
			continue
		}
		for n := 1; r*n <= batch; n *= 2 {
			out = append(out, &sideChoice{side: s, replicas: r, flight: n})
		}
	}
	return out
}

func (d *disaggregation) floorOf(x *sideChoice) (poolsplit.Point, error) {
	if p, ok := d.floors[x.key()]; ok {
		return p, nil
	}
	p, err := x.floor()
	if err == nil {
		d.floors[x.key()] = p
	}
	return p, err
}

// sameHost reports whether all GPUs of a split are on one host.
func (d *disaggregation) sameHost(s gpuSplit) bool {
	hosts := map[string]bool{}
	for _, side := range []*side{d.side(inputs.Prefill, s), d.side(inputs.Decode, s)} {
		for _, nodes := range side.actual(s) {
			for _, n := range nodes {
				hosts[n.Host] = true
			}
		}
	}
	return len(hosts) == 1
}

// link is the way from the GPUs of a split that prefill to those that decode: the slowest
// of those between their pools.
func (d *disaggregation) link(s gpuSplit) poolsplit.Link {
	same := d.sameHost(s)
	latency, perByte := 0.0, 0.0
	for a, n := range s.prefill {
		for b, m := range s.decode {
			if n > 0 && m > 0 {
				x, y := d.costs.Handover(a, b, same)
				latency, perByte = max(latency, x), max(perByte, y)
			}
		}
	}
	unit := float64(len(d.c.Model.Layers) * d.costs.KVHeads()) // shares of a whole prompt
	return poolsplit.Link{Latency: latency, Longest: perByte * d.prompt[0] / unit, Mean: perByte * d.prompt[1] / unit}
}

// Prefill is poolsplit.Sides.
func (l *apartLevel) Prefill(ctx context.Context, choice int, below float64) ([]poolsplit.Point, bool, error) {
	x := l.prefill[choice]
	key := fmt.Sprint(x.key(), l.floor, below)
	if a, ok := l.fronts[key]; ok {
		return a.points, a.proved, nil
	}
	plans, proved, err := x.frontier(ctx, below)
	if err != nil {
		return nil, false, err
	}
	a := frontAnswer{proved: proved}
	for _, p := range plans {
		a.points = append(a.points, l.planned(x, p))
	}
	l.fronts[key] = a
	return a.points, proved, nil
}

// Decode is poolsplit.Sides.
func (l *apartLevel) Decode(ctx context.Context, choice int, below float64) (poolsplit.Point, bool, bool, error) {
	x := l.decode[choice]
	key := fmt.Sprint(x.key(), l.floor, below)
	if a, ok := l.rounds[key]; ok {
		return a.point, a.found, a.proved, nil
	}
	plan, proved, err := x.shortest(ctx, below)
	if err != nil {
		return poolsplit.Point{}, false, false, err
	}
	a := roundAnswer{found: plan != nil, proved: proved}
	if plan != nil {
		a.point = l.planned(x, plan)
	}
	l.rounds[key] = a
	return a.point, a.found, a.proved, nil
}

// planned keeps a plan and gives its point.
func (d *disaggregation) planned(x *sideChoice, p *sidePlan) poolsplit.Point {
	at := x.pointOf(p)
	at.ID = len(d.plans)
	d.plans = append(d.plans, plannedSide{x, p})
	return at
}
