package formulation

import (
	"cmp"
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// metricsOf fills in the predicted figures of the slowest replica (C4 to C7).
func (r *run) metricsOf(p *results.PhasePlan, ch stagegraph.Choice, parts []stagegraph.Part, seconds [][2]float64) {
	g := r.goal
	ttft, round := g.metrics(ch, seconds)
	m := &p.Metrics
	per := g.tokensPerRound() / round
	perGPU := per / float64(p.GPUs.Used)
	m.TokensPerS, m.TokensPerSPerGPU = &per, &perGPU
	switch g.c.Workload.Phase {
	case inputs.Prefill:
		m.E2EMS = ms(ttft)
		// For information: a decode round at the middle context, all sequences at once.
		tpot := 0.0
		for _, t := range r.space.DecodeSeconds(ch, parts) {
			tpot += t
		}
		m.TPOTMS = ms(tpot)
		m.TPOTInterval = r.interval(cost.MetricTPOT, tpot, 1e3)
	case inputs.Decode:
		output := g.batch / round
		m.TPOTMS, m.OutputTokensPerS = ms(round), &output
		m.E2EMS = ms(g.out * round)
		m.TPOTInterval = r.interval(cost.MetricTPOT, round, 1e3)
	default:
		output := g.batch / round
		m.TPOTMS, m.OutputTokensPerS = ms(round), &output
		m.E2EMS = ms(ttft + (g.out-1)*round)
		m.TPOTInterval = r.interval(cost.MetricTPOT, round, 1e3)
	}
	if ch.Micro > 0 {
		m.TTFTMS = ms(ttft)
		if g.c.Workload.Phase == inputs.Mixed {
			kernel := 0.0
			for _, t := range r.space.PromptSeconds(ch, parts) {
				kernel += t
			}
			m.TTFTKernelMS, m.TTFTQueueMS = ms(kernel), ms(ttft-kernel)
		}
		m.TTFTInterval = r.interval(cost.MetricTTFT, ttft, 1e3)
	}
	m.E2EInterval = r.interval(requestMetric(g.c.Workload.Phase), *m.E2EMS/1e3, 1e3)
	m.TokensPerSInterval = r.interval(rateMetric(g.c.Workload.Phase), per, 1)
	m.Evidence = rests(r.space.Costs, g.c.Workload.Phase, m)
	kv := r.space.KVTokens(ch, parts)
	m.KVTokens = &kv
	if usd := r.usdPerHour(p); usd > 0 {
		million := usd / 3600 / per * 1e6
		m.USDPerHour, m.USDPerMillion = &usd, &million
	}
}

func ms(seconds float64) *float64 {
	v := seconds * 1e3
	return &v
}

func (r *run) interval(m cost.Metric, v, unit float64) *[2]float64 {
	return intervalOf(r.space.Costs, m, v, unit)
}

func intervalOf(costs *cost.Calculator, m cost.Metric, v, unit float64) *[2]float64 {
	low, high, ok := costs.Interval(m, v)
	if !ok {
		return nil
	}
	return &[2]float64{low * unit, high * unit}
}

func (r *run) usdPerHour(p *results.PhasePlan) float64 { return usdPerHourOf(r.goal.c, p) }

// usdPerHourOf is the price of the GPUs a plan uses; 0 where a price is unknown.
func usdPerHourOf(c *inputs.Condition, p *results.PhasePlan) float64 {
	price := map[string]float64{}
	for _, pool := range c.Cluster.Pools {
		price[pool.Name] = pool.USDPerHour
	}
	sum := 0.0
	for _, s := range p.Stages {
		if price[s.Pool] <= 0 {
			return 0
		}
		sum += price[s.Pool] * float64(len(s.GPUs))
	}
	return sum
}

// requirements holds the plan against what was asked.
func (r *run) requirements(p *results.PhasePlan, nearest map[inputs.RequirementKind]float64) []results.RequirementResult {
	return requirementsOf(r.space.Costs, r.goal.c, p, nearest)
}

func requirementsOf(costs *cost.Calculator, c *inputs.Condition, p *results.PhasePlan, nearest map[inputs.RequirementKind]float64) []results.RequirementResult {
	out := []results.RequirementResult{}
	m := &p.Metrics
	value := func(v *float64, scale float64) float64 {
		if v == nil {
			return 0
		}
		return *v * scale
	}
	gpus := float64(p.GPUs.Used)
	for _, q := range c.Goal.Requirements {
		x := results.RequirementResult{Name: string(q.Kind), Want: q.Value, Place: q.Place.String()}
		margin := Margin(c)
		switch q.Kind {
		case inputs.TTFT:
			x.Unit, x.Got = "s", value(m.TTFTMS, 1e-3)
		case inputs.TPOT:
			x.Unit, x.Got = "s", value(m.TPOTMS, 1e-3)
		case inputs.EndToEnd:
			x.Unit, x.Got = "s", value(m.E2EMS, 1e-3)
		case inputs.StepTime:
			x.Unit, x.Got = "s", value(m.StepMS, 1e-3)
		case inputs.TokensPerSecond:
			x.Unit, x.Got = "tokens/s", value(m.TokensPerS, 1)
		case inputs.TokensPerSGPU:
			x.Unit, x.Got = "tokens/s/GPU", value(m.TokensPerS, 1/gpus)
		case inputs.OutputPerSecond:
			x.Unit, x.Got = "tokens/s", value(m.OutputTokensPerS, 1)
		case inputs.OutputPerSGPU:
			x.Unit, x.Got = "tokens/s/GPU", value(m.OutputTokensPerS, 1/gpus)
		case inputs.CostUSDPerHour:
			x.Unit, x.Got, margin = "USD/h", value(m.USDPerHour, 1), 0
		}
		const rounding = 1e-9
		if q.Kind.Upper() {
			x.Met = x.Got <= x.Want*(1-margin)*(1+rounding)
		} else {
			x.Met = x.Got*(1-margin) >= x.Want*(1-rounding)
		}
		if v, ok := nearest[q.Kind]; ok && !x.Met {
			if q.Kind.Upper() { // what is asked can be had, where others that are missed give way
				v = max(v, q.Value)
			} else {
				v = min(v, q.Value)
			}
			x.Nearest = &v
		}
		asked := 100 * margin
		x.MarginPercent, x.AskedMarginPercent = results.MarginPercent(q.Kind.Upper(), x.Want, x.Got), &asked
		x.Held = heldOf(costs, p.Phase, &x)
		out = append(out, x)
	}
	return out
}
func unmet(list []results.RequirementResult) []results.RequirementResult {
	var out []results.RequirementResult
	for _, q := range list {
		if !q.Met {
			out = append(out, q)
		}
	}
	return out
}

// missed says in a sentence what is short and by how much.
func missed(q results.RequirementResult) string {
	margin := 0.0
	if q.AskedMarginPercent != nil {
		margin = *q.AskedMarginPercent
	}
	by, how := beyond(q)
	text := fmt.Sprintf("%s: %s is asked, the closest plan reaches %s, %s", q.Name, amount(q.Want, q.Unit), amount(q.Got, q.Unit), how)
	if by < 0 { // inside the bound, but not by the margin
		text = fmt.Sprintf("%s: %s is asked with a margin of %.3g %%, the closest plan reaches %s", q.Name, amount(q.Want, q.Unit), margin, amount(q.Got, q.Unit))
	}
	if q.Nearest != nil {
		text += fmt.Sprintf("; the nearest that can be asked for is %s", amount(*q.Nearest, q.Unit))
		if margin > 0 {
			text += ", the margin included"
		}
	}
	return text
}

// beyond is by how much of what is asked a figure is on the wrong side of it, percent, and
// the same in words; below 0 where it is on the right one.
func beyond(q results.RequirementResult) (by float64, how string) {
	if !inputs.RequirementKind(q.Name).Upper() {
		by = (q.Want - q.Got) / q.Want * 100
		return by, fmt.Sprintf("%.3g %% short", by)
	}
	by = (q.Got - q.Want) / q.Want * 100
	if by >= 1000 {
		return by, fmt.Sprintf("%.0f times as much", q.Got/q.Want)
	}
	return by, fmt.Sprintf("%.3g %% over", by)
}

// nearestNote says what holds beside the nearest value of each of several requirements that
// are missed.
func nearestNote(short []results.RequirementResult) []string {
	if len(short) < 2 || !slices.ContainsFunc(short, func(q results.RequirementResult) bool { return q.Nearest != nil }) {
		return nil
	}
	return []string{"each nearest value is with the other requirements kept where that can be, else with those that are missed left out"}
}

// tightest says which requirement has the least margin, or is missed by most; empty where
// there is none.
func tightest(list []results.RequirementResult) []string {
	if len(list) == 0 {
		return nil
	}
	q := slices.MinFunc(list, func(a, b results.RequirementResult) int { return cmp.Compare(a.MarginPercent, b.MarginPercent) })
	if by, how := beyond(q); by > 0 {
		return []string{fmt.Sprintf("requirement: %s is missed by most, %s", q.Name, how)}
	}
	return []string{fmt.Sprintf("requirement: %s has the least margin, %.3g %%", q.Name, q.MarginPercent)}
}

// amount prints a figure of a requirement with its unit: short times in
// milliseconds, rates without an exponent.
func amount(v float64, unit string) string {
	switch {
	case unit == "s" && v < 1:
		return fmt.Sprintf("%.4g ms", v*1e3)
	case v >= 1e4:
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return fmt.Sprintf("%.4g %s", v, unit)
}

// counted is a number with its noun: 1 GPU, 2 GPUs.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// extremes are the slowest stage and the one whose memory is fullest, the first of equal ones.
func extremes(stages []results.Stage) (slow, full *results.Stage) {
	slow, full = &stages[0], &stages[0]
	for i := range stages {
		s := &stages[i]
		if s.TimeMS > slow.TimeMS {
			slow = s
		}
		if s.MemoryGiB/s.CapacityGiB > full.MemoryGiB/full.CapacityGiB {
			full = s
		}
	}
	return slow, full
}

// binding says what holds the optimum back: the stage that sets the pace, the GPU
// whose memory is fullest, the requirement with the least margin.
func (r *run) binding(p *results.PhasePlan, sol *solution) []string {
	var out []string
	s, full := extremes(p.Stages)
	if p.Strategy.PP > 1 {
		out = append(out, fmt.Sprintf("time: stage %d (layers %d–%d on %s) sets the pace with %.4g ms", s.Index, s.FirstLayer, s.LastLayer, s.Pool, s.TimeMS))
	}
	const tight = 0.9 // of the capacity: one more split of the batch would not fit
	if s = full; s.MemoryGiB > tight*s.CapacityGiB {
		out = append(out, fmt.Sprintf("memory: stage %d fills %.3g of %.3g GiB a GPU (%.0f %%)", s.Index, s.MemoryGiB, s.CapacityGiB, 100*s.MemoryGiB/s.CapacityGiB))
	}
	out = append(out, tightest(p.Requirements)...)
	if sol.num > 0 && p.Balance.TimeMinOverMax-p.Balance.Floor < 0.02 {
		out = append(out, fmt.Sprintf("balance: the fastest stage takes %.3f of the slowest, the floor is %.3f", p.Balance.TimeMinOverMax, p.Balance.Floor))
	}
	return out
}

// shortage says why the stated GPUs cannot hold the model.
func (r *run) shortage() []string {
	c := r.goal.c
	var weights, kv, capacity, gpus float64
	m := r.space.WholeModel()
	weights, kv = float64(m.Weights)/gib, float64(m.KV)/gib
	for k, pool := range c.Cluster.Pools {
		n := float64(max(pool.Count.Max, pool.Count.Min))
		gpus += n
		capacity += n * float64(r.space.Costs.Capacity(k)-m.Reserve) / gib
	}
	if short := weights + kv - capacity; short > 0 {
		return []string{fmt.Sprintf("memory: %s in %s needs %.1f GiB for weights and %.1f GiB for the KV cache of %s; %s can hold %.1f GiB beside the reserve: %.1f GiB short",
			c.Model.Name, c.Model.Weights, weights, kv, counted(c.Workload.Batch, "sequence"), counted(int(gpus), "GPU"), capacity, short)}
	}
	return []string{fmt.Sprintf("memory: %.1f GiB of weights and %.1f GiB of KV cache are within the %.1f GiB of the GPUs together, but no split of layers and heads fits every single GPU with its activations", weights, kv, capacity)}
}
