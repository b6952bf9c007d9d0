package graphplan

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"partita/formulation/ideals"
	"partita/results"
)

// rule is a way in which people cut an operator graph. It is held against the optimum on
// the same costs, for every outer choice that the optimum is chosen from.
type rule struct {
	name  string
	place func(ctx context.Context, u *units, devices []int) []ideals.Stage
}

// rules lists them: each cuts the order of the file.
func rules() []rule {
	return []rule{
		{"even-nodes", evenNodes},
		{"greedy-by-time", greedyByTime},
		{"memory-greedy", memoryGreedy},
		{"chain-cut", chainCut},
	}
}

// devices is the class of each GPU of a replica, pool after pool.
func devices(p *ideals.Problem) []int {
	var out []int
	for k := range p.Classes {
		for range p.Classes[k].Count {
			out = append(out, k)
		}
	}
	return out
}

// stagesOf cuts the order after the given positions.
func stagesOf(u *units, order, ends, devices []int) []ideals.Stage {
	l := line{u: u, order: order}
	var out []ideals.Stage
	from := 0
	for i, to := range ends {
		if to > from {
			out = append(out, l.stage(from, to, devices[i]))
		}
		from = max(from, to)
	}
	return out
}

// evenNodes gives every GPU as many nodes.
func evenNodes(_ context.Context, u *units, devices []int) []ideals.Stage {
	order := u.byFile()
	ends := make([]int, len(devices))
	for i := range ends {
		ends[i] = (i + 1) * len(order) / len(devices)
	}
	return stagesOf(u, order, ends, devices)
}

// greedyByTime fills GPU after GPU until its part of the time is reached: of what is left,
// shared out over the GPUs that are left.
func greedyByTime(_ context.Context, u *units, devices []int) []ideals.Stage {
	order := u.byFile()
	time := func(class, unit int) (sum float64) {
		for _, v := range u.nodes[unit] {
			sum += u.p.Classes[class].Time[v]
		}
		return sum
	}
	ends := make([]int, len(devices))
	at := 0
	for i, class := range devices {
		if i == len(devices)-1 {
			ends[i] = len(order)
			break
		}
		rate := 0.0 // GPUs that are left, in units of this one
		left := 0.0
		for _, unit := range order[at:] {
			left += time(class, unit)
		}
		for _, other := range devices[i:] {
			sum := 0.0
			for _, unit := range order[at:] {
				sum += time(other, unit)
			}
			if sum > 0 {
				rate += left / sum
			}
		}
		share, filled := left/max(rate, 1), 0.0
		for at < len(order)-(len(devices)-1-i) {
			t := time(class, order[at])
			if filled > 0 && filled+t/2 > share {
				break
			}
			filled += t
			at++
		}
		ends[i] = at
	}
	return stagesOf(u, order, ends, devices)
}

