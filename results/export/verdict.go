package export

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/inputs"
	"partita/results"
)

// verdict is the answer in a sentence.
func verdict(r *results.Report) string {
	if r.Plan == nil {
		if r.Status == results.StatusInfeasible {
			return "Proved infeasible: no plan meets the condition, and none comes close enough to show."
		}
		return "Nothing found within the limit: neither a plan nor a proof that there is none. A longer time limit may help."
	}
	if !r.Feasible {
		if r.Status == results.StatusInfeasible {
			which := "the closest one"
			if whole := r.Plan.Whole(); whole != nil && whole.Solve.Status != "optimal" {
				which = "the closest one found in time"
			}
			return "Proved infeasible: no plan meets every requirement. The plan shown is " + which + " and must not be taken for an answer."
		}
		return "No plan that meets every requirement was found within the limit. The plan shown is the closest one found."
	}
	for _, ph := range judged(r.Plan) {
		if s := &ph.Solve; r.Status != results.StatusOptimal {
			return "Found, not proved optimal: objective " + gapLine(s) + "."
		}
	}
	line := "Proved optimal under the stated cost model"
	for i := range r.Plan.Phases {
		if loneILP(&r.Plan.Phases[i].Solve) {
			line = "Optimal under the stated cost model on lp_solve's word alone, a refuted cutoff that no other solver confirmed"
		}
	}
	if v := r.Plan.Verification; v != nil && v.OK {
		line += ", and verified"
	}
	return line + "."
}

// loneILP reports whether lp_solve is the only one to say that a plan is optimal.
// It is known to call wrong points optimal, so its word is no certificate.
func loneILP(s *results.Solve) bool {
	return s.Backend == "ilp" && !slices.ContainsFunc(s.AgreedBy, func(b string) bool { return b != s.Backend })
}

// gapLine says how far the best bound is from the objective.
func gapLine(s *results.Solve) string {
	if s.BestBound == nil {
		return figure(s.Objective) + ", no bound"
	}
	line := fmt.Sprintf("%s, no plan is below %s", figure(s.Objective), figure(*s.BestBound))
	if s.Gap != nil {
		line += fmt.Sprintf(" (gap %s)", percent(100**s.Gap))
	}
	return line
}

// proofLine says what was proved and on whose word. The closest plan to
// requirements that cannot all be met is optimal for that alone. The unit of the
// objective is said once, beside its formula.
func proofLine(s *results.Solve, feasible bool) string {
	line := ""
	switch {
	case s.Status != string(results.StatusOptimal):
		line = s.Status + ", objective " + gapLine(s)
	case feasible:
		line = "optimal, objective " + figure(s.Objective)
	default:
		line = "proved to be the closest plan, objective " + figure(s.Objective)
	}
	line += "; " + outerLine(&s.Outer)
	if s.Backend != "" {
		line += "; solved by " + s.Backend
	}
	if len(s.AgreedBy) > 1 {
		line += ", agreed by " + sentence(s.AgreedBy[1:])
	}
	if len(s.OutOfTime) > 0 {
		line += "; out of time: " + sentence(s.OutOfTime)
	}
	return line
}

// outerLine counts the outer choices of a search.
func outerLine(o *results.Outer) string {
	line := fmt.Sprintf("%s: %s solved, %s infeasible, %s pruned by a bound",
		plural(o.Solved+o.Infeasible+o.Pruned+o.Open, "outer choice"), count(o.Solved), count(o.Infeasible), count(o.Pruned))
	if o.Open > 0 {
		line += fmt.Sprintf(", %s left open", count(o.Open))
	}
	return line
}

// sentence is "a", "a and b", "a, b and c".
func sentence(items []string) string {
	line := ""
	for i, item := range items {
		switch {
		case i == 0:
		case i == len(items)-1:
			line += " and "
		default:
			line += ", "
		}
		line += item
	}
	return line
}

// gpuLine says how the GPUs used compare with those given.
func gpuLine(g *results.GPUCount) string {
	line := plural(g.Used, "GPU") + " used"
	if g.Available == nil {
		line += ", the number was ours to choose"
	} else if g.Match && g.Used < *g.Available { // a range: what it leaves is not idle
		line += fmt.Sprintf(" of at most %s", count(*g.Available))
	} else {
		line += fmt.Sprintf(" of %s given", count(*g.Available))
		switch idle := *g.Available - g.Used; {
		case idle > 0:
			line += fmt.Sprintf(", %s idle", count(idle))
		case idle < 0:
			line += fmt.Sprintf(", %s too many", count(-idle))
		}
	}
	line += fmt.Sprintf("; %s counted from the stages: ", plural(g.Parts, "part"))
	if g.Parts == g.Used {
		line += "as many as GPUs are used"
	} else {
		line += "not as many as GPUs are used"
	}
	if g.Why != "" {
		line += " (" + g.Why + ")"
	}
	return line
}

