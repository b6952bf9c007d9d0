package formulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"partita/formulation/cost"
	"partita/formulation/poolsplit"
	"partita/inputs"
	"partita/results"
)

// optimizeDisaggregated is Optimize for a condition that keeps prefill and decode apart;
// timed adds the time of the mixed deployment to the comparison.
func optimizeDisaggregated(ctx context.Context, c *inputs.Condition, opts Options, timed bool) (*results.Report, error) {
	start := time.Now()
	if err := errors.Join(checkAsked(c), checkApartAsked(c)); err != nil {
		return nil, err
	}
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	d, err := newDisaggregation(c, opts)
	if err != nil {
		return nil, err
	}
	found, err := d.solve(ctx)
	if err != nil {
		return nil, err
	}
	return d.report(ctx, found, start, timed)
}

// checkApartAsked returns what a condition asks that two deployments cannot be judged by.
func checkApartAsked(c *inputs.Condition) error {
	var all []error
	place := c.Places["goal.placement"]
	if c.Model.Graph != nil {
		all = append(all, &AskedError{Place: place, What: "placement disaggregated", Why: "the model is an operator graph, which has no tokens to prefill", Remedy: "state the placement pipeline"})
	}
	if c.Workload.Phase != inputs.Mixed {
		at := c.Places["workload.phase"]
		if at == (inputs.Place{}) {
			at = place
		}
		all = append(all, &AskedError{Place: at, What: "placement disaggregated", Why: fmt.Sprintf("the phase is %s alone, and there is nothing to keep it apart from", c.Workload.Phase), Remedy: "state the phase mixed with an output length, or the placement pipeline"})
	}
	if total, limited := 0, true; true {
		for _, p := range c.Cluster.Pools {
			total += p.Count.Max
			limited = limited && !p.Count.Unlimited()
		}
		if limited && total < 2 {
			all = append(all, &AskedError{Place: place, What: "placement disaggregated", Why: "one GPU cannot be split", Remedy: "state two GPUs or more, or the placement pipeline"})
		}
	}
	return errors.Join(all...)
}

// disaggregation is one search for two deployments.
type disaggregation struct {
	c      *inputs.Condition
	opts   Options
	costs  *cost.Calculator
	margin float64
	perGPU bool
	// prompt is the KV cache of the longest and of the mean prompt, bytes.
	prompt [2]float64
	sides  map[string]*side
	floors map[string]poolsplit.Point
	fronts map[string]frontAnswer
	rounds map[string]roundAnswer
	plans  []plannedSide // by the IDs of their points
}

// plannedSide is a plan with the choice that it is of.
type plannedSide struct {
	choice *sideChoice
	plan   *sidePlan
}

type frontAnswer struct {
	points []poolsplit.Point
	proved bool
}

type roundAnswer struct {
	point         poolsplit.Point
	found, proved bool
}

func newDisaggregation(c *inputs.Condition, opts Options) (*disaggregation, error) {
	costs, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	d := &disaggregation{c: c, opts: opts, costs: costs, margin: Margin(c), sides: map[string]*side{},
		floors: map[string]poolsplit.Point{}, fronts: map[string]frontAnswer{}, rounds: map[string]roundAnswer{}}
	d.perGPU = !allStated(c)
	counts := make([]int, len(c.Model.Kinds))
	for _, kind := range c.Model.Layers {
		counts[kind]++
	}
	d.prompt = [2]float64{costs.PromptKV(counts, c.Workload.Input.Max), costs.PromptKV(counts, c.Workload.Input.Mid())}
	return d, nil
}

// level is a poolsplit.Problem with what its choices and pairs are.
type apartLevel struct {
	*disaggregation
	splits          []gpuSplit
	prefill, decode []*sideChoice
	problem         poolsplit.Problem
	of              []int // split of each pair
}

