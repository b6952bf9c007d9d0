package read

import (
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"partita/inputs"
)

// Defaults of what no input states, each listed as an assumption where it is used.
// They follow docs/condition.md.
const (
	defaultBatch       = 64   // sequences: a mid-size serving load, the order of an engine's default batch limit
	defaultInput       = 2048 // tokens: the usual prompt length of serving benchmarks
	defaultOutput      = 512  // tokens, where a requirement needs an output length
	defaultTopK        = 2    // experts a token: the gate of Mixtral and GShard
	defaultUtilization = 0.90 // share of the memory: what current engines fill by default
	defaultNode        = 8    // GPUs of a node
	defaultIntra       = 200e9
	defaultNetwork     = 25e9
	// negligible is the disagreement of declared and derived parameters that rounding explains.
	negligible = 0.02
)

// resolve turns what was stated into a condition: the catalogue fills in what a
// name stands for, defaults what nobody stated.
func (d *draft) resolve(lib library, paths []string) *inputs.Condition {
	c := &inputs.Condition{Name: d.name(paths)}
	if d.graph != nil {
		d.resolveGraph(lib, c)
		return d.finish(c, paths)
	}
	c.Model = d.resolveModel(lib)
	c.Places = inputs.Places{}
	c.Cluster = d.resolveCluster(lib, c.Model, c.Places)
	c.Goal = d.resolveGoal()
	d.checkPrices(c.Goal, c.Cluster)
	c.Workload = d.resolveWorkload(c.Goal, c.Model)
	d.checkPhase(c.Goal, c.Workload.Phase)
	c.Strategy = d.resolveStrategy(&c.Cluster, &c.Workload)
	return d.finish(c, paths)
}

// finish adds what all conditions have: statements, assumptions and their places.
func (d *draft) finish(c *inputs.Condition, paths []string) *inputs.Condition {
	c.Statements = d.ordered(paths)
	d.keepPlaces(c.Places)
	c.Assumptions = d.assumptions
	c.Warnings = d.warnings
	return c
}

// keepPlaces notes where each value is stated that is not a pool's: the pools of the
// condition have their own numbers (resolveCluster).
func (d *draft) keepPlaces(places inputs.Places) {
	for path, f := range d.facts {
		if !strings.HasPrefix(path, "cluster.") {
			places[path] = d.statements[f.statement].Place
		}
	}
}

// name is the stated name, else the base name of the first file.
func (d *draft) name(paths []string) string {
	if n, ok := get[string](d, "name"); ok {
		return n
	}
	for _, p := range paths {
		if p != "-" {
			base := filepath.Base(p)
			return strings.TrimSuffix(base, filepath.Ext(base))
		}
	}
	return "condition"
}

// ordered are the statements by file, as the files are given, and by place; those of
// the environment and of flags, which have no line, come last.
func (d *draft) ordered(paths []string) []inputs.Statement {
	order := map[string]int{}
	for i, p := range paths {
		order[p] = i - len(paths)
	}
	out := append([]inputs.Statement(nil), d.statements...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i].Place, out[j].Place
		if order[a.File] != order[b.File] {
			return order[a.File] < order[b.File]
		}
		if a.File != b.File {
			return false
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Col < b.Col
	})
	return out
}

// missing reports something that has no default. The place is the first file.
func (d *draft) missing(what, want, hint string) {
	var at inputs.Place
	if len(d.statements) > 0 {
		at.File = d.statements[0].Place.File
	}
	d.problem(at, what+" is not stated", want, hint)
}

