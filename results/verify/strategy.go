package verify

import (
	"fmt"

	"partita/results"
)

// checkStrategy: replicas, stages, layers and degrees that the strategy states are
// those of the stages, and all replicas are alike.
func (a *audit) checkStrategy() {
	st := &a.phase.Strategy
	t := tally{rule: ruleStrategy, want: "replicas, pp, layers and degrees of the strategy are those of every replica"}
	if a.replicas == nil {
		t.fail(0, "stages are not numbered right")
	}
	if st.Replicas != len(a.replicas) {
		t.fail(0, "replicas %d: the stages make %d", st.Replicas, len(a.replicas))
	}
	lists := []struct {
		name    string
		degrees results.PerStage
		of      func(*results.Stage) int
	}{
		{"tp", st.TP, func(s *results.Stage) int { return s.TP }},
		{"ep", st.EP, func(s *results.Stage) int { return s.EP }},
		{"etp", st.ETP, func(s *results.Stage) int { return s.ETP }},
		{"cp", st.CP, func(s *results.Stage) int { return s.CP }},
		{"dp_attention", st.DPAttention, func(s *results.Stage) int { return s.DPAttention }},
	}
	for r, stages := range a.replicas {
		if len(stages) != st.PP {
			t.fail(0, "pp %d: replica %d has %d stages", st.PP, r, len(stages))
			continue
		}
		if len(st.Layers) != len(stages) {
			t.fail(0, "layers are listed for %d stages of %d", len(st.Layers), len(stages))
			continue
		}
		for i, s := range stages {
			if n := s.LastLayer - s.FirstLayer + 1; st.Layers[i] != n {
				t.fail(0, "layers %d: %s has %d", st.Layers[i], where(s), n)
			}
			for _, l := range lists {
				if len(l.degrees) != 1 && len(l.degrees) != len(stages) {
					t.fail(0, "%s is listed for %d stages of %d", l.name, len(l.degrees), len(stages))
				} else if d := l.degrees.At(i); d != l.of(s) {
					t.fail(0, "%s %d: %s has %d", l.name, d, where(s), l.of(s))
				}
			}
		}
	}
	t.report(a.list, fmt.Sprintf("%d replicas of %d stages", st.Replicas, st.PP))
}
