package formulation

import (
	"fmt"
	"slices"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/results"
)

// countGPUs holds the GPUs that a strategy takes against those given.
func (e *evaluation) countGPUs(sub *subject) {
	pools := e.c.Cluster.Pools
	counts := make([]int, len(pools))
	if sub != nil {
		counts = sub.counts(len(counts))
		e.needed = 0
		for _, n := range counts {
			e.needed += n
		}
	} else if len(counts) == 1 {
		counts[0] = e.needed
	}
	e.out.GPUsNeeded = e.needed
	if s := e.given.Strategy; s != nil && s.GPUs > 0 && s.GPUs != e.needed {
		e.takes(e.at("gpus"), e.needed, s.GPUs, "the strategy states "+fmt.Sprint(s.GPUs), "GPUs")
		if len(counts) == 1 && pools[0].Count.Max == s.GPUs {
			return // the same number is given
		}
	}
	if sub == nil && (len(counts) > 1 || e.needed == 0) {
		return // what it would take of which pool is not known
	}
	for k := range pools {
		p, n, of := &pools[k], counts[k], ""
		if len(counts) > 1 {
			of = " of pool " + p.Name
		}
		switch used := e.idleFrom(k); {
		case p.Count.Max > 0 && n > p.Count.Max:
			e.takes(e.at(""), n, p.Count.Max, fmt.Sprintf("%s given%s", are(p.Count.Max), of), "GPUs")
		case n < p.Count.Min && !p.Count.Stated():
			e.takes(e.at(""), n, p.Count.Min, fmt.Sprintf("at least %s asked for%s", are(p.Count.Min), of), "GPUs")
		case p.Count.Stated() && n < used && !e.c.Goal.AllowIdle:
			have := fmt.Sprintf("%s given%s and all are to be used", are(used), of)
			if used < p.Count.Max {
				have = fmt.Sprintf("%d of the %d given%s can be used and are to be", used, p.Count.Max, of)
			}
			e.takes(e.at(""), n, used, have+" (--allow-idle lifts this)", "GPUs idle")
		}
	}
}

// idleFrom is how many GPUs of a pool of a stated number are to be used: all, or where
// no plan can use them all those of the optimum.
func (e *evaluation) idleFrom(pool int) int {
	if !e.sol.idle || e.best == nil {
		return e.c.Cluster.Pools[pool].Count.Max
	}
	n := 0
	for _, s := range e.best.Stages {
		if s.Pool == e.c.Cluster.Pools[pool].Name {
			n += len(s.GPUs)
		}
	}
	return n
}