// resolveWorkload reads the lengths, the batch and the phase.
func (d *draft) resolveWorkload(goal inputs.Goal, model inputs.Model) inputs.Workload {
	if yes, because := d.trains(); yes {
		d.checkTrainingGoal(goal, because)
		return d.resolveTraining(model, because)
	}
	d.serveTraining()
	var w inputs.Workload
	var ok bool
	if w.Batch, ok = get[int](d, "workload.batch"); !ok {
		w.Batch = defaultBatch
		d.assume("batch", fmt.Sprintf("%d sequences in flight over all replicas", w.Batch), "no batch size is stated")
	}
	sequence, total := get[inputs.Range](d, "workload.sequence")
	input, hasInput := get[inputs.Range](d, "workload.input")
	output, hasOutput := get[inputs.Range](d, "workload.output")
	switch {
	case hasInput:
		w.Input = input
	case total:
		w.Input = sequence
		d.used(d.facts["workload.sequence"].statement, "workload: input length "+inputs.FormatRange(sequence)+" tokens")
	default:
		w.Input = inputs.Range{Min: defaultInput, Max: defaultInput}
		d.assume("input length", fmt.Sprintf("%d tokens", defaultInput), "no input length is stated")
	}
	w.Output = output
	w.Phase = d.phase(goal, hasOutput)
	if w.Phase == inputs.Prefill && hasOutput {
		d.warn("the phase is prefill: the output length of %s tokens has no effect", inputs.FormatRange(output))
		w.Output = inputs.Range{}
	}
	if w.Phase != inputs.Prefill && !hasOutput {
		w.Output = inputs.Range{Min: defaultOutput, Max: defaultOutput}
		d.assume("output length", fmt.Sprintf("%d tokens", defaultOutput), "no output length is stated, and "+d.needsOutput(goal))
	}
	w.PrefixCacheHit, _ = get[float64](d, "workload.prefix_cache_hit")
	if w.Phase == inputs.Decode && w.PrefixCacheHit > 0 {
		d.warn("the phase is decode: a share of the prompts in the cache has no effect")
		w.PrefixCacheHit = 0
	}
	w.Speculative = d.speculative(w.Phase)
	if total && hasInput {
		d.checkSequence(sequence, w)
	}
	if longest := w.Input.Max + w.Output.Max; model.MaxContext > 0 && longest > model.MaxContext {
		d.warn("sequences reach %d tokens, the model's context is %d: quality beyond it is not this program's concern, memory and time are", longest, model.MaxContext)
	}
	return w
}

// defaultDraftCost is what proposing a token takes of a decode step: a draft of a tenth of
// the model's weights, which decoding reads.
const defaultDraftCost = 0.1

// mostDraft is a guard against typing errors: drafts have a few tokens.
const mostDraft = 64

// speculative reads speculative decoding, where a draft is stated.
func (d *draft) speculative(phase inputs.Phase) inputs.Speculative {
	const tokens, acceptance, cost = "workload.speculative.draft_tokens", "workload.speculative.acceptance", "workload.speculative.draft_cost"
	var s inputs.Speculative
	var ok bool
	if s.DraftTokens, ok = get[int](d, tokens); !ok {
		for _, path := range []string{acceptance, cost} {
			if d.has(path) && !d.told(tokens) {
				d.problem(d.place(path), "speculative decoding without its number of proposed tokens", tokens, "state how many tokens the draft proposes a step")
				break
			}
		}
		return s
	}
	if s.Acceptance, ok = get[float64](d, acceptance); !ok && !d.told(acceptance) {
		d.problem(d.place(tokens), "speculative decoding without an acceptance", acceptance+": 0.7", "measure it on your own texts: it decides whether a draft pays")
	}
	if s.DraftCost, ok = get[float64](d, cost); !ok {
		s.DraftCost = defaultDraftCost
		d.assume("cost of proposing a token", inputs.FormatShare(s.DraftCost)+" of a decode step", "no draft_cost is stated")
	}
	if phase == inputs.Prefill {
		d.warn("the phase is prefill: speculative decoding has no effect")
		return inputs.Speculative{}
	}
	return s
}

// checkSequence holds a range of whole sequences against stated input and output lengths.
func (d *draft) checkSequence(sequence inputs.Range, w inputs.Workload) {
	low, high := w.Input.Min+w.Output.Min, w.Input.Max+w.Output.Max
	stated := d.facts["workload.sequence"].statement
	if high < sequence.Min || low > sequence.Max {
		d.problem(d.place("workload.sequence"), fmt.Sprintf("sequence length %s does not contain input + output = %s tokens (%s)",
			inputs.FormatRange(sequence), inputs.FormatRange(inputs.Range{Min: low, Max: high}), d.place("workload.input")),
			"lengths that agree", "correct one of the statements")
		return
	}
	d.used(stated, "checked: input + output lie within; the stated input and output lengths decide")
	if high < sequence.Max {
		d.warn("sequences may reach %d tokens (%s), the stated input and output add up to %d: memory and times are for the latter",
			sequence.Max, d.place("workload.sequence"), high)
	}
}

// phase is what the deployment does: as stated, mixed where output is generated.
func (d *draft) phase(goal inputs.Goal, hasOutput bool) inputs.Phase {
	if p, ok := get[inputs.Phase](d, "workload.phase"); ok {
		return p
	}
	if hasOutput || d.needsOutput(goal) != "" {
		d.assume("phase", string(inputs.Mixed), "an output length or a requirement on the output is stated: prefill and decode share the GPUs")
		return inputs.Mixed
	}
	d.assume("phase", string(inputs.Prefill), "no output length is stated: prefill decides, decode is for information")
	return inputs.Prefill
}

