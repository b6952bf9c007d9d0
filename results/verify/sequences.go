package verify

import (
	"fmt"

	"partita/inputs"
)

// ceil is ⌈n/d⌉ for n ≥ 0, d ≥ 1.
func ceil(n, d int) int { return (n + d - 1) / d }

// sequences holds the workload as one replica sees it.
type sequences struct {
	replica int // B_r = ⌈B/r⌉
	m0, b0  int // prefill micro-batches and the sequences of one
	m1, b1  int // decode groups and the sequences of one
}

// split recomputes the sequences of a replica; false where the strategy's counts
// are no counts.
func (a *audit) split() (sequences, bool) {
	st := &a.phase.Strategy
	batch := a.cond.Workload.Batch
	if st.Replicas < 1 || batch < 1 {
		return sequences{}, false
	}
	q := sequences{replica: ceil(batch, st.Replicas), m0: st.MicroBatches, m1: st.DecodeGroups}
	prefills, decodes := a.prefills(), a.decodes()
	if prefills && (q.m0 < 1 || q.m0 > q.replica) || decodes && (q.m1 < 1 || q.m1 > q.replica) {
		return q, false
	}
	if prefills {
		q.b0 = ceil(q.replica, q.m0)
	}
	if decodes {
		q.b1 = ceil(q.replica, q.m1)
	}
	return q, true
}

// prefills and decodes tell which steps the phase runs.
func (a *audit) prefills() bool { return a.cond.Workload.Phase != inputs.Decode }
func (a *audit) decodes() bool  { return a.cond.Workload.Phase != inputs.Prefill }

// checkSequences: B_r = ⌈B/r⌉, b0 = ⌈B_r/m0⌉, b1 = ⌈B_r/m1⌉, with as many
// micro-batches or groups as there are sequences at most. Sizes of a step that the
// phase does not run are not looked at.
func (a *audit) checkSequences() {
	st := &a.phase.Strategy
	batch := a.cond.Workload.Batch
	q, ok := a.split()
	if !ok {
		a.list.add(ruleSequences, false,
			fmt.Sprintf("between 1 and ⌈batch/replicas⌉ micro-batches and decode groups for a batch of %d", batch),
			fmt.Sprintf("%d replicas, %d micro-batches, %d decode groups", st.Replicas, st.MicroBatches, st.DecodeGroups))
		return
	}
	want := fmt.Sprintf("%d a replica", q.replica)
	got := fmt.Sprintf("%d a replica", st.SequencesPerReplica)
	if a.prefills() {
		want += fmt.Sprintf(", %d a micro-batch", q.b0)
		got += fmt.Sprintf(", %d a micro-batch", st.MicroBatchSequences)
	}
	if a.decodes() {
		want += fmt.Sprintf(", %d a decode group", q.b1)
		got += fmt.Sprintf(", %d a decode group", st.GroupSequences)
	}
	a.list.compare(ruleSequences, want, got)
}