func are(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

// takes is the problem of a number of GPUs that is not the one there is.
func (e *evaluation) takes(where string, need, have int, what, unit string) {
	how, possible := "", 0
	for i := range e.out.Readings {
		if x := &e.out.Readings[i]; x.Possible && x.GPUs == need {
			possible++
		}
	}
	if possible > 1 {
		how = ", however DP is read"
	}
	e.problem(where, by(max(need-have, have-need)), unit, "it takes %s%s; %s", counted(need, "GPU"), how, what)
}

// judge prices a strategy, says what keeps it from being feasible, and fills in its
// figures.
func (e *evaluation) judge(sub *subject) error {
	if n := e.c.Workload.Batch; sub.replicas > n {
		e.problem(e.at("dp"), by(sub.replicas-n), "sequences", "%d replicas for %d sequences: some would stand idle", sub.replicas, n)
	}
	most := ceilDiv(e.c.Workload.Batch, sub.replicas)
	for _, x := range []struct {
		field, noun string
		n           *int
	}{{"micro_batches", "micro-batches", &sub.micro}, {"decode_groups", "decode groups", &sub.groups}} {
		if *x.n > most {
			e.problem(e.at(x.field), by(*x.n-most), x.noun, "%d %s for the %s of a replica", *x.n, x.noun, counted(most, "sequence"))
			*x.n = most
		}
	}
	if err := e.scaled(sub); err != nil {
		return err
	}
	b, err := e.newBench(e.roomy(sub), sub.parts)
	if err != nil {
		return err
	}
	if b.c == e.c && !e.sol.unfit && e.sol.pass != nil {
		b.layouts = map[int][]*stagegraph.Layout{}
		for _, l := range e.sol.pass.layouts {
			// Cases of a layout price alike; rules are held against the strategy itself.
			if l = l.Base(); !slices.Contains(b.layouts[l.Replicas], l) {
				b.layouts[l.Replicas] = append(b.layouts[l.Replicas], l)
			}
		}
	}
	t, err := b.try(*sub)
	if err != nil {
		return err
	}
	placed, err := t.place()
	if err != nil {
		e.problem(e.at(""), nil, "", "the groups of all replicas do not pack into the nodes, each inside one or over whole ones: %s", e.tiles(sub))
		placed = t.unplaced()
	}
	e.trial = t
	e.fill(t, placed)
	if err != nil {
		for i := range e.out.Stages {
			e.out.Stages[i].GPUs = []string{}
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// tiles says what is to pack: "5 groups of 3 GPUs into 2 nodes of 8".
func (e *evaluation) tiles(sub *subject) string {
	var out []string
	for k, p := range e.c.Cluster.Pools {
		sizes := map[int]int{}
		var order []int
		for _, pt := range sub.parts {
			if q := pt.Shape.GPUs(); pt.Pool == k {
				if sizes[q] == 0 {
					order = append(order, q)
				}
				sizes[q] += sub.replicas
			}
		}
		if len(order) == 0 {
			continue
		}
		var groups []string
		for _, q := range order {
			groups = append(groups, fmt.Sprintf("%s of %s", counted(sizes[q], "group"), counted(q, "GPU")))
		}
		node := p.GPUsPerNode
		for _, n := range p.Nodes {
			node = max(node, len(n.GPUs))
		}
		out = append(out, fmt.Sprintf("%s into nodes of %d", strings.Join(groups, ", "), node))
	}
	return strings.Join(out, "; ")
}

// place puts the stages on GPUs by name: those of the plan where it names them.
func (t *trial) place() ([]stagegraph.Placed, error) {
	if t.sub.ids == nil {
		return t.bench.space.Place(t.choice, t.sub.parts)
	}
	out := t.unplaced()
	for i, ids := range t.sub.ids {
		out[i].GPUs = ids
	}
	return out, nil
}

// unplaced are the stages of all replicas on as many GPUs without names.
func (t *trial) unplaced() []stagegraph.Placed {
	parts := t.sub.parts
	seconds := t.bench.space.Seconds(t.choice, parts)
	var out []stagegraph.Placed
	for i := range t.sub.replicas * len(parts) {
		at := i % len(parts)
		out = append(out, stagegraph.Placed{
			Part: parts[at], Replica: i / len(parts), Index: at, GPUs: make([]string, parts[at].Shape.GPUs()),
			Seconds: seconds[at], Memory: t.bench.space.Memory(t.choice, parts[at]),
		})
	}
	return out
}

// phase is the strategy as a plan would state it.
func (t *trial) phase(e *evaluation, placed []stagegraph.Placed) *results.PhasePlan {
	r := &run{explorer: t.bench.x.explorer, given: e.c.Cluster.Pools}
	p, slowest := r.deployment(t.choice, t.sub.parts, placed)
	p.GPUs.Used = p.GPUs.Parts
	p.GPUs.Available, p.GPUs.Match = available(e.asked.Cluster.Pools, p.GPUs.Used)
	if e.sol.idle {
		p.GPUs.Why = e.sol.counts.counted
	}
	p.Balance.Floor = float64(e.floor[0]) / float64(max(1, e.floor[1]))
	r.metricsOf(p, t.choice, t.sub.parts, slowest)
	p.Requirements = r.requirements(p, nil)
	u, _ := t.bench.x.pass.scale(t.layout, t.bench.x.unit, t.bench.x.spare)
	p.Solve = results.Solve{
		Status: "given", Objective: t.value, ObjectiveUnit: e.unitName(), Backend: "none", AgreedBy: []string{},
		Certificate: results.Certificate{Objective: "the strategy was given", Quantisation: map[string]float64{"rate": u[1]}, LeftOut: []string{}, Passes: []results.CertificatePass{}},
	}
	if t.bench.space.Prefills() {
		p.Solve.Certificate.Quantisation["latency"] = u[0]
	}
	return p
}

func (e *evaluation) unitName() string {
	switch {
	case e.yard.kind == inputs.Latency:
		return "seconds for a request"
	case e.yard.kind == inputs.Throughput && e.perGPU:
		return "GPU-seconds per token"
	case e.yard.kind == inputs.Throughput:
		return "seconds per token"
	}
	return "weighted ratios"
}

// fill enters the figures of a priced strategy and the problems that they show.
func (e *evaluation) fill(t *trial, placed []stagegraph.Placed) {
	p := t.phase(e, placed)
	o := e.out
	o.Phase, o.Strategy, o.Balance, o.Metrics, o.Requirements = p, &p.Strategy, &p.Balance, p.Metrics, p.Requirements
	o.Objective, o.ObjectiveUnit = &t.value, e.unitName()
	e.utilise(t, p)
	e.mapping(t)
	for _, b := range t.broken {
		where := b.Rule.Place.String()
		if where == "" {
			where = b.Where
		}
		e.problem(where, nil, "", "it breaks the rule %s", brokenRule(b))
	}
	if t.full {
		e.overfull(t, p)
	}
	if ratio, floor := p.Balance.TimeMinOverMax, p.Balance.Floor; !t.balanced() && ratio < floor {
		fast, slow := 0, 0
		for i, s := range p.Stages {
			if s.TimeMS < p.Stages[fast].TimeMS {
				fast = i
			}
			if s.TimeMS > p.Stages[slow].TimeMS {
				slow = i
			}
		}
		why := "as the condition asks"
		if e.c.Goal.Balance == nil {
			why = "the default, which --balance changes"
		}
		e.problem(stageName(&p.Stages[slow]), by(floor-ratio), "of the slowest stage", "balance: stage %d takes %.4g ms, stage %d %.4g ms, %.3f of it; at least %.3g is to be reached, %s",
			p.Stages[slow].Index, p.Stages[slow].TimeMS, p.Stages[fast].Index, p.Stages[fast].TimeMS, ratio, floor, why)
	}
	for _, q := range unmet(p.Requirements) {
		if q.Name == string(inputs.CostUSDPerHour) || !t.meets() {
			e.problem(q.Place, by(shortOf(q, t.bench.goal.margin)), q.Unit, "%s", given(q, t.bench.goal.margin))
		}
	}
}

// balanced and meets are the verdicts in ticks, as the search sees them; what a tick
// decides is given to the strategy by either measure.
func (t *trial) balanced() bool {
	n, d := t.bench.x.pass.num, max(1, t.bench.x.pass.den)
	return n == 0 || t.pair.b.low*d >= t.pair.b.peak*n
}

func (t *trial) meets() bool { return t.pair.Rule == heuristic.RuleMet }

// brokenRule is what a strategy breaks: the rule, what it sees, and why there is one.
func brokenRule(v knowledge.Violation) string {
	text := fmt.Sprintf("%q (%s): %s of %s", v.Rule.Name, v.Rule.Expr, v.Values, v.Where)
	if v.Stages > 1 {
		text += fmt.Sprintf(" and %s more", counted(v.Stages-1, "stage"))
	}
	if v.Rule.Because != "" {
		text += "; " + v.Rule.Because
	}
	return text
}

// shortOf is by how much a requirement is missed, the margin included.
func shortOf(q results.RequirementResult, margin float64) float64 {
	if q.Name == string(inputs.CostUSDPerHour) {
		margin = 0
	}
	if inputs.RequirementKind(q.Name).Upper() {
		return q.Got - q.Want*(1-margin)
	}
	return q.Want/(1-margin) - q.Got
}

// given is the sentence on a requirement that a given strategy misses.
func given(q results.RequirementResult, margin float64) string {
	by, how := beyond(q)
	text := fmt.Sprintf("%s: %s is asked, the strategy reaches %s", q.Name, amount(q.Want, q.Unit), amount(q.Got, q.Unit))
	if by >= 0 {
		text += ", " + how
	}
	if margin > 0 && q.Name != string(inputs.CostUSDPerHour) {
		bound := q.Want / (1 - margin)
		if inputs.RequirementKind(q.Name).Upper() {
			bound = q.Want * (1 - margin)
		}
		text += fmt.Sprintf("; with the margin of %.3g %% it is to reach %s", 100*margin, amount(bound, q.Unit))
	}
	return text
}

// overfull says on which GPU the memory breaks first, by what, and what would fit.
func (e *evaluation) overfull(t *trial, p *results.PhasePlan) {
	worst, over := -1, 0
	for i := range t.sub.parts { // of the first replica: all are alike
		s := &p.Stages[i]
		if s.MemoryGiB <= s.CapacityGiB {
			continue
		}
		over++
		if worst < 0 || s.MemoryGiB/s.CapacityGiB > p.Stages[worst].MemoryGiB/p.Stages[worst].CapacityGiB {
			worst = i
		}
	}
	if worst < 0 {
		return
	}
	s := &p.Stages[worst]
	m := &s.Memory
	text := fmt.Sprintf("stage %d (layers %d–%d): each GPU would hold %.4g GiB of the %.4g GiB that a plan may fill: weights %.4g, KV cache of %s %.4g, activations %.4g, reserve %.4g",
		s.Index, s.FirstLayer, s.LastLayer, s.MemoryGiB, s.CapacityGiB, m.WeightsGiB, counted(p.Strategy.SequencesPerReplica, "sequence"), m.KVGiB, m.ActivationsGiB, m.ReserveGiB)
	tokens := e.c.Workload.Input.Max
	if e.c.Workload.Phase != inputs.Prefill {
		tokens += e.c.Workload.Output.Max
	}
	switch {
	case m.WeightsGiB+m.ReserveGiB > s.CapacityGiB:
		text += "; the weights alone do not fit"
	case p.Metrics.KVTokens != nil && *p.Metrics.KVTokens > 0:
		text += fmt.Sprintf("; beside the rest there is KV cache for %d of them at %d tokens", *p.Metrics.KVTokens/int64(max(1, tokens)), tokens)
	}
	if over > 1 {
		text += fmt.Sprintf("; %s of %d do not fit", counted(over, "stage"), len(t.sub.parts))
	}
	e.problem(stageName(s), by(s.MemoryGiB-s.CapacityGiB), "GiB", "%s", text)
}

// stageName is a stage with its first GPU: the place of a problem that is in no file.
func stageName(s *results.Stage) string {
	where := fmt.Sprintf("replica %d stage %d", s.Replica, s.Index)
	if len(s.GPUs) > 0 && s.GPUs[0] != "" {
		where = s.GPUs[0] + " (" + where + ")"
	}
	return where
}

// utilise reads off what each stage uses of its GPUs over a step of the steady state.
func (e *evaluation) utilise(t *trial, p *results.PhasePlan) {
	_, round := t.bench.goal.metrics(t.choice, t.bench.space.Seconds(t.choice, t.sub.parts))
	turns := t.choice.Groups
	if !t.bench.space.Decodes() {
		turns = t.choice.Micro
	}
	var meters [3][][2]float64
	for m := range meters {
		meters[m] = t.bench.space.Metered(cost.Meter(m)).Seconds(t.choice, t.sub.parts)
	}
	share := func(seconds float64) float64 { return float64(turns) * seconds / round }
	var mean [5]float64
	gpus := 0.0
	for i := range t.sub.parts {
		s := p.Stages[i]
		u := [5]float64{
			share(meters[cost.ComputeMeter][i][1]), min(1, s.MemoryGiB/s.CapacityGiB), share(meters[cost.MemoryMeter][i][1]),
			share(meters[cost.NetworkMeter][i][1]), min(1, share(s.TimeMS/1e3)),
		}
		q := float64(len(s.GPUs))
		gpus += q
		for j := range mean {
			mean[j] += q * u[j]
		}
		e.out.Stages = append(e.out.Stages, results.EvaluatedStage{Stage: s, Utilisation: utilisationOf(u)})
	}
	for j := range mean {
		mean[j] /= gpus
	}
	e.out.Utilisation = utilisationOf(mean)
}

func utilisationOf(u [5]float64) results.Utilisation {
	return results.Utilisation{Compute: &u[0], Memory: &u[1], Bandwidth: &u[2], Network: &u[3], Busy: &u[4]}
}
