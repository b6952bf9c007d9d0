package formulation

import (
	"math"

	"partita/formulation/stagegraph"
	"partita/results"
)

// recorder keeps the account of a pass: every outer choice ends in one line, alone
// or with others of its layout that one bound settles.
type recorder struct {
	purpose string
	outer   results.Outer
	lines   []results.OuterChoice
	grouped map[groupKey]int
	// coarse joins layouts that differ in GPUs alone: there are too many for a line each.
	coarse bool
}

// groupKey joins choices of one layout with one fate.
type groupKey struct {
	layout   *stagegraph.Layout // nil where lines are coarse
	of       *stagegraph.Case
	replicas int
	outcome  string
	why      string
}

func newRecorder(purpose string, coarse bool) *recorder {
	return &recorder{purpose: purpose, coarse: coarse, lines: []results.OuterChoice{}, grouped: map[groupKey]int{}}
}

func (r *recorder) solved(ch stagegraph.Choice, value float64) {
	r.outer.Solved++
	r.lines = append(r.lines, results.OuterChoice{
		Replicas: ch.Layout.Replicas, GPUsPerReplica: ch.Layout.GPUs, Case: ch.Layout.Case.Text(), MicroBatches: ch.Micro, DecodeGroups: ch.Groups,
		Choices: 1, Outcome: "solved", Value: results.Finite(value),
	})
}

func (r *recorder) open(ch stagegraph.Choice, bound float64) {
	r.outer.Open++
	r.lines = append(r.lines, results.OuterChoice{
		Replicas: ch.Layout.Replicas, GPUsPerReplica: ch.Layout.GPUs, Case: ch.Layout.Case.Text(), MicroBatches: ch.Micro, DecodeGroups: ch.Groups,
		Choices: 1, Outcome: "open", Bound: results.Finite(bound), Why: "time ran out",
	})
}

func (r *recorder) infeasible(l *stagegraph.Layout, n int, why string) {
	r.outer.Infeasible += n
	r.group(l, "infeasible", why, n, math.Inf(1))
}

func (r *recorder) pruned(l *stagegraph.Layout, n int, bound float64, why string) {
	r.outer.Pruned += n
	r.group(l, "pruned", why, n, bound)
}

func (r *recorder) openLayout(l *stagegraph.Layout, n int, bound float64) {
	r.outer.Open += n
	r.group(l, "open", "time ran out", n, bound)
}

// group adds to the line of a layout; the line carries the least bound.
func (r *recorder) group(l *stagegraph.Layout, outcome, why string, n int, bound float64) {
	key := groupKey{l, l.Case, l.Replicas, outcome, why}
	gpus := l.GPUs
	if r.coarse {
		key.layout, gpus = nil, nil
	}
	if i, ok := r.grouped[key]; ok {
		x := &r.lines[i]
		x.Choices += n
		if x.Bound != nil && bound < *x.Bound {
			x.Bound = results.Finite(bound)
		}
		return
	}
	r.grouped[key] = len(r.lines)
	r.lines = append(r.lines, results.OuterChoice{
		Replicas: l.Replicas, GPUsPerReplica: gpus, Case: l.Case.Text(), Choices: n, Outcome: outcome, Why: why, Bound: results.Finite(bound),
	})
}

func (r *recorder) pass(best *found) results.CertificatePass {
	p := results.CertificatePass{Purpose: r.purpose, Outer: r.outer, Choices: r.lines}
	if best != nil {
		p.Best = results.Finite(best.value)
	}
	return p
}
