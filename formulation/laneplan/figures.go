package laneplan

import (
	"partita/formulation/cost"
	"partita/inputs"
)

// Figures are those of one machine of a plan, times in seconds.
type Figures struct {
	Step    float64 // of one group, its share of prefill included
	Prefill float64 // of a request's first token; 0 in decode alone
	Memory  cost.Memory
}

// FiguresOf prices a machine of a plan.
func FiguresOf(c *inputs.Condition, costs *cost.Calculator, p *Plan, m *Machine) Figures {
	x := newPrices(c, costs, p.Groups, max(1, p.Micro))
	first, last := m.First == 0, m.Last == len(c.Model.Layers)-1
	f := Figures{Step: x.exactly(m, m.Sequences), Memory: x.memory(m.Pool, m.layers(), m.Sequences, first, last)}
	if x.mixed() {
		f.Prefill = x.prefill(m)
	}
	return f
}

// prefill is the time that the first token of a request takes on a machine, in seconds.
func (p *prices) prefill(m *Machine) float64 {
	return p.first(m.Pool, m.Sequences).exact(m.layers(), m.First == 0, m.Last == len(p.c.Model.Layers)-1)
}

// mostMicro is the number of micro-batches with the fewest prompts that a step is priced for.
func mostMicro(c *inputs.Condition) int {
	return ceil(c.Workload.Batch, cost.Together(&c.Workload, c.Workload.Batch, 1))
}

// prefill takes the fewest micro-batches whose activations fit, of at most the tokens that
// a step takes. They change nothing of TTFT or the round.
func (p *Plan) prefill(c *inputs.Condition, costs *cost.Calculator) {
	budget := max(1, cost.ChunkTokens/max(1, c.Workload.Input.Max))
	most := mostMicro(c)
	for micro := min(most, ceil(c.Workload.Batch, min(budget, c.Workload.Batch))); micro <= most; micro++ {
		x := newPrices(c, costs, p.Groups, micro)
		times := make([]float64, len(p.Machines))
		fits := true
		for i := range p.Machines {
			m := &p.Machines[i]
			times[i] = x.prefill(m)
			first, last := m.First == 0, m.Last == len(c.Model.Layers)-1
			fits = fits && x.memory(m.Pool, m.layers(), m.Sequences, first, last).Total() <= costs.Capacity(m.Pool)
		}
		p.TTFT, p.Micro = longest(p.Routes, times), micro
		if fits {
			return
		}
	}
}
