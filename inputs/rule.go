package inputs

import "slices"

// Rule is a named condition that every plan must keep: a boolean expression in CEL
// over the degrees, stages and GPUs of a plan (package inputs/knowledge lists the
// names it may use, with units).
//
// A rule binds: the search leaves out what breaks it, a heuristic that breaks it is
// infeasible, and a plan that breaks it fails verification. It is never relaxed, not
// even for the plan that misses the requirements by least. All that knows rules reads
// them from Condition.Rules and nowhere else, so a search without some of them is a
// search of Condition.WithoutRules: that is how an explanation switches rules off one
// by one.
type Rule struct {
	// Name is unique in a condition; it names the rule in reports and explanations.
	Name string `json:"name"`
	// Phase is the phase of the workload that the rule is for; "" is for every one.
	Phase Phase `json:"phase,omitempty"`
	// Expr is the expression as written.
	Expr string `json:"expr"`
	// Because is the reason a person gets to read; "" where none was given.
	Because string `json:"because,omitempty"`
	// Source is where the reason is from; "" where none was given.
	Source string `json:"source,omitempty"`
	// Place is where the expression stands. File names the pack for built-in rules.
	Place Place `json:"place"`
}

// WithoutRules is the condition less the rules of these names. The copy is shallow:
// it shares everything but the list of rules.
func (c *Condition) WithoutRules(names ...string) *Condition {
	out := *c
	out.Rules = nil
	for _, r := range c.Rules {
		if !slices.Contains(names, r.Name) {
			out.Rules = append(out.Rules, r)
		}
	}
	return &out
}
