package training

import (
	"fmt"
	"math"

	"partita/results"
)

// recorder keeps the account of a pass. Choices of one number of replicas, tensor, pipeline,
// context and expert degree with one fate share a line.
type recorder struct {
	purpose string
	outer   results.Outer
	lines   []results.OuterChoice
	grouped map[lineKey]int
}

type lineKey struct {
	dp, tp, pp, cp, ep int
	outcome, why       string
}

func newRecorder(purpose string) *recorder {
	return &recorder{purpose: purpose, lines: []results.OuterChoice{}, grouped: map[lineKey]int{}}
}

func (r *recorder) solved(s *Split, value float64) {
	r.outer.Solved++
	r.lines = append(r.lines, results.OuterChoice{
		Replicas: s.DP, Case: s.String(), Choices: 1, Outcome: "solved", Value: results.Finite(value),
	})
}

func (r *recorder) infeasible(s *Split, why string) {
	r.outer.Infeasible++
	r.group(s, "infeasible", why, math.Inf(1))
}

func (r *recorder) pruned(s *Split, bound float64, why string) {
	r.outer.Pruned++
	r.group(s, "pruned", why, bound)
}

func (r *recorder) open(s *Split, bound float64) {
	r.outer.Open++
	r.group(s, "open", whyTime, bound)
}

// group adds to the line of a choice; the line carries the least bound.
func (r *recorder) group(s *Split, outcome, why string, bound float64) {
	key := lineKey{s.DP, s.TP, s.PP(), s.CP, s.EP, outcome, why}
	if i, ok := r.grouped[key]; ok {
		x := &r.lines[i]
		x.Choices++
		if x.Bound != nil && bound < *x.Bound {
			x.Bound = results.Finite(bound)
		}
		return
	}
	r.grouped[key] = len(r.lines)
	r.lines = append(r.lines, results.OuterChoice{
		Replicas: s.DP, Case: fmt.Sprintf("TP %d, PP %d, CP %d, EP %d", s.TP, s.PP(), s.CP, s.EP),
		Choices: 1, Outcome: outcome, Why: why, Bound: results.Finite(bound),
	})
}

func (r *recorder) pass(best *found) results.CertificatePass {
	p := results.CertificatePass{Purpose: r.purpose, Outer: r.outer, Choices: r.lines}
	if best != nil {
		p.Best = results.Finite(best.value)
	}
	return p
}
