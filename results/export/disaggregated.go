package export

import (
	"fmt"
	"slices"
	"strings"

	"partita/results"
)

// judged are the deployments that a plan is judged by: each phase, or where prefill and
// decode are apart both together.
func judged(p *results.Plan) []*results.PhasePlan {
	if p.Disaggregated != nil {
		return []*results.PhasePlan{p.Whole()}
	}
	out := make([]*results.PhasePlan, len(p.Phases))
	for i := range p.Phases {
		out[i] = &p.Phases[i]
	}
	return out
}

// planLine is the strategy of a deployment that a plan is judged by, in one line.
func planLine(p *results.Plan, ph *results.PhasePlan) string {
	if ph.Phase != results.Apart {
		return strategyLine(ph)
	}
	var sides []string
	for i := range p.Phases {
		x := &p.Phases[i]
		sides = append(sides, fmt.Sprintf("%s on %s: %s", x.Phase, plural(x.GPUs.Used, "GPU"), strategyLine(x)))
	}
	return strings.Join(sides, "; ")
}

// apartLines say how the two sides go together: their rates and the transfer.
func apartLines(u *results.Disaggregated) []string {
	limit := map[string]string{"prefill": "the prefill side", "decode": "the decode side", "transfer": "the link"}[u.LimitedBy]
	link := "inside the node"
	if u.Transfer.Link != "node" {
		link = "over the network"
	}
	return []string{
		fmt.Sprintf("%s requests/s, as many as %s takes: prefill %s, decode %s, the link %s", figure(u.RequestsPerS), limit, figure(u.PrefillRequestsPerS), figure(u.DecodeRequestsPerS), figure(u.TransferRequestsPerS)),
		fmt.Sprintf("KV cache of a prompt: %s, at most %s a GPU, %s %s; the link is busy %s of the time", gibibytes(u.Transfer.PromptGiB), gibibytes(u.Transfer.GPUGiB), duration(u.Transfer.TimeMS), link, percent(100*u.Transfer.Utilisation)),
	}
}

// apart is the deployment of both sides on a terminal, before each of them.
func (s *screen) apart(p *results.Plan) {
	whole := p.Whole()
	s.gap()
	s.styled(strong, "strategy  ", planLine(p, whole))
	for i, line := range apartLines(p.Disaggregated) {
		s.line([]string{"rate      ", "transfer  "}[i], line)
	}
	s.line("GPUs      ", gpuCounts(&whole.GPUs))
	if whole.GPUs.Available == nil {
		s.line("          ", whole.GPUs.Why)
	}
	s.requirementTable(whole)
	s.table([]string{"metric", "predicted#", "interval#~"}, metricRows(whole))
	for i := range p.Phases {
		ph := &p.Phases[i]
		s.gap()
		s.styled(strong, fmt.Sprintf("%-10s", ph.Phase), strategyLine(ph))
		s.line("          ", loadLine(ph))
		s.stageTable(ph)
	}
}

// reportApart is the deployment of both sides in report.md.
func reportApart(d *document, r *results.Report) {
	whole := r.Plan.Whole()
	title, _, _ := strings.Cut(phaseTitle(r, whole), " (")
	d.heading(2, title)
	d.strong(planLine(r.Plan, whole))
	d.bullets(append([]string{gpuLine(&whole.GPUs)}, apartLines(r.Plan.Disaggregated)...))
	d.table([]string{"metric", "predicted#", "interval#"}, metricRows(whole))
	if len(whole.Requirements) > 0 {
		d.heading(3, "Requirements")
		reportRequirements(d, whole)
	}
}

// htmlApart is the deployment of both sides, with its figures as tiles.
func htmlApart(w *webpage, r *results.Report) {
	whole := r.Plan.Whole()
	title, _, _ := strings.Cut(phaseTitle(r, whole), " (")
	w.heading(2, title)
	w.strong(planLine(r.Plan, whole))
	w.part("tiles", tilesOf(whole))
	w.bullets(append(apartLines(r.Plan.Disaggregated), gpuLine(&whole.GPUs)))
	htmlRequirements(w, whole)
}

// sideOf is a side without what is told of both: the requirements, and the whole request.
func sideOf(ph *results.PhasePlan) *results.PhasePlan {
	side := *ph
	side.Requirements = nil
	side.Metrics.E2EMS, side.Metrics.E2EInterval = nil, nil
	side.Metrics.Evidence = slices.DeleteFunc(slices.Clone(ph.Metrics.Evidence), func(e results.Evidence) bool { return e.Metric == "e2e_ms" })
	return &side
}
