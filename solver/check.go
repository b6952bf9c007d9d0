package solver

import "fmt"

// Violation is a condition of the model that an assignment breaks, or that cannot be
// evaluated within int64.
type Violation struct {
	Subject string // name of the row or of the variable
	Got     int64  // value of its left-hand side
	Lo, Hi  int64  // what it should lie between
	Cause   string // set where Got is not to be had
}

func (v Violation) String() string {
	if v.Cause != "" {
		return fmt.Sprintf("%s: %s", v.Subject, v.Cause)
	}
	switch {
	case v.Lo == NoLower:
		return fmt.Sprintf("%s: %d, not ≤ %d", v.Subject, v.Got, v.Hi)
	case v.Hi == NoUpper:
		return fmt.Sprintf("%s: %d, not ≥ %d", v.Subject, v.Got, v.Lo)
	}
	return fmt.Sprintf("%s: %d, not in %d…%d", v.Subject, v.Got, v.Lo, v.Hi)
}

// Check evaluates an assignment (by variable index) in exact, overflow-checked
// arithmetic: the value of the objective and every violated bound and row, bounds
// first, each in model order. It trusts nobody's tolerance.
func (m *Model) Check(values []int64) (objective int64, violations []Violation) {
	if len(values) != len(m.domains) {
		return 0, []Violation{{Subject: "assignment", Cause: fmt.Sprintf("%d values for %d variables", len(values), len(m.domains))}}
	}
	for i, d := range m.domains {
		if x := values[i]; x < d.Lo || x > d.Hi {
			violations = append(violations, Violation{Subject: d.Name, Got: x, Lo: d.Lo, Hi: d.Hi})
		}
	}
	for _, r := range m.rows {
		sum, ok := dot(r.Terms, values, 0)
		switch {
		case !ok:
			violations = append(violations, Violation{Subject: r.Name, Cause: "the left-hand side overflows int64"})
		case sum < r.Lo || sum > r.Hi:
			violations = append(violations, Violation{Subject: r.Name, Got: sum, Lo: r.Lo, Hi: r.Hi})
		}
	}
	objective, ok := dot(m.objective.Terms, values, m.objective.Constant)
	if !ok {
		violations = append(violations, Violation{Subject: "objective", Cause: "the value overflows int64"})
	}
	return objective, violations
}

func dot(terms []Coef, values []int64, constant int64) (int64, bool) {
	sum := constant
	for _, t := range terms {
		p, ok := mulInt(t.Value, values[t.Var])
		if !ok {
			return 0, false
		}
		if sum, ok = addInt(sum, p); !ok {
			return 0, false
		}
	}
	return sum, true
}
