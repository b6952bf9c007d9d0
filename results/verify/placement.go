package verify

import (
	"fmt"

	"partita/results"
)

// checkStageOrder sorts the stages by replica and index: replicas 0 … r-1, each
// with stages 0 … pp-1, none missing, none twice.
func (a *audit) checkStageOrder() {
	t := tally{rule: ruleOrder, want: "replicas 0 … r-1, each with stages 0 … pp-1"}
	n := len(a.phase.Stages)
	if n == 0 {
		t.fail(0, "the plan has no stages")
		t.report(a.list, "")
		return
	}
	replicas := 0
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		if s.Replica < 0 || s.Replica >= n || s.Index < 0 || s.Index >= n {
			t.fail(0, "%s: a number below 0 or past the count of stages", where(s))
			continue
		}
		replicas = max(replicas, s.Replica+1)
	}
	if t.failures > 0 {
		t.report(a.list, "")
		return
	}
	byReplica := make([][]*results.Stage, replicas)
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		byReplica[s.Replica] = append(byReplica[s.Replica], s)
	}
	for r, stages := range byReplica {
		sorted := make([]*results.Stage, len(stages))
		for _, s := range stages {
			if s.Index >= len(stages) || sorted[s.Index] != nil {
				t.fail(0, "%s: twice, or one before it is missing", where(s))
				continue
			}
			sorted[s.Index] = s
		}
		if len(stages) == 0 {
			t.fail(0, "replica %d has no stages", r)
		}
		byReplica[r] = sorted
	}
	if t.failures == 0 {
		a.replicas = byReplica
	}
	t.report(a.list, fmt.Sprintf("%d replicas, %d stages", replicas, n))
}

// checkLayers: the stages of each replica cover the layers 0 … L-1 without gap or
// overlap, in their order.
func (a *audit) checkLayers() {
	layers := len(a.cond.Model.Layers)
	t := tally{rule: ruleLayers, want: fmt.Sprintf("layers 0 … %d, each on one stage of every replica", layers-1)}
	if a.replicas == nil {
		t.fail(0, "stages are not numbered right")
	}
	for r, stages := range a.replicas {
		next := 0
		for _, s := range stages {
			switch {
			case s.FirstLayer > next:
				t.fail(float64(s.FirstLayer-next), "%s starts at layer %d: layers %d … %d are on no stage", where(s), s.FirstLayer, next, s.FirstLayer-1)
			case s.FirstLayer < next:
				t.fail(float64(next-s.FirstLayer), "%s starts at layer %d, which an earlier stage holds or which does not exist: want %d", where(s), s.FirstLayer, next)
			case s.LastLayer < s.FirstLayer:
				t.fail(1, "%s holds no layer: %d … %d", where(s), s.FirstLayer, s.LastLayer)
			}
			if len(s.Nodes) > 0 {
				t.fail(1, "%s lists operators, which a model of layers does not have", where(s))
			}
			next = s.LastLayer + 1
		}
		if next != layers {
			t.fail(float64(max(next-layers, layers-next)), "replica %d ends at layer %d: want %d", r, next-1, layers-1)
		}
	}
	t.report(a.list, fmt.Sprintf("%d layers on %d replicas", layers, len(a.replicas)))
}

// checkPools: every stage names a pool that the cluster has.
func (a *audit) checkPools() {
	t := tally{rule: rulePools, want: fmt.Sprintf("one of the %d pools of the cluster", len(a.cond.Cluster.Pools))}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		if _, ok := a.pools[s.Pool]; !ok {
			t.fail(0, "%s: pool %q is not in the cluster", where(s), s.Pool)
		}
	}
	t.report(a.list, "every stage does")
}