// metricRows lists the metrics that a plan has, with their intervals.
func metricRows(ph *results.PhasePlan) [][]string {
	m := &ph.Metrics
	var rows [][]string
	add := func(name string, v *float64, interval *[2]float64, show func(float64) string) {
		if v == nil {
			return
		}
		between := ""
		if interval != nil {
			between = betweenOf(show(interval[0]), show(interval[1]))
		}
		rows = append(rows, []string{name, show(*v), between})
	}
	unit := func(u string) func(float64) string {
		return func(v float64) string { return figure(v) + " " + u }
	}
	add("time to first token", m.TTFTMS, m.TTFTInterval, duration)
	add("of it the prompt by itself", m.TTFTKernelMS, nil, duration)
	add("of it waiting and the host", m.TTFTQueueMS, nil, duration)
	perToken := "time per output token"
	if ph.Phase == inputs.Prefill { // nothing is decoded: the figure decides nothing
		perToken += ", for information"
	}
	add(perToken, m.TPOTMS, m.TPOTInterval, duration)
	add("throughput", m.TokensPerS, m.TokensPerSInterval, unit("tokens/s"))
	add("throughput of each GPU", m.TokensPerSPerGPU, nil, unit("tokens/s"))
	add("output throughput", m.OutputTokensPerS, nil, unit("tokens/s"))
	add("samples", m.SamplesPerS, nil, unit("samples/s"))
	add("latency of a sample", m.SampleLatencyMS, nil, duration)
	add("whole request", m.E2EMS, m.E2EInterval, duration)
	add("step", m.StepMS, m.StepInterval, duration)
	share := func(v float64) string { return percent(math.Round(1000*v) / 10) }
	add("model FLOP utilisation (MFU)", m.MFU, nil, share)
	add("pipeline bubble", m.BubbleShare, nil, share)
	add("exchange that nothing hides", m.SyncMS, nil, duration)
	add("optimizer", m.UpdateMS, nil, duration)
	add("cost per hour", m.USDPerHour, nil, unit("USD"))
	add("cost per million tokens", m.USDPerMillion, nil, unit("USD"))
	if m.KVTokens != nil {
		tokens := float64(*m.KVTokens)
		add("KV capacity of a replica", &tokens, nil, unit("tokens"))
	}
	return rows
}

// betweenOf is an interval; a unit that both ends have is said once.
func betweenOf(low, high string) string {
	low, unit, _ := strings.Cut(low, " ")
	if high, other, _ := strings.Cut(high, " "); other == unit {
		return strings.TrimSpace(low + " … " + high + " " + unit)
	}
	return strings.TrimSpace(low+" "+unit) + " … " + high
}

// keptIn is the share of measured runs that kept such a requirement.
func keptIn(h *results.Held) string {
	if h == nil {
		return ""
	}
	return fmt.Sprintf("%s of %d", wholePercent(h.Share), h.Cases)
}

// restsOn says what the intervals of a phase rest on.
func restsOn(ph *results.PhasePlan) []string {
	var out []string
	for _, e := range ph.Metrics.Evidence {
		name := map[string]string{"ttft_ms": "time to first token", "tpot_ms": "time per output token", "e2e_ms": "whole request", "tokens_per_s": "throughput", "step_ms": "step"}[e.Metric]
		out = append(out, fmt.Sprintf("%s: %s", name, e.Says))
	}
	return out
}

// requirementRows holds each requirement against the plan.
func requirementRows(ph *results.PhasePlan) [][]string {
	rows := make([][]string, len(ph.Requirements))
	for i, q := range ph.Requirements {
		state, margin, nearest := "met", percent(q.MarginPercent), ""
		if !q.Met {
			state = "NOT MET"
			if q.MarginPercent < 0 && q.Want > 0 { // as the reasons say it: in parts of what is wanted
				side := "short"
				if q.Got > q.Want {
					side = "over"
				}
				margin = percent(100*math.Abs(q.Got-q.Want)/q.Want) + " " + side
			}
		}
		if q.Nearest != nil {
			nearest = inUnit(*q.Nearest, q.Unit)
		}
		rows[i] = []string{strings.ReplaceAll(q.Name, "_", " "), inUnit(q.Want, q.Unit), inUnit(q.Got, q.Unit), state, margin, nearest, keptIn(q.Held), q.Place}
	}
	return rows
}

// metNote says what it takes to count as met, and what is kept; empty where no requirement is
// stated, or the plan is of before margins were written down.
func metNote(list []results.RequirementResult) string {
	asked, least, held := -1.0, math.Inf(1), false
	for _, q := range list {
		if q.AskedMarginPercent == nil {
			return ""
		}
		asked, least, held = max(asked, *q.AskedMarginPercent), min(least, *q.AskedMarginPercent), held || q.Held != nil
	}
	note := ""
	switch {
	case asked < 0:
		return ""
	case asked == 0:
		note = "met: as predicted, with no margin asked"
	default:
		note = fmt.Sprintf("met: beaten by the margin asked, %s", percent(asked))
		if least < asked {
			note += "; a price as it is"
		}
	}
	if held {
		note += "; kept: share of measured runs that kept a requirement met by as much"
	}
	return note
}

// capital is a note as a sentence of its own.
func capital(note string) string { return strings.ToUpper(note[:1]) + note[1:] + "." }

// comparisonRows lists the plan first, then the heuristics in their order. Times
// differ from run to run and are not told.
func comparisonRows(p *results.Plan) [][]string {
	var rows [][]string
	for _, ph := range judged(p) {
		rows = append(rows, []string{"this plan", planLine(p, ph), figure(ph.Solve.Objective), ""})
	}
	for _, c := range p.Comparison {
		row := []string{c.Heuristic, c.Strategy, "", ""}
		if !c.Feasible {
			row[2] = "infeasible"
			if c.WhyInfeasible != "" { // beside the strategy, where text has room
				row[1] = strings.TrimPrefix(c.Strategy+": "+c.WhyInfeasible, ": ")
			}
		} else if c.Objective != nil {
			row[2] = figure(*c.Objective)
		}
		if c.GapPercent != nil {
			row[3] = percent(*c.GapPercent)
		}
		rows = append(rows, row)
	}
	return rows
}
