package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"partita/results"
)

// listedChoices is how many outer choices of a pass report.md lists.
const listedChoices = 12

// reportProof sums up the certificate: what was searched, in which steps of time,
// and what the model leaves out.
func reportProof(d *document, ph *results.PhasePlan, feasible bool) {
	cert := &ph.Solve.Certificate
	d.heading(2, fmt.Sprintf("Where the proof stands (%s)", ph.Phase))
	d.bullets(proofLines(&ph.Solve, feasible))
	reportRules(d, cert.Rules)
	d.table(passHeader, passRows(cert))
	for _, p := range cert.Passes {
		reportChoices(d, &p)
	}
	if len(cert.LeftOut) > 0 {
		d.heading(3, "What the model leaves out")
		d.bullets(cert.LeftOut)
	}
}

// proofLines say what was proved, and what the search minimised in which steps.
func proofLines(s *results.Solve, feasible bool) []string {
	cert := &s.Certificate
	lines := []string{proofLine(s, feasible)}
	if cert.Objective != "" {
		lines = append(lines, "minimised: "+cert.Objective)
	}
	if cert.GPUCount != "" {
		lines = append(lines, "number of GPUs: "+cert.GPUCount)
	}
	if cert.Balance != "" {
		lines = append(lines, "balance: "+cert.Balance)
	}
	for _, phase := range slices.Sorted(maps.Keys(cert.Quantisation)) {
		lines = append(lines, fmt.Sprintf("the solvers count %s times in whole steps of %s, rounded up", phase, duration(1e3*cert.Quantisation[phase])))
	}
	return lines
}

var passHeader = []string{"search for", "best#", "solved#", "infeasible#", "pruned#", "open#"}

// passRows count what became of the outer choices of each search.
func passRows(cert *results.Certificate) [][]string {
	var rows [][]string
	for _, p := range cert.Passes {
		best := ""
		if p.Best != nil {
			best = figure(*p.Best)
		}
		rows = append(rows, []string{p.Purpose, best, count(p.Outer.Solved), count(p.Outer.Infeasible), count(p.Outer.Pruned), count(p.Outer.Open)})
	}
	return rows
}

// reportRules lists the rules that bind and what each left out of the search.
func reportRules(d form, rules []results.RuleAccount) {
	if len(rules) == 0 {
		return
	}
	d.heading(3, "Rules")
	var rows [][]string
	for _, r := range rules {
		rows = append(rows, []string{r.Name, r.Expr, r.Because, r.Place, count(r.Candidates), count(r.OuterChoices)})
	}
	d.table([]string{"rule", "binding", "because", "stated", "sorts of stages left out#", "outer choices left out#"}, rows)
}

// rulesLine sums up the rules, "" where there are none.
func rulesLine(rules []results.RuleAccount) string {
	if len(rules) == 0 {
		return ""
	}
	var candidates, choices, active int
	for _, r := range rules {
		candidates, choices = candidates+r.Candidates, choices+r.OuterChoices
		if r.Candidates+r.OuterChoices > 0 {
			active++
		}
	}
	if active == 0 {
		return plural(len(rules), "rule") + " binding"
	}
	return fmt.Sprintf("%s binding; %s of them left out %s of stages and %s", plural(len(rules), "rule"), count(active), plural(candidates, "sort"), plural(choices, "outer choice"))
}

func reportChoices(d *document, p *results.CertificatePass) {
	if len(p.Choices) == 0 {
		return
	}
	d.heading(3, "Outer choices: "+p.Purpose)
	d.table(choiceHeader, choiceRows(p.Choices[:min(len(p.Choices), listedChoices)]))
	if more := len(p.Choices) - listedChoices; more > 0 {
		d.paragraph(fmt.Sprintf("%s more in plan.json.", plural(more, "line")))
	}
}

var choiceHeader = []string{"replicas#", "GPUs of one#", "case", "micro-batches#", "decode groups#", "choices#", "outcome", "value#", "bound#", "why"}

// choiceRows are the outer choices with what became of them.
func choiceRows(choices []results.OuterChoice) [][]string {
	// Cases of a training step say what micro-batches they have, and nothing is decoded.
	cases := !slices.ContainsFunc(choices, func(c results.OuterChoice) bool { return c.Case == "" || c.MicroBatches+c.DecodeGroups > 0 })
	orAll := func(n int) string {
		switch {
		case cases:
			return ""
		case n == 0:
			return "all"
		}
		return count(n)
	}
	var rows [][]string
	for _, c := range choices {
		rows = append(rows, []string{
			count(c.Replicas), gpusOf(c.GPUsPerReplica), c.Case, orAll(c.MicroBatches), orAll(c.DecodeGroups), count(c.Choices), c.Outcome, optional(c.Value), optional(c.Bound), c.Why,
		})
	}
	return rows
}

// gpusOf lists the GPUs of a replica pool by pool.
func gpusOf(pools []int) string {
	parts := make([]string, len(pools))
	for i, n := range pools {
		parts[i] = count(n)
	}
	return strings.Join(parts, " + ")
}

func optional(v *float64) string {
	if v == nil {
		return ""
	}
	return figure(*v)
}
