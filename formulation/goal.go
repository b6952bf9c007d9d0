package formulation

import (
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/solver/path"
)

// DefaultMargin is by how much a requirement must be beaten where the prices are
// ours; a condition that states its own utilisation is taken at its word.
const DefaultMargin = 0.10

// DefaultBalance is ε of the balance constraint where none is stated.
const DefaultBalance = 0.25

// goal is what a condition asks of a plan, in seconds and dollars.
type goal struct {
	c       *inputs.Condition
	space   *stagegraph.Space
	margin  float64
	batch   float64
	in, out float64 // middles of the length ranges
	perGPU  bool    // throughput counts by GPU used: the number is ours to choose
	vectors bool    // layouts say the GPUs of each pool exactly, whatever it costs
}

func newGoal(s *stagegraph.Space) *goal { return newGoalOn(s.Condition, s) }

// newGoalOn is the goal of a condition on the prices of another: a relaxation, where
// those are no higher.
func newGoalOn(c *inputs.Condition, s *stagegraph.Space) *goal {
	g := &goal{
		c: c, space: s, margin: Margin(c), batch: float64(c.Workload.Batch),
		in: float64(c.Workload.Input.Mid()), out: float64(c.Workload.Output.Mid()),
	}
	for _, p := range c.Cluster.Pools {
		g.perGPU = g.perGPU || !p.Count.Stated()
	}
	return g
}

// weights are w_ℓ and w_c of the combined objective; equal where none is stated.
func (g *goal) weights() (latency, throughput float64) { return weightsOf(g.c) }

// weightsOf are the weights of a condition.
func weightsOf(c *inputs.Condition) (latency, throughput float64) {
	latency, throughput = c.Goal.LatencyWeight, c.Goal.ThroughputWeight
	if latency <= 0 && throughput <= 0 {
		return 1, 1
	}
	return latency, throughput
}

// Margin is the margin that applies to the requirements of a condition.
func Margin(c *inputs.Condition) float64 {
	if c.Goal.Margin != nil {
		return *c.Goal.Margin
	}
	for i := range c.Cluster.Pools {
		if !c.Cluster.Pools[i].Accelerator.Efficiency.Complete() {
			return DefaultMargin
		}
	}
	return 0
}

// coefficients of TTFT and of the round (docs/cost-model.md, C4 to C6) in a value.
type coefficients struct{ ttft, round float64 }

func (k coefficients) of(ttft, round float64) float64 { return k.ttft*ttft + k.round*round }

// latency is ℓ, in seconds (C7).
func (g *goal) latency() coefficients { return latencyOf(g.c) }

// latencyOf is ℓ of a condition, in seconds (C7).
func latencyOf(c *inputs.Condition) coefficients {
	out := float64(c.Workload.Output.Mid())
	switch c.Workload.Phase {
	case inputs.Prefill:
		return coefficients{1, 0}
	case inputs.Decode:
		return coefficients{0, out}
	}
	return coefficients{1, out - 1}
}

// tokensPerRound is how many tokens of throughput one round makes.
func (g *goal) tokensPerRound() float64 {
	switch g.c.Workload.Phase {
	case inputs.Prefill:
		return g.batch * g.in
	case inputs.Decode:
		return g.batch
	}
	return g.batch * (g.in + g.out) / g.out
}

// throughput is c, in seconds per token: of the deployment, or of each GPU where
// their number is ours to choose.
func (g *goal) throughput(gpus int) coefficients {
	k := 1 / g.tokensPerRound()
	if g.perGPU {
		k *= float64(gpus)
	}
	return coefficients{0, k}
}

// Purposes of passes that minimise a value, as certificates name them.
const (
	forLatency    = "latency alone"
	forThroughput = "throughput alone"
	forBoth       = "objective" // both, against the best of each alone
)

