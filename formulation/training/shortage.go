package training

import (
	"fmt"
	"strings"

	"partita/formulation/cost"
	"partita/inputs"
)

// shortage says why no layout can be placed on the GPUs given: they cannot be divided as the
// condition states, or there is too little memory.
func (r *run) shortage() string {
	x, pinned := r.x, r.stated()
	one := cost.TrainShape{DP: 1, TP: 1, CP: 1, EP: 1, ETP: 1}
	held := []cost.TrainHeld{{Counts: x.kinds, First: true, Last: true, Recompute: inputs.FullRecompute, InFlight: 1}}
	b := x.costs.TrainMemory(0, one, cost.TrainStep{MicroBatch: max(1, x.pinnedMicro()), Sequence: x.sequence}, held)
	var room float64
	for k := range x.c.Cluster.Pools {
		room += float64(x.costs.Capacity(k)) * float64(r.goal.most(k))
	}
	const gib = 1 << 30
	state, activations := float64(b.Weights+b.Gradients+b.Optimizer)/gib, float64(b.Activations)/gib
	room /= gib
	switch {
	case state > room:
		return fmt.Sprintf("memory: weights, gradients and optimizer state take %.1f GiB, beside activations and what is replicated; the GPUs given may fill %.1f GiB together", state, room)
	case !r.divisible():
		return fmt.Sprintf("GPUs: those given, all or some, cannot be divided over the layers, sequences and matrices of the step as is stated: %s", pinned)
	case pinned != "":
		pinned = " with what is stated (" + pinned + ")"
	}
	return fmt.Sprintf("memory: no layout%s fits: undivided, weights, gradients and optimizer state take %.1f GiB, activations of one micro-batch %.1f GiB at the least; the GPUs given may fill %.1f GiB together", pinned, state, activations, room)
}

// divisible reports whether the GPUs given, or some of them, are those of any layout, memory
// aside.
func (r *run) divisible() bool {
	some := func(vectors [][]int) bool {
		for _, gpus := range vectors {
			for range r.x.splits(gpus, make([]int, r.x.rules.Len())) {
				return true
			}
		}
		return false
	}
	if lv := r.goal.levels(); some(lv.all()) {
		return true
	}
	if r.goal.perGPU || r.x.c.Goal.AllowIdle {
		return false
	}
	for l := range r.goal.smaller() {
		if some(l.vectors) {
			return true
		}
	}
	return false
}

// stated lists what the condition fixes of layouts beside the GPUs; empty: nothing.
func (r *run) stated() string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	t := r.x.t
	if t.MicroBatch > 0 {
		say("micro_batch %d", t.MicroBatch)
	}
	if t.VirtualStages > 0 {
		say("virtual_stages %d", t.VirtualStages)
	}
	if t.ZeRO != nil {
		say("zero %d", *t.ZeRO)
	}
	if t.SequenceParallel != nil {
		say("sequence_parallel %s", map[bool]string{true: "yes", false: "no"}[*t.SequenceParallel])
	}
	if len(t.Recompute) == 1 {
		say("recompute %s", t.Recompute[0])
	} else if len(t.Recompute) > 1 {
		say("recompute of %d stages", len(t.Recompute))
	}
	for i := range r.x.rules.Len() {
		say("rule %q", r.x.rules.Rule(i).Name)
	}
	return strings.Join(out, ", ")
}
