package dag

import (
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// TestPrefillAndDecodeApart: two graphs, each of its own GPUs and of what is in flight there.
func TestPrefillAndDecodeApart(t *testing.T) {
	side := func(phase inputs.Phase, replicas, micro, groups int) *results.Plan {
		return made{model: model([]inputs.LayerKind{grouped()}, 0, 0), phase: phase, batch: 16, input: 32, output: 8, replicas: replicas, micro: micro, groups: groups,
			stages: []split{{2, 2, 1, 1, 1}}}.plan()
	}
	p, decode := side(inputs.Prefill, 2, 1, 0), side(inputs.Decode, 1, 0, 1)
	for i := range decode.Phases[0].Stages {
		s := &decode.Phases[0].Stages[i]
		for j := range s.GPUs {
			s.GPUs[j] = strings.Replace(s.GPUs[j], "node-0", "node-9", 1)
		}
	}
	p.Phases = append(p.Phases, decode.Phases[0])
	p.Deployment.Workload.Phase = inputs.Mixed
	p.Disaggregated = &results.Disaggregated{PrefillBatch: 4}
	graphs := strings.Split(text(t, p, Options{}), "digraph ")[1:]
	if len(graphs) != 2 || !strings.HasPrefix(graphs[0], `"prefill"`) || !strings.HasPrefix(graphs[1], `"decode"`) {
		t.Fatalf("%d graphs", len(graphs))
	}
	for i, want := range []struct{ batch, own, other string }{{"batch_size=4, seq_len=32", "node-1/", "node-9/"}, {"batch_size=16, seq_len=1", "node-9/", "node-1/"}} {
		if !strings.Contains(graphs[i], want.batch) || !strings.Contains(graphs[i], want.own) || strings.Contains(graphs[i], want.other) {
			t.Errorf("graph %d: batch %q %t, own GPUs %t, the other side's %t", i, want.batch, strings.Contains(graphs[i], want.batch), strings.Contains(graphs[i], want.own), strings.Contains(graphs[i], want.other))
		}
	}
}