// valueOf is what a pass of a purpose minimises; norms are ℓ* and c* of the objective.
func (g *goal) valueOf(purpose string, norms [2]float64) func(*stagegraph.Layout) coefficients {
	latency := func(*stagegraph.Layout) coefficients { return g.latency() }
	throughput := func(l *stagegraph.Layout) coefficients { return g.throughput(l.Used() * l.Replicas) }
	switch purpose {
	case forLatency:
		return latency
	case forThroughput:
		return throughput
	}
	wl, wc := g.weights()
	return func(l *stagegraph.Layout) coefficients {
		x, y := latency(l), throughput(l)
		return coefficients{
			ttft:  wl*x.ttft/norms[0] + wc*y.ttft/norms[1],
			round: wl*x.round/norms[0] + wc*y.round/norms[1],
		}
	}
}

// limits of an outer choice: +Inf where nothing is asked.
type limits struct {
	ttft, round, endToEnd float64 // seconds
	work                  float64 // GPU-seconds of a round: what rates per GPU bound
}

// roundOf is the bound on the round of a deployment of so many GPUs, in seconds.
func (l limits) roundOf(gpus int) float64 { return min(l.round, l.work/float64(gpus)) }

// limits for a deployment at a price, with every requirement relaxed by the share
// slack (0: as asked); false where the price alone is too high.
func (g *goal) limits(hourly, slack float64, without ...inputs.RequirementKind) (limits, bool) {
	inf := math.Inf(1)
	l := limits{inf, inf, inf, inf}
	keep, loose := 1-g.margin, 1+slack
	rate := func(tokens, want float64) float64 { return tokens * keep / want * loose }
	perRound := g.tokensPerRound()
	output := g.batch
	for _, r := range g.c.Goal.Requirements {
		if slices.Contains(without, r.Kind) {
			continue
		}
		switch r.Kind {
		case inputs.TTFT:
			l.ttft = min(l.ttft, r.Value*keep*loose)
		case inputs.TPOT:
			l.round = min(l.round, r.Value*keep*loose)
		case inputs.EndToEnd:
			l.endToEnd = min(l.endToEnd, r.Value*keep*loose)
		case inputs.TokensPerSecond:
			l.round = min(l.round, rate(perRound, r.Value))
		case inputs.TokensPerSGPU:
			l.work = min(l.work, rate(perRound, r.Value))
		case inputs.OutputPerSecond:
			l.round = min(l.round, rate(output, r.Value))
		case inputs.OutputPerSGPU:
			l.work = min(l.work, rate(output, r.Value))
		case inputs.CostUSDPerHour:
			if hourly > r.Value*loose*(1+1e-12) {
				return l, false
			}
		}
	}
	return l, true
}

// measure is the value that a requirement bounds from above, in seconds (GPU-seconds
// for a rate per GPU), and that bound; false for what no path decides.
func (g *goal) measure(q inputs.Requirement) (func(*stagegraph.Layout) coefficients, float64, bool) {
	keep := 1 - g.margin
	constant := func(k coefficients) func(*stagegraph.Layout) coefficients {
		return func(*stagegraph.Layout) coefficients { return k }
	}
	byGPU := func(l *stagegraph.Layout) coefficients {
		return coefficients{0, float64(l.Used() * l.Replicas)}
	}
	switch q.Kind {
	case inputs.TTFT:
		return constant(coefficients{1, 0}), q.Value * keep, true
	case inputs.TPOT:
		return constant(coefficients{0, 1}), q.Value * keep, true
	case inputs.EndToEnd:
		return constant(g.latency()), q.Value * keep, true
	case inputs.TokensPerSecond:
		return constant(coefficients{0, 1}), g.tokensPerRound() * keep / q.Value, true
	case inputs.OutputPerSecond:
		return constant(coefficients{0, 1}), g.batch * keep / q.Value, true
	case inputs.TokensPerSGPU:
		return byGPU, g.tokensPerRound() * keep / q.Value, true
	case inputs.OutputPerSGPU:
		return byGPU, g.batch * keep / q.Value, true
	}
	return nil, 0, false
}

// usedMatters reports whether a requirement or a rule depends on how many GPUs are used,
// so that layouts must say it exactly.
func (g *goal) usedMatters() bool {
	if g.counted(knowledge.OfGPUs) {
		return true
	}
	for _, r := range g.c.Goal.Requirements {
		switch r.Kind {
		case inputs.TokensPerSGPU, inputs.OutputPerSGPU, inputs.CostUSDPerHour:
			return true
		}
	}
	return false
}