// memoryGreedy fills each GPU as far as its memory takes, largest memory first.
func memoryGreedy(_ context.Context, u *units, devices []int) []ideals.Stage {
	order := u.byFile()
	devices = slices.Clone(devices)
	slices.SortStableFunc(devices, func(a, b int) int {
		switch x, y := u.p.Classes[a].Bytes, u.p.Classes[b].Bytes; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	ends := make([]int, len(devices))
	at := 0
	for i, class := range devices {
		var bytes int64
		for ; at < len(order); at++ {
			for _, v := range u.nodes[order[at]] {
				bytes += u.p.Nodes[v].Bytes
			}
			if bytes > u.p.Classes[class].Bytes {
				break
			}
		}
		ends[i] = at
	}
	if at < len(order) {
		ends[len(ends)-1] = len(order) // shown as what does not fit
	}
	return stagesOf(u, order, ends, devices)
}

// chainCut takes the graph for the chain that its file's order is, and cuts that best.
func chainCut(ctx context.Context, u *units, devices []int) []ideals.Stage {
	limit := math.Inf(1) // what is as good at once keeps the intervals short
	if greedy := greedyByTime(ctx, u, devices); len(greedy) == len(devices) && overfull(u.p, greedy) == "" {
		limit = slices.Max(u.p.Loads(greedy)) * (1 + equalShare)
	}
	stages, _ := u.line(u.byFile()).cut(ctx, limit)
	return stages
}

// proposal is the best placement of a rule over all outer choices; why says what is in the
// way of one.
type proposal struct {
	name string
	best *attempt
	why  string
	took time.Duration
}

// propose asks every rule for placements of every outer choice. They are what the search
// has to beat.
func (s *search) propose(ctx context.Context, list []candidate) []proposal {
	var out []proposal
	for _, r := range rules() {
		began := time.Now()
		p := proposal{name: r.name, why: "no placement in the time given"}
		for i := range list {
			if ctx.Err() != nil {
				break
			}
			stages := r.place(ctx, unitsOf(list[i].problem), devices(list[i].problem))
			if len(stages) == 0 {
				p.why = "no cut of this order fits the GPUs"
				continue
			}
			a := s.attempt(list[i].choice, list[i].problem, stages)
			if fault := s.fault(a); fault != "" {
				p.why = fault
				continue
			}
			if p.best == nil || a.perSample() < p.best.perSample() {
				p.best = a
			}
		}
		if p.best != nil {
			s.offer(p.best)
		}
		p.took = time.Since(began)
		out = append(out, p)
	}
	return out
}

// compare holds every rule against the plan.
func (s *search) compare() []results.Comparison {
	out := []results.Comparison{}
	for i := range s.rules {
		out = append(out, s.line(&s.rules[i]))
	}
	return out
}

// fault says what a placement of a rule breaks; "" where it is a plan.
func (s *search) fault(a *attempt) string {
	if full := overfull(a.problem, a.stages); full != "" {
		return full
	}
	if !s.usesAll(a) {
		return fmt.Sprintf("uses %d of %d GPUs; all are to be used", a.used(), s.total)
	}
	return ""
}

// overfull names the first stage that its GPU does not hold; "" where all fit.
func overfull(p *ideals.Problem, stages []ideals.Stage) string {
	for i, st := range stages {
		var bytes int64
		for _, v := range st.Nodes {
			bytes += p.Nodes[v].Bytes
		}
		if limit := p.Classes[st.Class].Bytes; bytes > limit {
			return fmt.Sprintf("stage %d needs %.1f GiB of %.1f GiB", i, float64(bytes)/gib, float64(limit)/gib)
		}
	}
	return ""
}

func (s *search) line(p *proposal) results.Comparison {
	c, best := results.Comparison{Heuristic: p.name}, p.best
	if s.opts.Timed {
		c.TimeMS = float64(p.took.Nanoseconds()) / 1e6
	}
	if best == nil {
		c.WhyInfeasible = p.why
		return c
	}
	c.Strategy, c.GPUs = s.strategyText(best), best.used()
	if v := s.latency(best); !math.IsNaN(v) {
		c.LatencyMS = &v
	}
	if missed := s.missed(best); missed != "" {
		c.WhyInfeasible = missed
		return c
	}
	v := best.perSample()
	gap := 0.0
	if s.best != nil && v > s.best.perSample() {
		gap = 100 * (v/s.best.perSample() - 1)
	}
	c.Feasible, c.Objective, c.GapPercent = true, &v, &gap
	return c
}

// strategyText is a placement in a line: "2 replicas × PP 4, nodes 10/12/9/8".
func (s *search) strategyText(a *attempt) string {
	text := fmt.Sprintf("%s × PP %d", counted(a.choice.replicas, "replica"), len(a.stages))
	const most = 8 // stages that are told one by one
	if len(a.stages) > 1 && len(a.stages) <= most {
		sep := ", nodes "
		for _, st := range a.stages {
			text += sep + fmt.Sprint(len(st.Nodes))
			sep = "/"
		}
	}
	return text
}
