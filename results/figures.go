package results

import "math"

// BalanceOf compares the stages of a plan. Each GPU carries the time and the
// memory of its stage, so the means are taken over GPUs: a stage of eight weighs
// eight times a stage of one. Floor is left for the caller; an empty plan has the
// zero Balance.
func BalanceOf(stages []Stage) Balance {
	var b Balance
	var gpus, time, memory, maxTime, minTime, maxMemory float64
	for i, s := range stages {
		q := float64(len(s.GPUs))
		gpus += q
		time += q * s.TimeMS
		memory += q * s.MemoryGiB
		maxTime = max(maxTime, s.TimeMS)
		maxMemory = max(maxMemory, s.MemoryGiB)
		if i == 0 || s.TimeMS < minTime {
			minTime = s.TimeMS
		}
	}
	if time > 0 {
		b.TimeMaxOverMean = maxTime * gpus / time
		b.TimeMinOverMax = minTime / maxTime
	}
	if memory > 0 {
		b.MemoryMaxOverMean = maxMemory * gpus / memory
	}
	return b
}

// MarginPercent is by how much a requirement is beaten, in percent; negative
// where it is missed. It is measured so that a requirement counts as met exactly
// when the margin percent reaches the margin asked for (docs/cost-model.md,
// Requirements): 1 - got/want for an upper bound, 1 - want/got for a lower one.
// Where the denominator is not positive nothing can be measured: 0.
func MarginPercent(upper bool, want, got float64) float64 {
	part, whole := want, got
	if upper {
		part, whole = got, want
	}
	if !(whole > 0) {
		return 0
	}
	return 100 * (1 - part/whole)
}

// Finite is nil for what JSON cannot say: absent is absent.
func Finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}
