package export

import "partita/results"

// PlanJSON is the content of plan.json. Lists are never null. The bytes follow
// from the plan alone: the one figure of a plan that a clock decides, the solve's
// time_ms, is rounded up to whole seconds by the search that fills it in.
func PlanJSON(p *results.Plan) ([]byte, error) {
	return indented(withoutNulls(p), planName)
}

// withoutNulls copies a plan as deep as it must to put empty lists where nil ones
// are; the plan itself is left alone.
func withoutNulls(p *results.Plan) *results.Plan {
	c := *p
	c.Comparison, c.Statements = list(c.Comparison), list(c.Statements)
	c.Assumptions, c.Warnings = list(c.Assumptions), list(c.Warnings)
	if c.Verification != nil {
		v := *c.Verification
		v.Checks = list(v.Checks)
		c.Verification = &v
	}
	c.Phases = append([]results.PhasePlan{}, p.Phases...)
	for i := range c.Phases {
		ph := &c.Phases[i]
		ph.Requirements, ph.Strategy.Layers = list(ph.Requirements), list(ph.Strategy.Layers)
		ph.Solve.AgreedBy = list(ph.Solve.AgreedBy)
		ph.Stages = append([]results.Stage{}, ph.Stages...)
		for j := range ph.Stages {
			ph.Stages[j].GPUs = list(ph.Stages[j].GPUs)
		}
		certified(&ph.Solve.Certificate)
	}
	if p.Disaggregated != nil {
		u := *p.Disaggregated
		u.Solve.AgreedBy = list(u.Solve.AgreedBy)
		certified(&u.Solve.Certificate)
		c.Disaggregated = &u
	}
	return &c
}

// certified puts empty lists where a certificate has nil ones.
func certified(cert *results.Certificate) {
	if cert.Quantisation == nil {
		cert.Quantisation = map[string]float64{}
	}
	cert.LeftOut = list(cert.LeftOut)
	cert.Passes = append([]results.CertificatePass{}, cert.Passes...)
	for j := range cert.Passes {
		cert.Passes[j].Choices = list(cert.Passes[j].Choices)
	}
}

// list is l, or an empty list where it is nil.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