// newLevel lists the choices of either side for splits, with their floors.
func (d *disaggregation) newLevel(ctx context.Context, splits []gpuSplit) (*apartLevel, error) {
	l := &apartLevel{disaggregation: d, splits: splits}
	known := map[string][]int{} // choices by side
	choices := func(phase inputs.Phase, gpus []int) ([]int, error) {
		key := sideKey(phase, gpus)
		if list, ok := known[key]; ok {
			return list, nil
		}
		s := d.side(phase, gpus)
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
		first, err := choices(inputs.Prefill, s.prefill)
		if err != nil {
			return nil, err
		}
		second, err := choices(inputs.Decode, s.decode)
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
	links := make([]poolsplit.Link, len(splits))
	for i, s := range splits {
		links[i] = d.link(s)
	}
	l.problem.Link = func(pair int) poolsplit.Link { return links[l.of[pair]] }
	return l, nil
}

// side is the side of a phase on so many GPUs of each pool.
func (d *disaggregation) side(phase inputs.Phase, gpus []int) *side {
	key := sideKey(phase, gpus)
	s, ok := d.sides[key]
	if !ok {
		s = d.newSide(phase, gpus)
		d.sides[key] = s
	}
	return s
}

func sideKey(phase inputs.Phase, gpus []int) string { return fmt.Sprint(phase, gpus) }

func (s *sideChoice) key() string {
	return fmt.Sprint(s.phase, s.gpus, s.replicas, s.flight)
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
	for _, side := range []*side{d.side(inputs.Prefill, s.prefill), d.side(inputs.Decode, s.decode)} {
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
	key := fmt.Sprint(x.key(), below)
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
	key := fmt.Sprint(x.key(), below)
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

// figures that requirements and objectives speak of, from those of a pair.
type apartFigures struct {
	ttft, tpot, e2e float64 // seconds
	tokens, output  float64 // per second
}

func (d *disaggregation) figures(f *poolsplit.Figures) apartFigures {
	w := &d.c.Workload
	in, out := float64(w.Input.Mid()), float64(w.Output.Mid())
	rate := 1 / f.Period()
	return apartFigures{ttft: f.TTFT, tpot: f.TPOT, e2e: f.TTFT + (out-1)*f.TPOT, tokens: rate * (in + out), output: rate * out}
}

// miss is the share by which figures miss what is asked, by the requirement that is missed
// most; 0 where all are met.
func (d *disaggregation) miss(f *apartFigures, gpus int, hourly float64) float64 {
	most := 1.0
	for _, q := range d.c.Goal.Requirements {
		if r := d.ratio(q, f, gpus, hourly); r > most*(1+1e-12) {
			most = r
		}
	}
	return most - 1
}

// ratio is the figure that a requirement bounds against what it may be, the margin
// included; above 1 it is missed.
func (d *disaggregation) ratio(q inputs.Requirement, f *apartFigures, gpus int, hourly float64) float64 {
	want := q.Value * (1 - d.margin)
	switch q.Kind {
	case inputs.TTFT:
		return f.ttft / want
	case inputs.TPOT:
		return f.tpot / want
	case inputs.EndToEnd:
		return f.e2e / want
	case inputs.CostUSDPerHour:
		return hourly / q.Value
	}
	want = q.Value / (1 - d.margin)
	switch q.Kind {
	case inputs.TokensPerSecond:
		return want / f.tokens
	case inputs.TokensPerSGPU:
		return want * float64(gpus) / f.tokens
	case inputs.OutputPerSecond:
		return want / f.output
	case inputs.OutputPerSGPU:
		return want * float64(gpus) / f.output
	}
	return 0
}

// perToken is c: seconds a token of the deployment, or of each GPU where their number is ours.
func (d *disaggregation) perToken(f *apartFigures, gpus int) float64 {
	if d.perGPU {
		return float64(gpus) / f.tokens
	}
	return 1 / f.tokens
}

// aim is what a search minimises once the requirements are met, or missed by no more than
// a share.
type aim struct {
	purpose string
	norms   [2]float64
	missed  float64 // share that is forgiven
	strict  bool    // what misses more does not count
}

// value makes the value of pairs of a level.
func (l *apartLevel) value(a aim) func(int, poolsplit.Figures) poolsplit.Value {
	wl, wc := weightsOf(l.c)
	return func(pair int, f poolsplit.Figures) poolsplit.Value {
		split := l.splits[l.of[pair]]
		x := l.figures(&f)
		miss := l.miss(&x, split.used(), l.hourly(split))
		if miss <= a.missed*(1+1e-9) {
			miss = 0
		} else if a.strict {
			return poolsplit.Worst
		}
		c := l.perToken(&x, split.used())
		switch a.purpose {
		case forLatency:
			return poolsplit.Value{miss, x.e2e, c}
		case forThroughput:
			return poolsplit.Value{miss, c, x.e2e}
		}
		return poolsplit.Value{miss, wl*x.e2e/a.norms[0] + wc*c/a.norms[1], x.e2e}
	}
}

// weightsOf are w_ℓ and w_c of the combined objective; equal where none is stated.
func weightsOf(c *inputs.Condition) (latency, throughput float64) {
	if latency, throughput = c.Goal.LatencyWeight, c.Goal.ThroughputWeight; latency <= 0 && throughput <= 0 {
		return 1, 1
	}
	return latency, throughput
}

// apartSolution is where a search for two deployments ended.
type apartSolution struct {
	level   *apartLevel
	result  poolsplit.Result
	aim     aim
	counted string
	sizes   string
	passes  []results.CertificatePass
	// empty are the searches of levels without a plan; refuted: that none has one is proved.
	empty    []results.CertificatePass
	refuted  bool
	unnormed bool // ℓ* or c* are not proved
}

// solve goes through the levels: the first that has a plan which meets everything, else
// the plan that misses by least.
func (d *disaggregation) solve(ctx context.Context) (*apartSolution, error) {
	levels, counted, sizes := d.splitLevels()
	out := &apartSolution{counted: counted, sizes: sizes}
	var all []gpuSplit
	proved := true
	for _, lv := range levels {
		if ctx.Err() != nil {
			break
		}
		all = append(all, lv.splits...)
		d.opts.log("splits of " + lv.what)
		l, err := d.newLevel(ctx, lv.splits)
		if err != nil {
			return nil, err
		}
		done, err := d.passes(ctx, out, l, 0, true)
		if err != nil || done {
			return out, err
		}
		proved = proved && out.result.Proved
		out.empty, out.passes = append(out.empty, out.passes...), nil
	}
	out.refuted = proved && ctx.Err() == nil
	d.opts.log("the closest plan")
	return out, d.closest(ctx, out, all)
}

// closest finds the plan that misses the requirements by least; where no split of all
// stated GPUs holds the model on both sides, on as many GPUs as can be used.
func (d *disaggregation) closest(ctx context.Context, out *apartSolution, all []gpuSplit) error {
	l, err := d.newLevel(ctx, all)
	if err != nil {
		return err
	}
	found, err := d.leastMiss(ctx, out, l)
	if err != nil || found || ctx.Err() != nil || d.c.Goal.AllowIdle || !allStated(d.c) {
		return err
	}
	for _, lv := range d.fewerLevels() {
		if l, err = d.newLevel(ctx, lv.splits); err != nil {
			return err
		}
		if found, err = d.leastMiss(ctx, out, l); err != nil || found || ctx.Err() != nil {
			out.counted = fmt.Sprintf("stated, but no split of all GPUs has a plan on both sides; %s is the largest number that can be used", lv.what)
			return err
		}
	}
	return nil
}

// leastMiss finds the least share by which requirements are missed, and the best plan that
// misses them by no more.
func (d *disaggregation) leastMiss(ctx context.Context, out *apartSolution, l *apartLevel) (bool, error) {
	l.problem.Value = l.value(aim{purpose: forLatency})
	r, err := poolsplit.Search(ctx, &l.problem, l, nil)
	if err != nil || r.Best == nil {
		out.level, out.result = l, r
		return false, err
	}
	_, err = d.passes(ctx, out, l, r.Best.Value[0], false)
	out.result.Proved = out.result.Proved && r.Proved
	return err == nil, err
}

// passes are the searches of a level: the best latency and the best throughput alone give
// the scale of the objective, then the objective itself.
func (d *disaggregation) passes(ctx context.Context, out *apartSolution, l *apartLevel, missed float64, strict bool) (bool, error) {
	out.level = l
	var known *poolsplit.Best
	search := func(a aim) error {
		a.missed, a.strict = missed, strict
		l.problem.Value = l.value(a)
		r, err := poolsplit.Search(ctx, &l.problem, l, known)
		if err != nil {
			return err
		}
		out.result, out.aim = r, a
		if r.Best != nil {
			known = r.Best
		}
		out.passes = append(out.passes, l.account(a, &r))
		return nil
	}
	switch d.c.Goal.Objective {
	case inputs.Latency:
		err := search(aim{purpose: forLatency})
		return err == nil && out.result.Best != nil, err
	case inputs.Throughput:
		err := search(aim{purpose: forThroughput})
		return err == nil && out.result.Best != nil, err
	}
	var norms [2]float64
	for i, purpose := range []string{forLatency, forThroughput} {
		if err := search(aim{purpose: purpose}); err != nil || out.result.Best == nil {
			return false, err
		}
		norms[i] = out.result.Best.Value[1]
		out.unnormed = out.unnormed || !out.result.Proved
	}
	err := search(aim{purpose: forBoth, norms: norms})
	return err == nil, err
}

// account is a search in the certificate: one line for each split of the GPUs.
func (l *apartLevel) account(a aim, r *poolsplit.Result) results.CertificatePass {
	out := results.CertificatePass{Purpose: a.purpose, Choices: []results.OuterChoice{}}
	lines := make([]results.OuterChoice, len(l.splits))
	value := func(v poolsplit.Value) *float64 {
		if math.IsInf(v[1], 0) || v[0] != 0 {
			return nil
		}
		return &v[1]
	}
	if r.Best != nil {
		out.Best = value(r.Best.Value)
	}
	for i, s := range l.splits {
		lines[i] = results.OuterChoice{Case: l.splitText(s), Outcome: "infeasible", Why: "no plan of one side, or no pair that meets the requirements"}
	}
	for pair, line := range r.Lines {
		o := &lines[l.of[pair]]
		o.Choices++
		if line.Best != nil {
			if v := value(line.Best.Value); v != nil && (o.Value == nil || *v < *o.Value) {
				o.Value = v
			}
		}
		if line.Outcome == poolsplit.Infeasible {
			out.Outer.Infeasible++
			continue
		}
		if v := value(line.Bound); v != nil && (o.Bound == nil || *v < *o.Bound) {
			o.Bound = v
		}
		best := r.Best != nil && r.Best.Pair == pair
		switch {
		case line.Outcome == poolsplit.Open:
			out.Outer.Open++
			o.Outcome, o.Why = "open", "time ran out"
		case best || line.Outcome == poolsplit.Settled:
			out.Outer.Solved++
			if best && o.Outcome != "open" {
				o.Outcome, o.Why = "solved", ""
			}
		default:
			out.Outer.Pruned++
		}
		if o.Outcome == "infeasible" {
			o.Outcome, o.Why = "pruned", "bounds of both sides, or the best of both on this split"
		}
	}
	for _, o := range lines {
		if o.Choices > 0 {
			out.Choices = append(out.Choices, o)
		}
	}
	return out
}

// splitText says a split: "prefill 4, decode 12 of h100".
func (d *disaggregation) splitText(s gpuSplit) string {
	text := ""
	for k, p := range d.c.Cluster.Pools {
		if s.prefill[k]+s.decode[k] == 0 {
			continue
		}
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("prefill %d, decode %d of %s", s.prefill[k], s.decode[k], p.Name)
	}
	return text
}
