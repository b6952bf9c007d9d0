package formulation

import (
	"fmt"
	"strings"

	"partita/formulation/encode"
	"partita/solver"
)

// notes writes at the head of a model what it is a model of, how its values translate,
// and what its variables and rows mean.
func (m *OuterModel) notes(im *solver.Model, d *encode.Decoder, o encode.ModelOptions) {
	im.Note("One outer choice: %s.", m.Outer())
	im.Note("%s", m.standing())
	switch {
	case o.Feasibility && o.AtMost != nil:
		im.Note("The question: is there a plan with J ≤ %d?", *o.AtMost)
	case o.Feasibility:
		im.Note("The question: is there a plan?")
	case m.x.pass.anyPlan:
		im.Note("No plan meets the condition, so there is no value to minimise.")
	}
	if !m.x.pass.anyPlan {
		im.Note("J is in ticks; J times %.17g is %s.", m.TickValue, m.meaning())
		if !o.Feasibility && o.AtMost != nil {
			im.Note("Only plans with J ≤ %d are admitted.", *o.AtMost)
		}
	}
	tick := m.TickSeconds()
	if m.x.space.Prefills() {
		im.Note("A tick of phase 0, which TTFT is made of, is %.9g s.", tick[0])
	}
	im.Note("A tick of phase 1, which the round is made of, is %.9g s. Times of stages are rounded up.", tick[1])
	if m.Slack > 0 {
		im.Note("Requirements are loosened by a share of %g: whole ticks put the only plans on the edge of one.", m.Slack)
	}
	im.Note("stage_A_B_POOL_tpT = 1: a stage of every replica runs layers A to B (from 0, both included) on GPUs of the pool with TP T;")
	im.Note("  cp, dpa, ep: its other degrees; then_POOL: where the next stage runs, where sends are charged by that.")
	if o.Ordered {
		im.Note("T_p_from_t: the longest stage of phase p takes t ticks or more. v_i: a stage begins at node i.")
	} else {
		im.Note("T_p: time of the longest stage of phase p.%s B: time of the shortest stage of phase 1.", map[bool]string{true: " D_p_l: time of the stage that holds layer l."}[o.Sparse])
	}
	im.Note("Rows, by the beginning of their names (numbers as in docs/formulation.md):")
	for _, g := range d.Groups {
		im.Note("  %s %s: %s", equation(g.Name), g.Name, g.Sentence)
	}
	for i, what := range m.problem().Resources() {
		im.Note("  resource %d: %s, of one replica", i, what)
	}
}

// equation is the number of a condition in docs/formulation.md.
func equation(label string) string {
	switch {
	case label == "path":
		return "(1)"
	case label == "count" || strings.HasPrefix(label, "packing"):
		return "(2)"
	case label == "balance":
		return "(3)"
	case label == "limit" || label == "cap":
		return "(4)"
	case label == "stages":
		return "(6)"
	}
	return "(5)"
}

// Outer is the outer choice in words.
func (m *OuterModel) Outer() string {
	var gpus []string
	for k, n := range m.GPUs {
		if n > 0 {
			gpus = append(gpus, fmt.Sprintf("%d %s", n, m.x.space.Condition.Cluster.Pools[k].Name))
		}
	}
	if last := len(gpus) - 1; last > 0 {
		gpus = []string{strings.Join(gpus[:last], ", ") + " and " + gpus[last]}
	}
	text := counted(m.Replicas, "replica") + " of "
	if !m.Exactly {
		text += "at most "
	}
	text += gpus[0] + " GPUs"
	if m.Replicas > 1 {
		text += " each"
	}
	if m.TotalGPUs != nil {
		text += fmt.Sprintf(", %d together", *m.TotalGPUs)
	}
	if m.OneHost {
		text += " on one host"
	}
	if m.Case != "" {
		text += ", " + m.Case
	}
	if m.MicroBatches > 0 {
		text += ", " + counted(m.MicroBatches, "prefill micro-batch")
	}
	if m.DecodeGroups > 0 {
		text += ", " + counted(m.DecodeGroups, "decode group")
	}
	return strings.ReplaceAll(text, "batchs", "batches")
}

// standing is what is known of the outer choice.
func (m *OuterModel) standing() string {
	switch {
	case m.Final && m.Proved:
		return fmt.Sprintf("The proved optimum of the condition is one of its plans: J = %d.", *m.Optimum)
	case m.Final:
		return fmt.Sprintf("The best plan known is one of its plans, J = %d; time ended before it was proved the optimum.", *m.Optimum)
	case m.Optimum != nil && m.Proved:
		return fmt.Sprintf("Its optimum is J = %d (proved); other outer choices have a better one, or the same.", *m.Optimum)
	case m.Optimum != nil:
		return fmt.Sprintf("A plan with J = %d is known.", *m.Optimum)
	case m.Proved:
		return "It has no plan (proved)."
	}
	return "The best plan of the condition is not one of its plans, or there is none."
}

// meaning is the objective in words.
func (m *OuterModel) meaning() string {
	g := m.x.goal
	c := "seconds per token of the deployment"
	if g.perGPU {
		c = "GPU-seconds per token"
	}
	switch m.Purpose {
	case forLatency:
		return "the latency of a request, TTFT + (output − 1)·TPOT, in seconds; of equal plans the search takes the one with the higher throughput"
	case forThroughput:
		return c + "; of equal plans the search takes the one with the lower TTFT"
	}
	wl, wc := g.weights()
	return fmt.Sprintf("%g·ℓ/ℓ* + %g·c/c*: ℓ the latency of a request, ℓ* = %.9g s, and c %s, c* = %.9g", wl, wc, m.BestAlone[0], c, m.BestAlone[1])
}
