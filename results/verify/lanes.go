package verify

import (
	"fmt"
	"math"

	"partita/inputs"
	"partita/results"
)

// lanes reports whether the condition asks for machines that share layers.
func (a *audit) lanes() bool { return a.cond.Goal.Placement == inputs.Lanes }

// checkKind: lanes where the condition asks for them, and nothing of them elsewhere.
func (a *audit) checkKind() {
	name := map[bool]string{false: "a pipeline", true: "lanes"}
	got := name[a.phase.Lanes != nil]
	if !a.lanes() {
		for i := range a.phase.Stages {
			if s := &a.phase.Stages[i]; s.Sequences != 0 {
				got = fmt.Sprintf("%s that holds %d sequences of its own", where(s), s.Sequences)
			}
		}
		if a.phase.Lanes == nil && got == name[false] {
			return // as every plan that says nothing of lanes
		}
	}
	a.list.compare(rulePlacement, name[a.lanes()], got)
}

// checkLanes: every sequence has a way from the first layer to the last. A machine takes
// over where it holds the layer after the last one of the machine before; what it takes
// it passes on, and it is what it says it holds.
func (a *audit) checkLanes() {
	batch, last := a.cond.Workload.Batch, len(a.cond.Model.Layers)-1
	t := tally{rule: ruleLanes, want: fmt.Sprintf("a way through all layers for each of %d sequences", batch)}
	if a.phase.Lanes == nil || a.replicas == nil || len(a.replicas) != 1 {
		t.fail(0, "no routes, or not one replica with its stages in order")
		t.report(a.list, "")
		return
	}
	stages := a.replicas[0]
	in, out := make([]int, len(stages)), make([]int, len(stages))
	entered, left := 0, 0
	for i, r := range a.phase.Lanes.Routes {
		if r.From < -1 || r.To < -1 || r.From >= len(stages) || r.To >= len(stages) || r.From == -1 && r.To == -1 || r.Sequences < 1 {
			t.fail(0, "route %d: %d sequences from stage %d to stage %d", i, r.Sequences, r.From, r.To)
			continue
		}
		end, first, beyond := 0, last+1, last+2 // layers: the next one wanted, those that To holds
		if r.From >= 0 {
			end = stages[r.From].LastLayer + 1
			out[r.From] += r.Sequences
		} else {
			entered += r.Sequences
		}
		if r.To >= 0 {
			first, beyond = stages[r.To].FirstLayer, stages[r.To].LastLayer+1
			in[r.To] += r.Sequences
		} else {
			left += r.Sequences
		}
		if end < first || end >= beyond {
			t.fail(0, "route %d: stage %d does not hold layer %d, the next one after stage %d", i, r.To, end, r.From)
		}
	}
	for i, s := range stages {
		if s.FirstLayer < 0 || s.LastLayer > last || s.LastLayer < s.FirstLayer {
			t.fail(0, "%s holds layers %d … %d", where(s), s.FirstLayer, s.LastLayer)
		}
		if in[i] != out[i] || in[i] != s.Sequences || in[i] < 1 {
			t.fail(0, "%s takes %d sequences, passes on %d and says that it holds %d", where(s), in[i], out[i], s.Sequences)
		}
		if len(s.GPUs) != 1 {
			t.fail(0, "%s has %d GPUs: a machine of lanes has one", where(s), len(s.GPUs))
		}
	}
	if entered != batch || left != batch {
		t.fail(0, "%d sequences enter and %d leave", entered, left)
	}
	t.report(a.list, fmt.Sprintf("%d sequences through %d machines", batch, len(stages)))
}

// ofMachine is the split of the sequences as one machine of lanes sees it: those it holds
// are spread over the micro-batches and groups like all of them.
func (q sequences) ofMachine(s *results.Stage) sequences {
	q.replica = s.Sequences
	if q.m0 > 0 {
		q.b0 = ceil(s.Sequences, q.m0)
	}
	if q.m1 > 0 {
		q.b1 = ceil(s.Sequences, q.m1)
	}
	return q
}

// laneKey describes a machine of lanes: whom it sends to depends on the sequence, so every
// send is one over the network.
func (a *audit) laneKey(s *results.Stage) stageKey {
	k := stageKey{pool: a.pools[s.Pool], next: a.pools[s.Pool], first: s.FirstLayer, last: s.LastLayer, shape: shapeOf(s)}
	if s.LastLayer == len(a.cond.Model.Layers)-1 {
		k.next = -1
	}
	return k
}

// longestWay is the longest sum of times along the routes, which no more than once lead
// through a machine: each step ends at a later layer. NaN where they are no ways.
func (a *audit) longestWay(time func(stage int) float64) float64 {
	stages := a.replicas[0]
	known := make([]float64, len(stages))
	for i := range known {
		known[i] = math.NaN()
	}
	var until func(i int) float64 // the longest way up to the end of stage i
	until = func(i int) float64 {
		if !math.IsNaN(known[i]) {
			return known[i]
		}
		before := 0.0
		for _, r := range a.phase.Lanes.Routes {
			if r.To == i && r.From >= 0 {
				before = max(before, until(r.From))
			}
		}
		known[i] = before + time(i)
		return known[i]
	}
	way := 0.0
	for i := range stages {
		way = max(way, until(i))
	}
	return way
}
