package verify

// ruleNoTraining fails of a plan of serving, or of an operator graph, that says something of
// a training step. It is silent of all others.
const ruleNoTraining = "nothing of a training step in another plan"

// checkNoTraining: ranks, recompute, gradients and what else only a training step has.
func (a *audit) checkNoTraining() {
	t := tally{rule: ruleNoTraining, want: "no ranks, recompute, gradients, optimizer or figures of a step"}
	st, m := &a.phase.Strategy, &a.phase.Metrics
	if st.VirtualStages != 0 || st.ZeRO != nil || st.SequenceParallel != nil || len(st.Recompute) > 0 {
		t.fail(0, "the strategy has %d virtual stages, or ZeRO, sequence parallelism or recompute", st.VirtualStages)
	}
	if m.StepInterval != nil || m.MFU != nil || m.BubbleShare != nil || m.SyncMS != nil || m.UpdateMS != nil {
		t.fail(0, "the metrics have an interval of the step, mfu, bubble_share, sync_ms or update_ms")
	}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		if s.Rank != nil || s.Chunk != nil || s.Recompute != "" || s.ForwardMS != 0 || s.BackwardMS != 0 || s.SendMS != 0 || s.InFlight != 0 || s.Memory.GradientsGiB != 0 || s.Memory.OptimizerGiB != 0 {
			t.fail(0, "%s has a rank, recompute, passes or memory of training", where(s))
		}
	}
	if t.failures > 0 {
		t.report(a.list, "")
	}
}