// hourly is the price of all GPUs of a layout, US dollars an hour.
func (g *goal) hourly(l *stagegraph.Layout) float64 {
	sum := 0.0
	for k, n := range l.GPUs {
		sum += g.c.Cluster.Pools[k].USDPerHour * float64(n*l.Replicas)
	}
	return sum
}

// turns is how many prefill steps pass through a stage before the last first token: all
// micro-batches where they come at once, one where requests come as others end.
func (g *goal) turns(micro int) int {
	if g.c.Workload.Phase == inputs.Prefill {
		return micro
	}
	return 1
}

// phases are the metric forms of a choice: TTFT = Λ0 + (m0−1)·T0 (mixed: Λ0) and the round.
func (g *goal) phases(ch stagegraph.Choice) [2]path.Phase {
	var p [2]path.Phase
	if ch.Micro > 0 {
		p[0] = path.Phase{Sum: 1, Peak: int64(g.turns(ch.Micro) - 1)}
	}
	if g.c.Workload.Phase == inputs.Prefill {
		p[1] = path.Phase{Rate: int64(ch.Micro)}
		if g.closed() {
			p[1].Sum = 1
		}
	} else {
		p[1] = path.Phase{Sum: 1, Rate: int64(ch.Groups)}
	}
	return p
}

// metrics of a replica's stages, in seconds.
func (g *goal) metrics(ch stagegraph.Choice, seconds [][2]float64) (ttft, round float64) {
	var sum, peak [2]float64
	for _, t := range seconds {
		for ph := range 2 {
			sum[ph] += t[ph]
			peak[ph] = max(peak[ph], t[ph])
		}
	}
	if ch.Micro > 0 {
		ttft = sum[0] + float64(g.turns(ch.Micro)-1)*peak[0]
	}
	if g.c.Workload.Phase == inputs.Prefill && !g.closed() {
		return ttft, float64(ch.Micro) * peak[1]
	}
	if g.c.Workload.Phase == inputs.Prefill {
		return ttft, max(sum[1], float64(ch.Micro)*peak[1])
	}
	return ttft, max(sum[1], float64(ch.Groups)*peak[1])
}

// closed reports that no more prompts are in a pipeline than are in flight: those of a
// disaggregated prefill side leave before others come, so that few do not fill many stages.
func (g *goal) closed() bool { return g.c.Goal.Placement == inputs.Disaggregated }

// splits lists the useful numbers of parts of n sequences: those where the largest
// part differs, fewest parts first.
func splits(n, most int) []int {
	var out []int
	last := 0
	for m := 1; m <= min(n, most); m++ {
		size := (n + m - 1) / m
		if size != last {
			out = append(out, m)
			last = size
		}
	}
	return out
}

// micros and groups list the values of m0 and m1 for a layout.
func (g *goal) micros(l *stagegraph.Layout) []int {
	if !g.space.Prefills() {
		return []int{0}
	}
	n := g.space.Sequences(l.Replicas)
	switch {
	case g.counted(knowledge.OfMicro):
		return every(n, n)
	case g.c.Workload.Phase == inputs.Mixed:
		// Prompts come one after the other, and a step's time does not depend on how many its
		// memory is for: the budget of a step where that fits, else as many as are priced.
		w := &g.space.Condition.Workload
		least := cost.Together(w, n, 1)
		budget := min(n, max(least, cost.ChunkTokens/max(1, w.Input.Max)))
		return slices.Compact([]int{(n + budget - 1) / budget, (n + least - 1) / least})
	}
	return splits(n, n)
}

func (g *goal) groups(l *stagegraph.Layout) []int {
	if !g.space.Decodes() {
		return []int{0}
	}
	n, most := g.space.Sequences(l.Replicas), min(g.space.Layers(), l.Used())
	if g.counted(knowledge.OfGroups) {
		return every(n, most)
	}
	return splits(n, most)
}
