package laneplan

import (
	"partita/formulation/cost"
	"partita/inputs"
)

// Figures are those of one machine of a plan, times in seconds.
type Figures struct {
	Step    float64 // of one group, its share of prefill included
	Prefill float64 // of one micro-batch at the longest prompt; 0 in decode alone
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

// prefill is the time of one micro-batch of a machine, in seconds.
func (p *prices) prefill(m *Machine) float64 {
	return p.step(m.Pool, p.latencyStep(m.Sequences)).exact(m.layers(), m.First == 0, m.Last == len(p.c.Model.Layers)-1)
}

// prefill takes the number of micro-batches with the shortest time to the first token, of
// those whose activations fit. It changes nothing of the round.
func (p *Plan) prefill(c *inputs.Condition, costs *cost.Calculator) {
	p.TTFT = 0
	for micro := 1; micro <= c.Workload.Batch; micro++ {
		x := newPrices(c, costs, p.Groups, micro)
		times := make([]float64, len(p.Machines))
		slowest, fits := 0.0, true
		for i := range p.Machines {
			m := &p.Machines[i]
			times[i] = x.prefill(m)
			slowest = max(slowest, times[i])
			first, last := m.First == 0, m.Last == len(c.Model.Layers)-1
			fits = fits && x.memory(m.Pool, m.layers(), m.Sequences, first, last).Total() <= costs.Capacity(m.Pool)
		}
		if t := longest(p.Routes, times) + float64(micro-1)*slowest; fits && (p.TTFT == 0 || t < p.TTFT) {
			p.TTFT, p.Micro = t, micro
		}
	}
}
