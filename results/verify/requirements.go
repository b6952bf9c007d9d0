package verify

import (
	"fmt"
	"math"

	"partita/inputs"
	"partita/results"
)

// defaultMargin is the share by which a requirement must be beaten where our own
// efficiency constants price the plan (inputs.Goal.Margin).
const defaultMargin = 0.10

// unitFactor converts the units that a plan may state a requirement in to seconds,
// tokens/s and US dollars an hour.
var unitFactor = map[string]float64{
	"s": 1, "ms": 1e-3, "tokens/s": 1, "tokens/ms": 1e3, "tokens/s/GPU": 1, "tokens/ms/GPU": 1e3, "USD/h": 1, "samples/s": 1,
}

// unitsOf names the units that fit a kind of requirement.
func unitsOf(k inputs.RequirementKind) []string {
	switch k {
	case inputs.TTFT, inputs.TPOT, inputs.EndToEnd, inputs.StepTime:
		return []string{"s", "ms"}
	case inputs.CostUSDPerHour:
		return []string{"USD/h"}
	case inputs.SamplesPerS:
		return []string{"samples/s"}
	case inputs.TokensPerSGPU, inputs.OutputPerSGPU:
		return []string{"tokens/s/GPU", "tokens/ms/GPU", "tokens/s", "tokens/ms"}
	}
	return []string{"tokens/s", "tokens/ms"}
}

// of is the recomputed metric that a requirement bounds; NaN where it does not
// apply.
func (f *figures) of(k inputs.RequirementKind) float64 {
	switch k {
	case inputs.TTFT:
		return f.ttft
	case inputs.TPOT:
		return f.tpot
	case inputs.TokensPerSecond:
		return f.tokens
	case inputs.TokensPerSGPU:
		return f.tokensPerGPU
	case inputs.OutputPerSecond:
		return f.output
	case inputs.OutputPerSGPU:
		return f.outputPerGPU
	case inputs.CostUSDPerHour:
		return f.usdPerHour
	case inputs.EndToEnd:
		return f.e2e
	case inputs.SamplesPerS:
		return f.samples
	case inputs.StepTime:
		return f.step
	}
	return math.NaN()
}

// margin is the share by which a requirement must be beaten: as stated, else 0
// where every pool's utilisation is stated, of compute and bandwidth, else the default.
func (a *audit) margin() float64 {
	if a.cond.Goal.Margin != nil {
		return *a.cond.Goal.Margin
	}
	if a.cond.Model.Graph != nil {
		if a.exactCosts {
			return 0
		}
		return defaultMargin
	}
	for _, p := range a.cond.Cluster.Pools {
		if e := p.Accelerator.Efficiency; e == nil || e.Compute <= 0 || e.Bandwidth <= 0 {
			return defaultMargin
		}
	}
	return 0
}

// checkRequirements judges each requirement of the condition anew and compares
// the verdict with the plan's own line on it.
func (a *audit) checkRequirements(f figures) {
	margin := a.margin()
	taken := make([]bool, len(a.phase.Requirements))
	for i := range a.cond.Goal.Requirements {
		q := &a.cond.Goal.Requirements[i]
		a.checkRequirement(q, a.lineOf(q, taken), f.of(q.Kind), margin)
	}
	for i, used := range taken {
		if !used {
			r := &a.phase.Requirements[i]
			a.list.add(ruleRequirement(r.Name), false, "a requirement of the condition", fmt.Sprintf("%q, which the condition does not make", r.Name))
		}
	}
}

// lineOf finds the plan's line on a requirement: same kind, same value if there
// are several of the kind; nil where there is none.
func (a *audit) lineOf(q *inputs.Requirement, taken []bool) *results.RequirementResult {
	best := -1
	for i := range a.phase.Requirements {
		r := &a.phase.Requirements[i]
		if taken[i] || r.Name != string(q.Kind) {
			continue
		}
		if equal(r.Want*unitFactor[r.Unit], q.Value) {
			best = i
			break
		}
		if best < 0 {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	taken[best] = true
	return &a.phase.Requirements[best]
}

func (a *audit) checkRequirement(q *inputs.Requirement, line *results.RequirementResult, got, margin float64) {
	if q.Kind == inputs.CostUSDPerHour {
		margin = 0 // a price is known, not predicted: there is no error to allow for
	}
	rule := ruleRequirement(string(q.Kind))
	units := unitsOf(q.Kind)
	sign := "≥"
	if q.Kind.Upper() {
		sign = "≤"
	}
	want := fmt.Sprintf("%s %s %s, beaten by %s %%", sign, number(q.Value), units[0], number(margin*100))
	if math.IsNaN(got) {
		a.list.waiveIf(a.opts.Closest, rule, false, want, "cannot be judged: it does not apply to this phase, or a price is not known")
		return
	}
	beats := results.MarginPercent(q.Kind.Upper(), q.Value, got)
	met := meets(q.Kind.Upper(), q.Value, got, margin)
	verdict := fmt.Sprintf("%s %s, margin %s %%", number(got), units[0], number(beats))
	if line == nil {
		a.list.add(rule, false, want, verdict+"; the plan has no line on it")
		return
	}
	if onEdge(q.Kind.Upper(), q.Value, got, margin) {
		met = line.Met // searches tell apart less than the tolerance
	}
	lie := a.lineWrong(q, line, units, got, met, beats)
	if asked := line.AskedMarginPercent; lie == "" && asked != nil && !equal(*asked, 100*margin) {
		lie = fmt.Sprintf("asked margin %s %%", exact(*asked))
	}
	if lie != "" {
		a.list.add(rule, false, want, verdict+"; the plan states it wrong: "+lie)
		return
	}
	if !met {
		verdict += ": not met"
	}
	a.list.waiveIf(a.opts.Closest, rule, met, want, verdict)
}

// meets: an upper bound is met at want·(1-margin) or below, a lower one where the
// metric times (1-margin) reaches it; equality up to the tolerance is enough.
func meets(upper bool, want, got, margin float64) bool {
	if upper {
		return got <= want*(1-margin)*(1+tolerance)
	}
	return got*(1-margin)*(1+tolerance) >= want
}

// onEdge reports whether the tolerance decides if a requirement is met.
func onEdge(upper bool, want, got, margin float64) bool {
	return meets(upper, want, got*(1-2*tolerance), margin) != meets(upper, want, got*(1+2*tolerance), margin)
}

// marginTolerance is in percentage points: a margin near 0 has no relative size.
const marginTolerance = 100 * tolerance

// lineWrong says what is wrong with the plan's own line; empty where nothing is.
func (a *audit) lineWrong(q *inputs.Requirement, r *results.RequirementResult, units []string, got float64, met bool, beats float64) string {
	fits := false
	for _, u := range units {
		fits = fits || r.Unit == u
	}
	factor := unitFactor[r.Unit]
	switch {
	case !fits:
		return fmt.Sprintf("unit %q", r.Unit)
	case !equal(r.Want*factor, q.Value):
		return fmt.Sprintf("want %s %s", exact(r.Want), r.Unit)
	case !equal(r.Got*factor, got):
		return fmt.Sprintf("got %s %s", exact(r.Got), r.Unit)
	case r.Met != met:
		return fmt.Sprintf("met %t", r.Met)
	case !(math.Abs(r.MarginPercent-beats) <= marginTolerance*max(1, math.Abs(beats)/100)):
		return fmt.Sprintf("margin %s %%", exact(r.MarginPercent))
	}
	return ""
}
