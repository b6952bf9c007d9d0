package verify

import (
	"fmt"
	"math"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// trainStage is the recomputed cost of one stage on one micro-batch, in seconds.
type trainStage struct{ forward, backward, send float64 }

func (s trainStage) total() float64 { return s.forward + s.backward + s.send }

// trainRank is what one pipeline rank takes and holds.
type trainRank struct {
	micro    float64 // τ: all its stages on one micro-batch, seconds
	inFlight float64
	sync     float64
	update   float64
	memory   cost.TrainBytes
	fits     int64
}

// step is the recomputed step.
type step struct {
	stages                        []trainStage
	ranks                         []trainRank
	seconds, bubble, sync, update float64
}

// checkStep recomputes times, memory, balance, metrics, requirements and the objective.
func (a *trainAudit) checkStep() {
	x := a.recompute()
	a.checkStageTimes(&x)
	a.checkHeld(&x)
	a.checkSpread(&x)
	f := a.checkFiguresOf(&x)
	a.checkRequirements(f)
	a.checkGoal(&x, f)
}

// recompute prices the layout that the stages of the first replica show; the others are
// like it.
func (a *trainAudit) recompute() step {
	stages := a.replicas[0]
	x := step{stages: make([]trainStage, len(stages)), ranks: make([]trainRank, a.pp)}
	for k, s := range stages {
		x.stages[k] = a.stageCost(stages, k)
		x.ranks[*s.Rank].micro += x.stages[k].total()
	}
	var slowest, sum float64
	for i := range x.ranks {
		r, pool := &x.ranks[i], a.rankPool[i]
		first, last := i == 0, i == a.pp-1
		counts := make([]int, len(a.cond.Model.Kinds))
		r.inFlight = inFlight(i, a.pp, a.v, a.m)
		var held []cost.TrainHeld
		for k := i; k < len(stages); k += a.pp {
			h := cost.TrainHeld{Counts: a.kinds(stages[k]), First: k == 0, Last: k == len(stages)-1, Recompute: stages[k].Recompute, InFlight: r.inFlight}
			for kind, n := range h.Counts {
				counts[kind] += n
			}
			held = append(held, h)
		}
		r.sync = a.costs.TrainSync(pool, counts, first, last, a.shape, a.work, a.m)
		r.update = a.costs.TrainUpdate(pool, counts, first, last, a.shape)
		r.memory = a.costs.TrainMemory(pool, a.shape, a.work, held)
		r.fits = a.costs.Capacity(pool)
		slowest, sum = max(slowest, r.micro), sum+r.micro
		x.sync, x.update = max(x.sync, r.sync), max(x.update, r.update)
	}
	x.bubble = (sum - slowest) / float64(a.v)
	x.seconds = float64(a.m)*slowest + x.bubble + x.sync + x.update
	return x
}

// stageCost is (T1)-(T7) of stage k: its layers, embedding and head where they live, and
// the way to the next stage and of the gradient back.
func (a *trainAudit) stageCost(stages []*results.Stage, k int) trainStage {
	s, m := stages[k], &a.cond.Model
	pool := a.pools[s.Pool]
	var out trainStage
	add := func(forward, backward float64) {
		out.forward, out.backward = out.forward+forward, out.backward+backward
	}
	known := map[int]trainStage{}
	for l := s.FirstLayer; l <= s.LastLayer; l++ {
		kind := m.Layers[l]
		one, ok := known[kind]
		if !ok {
			one.forward, one.backward = a.costs.TrainLayer(pool, kind, a.shape, a.work, s.Recompute)
			known[kind] = one
		}
		add(one.forward, one.backward)
	}
	if k == 0 {
		add(a.costs.TrainEmbedding(pool, a.shape, a.work))
	}
	if k == len(stages)-1 {
		add(a.costs.TrainHead(pool, a.shape, a.work))
	} else if next := stages[k+1]; a.pp > 1 {
		out.send = 2 * a.costs.TrainSend(pool, a.pools[next.Pool], a.together(*s.Rank, *next.Rank), a.shape, a.work)
	}
	return out
}

// inFlight is how many micro-batches rank i keeps activations of, in whole shares of the
// model: under 1F1B those that are started before the first one comes back, pp − i;
// interleaved, 2(pp − i − 1) + (v − 1)pp + 1 of its v stages each.
func inFlight(i, pp, v, m int) float64 {
	if v == 1 {
		return math.Min(float64(m), float64(pp-i))
	}
	started := 2*(pp-1-i) + (v-1)*pp + 1
	return math.Min(float64(m), float64(started)/float64(v))
}

func (a *trainAudit) checkStageTimes(x *step) {
	t := tally{rule: ruleStepTimes, want: fmt.Sprintf("time_ms, forward_ms, backward_ms, send_ms and in_flight within %g of the recomputed ones", tolerance)}
	slowest := 0.0
	for _, stages := range a.replicas {
		for k, s := range stages {
			c := &x.stages[k]
			slowest = max(slowest, x.ranks[k%a.pp].micro)
			for _, f := range []struct {
				name      string
				want, got float64
			}{
				{"time_ms", c.total() * 1e3, s.TimeMS}, {"forward_ms", c.forward * 1e3, s.ForwardMS}, {"backward_ms", c.backward * 1e3, s.BackwardMS},
				{"send_ms", c.send * 1e3, s.SendMS}, {"in_flight", x.ranks[k%a.pp].inFlight, s.InFlight},
			} {
				if !equal(f.want, f.got) {
					want, got := pair(f.want, f.got)
					t.fail(difference(f.want, f.got), "%s %s: want %s, got %s", where(s), f.name, want, got)
				}
			}
		}
	}
	t.report(a.list, fmt.Sprintf("the slowest rank takes %s ms a micro-batch", number(slowest*1e3)))
}

// checkHeld: every GPU holds at most its capacity, and the plan states what it holds.
func (a *trainAudit) checkHeld(x *step) {
	fit := tally{rule: ruleStepMemory, want: "at most the usable memory on every GPU"}
	stated := tally{rule: ruleStepHolds, want: fmt.Sprintf("memory of each use within %g of the recomputed one", tolerance)}
	fullest := 0.0
	for _, stages := range a.replicas {
		for k, s := range stages {
			r := &x.ranks[k%a.pp]
			total := r.memory.Total()
			if r.fits > 0 {
				fullest = max(fullest, float64(total)/float64(r.fits))
			}
			if total > r.fits || r.fits <= 0 {
				fit.fail(float64(total-r.fits), "%s: %s GiB of %s GiB on each of its GPUs", where(s), number(float64(total)/gib), number(float64(r.fits)/gib))
			}
			for _, f := range []struct {
				name  string
				bytes int64
				got   float64
			}{
				{"memory_gib", total, s.MemoryGiB}, {"capacity_gib", r.fits, s.CapacityGiB}, {"weights_gib", r.memory.Weights, s.Memory.WeightsGiB},
				{"gradients_gib", r.memory.Gradients, s.Memory.GradientsGiB}, {"optimizer_gib", r.memory.Optimizer, s.Memory.OptimizerGiB},
				{"activations_gib", r.memory.Activations, s.Memory.ActivationsGiB}, {"reserve_gib", r.memory.Reserve, s.Memory.ReserveGiB},
			} {
				if w := float64(f.bytes) / gib; !equal(w, f.got) {
					want, got := pair(w, f.got)
					stated.fail(difference(w, f.got), "%s %s: want %s, got %s", where(s), f.name, want, got)
				}
			}
		}
	}
	got := fmt.Sprintf("the fullest GPU holds %s %% of it", number(100*fullest))
	fit.report(a.list, got)
	stated.report(a.list, got)
}

// checkSpread recomputes the balance of the ranks. Every rank has as many GPUs, so means
// over ranks are means over GPUs. No floor is asked of a training step but a stated one.
func (a *trainAudit) checkSpread(x *step) {
	var sum, memory, longest, largest float64
	shortest, n := math.Inf(1), float64(len(x.ranks))
	for i := range x.ranks {
		r := &x.ranks[i]
		held := float64(r.memory.Total())
		sum, memory = sum+r.micro, memory+held
		longest, shortest, largest = max(longest, r.micro), min(shortest, r.micro), max(largest, held)
	}
	b := &a.phase.Balance
	floor := 0.0
	if e := a.cond.Goal.Balance; e != nil {
		floor = 1 - *e
	}
	t := tally{rule: ruleBalance, want: "max over mean of time and memory a GPU, and min over max of time, as recomputed for the ranks"}
	for _, f := range []struct {
		name      string
		want, got float64
	}{
		{"time_max_over_mean", longest * n / sum, b.TimeMaxOverMean}, {"memory_max_over_mean", largest * n / memory, b.MemoryMaxOverMean},
		{"time_min_over_max", shortest / longest, b.TimeMinOverMax}, {"floor", floor, b.Floor},
	} {
		if !equal(f.want, f.got) {
			w, g := pair(f.want, f.got)
			t.fail(difference(f.want, f.got), "%s: want %s, got %s", f.name, w, g)
		}
	}
	t.report(a.list, fmt.Sprintf("time %s, memory %s", number(longest*n/sum), number(largest*n/memory)))
	if floor > 0 {
		a.list.add(ruleFloor, shortest/longest >= floor*(1-tolerance), "fastest rank at least "+number(floor)+" of the slowest", number(shortest/longest))
	}
}

// checkFiguresOf recomputes the metrics.
func (a *trainAudit) checkFiguresOf(x *step) figures {
	none := math.NaN()
	tokens := float64(a.cond.Workload.Batch) * float64(a.work.Sequence) / x.seconds
	f := figures{ttft: none, tpot: none, e2e: none, output: none, outputPerGPU: none, samples: none, usdPerHour: none, usdPerMillion: none,
		step: x.seconds, tokens: tokens, tokensPerGPU: tokens / float64(a.used)}
	if usd, known := a.price1h(); known {
		f.usdPerHour = usd
		f.usdPerMillion = usd / (tokens * 3600) * 1e6
	}
	peak := 0.0
	for i := range a.pp {
		peak += float64(a.shape.GPUs()) * a.costs.PeakFLOPS(a.rankPool[i])
	}
	m := &a.phase.Metrics
	for _, of := range []struct {
		name     string
		want     float64
		got      *float64
		required bool
		interval *[2]float64
	}{
		{"step_ms", x.seconds * 1e3, m.StepMS, true, m.StepInterval},
		{"tokens_per_s", tokens, m.TokensPerS, true, m.TokensPerSInterval},
		{"tokens_per_s_per_gpu", f.tokensPerGPU, m.TokensPerSPerGPU, true, nil},
		{"mfu", float64(a.cond.Workload.Batch) * a.costs.TrainFLOPs(a.work) / x.seconds / peak, m.MFU, true, nil},
		{"bubble_share", x.bubble / x.seconds, m.BubbleShare, true, nil},
		{"sync_ms", x.sync * 1e3, m.SyncMS, true, nil},
		{"update_ms", x.update * 1e3, m.UpdateMS, true, nil},
		{"usd_per_hour", f.usdPerHour, m.USDPerHour, false, nil},
		{"usd_per_million_tokens", f.usdPerMillion, m.USDPerMillion, false, nil},
		{"ttft_ms", none, m.TTFTMS, false, nil}, {"tpot_ms", none, m.TPOTMS, false, nil}, {"e2e_ms", none, m.E2EMS, false, nil},
		{"output_tokens_per_s", none, m.OutputTokensPerS, false, nil}, {"samples_per_s", none, m.SamplesPerS, false, nil}, {"sample_latency_ms", none, m.SampleLatencyMS, false, nil},
	} {
		a.checkMetric(of.name, of.want, of.got, of.required, of.interval)
	}
	if m.KVTokens != nil {
		a.list.add(ruleMetric("kv_capacity_tokens"), false, "absent: nothing is cached", fmt.Sprint(*m.KVTokens))
	}
	return f
}

// Units of the objective of a training step.
const (
	unitStep  = "seconds per step"
	unitWork  = "GPU-seconds per step"
	unitRatio = "weighted ratios"                        // of both to the best reachable alone
	unitMiss  = "largest requirement over what is asked" // of a closest plan
)

// checkGoal: the objective is the step, or what its unit makes of it.
func (a *trainAudit) checkGoal(x *step, f figures) {
	s := &a.phase.Solve
	want := math.NaN()
	switch s.ObjectiveUnit {
	case unitStep:
		want = x.seconds
	case unitWork:
		want = x.seconds * float64(a.used)
	case unitRatio:
		want = a.ratio(x)
	case unitMiss:
		want = a.miss(f)
	}
	if math.IsNaN(want) {
		a.list.add(ruleStepGoal, false, "an objective in "+unitStep+" or another unit of training", number(s.Objective)+" "+s.ObjectiveUnit)
		return
	}
	w, g := pair(want, s.Objective)
	a.list.add(ruleStepGoal, equal(want, s.Objective), w+" "+s.ObjectiveUnit, g+" "+s.ObjectiveUnit)
}

// ratio is the weighted sum of step and GPU time, each over what the certificate says to be
// the best reachable alone; NaN where it does not say so.
func (a *trainAudit) ratio(x *step) float64 {
	best := map[string]float64{}
	for _, p := range a.phase.Solve.Certificate.Passes {
		if p.Best != nil {
			best[p.Purpose] = *p.Best
		}
	}
	step, work := best["step time"], best["GPU time of a step"]
	if !(step > 0) || !(work > 0) {
		return math.NaN()
	}
	wl, wc := a.cond.Goal.LatencyWeight, a.cond.Goal.ThroughputWeight
	if wl <= 0 && wc <= 0 {
		wl, wc = 1, 1
	}
	return wl*x.seconds/step + wc*x.seconds*float64(a.used)/work
}

// miss is the largest share that a requirement is missed by, the margin included.
func (a *trainAudit) miss(f figures) float64 {
	most := 0.0
	for i := range a.cond.Goal.Requirements {
		q := &a.cond.Goal.Requirements[i]
		margin := a.margin()
		if q.Kind == inputs.CostUSDPerHour {
			margin = 0
		}
		if q.Kind.Upper() {
			most = max(most, f.of(q.Kind)/(q.Value*(1-margin)))
		} else {
			most = max(most, q.Value/(f.of(q.Kind)*(1-margin)))
		}
	}
	return most
}
