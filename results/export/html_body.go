package export

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
	"partita/results"
)

// htmlBody writes the sections of report.html, in the order of report.md but for the
// warnings, which the head of the page leads to.
func htmlBody(w *webpage, r *results.Report, files []FileNote) {
	reportShort(w, r)
	if r.Plan != nil {
		apart := r.Plan.Disaggregated != nil
		if apart {
			htmlApart(w, r)
		}
		for i := range r.Plan.Phases {
			ph := &r.Plan.Phases[i]
			if apart {
				ph = sideOf(ph)
			}
			htmlPhase(w, r, ph)
		}
	}
	reportWarnings(w, r)
	if r.Plan != nil {
		htmlComparison(w, r.Plan)
	}
	reportBasis(w, r)
	if r.Plan != nil {
		if r.Plan.Disaggregated != nil {
			htmlProof(w, r.Plan.Whole(), r.Feasible)
		}
		for i := range r.Plan.Phases {
			htmlProof(w, &r.Plan.Phases[i], r.Feasible)
		}
		reportVerification(w, r.Plan.Verification)
	}
	htmlBeside(w, files)
}

// htmlPhase is the plan of one phase: strategy, figures, requirements and the pictures.
func htmlPhase(w *webpage, r *results.Report, ph *results.PhasePlan) {
	w.heading(2, phaseTitle(r, ph))
	w.strong(strategyLine(ph))
	w.part("tiles", tilesOf(ph))
	w.bullets(append(strategyWords(r.Plan, ph), gpuLine(&ph.GPUs), loadLine(ph)))
	if says := restsOn(ph); len(says) > 0 {
		w.paragraph("An interval holds about nine of ten measured runs of tables it is not made from: " + strings.Join(says, "; ") + ".")
	}
	htmlRequirements(w, ph)
	htmlMap(w, r.Plan, ph)
	if ofTraining(ph) {
		htmlRanks(w, r.Plan, ph)
		htmlSchedule(w, ph)
		return
	}
	htmlLoad(w, r.Plan, ph)
	if ofGraph(ph) {
		htmlSamples(w, ph)
		return
	}
	htmlPipeline(w, ph)
}

// htmlRequirements holds each requirement against the plan, with the interval of its figure.
func htmlRequirements(w *webpage, ph *results.PhasePlan) {
	if len(ph.Requirements) == 0 {
		return
	}
	w.heading(3, "Requirements")
	rows := requirementRows(ph)
	for i := range rows {
		rows[i] = append(rows[i], intervalOf(ph, ph.Requirements[i].Name))
	}
	w.table(slices.Concat(requirementHeader, []string{"predicted interval#"}), rows)
	if note := metNote(ph.Requirements); note != "" {
		w.paragraph(capital(note))
	}
}

// tile is one figure of a plan with what was asked of it.
type tile struct {
	Name, Value, Unit, Between, State string
	Asked                             []string
}

// tilesOf are the metrics with the requirements on each, and the GPUs.
func tilesOf(ph *results.PhasePlan) []tile {
	gpus := tile{Name: "GPUs", Value: count(ph.GPUs.Used)}
	switch {
	case ph.GPUs.Available == nil:
		gpus.Between = "the number was ours to choose"
	case ph.GPUs.Match:
		gpus.Between = fmt.Sprintf("of %s given: they match", count(*ph.GPUs.Available))
		if ph.GPUs.Used < *ph.GPUs.Available {
			gpus.Between = fmt.Sprintf("of at most %s", count(*ph.GPUs.Available))
		}
	default:
		gpus.Between = fmt.Sprintf("of %s given", count(*ph.GPUs.Available))
	}
	tiles := []tile{gpus}
	for _, row := range metricRows(ph) {
		value, unit, _ := strings.Cut(row[1], " ")
		tiles = append(tiles, tile{Name: row[0], Value: value, Unit: unit, Between: row[2]})
	}
	for i, row := range requirementRows(ph) {
		q := &ph.Requirements[i]
		for k := range tiles {
			if tiles[k].Name != metricNamed(q.Name) {
				continue
			}
			side := "≥ "
			if inputs.RequirementKind(q.Name).Upper() {
				side = "≤ "
			}
			margin := row[4]
			if q.Met {
				margin = "margin " + margin
			}
			tiles[k].Asked = append(tiles[k].Asked, bound(fmt.Sprintf("asked %s%s: %s, %s", side, row[1], row[3], margin)))
			if tiles[k].State != "bad" {
				tiles[k].State = markOf(row[3])
			}
		}
	}
	return tiles
}

// metricNamed is the name of the metric that a requirement of a kind bounds, as metricRows
// has it; "" where it has no row of its own.
func metricNamed(kind string) string {
	switch inputs.RequirementKind(kind) {
	case inputs.TTFT:
		return "time to first token"
	case inputs.TPOT:
		return "time per output token"
	case inputs.EndToEnd:
		return "whole request"
	case inputs.TokensPerSecond:
		return "throughput"
	case inputs.TokensPerSGPU:
		return "throughput of each GPU"
	case inputs.OutputPerSecond:
		return "output throughput"
	case inputs.CostUSDPerHour:
		return "cost per hour"
	case inputs.SamplesPerS:
		return "samples"
	case inputs.StepTime:
		return "step"
	}
	return ""
}