// needsOutput says why an output length is needed, "" where it is not.
func (d *draft) needsOutput(goal inputs.Goal) string {
	if p, ok := get[inputs.Phase](d, "workload.phase"); ok && p != inputs.Prefill {
		return "the phase is " + string(p)
	}
	for _, r := range goal.Requirements {
		switch r.Kind {
		case inputs.TPOT, inputs.OutputPerSecond, inputs.OutputPerSGPU, inputs.EndToEnd:
			return "the requirement " + string(r.Kind) + " is about the output"
		}
	}
	return ""
}

// resolveGoal reads the requirements and the objective.
func (d *draft) resolveGoal() inputs.Goal {
	g := inputs.Goal{Objective: inputs.Balanced, LatencyWeight: 1, ThroughputWeight: 1}
	for _, r := range requirements() {
		f, ok := d.facts[r.path()]
		b, isBound := f.value.(bound)
		if ok && isBound && !b.None {
			s := d.statements[f.statement]
			g.Requirements = append(g.Requirements, inputs.Requirement{Kind: r.kind, Value: b.Value, Place: s.Place, Text: s.Text})
		}
	}
	objective, stated := get[inputs.ObjectiveKind](d, "goal.objective")
	if p, ok := get[inputs.PlacementKind](d, "goal.placement"); ok && p != inputs.Pipeline {
		g.Placement = p
	}
	switch {
	case stated:
		g.Objective = objective
	case g.Placement == inputs.Lanes:
		g.Objective, stated = inputs.Throughput, true
		d.assume("objective", "throughput", "no objective is stated, and lanes are for throughput")
	}
	latency, hasLatency := get[float64](d, "goal.weights.latency")
	throughput, hasThroughput := get[float64](d, "goal.weights.throughput")
	if hasLatency || hasThroughput {
		if hasLatency {
			g.LatencyWeight = latency
		}
		if hasThroughput {
			g.ThroughputWeight = throughput
		}
		if stated && g.Objective != inputs.Balanced {
			d.warn("the weights have no effect: the objective is %s, not balanced", g.Objective)
		}
		if g.LatencyWeight+g.ThroughputWeight == 0 {
			d.problem(d.place("goal.weights.latency"), "both weights are 0", "one weight above 0", "")
		}
	} else if !stated {
		if yes, _ := d.trains(); yes {
			d.assume("objective", "the shortest step", "no objective is stated")
		} else {
			d.assume("objective", "balanced, equal weights", "no objective is stated")
		}
	}
	if v, ok := get[float64](d, "goal.balance"); ok {
		g.Balance = &v
	}
	if v, ok := get[float64](d, "goal.margin"); ok {
		g.Margin = &v
	}
	g.AllowIdle, _ = get[bool](d, "goal.allow_idle")
	return g
}

// checkPrices asks for the price of every pool where the goal is about cost: there is
// no price to assume.
func (d *draft) checkPrices(g inputs.Goal, c inputs.Cluster) {
	at, why := d.place("goal.objective"), "the objective is the cost"
	if g.Objective != inputs.Cost {
		why = ""
	}
	for _, r := range g.Requirements {
		if r.Kind == inputs.CostUSDPerHour {
			at, why = r.Place, "a cost is required"
		}
	}
	for _, p := range c.Pools {
		if why != "" && p.USDPerHour <= 0 {
			d.problem(at, fmt.Sprintf("%s, the price of pool %q is not known", why, p.Name), "US dollars an hour of one GPU", "state usd_per_hour, `**Price**: $2.50/h`, or --set cluster.usd_per_hour=2.5")
		}
	}
}

// checkPhase refuses requirements that the stated phase has no figure for.
func (d *draft) checkPhase(g inputs.Goal, phase inputs.Phase) {
	for _, r := range g.Requirements {
		switch {
		case r.Kind == inputs.SamplesPerS:
			d.problem(r.Place, "requirement samples_per_s: a model of layers serves tokens", "throughput in tokens/s", "samples are those of an operator graph (model.graph)")
		case r.Kind == inputs.StepTime && phase != inputs.Training:
			d.problem(r.Place, "requirement step_time: serving has no training step", "a requirement of serving", "or state workload.phase: training")
		case phase == inputs.Decode && r.Kind == inputs.TTFT:
			d.problem(r.Place, "decode alone has no first token: requirement ttft", "tpot", "or state the phase mixed")
		case phase == inputs.Prefill && slices.Contains([]inputs.RequirementKind{inputs.TPOT, inputs.OutputPerSecond, inputs.OutputPerSGPU}, r.Kind):
			d.problem(r.Place, "prefill alone generates no tokens: requirement "+string(r.Kind), "ttft or throughput", "or state an output length with the phase mixed")
		}
	}
}
