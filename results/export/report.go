package export

import (
	"bytes"
	"fmt"
	"slices"

	"partita/results"
)

// Report is the content of report.md: for a person who asks, in this order, what
// is the answer, what does it look like, why this one, what is it based on, and
// what proves it.
func Report(r *results.Report) []byte {
	d := &document{}
	d.heading(1, reportTitle(r))
	d.strong(verdict(r))
	reportShort(d, r)
	reportWarnings(d, r)
	if r.Plan != nil {
		apart := r.Plan.Disaggregated != nil
		if apart {
			reportApart(d, r)
		}
		for i := range r.Plan.Phases {
			ph := &r.Plan.Phases[i]
			if apart {
				ph = sideOf(ph)
			}
			reportPhase(d, r, ph)
		}
		reportComparison(d, r.Plan)
	}
	reportBasis(d, r)
	if r.Plan != nil {
		if r.Plan.Disaggregated != nil {
			reportProof(d, r.Plan.Whole(), r.Feasible)
		}
		for i := range r.Plan.Phases {
			reportProof(d, &r.Plan.Phases[i], r.Feasible)
		}
		reportVerification(d, r.Plan.Verification)
	}
	return append(bytes.TrimRight(d.b.Bytes(), "\n"), '\n')
}

// reportTitle names a report by its condition.
func reportTitle(r *results.Report) string {
	if r.Plan != nil {
		return "Deployment plan: " + r.Plan.Condition
	}
	return "Deployment plan: " + r.Condition
}

// reportShort says what is short and why, where nothing fits.
func reportShort(d form, r *results.Report) {
	if !r.Feasible && len(r.Reasons) > 0 {
		d.heading(2, "What is short")
		d.bullets(r.Reasons)
	}
	reportExplanation(d, r.Explanation)
}

func reportWarnings(d form, r *results.Report) {
	if list := warningsOf(r); len(list) > 0 {
		d.heading(2, "Warnings")
		d.bullets(list)
	}
}

func warningsOf(r *results.Report) []string {
	if r.Plan != nil {
		return r.Plan.Warnings
	}
	return r.Warnings
}

// reportBasis says what binds the plan, what would help, and what all is based on.
func reportBasis(d form, r *results.Report) {
	if len(r.Binding) > 0 {
		d.heading(2, "What holds it back")
		d.bullets(r.Binding)
	}
	statements, assumptions := r.Statements, r.Assumptions
	if r.Plan != nil {
		statements, assumptions = r.Plan.Statements, r.Plan.Assumptions
		reportWhatIf(d, r.Plan)
	}
	reportGraphs(d, r)
	reportNodes(d, r)
	reportAssumptions(d, assumptions)
	reportStatements(d, statements)
}

// reportPhase is the plan of one phase: strategy, figures, stages, balance.
func reportPhase(d *document, r *results.Report, ph *results.PhasePlan) {
	d.heading(2, phaseTitle(r, ph))
	d.strong(strategyLine(ph))
	d.bullets([]string{gpuLine(&ph.GPUs), loadLine(ph)})
	d.table([]string{"metric", "predicted#", "interval#"}, metricRows(ph))
	if says := restsOn(ph); len(says) > 0 {
		d.paragraph("An interval holds about nine of ten measured runs of tables it is not made from:")
		d.bullets(says)
	}
	if len(ph.Requirements) > 0 {
		d.heading(3, "Requirements")
		reportRequirements(d, ph)
	}
	reportStages(d, ph)
}

// phaseTitle heads the plan of one phase.
func phaseTitle(r *results.Report, ph *results.PhasePlan) string {
	title := "Strategy"
	if !r.Feasible {
		title = "Closest plan: misses requirements, for orientation only"
	}
	return fmt.Sprintf("%s (%s)", title, ph.Phase)
}

var requirementHeader = []string{"requirement", "want#", "got#", "", "margin#", "nearest feasible, margin included#", "kept in measured runs#", "stated at"}

// reportRequirements holds each requirement against the plan, and says what met means.
func reportRequirements(d *document, ph *results.PhasePlan) {
	d.table(requirementHeader, requirementRows(ph))
	if note := metNote(ph.Requirements); note != "" {
		d.paragraph(capital(note))
	}
}

func reportComparison(d *document, p *results.Plan) {
	if len(p.Comparison) == 0 {
		return
	}
	d.heading(2, "Compared with heuristics")
	d.paragraph(comparisonNote(p))
	d.table([]string{"heuristic", "strategy", "objective#", "gap#"}, comparisonRows(p))
}

// comparisonNote says what the figures of a comparison are.
func comparisonNote(p *results.Plan) string {
	unit := ""
	if whole := p.Whole(); whole != nil && whole.Solve.ObjectiveUnit != "" {
		unit = " (" + whole.Solve.ObjectiveUnit + ")"
	}
	return "Every heuristic is evaluated on the same costs; the gap is how far its objective" + unit + " is above the plan's."
}

func reportVerification(d form, v *results.Verification) {
	if v == nil {
		return
	}
	d.heading(2, "Verification")
	outcome := "every check holds"
	if slices.ContainsFunc(v.Checks, func(c results.Check) bool { return !c.OK && c.Waived }) {
		outcome = "every check holds but those that the closest plan is known to miss"
	}
	if !v.OK {
		outcome = "the plan does not hold"
	}
	d.paragraph(fmt.Sprintf("Recomputed from the plan and the condition alone: %s. %s on %s.", outcome, plural(v.Parts, "part"), plural(v.GPUs, "GPU")))
	rows := make([][]string, len(v.Checks))
	for i, c := range v.Checks {
		rows[i] = []string{mark(c.OK, c.Waived), c.Rule, c.Want, c.Got}
	}
	d.table([]string{"", "rule", "want", "got"}, rows)
}

func mark(ok, waived bool) string {
	switch {
	case ok:
		return "ok"
	case waived:
		return "missed, as said"
	}
	return "FAILED"
}

func reportStatements(d form, statements []results.Statement) {
	if len(statements) == 0 {
		return
	}
	d.heading(2, "What was read")
	rows := make([][]string, len(statements))
	for i, s := range statements {
		place := s.File
		if s.Line > 0 {
			place = fmt.Sprintf("%s:%d", s.File, s.Line)
		}
		rows[i] = []string{place, s.Text, s.UsedAs}
	}
	d.table([]string{"place", "statement", "used as"}, rows)
}

func reportAssumptions(d form, assumptions []results.Assumption) {
	if len(assumptions) == 0 {
		return
	}
	d.heading(2, "What was assumed")
	rows := make([][]string, len(assumptions))
	for i, a := range assumptions {
		rows[i] = []string{a.What, a.Value, a.Because}
	}
	d.table([]string{"what", "value", "because"}, rows)
}