// intervalOf is the predicted interval of the figure that a requirement of a kind bounds,
// "" where it has none.
func intervalOf(ph *results.PhasePlan, kind string) string {
	m := &ph.Metrics
	var between *[2]float64
	show := duration
	switch inputs.RequirementKind(kind) {
	case inputs.TTFT:
		between = m.TTFTInterval
	case inputs.TPOT:
		between = m.TPOTInterval
	case inputs.StepTime:
		between = m.StepInterval
	case inputs.TokensPerSecond:
		between, show = m.TokensPerSInterval, func(v float64) string { return figure(v) + " tokens/s" }
	case inputs.TokensPerSGPU:
		between, show = m.TokensPerSInterval, func(v float64) string { return figure(v/float64(ph.GPUs.Used)) + " tokens/s" }
	}
	if between == nil {
		return ""
	}
	return show(between[0]) + " … " + show(between[1])
}

// htmlProof is the certificate: all of it, the outer choices folded.
func htmlProof(w *webpage, ph *results.PhasePlan, feasible bool) {
	cert := &ph.Solve.Certificate
	w.heading(2, fmt.Sprintf("Where the proof stands (%s)", ph.Phase))
	w.bullets(proofLines(&ph.Solve, feasible))
	reportRules(w, cert.Rules)
	w.titled("Searches", passHeader, passRows(cert))
	for _, p := range cert.Passes {
		if len(p.Choices) == 0 {
			continue
		}
		shown := p.Choices[:min(len(p.Choices), foldedChoices)]
		w.fold(fmt.Sprintf("Outer choices: %s (%s)", p.Purpose, plural(len(p.Choices), "line")), func() {
			w.titled("Outer choices: "+p.Purpose, choiceHeader, choiceRows(shown))
			if more := len(p.Choices) - len(shown); more > 0 {
				w.paragraph(fmt.Sprintf("%s more in plan.json.", plural(more, "line")))
			}
		})
	}
	if len(cert.LeftOut) > 0 {
		w.heading(3, "What the model leaves out")
		w.bullets(cert.LeftOut)
	}
}

// foldedChoices is how many outer choices of a pass report.html lists.
const foldedChoices = 1000

// strategyWords say what the degrees of a strategy mean for this plan.
func strategyWords(p *results.Plan, ph *results.PhasePlan) []string {
	if ph.Lanes != nil {
		return lanesWords(ph)
	}
	s := &ph.Strategy
	gpus := gpusOfPlan(ph)
	var words []string
	if ofTraining(ph) {
		if s.Replicas > 1 && gpus%s.Replicas == 0 {
			words = append(words, fmt.Sprintf("DP %d: %s each work on %s of a step, a copy of the model on %s; their gradients are summed", s.Replicas, plural(s.Replicas, "replica"), plural(s.SequencesPerReplica, "sequence"), plural(gpus/s.Replicas, "GPU")))
		}
	} else if s.Replicas > 1 && gpus%s.Replicas == 0 {
		words = append(words, fmt.Sprintf("%s serve requests side by side, each with a copy of the model on %s", plural(s.Replicas, "replica"), plural(gpus/s.Replicas, "GPU")))
	}
	if s.PP > 1 {
		line := fmt.Sprintf("PP %d: the %s of a replica lie on %s, one after another", s.PP, plural(layersOf(ph), pieces(ph)), plural(s.PP, "stage"))
		if s.VirtualStages > 1 {
			line = fmt.Sprintf("PP %d: the %s of a replica lie in %s on %s, round and round", s.PP, plural(layersOf(ph), pieces(ph)), plural(s.PP*s.VirtualStages, "stage"), plural(s.PP, "rank"))
		}
		words = append(words, line)
	}
	for _, d := range []struct {
		name, means string
		degrees     results.PerStage
	}{
		{"TP", "every matrix of a layer is cut into so many parts, one a GPU", s.TP},
		{"attention DP", "the sequences are shared out over so many groups for attention", s.DPAttention},
		{"CP", "the tokens of a sequence are shared out over so many groups", s.CP},
		{"EP", "the experts of a layer are shared out over so many groups" + expertsEach(p, s.EP), s.EP},
	} {
		if !all(d.degrees, 1) {
			line := fmt.Sprintf("%s %s: %s", d.name, perStage(d.degrees), d.means)
			if !all(d.degrees, d.degrees[0]) {
				line += ", stage by stage"
			}
			words = append(words, strings.TrimSpace(line))
		}
	}
	return words
}

// expertsEach says how many of a layer's experts a group has, "" where that is not known or
// not the same everywhere.
func expertsEach(p *results.Plan, ep results.PerStage) string {
	degree, uniform := ep.Uniform()
	if p.Deployment == nil || !uniform || degree < 2 {
		return ""
	}
	experts := 0
	for _, k := range p.Deployment.Model.Kinds {
		if n := k.FFN.Experts; n > 0 && experts != 0 && n != experts {
			return ""
		} else if n > 0 {
			experts = n
		}
	}
	if experts == 0 || experts%degree != 0 {
		return ""
	}
	return fmt.Sprintf(", %s of %s each", count(experts/degree), count(experts))
}
