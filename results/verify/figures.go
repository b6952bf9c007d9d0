package verify

import (
	"fmt"
	"math"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

const gib = 1 << 30

// notRecomputed is shown by every figure of a plan whose placement is broken.
func (a *audit) notRecomputed(rules ...string) {
	for _, r := range rules {
		a.list.add(r, false, "recomputed", fmt.Sprintf("not recomputed: %q does not hold", a.broken))
	}
}

// checkFigures recomputes times, memory, balance, metrics and requirements.
func (a *audit) checkFigures() {
	q, ok := a.split()
	if a.broken == "" && !ok {
		a.broken = ruleSequences
	}
	if a.broken == "" && a.cond.Workload.Phase == inputs.Mixed && a.cond.Workload.Output.Mid() < 1 {
		a.broken = "a mixed phase generates tokens"
	}
	if a.broken != "" {
		a.notRecomputed(ruleTimes, ruleMemory, ruleMemoryParts, ruleBalance, "metrics")
		for i := range a.cond.Goal.Requirements {
			a.notRecomputed(ruleRequirement(string(a.cond.Goal.Requirements[i].Kind)))
		}
		return
	}
	known := map[stageKey]stagePrice{}
	prices := make([][]stagePrice, len(a.replicas))
	for r, stages := range a.replicas {
		prices[r] = make([]stagePrice, len(stages))
		for i := range stages {
			if a.lanes() {
				prices[r][i] = a.price(a.laneKey(stages[i]), q.ofMachine(stages[i]))
				continue
			}
			k := a.key(stages, i)
			p, seen := known[k]
			if !seen {
				p = a.price(k, q)
				known[k] = p
			}
			prices[r][i] = p
		}
	}
	a.checkTimes(prices)
	a.checkMemory(prices)
	a.checkBalance(prices)
	f := a.metrics(prices, q)
	a.found = f
	a.checkMetrics(f)
	a.checkRequirements(f)
}

// checkTimes compares both stated times of every stage with (C2) and (C3).
func (a *audit) checkTimes(prices [][]stagePrice) {
	t := tally{rule: ruleTimes, want: fmt.Sprintf("time_ms and prefill_ms within %g of the recomputed ones", tolerance)}
	slowest := 0.0
	for r, stages := range a.replicas {
		for i, s := range stages {
			p := prices[r][i]
			slowest = max(slowest, p.rate)
			figures := []struct {
				name      string
				want, got float64
			}{{"time_ms", p.rate * 1e3, s.TimeMS}, {"prefill_ms", p.prefill * 1e3, s.PrefillMS}, {"work_ms", 0, s.WorkMS}, {"transfer_ms", 0, s.TransferMS}}
			for _, f := range figures {
				if !equal(f.want, f.got) {
					want, got := pair(f.want, f.got)
					t.fail(difference(f.want, f.got), "%s %s: want %s, got %s", where(s), f.name, want, got)
				}
			}
		}
	}
	t.report(a.list, fmt.Sprintf("the slowest stage takes %s ms", number(slowest*1e3)))
}

// checkMemory: every GPU holds at most its capacity, and the plan states what it
// holds.
func (a *audit) checkMemory(prices [][]stagePrice) {
	fit := tally{rule: ruleMemory, want: "at most the usable memory on every GPU"}
	stated := tally{rule: ruleMemoryParts, want: fmt.Sprintf("memory of each use within %g of the recomputed one", tolerance)}
	fullest := 0.0
	for r, stages := range a.replicas {
		for i, s := range stages {
			p := prices[r][i]
			total := p.memory.Total()
			if p.fits > 0 {
				fullest = max(fullest, float64(total)/float64(p.fits))
			}
			if total > p.fits || p.fits <= 0 {
				fit.fail(float64(total-p.fits), "%s: %s GiB of %s GiB on each of its GPUs", where(s), number(float64(total)/gib), number(float64(p.fits)/gib))
			}
			stated.holds(s, p.memory, p.fits)
		}
	}
	got := fmt.Sprintf("the fullest GPU holds %s %% of it", number(100*fullest))
	fit.report(a.list, got)
	stated.report(a.list, got)
}

// holds compares what a stage says that a GPU of it holds, and can hold, with bytes
// recomputed.
func (t *tally) holds(s *results.Stage, m cost.Memory, fits int64) {
	for _, f := range []struct {
		name  string
		bytes int64
		got   float64
	}{
		{"memory_gib", m.Total(), s.MemoryGiB}, {"capacity_gib", fits, s.CapacityGiB},
		{"weights_gib", m.Weights, s.Memory.WeightsGiB}, {"kv_gib", m.KV, s.Memory.KVGiB},
		{"activations_gib", m.Activations, s.Memory.ActivationsGiB}, {"reserve_gib", m.Reserve, s.Memory.ReserveGiB},
	} {
		if w := float64(f.bytes) / gib; !equal(w, f.got) {
			want, got := pair(w, f.got)
			t.fail(difference(w, f.got), "%s %s: want %s, got %s", where(s), f.name, want, got)
		}
	}
}

// defaultFloor is 1-ε for the default ε of 0.25 (inputs.Goal.Balance).
const defaultFloor = 0.75

// maxTickShare bounds what a stated tick may excuse: the solvers compare whole
// ticks, so the ratio of two times may fall short of the floor by a tick in the
// longer one. A tick longer than a hundredth of a stage is a mistake of its own.
const maxTickShare = 0.01

// checkBalance recomputes the balance figures (means over GPUs) and holds the
// least loaded stage against the floor.
func (a *audit) checkBalance(prices [][]stagePrice) {
	var gpus, sum, memory, longest, largest float64
	shortest := math.Inf(1)
	for r, stages := range a.replicas {
		for i, s := range stages {
			p, n := prices[r][i], float64(len(s.GPUs))
			gpus += n
			sum += n * p.rate
			memory += n * float64(p.memory.Total())
			longest, shortest = max(longest, p.rate), min(shortest, p.rate)
			largest = max(largest, float64(p.memory.Total()))
		}
	}
	b := &a.phase.Balance
	t := tally{rule: ruleBalance, want: "max over mean of time and memory a GPU, and min over max of time, as recomputed"}
	for _, f := range []struct {
		name      string
		want, got float64
	}{
		{"time_max_over_mean", longest * gpus / sum, b.TimeMaxOverMean},
		{"memory_max_over_mean", largest * gpus / memory, b.MemoryMaxOverMean},
		{"time_min_over_max", shortest / longest, b.TimeMinOverMax},
	} {
		if !equal(f.want, f.got) {
			want, got := pair(f.want, f.got)
			t.fail(difference(f.want, f.got), "%s: want %s, got %s", f.name, want, got)
		}
	}
	t.report(a.list, fmt.Sprintf("time %s, memory %s", number(longest*gpus/sum), number(largest*gpus/memory)))
	if a.lanes() {
		return // unlike machines carry what they can: no floor is asked for
	}
	a.checkFloor(shortest/longest, longest)
}

// checkFloor: the stated ε is binding; the default one gives way only with a
// warning.
func (a *audit) checkFloor(ratio, longest float64) {
	floor, required := a.phase.Balance.Floor, defaultFloor
	if a.cond.Goal.Balance != nil {
		required = 1 - *a.cond.Goal.Balance
	}
	slack := tolerance
	for _, tick := range a.phase.Solve.Certificate.Quantisation {
		if longest > 0 {
			slack = max(slack, min(tick/longest, maxTickShare))
		}
	}
	lowered := floor < required-slack
	t := tally{rule: ruleFloor, want: fmt.Sprintf("fastest stage at least %s of the slowest", number(floor))}
	switch {
	case lowered && a.cond.Goal.Balance != nil:
		t.fail(0, "the floor %s is below the %s that the condition states", number(floor), number(required))
	case lowered && len(a.warnings) == 0:
		t.fail(0, "the floor %s is below the default %s and no warning says so", number(floor), number(required))
	case !(ratio >= floor-slack): // also where the ratio is not a number
		t.fail(0, "%s", number(ratio))
	}
	t.report(a.list, number(ratio))
}

// totals are the sums (Λ) and maxima (T) over the stages of one replica, seconds.
type totals struct {
	sum0, peak0 float64 // latency phase
	kernel      float64 // Λ of prompts by themselves
	sum1, peak1 float64 // rate phase
	decode      float64 // Λ of the decode step for information
	kvTokens    int64   // least over the stages
}

func fold(prices []stagePrice) totals {
	t := totals{kvTokens: math.MaxInt64}
	for _, p := range prices {
		t.sum0 += p.prefill
		t.kernel += p.kernel
		t.peak0 = max(t.peak0, p.prefill)
		t.sum1 += p.rate
		t.peak1 = max(t.peak1, p.rate)
		t.decode += p.decode
		t.kvTokens = min(t.kvTokens, p.tokens)
	}
	return t
}
