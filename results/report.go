package results

import "partita/inputs"

// NewReport is a report that repeats what was read of a condition, what was assumed and
// what to be warned of; the outcome is unknown.
func NewReport(c *inputs.Condition) *Report {
	r := &Report{Condition: c.Name, Status: StatusUnknown, Statements: []Statement{}, Assumptions: []Assumption{}, Warnings: []string{}}
	for _, s := range c.Statements {
		r.Statements = append(r.Statements, Statement{File: s.Place.File, Line: s.Place.Line, Text: s.Text, UsedAs: s.UsedAs})
	}
	for _, a := range c.Assumptions {
		r.Assumptions = append(r.Assumptions, Assumption{What: a.What, Value: a.Value, Because: a.Because})
	}
	r.Warnings = append(r.Warnings, c.Warnings...)
	return r
}
