package heuristic

import "math"

// Rule is a condition that proposals are held against, in the order in which they
// are checked: a proposal that fails a later one has come further.
type Rule int

// The rules.
const (
	RuleProposal    Rule = iota // there is a proposal at all
	RuleShape                   // layers in order, shapes that model and pool admit
	RuleKnowledge               // the rules of the condition
	RuleCount                   // the GPUs that are to be used
	RuleMemory                  // every GPU holds its share
	RulePacking                 // groups lie inside nodes
	RuleBalance                 // fastest against slowest stage
	RuleRequirement             // what the condition asks for, with margin
	RuleMet                     // nothing is violated
)

// Verdict is what a judge says of a proposal.
type Verdict struct {
	// Rule is the first condition violated, RuleMet where none is.
	Rule Rule
	// Miss is by what factor it is violated, more than 1.
	Miss float64
	// Value of the objective; of use only where Rule is RuleMet.
	Value float64
	// Why says in a sentence with numbers what is violated.
	Why string
}

// Feasible reports whether nothing is violated.
func (v Verdict) Feasible() bool { return v.Rule == RuleMet }

// Better reports whether v is preferred to w: what comes further, then what misses
// by less, then the lower value.
func (v Verdict) Better(w Verdict) bool {
	if v.Rule != w.Rule {
		return v.Rule > w.Rule
	}
	if v.Rule != RuleMet {
		return v.Miss < w.Miss
	}
	return v.Value < w.Value
}

// none is worse than any verdict.
func none() Verdict { return Verdict{Rule: -1, Miss: math.Inf(1)} }

// Best judges proposals and returns the first of the best, false where there are
// none.
func Best(judge func(Proposal) Verdict, list []Proposal) (Proposal, Verdict, bool) {
	best, at := none(), -1
	for i, p := range list {
		if v := judge(p); v.Better(best) {
			best, at = v, i
		}
	}
	if at < 0 {
		return Proposal{}, best, false
	}
	return list[at], best, true
}
