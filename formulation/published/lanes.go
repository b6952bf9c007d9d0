package published

import (
	"context"

	"partita/formulation/lanes"
	"partita/inputs/instance"
	"partita/results"
)

// solveLanes answers a chain where several machines may serve the same layers.
func solveLanes(ctx context.Context, c *instance.Chain, o Options, a *answer) error {
	if err := o.only(a.Goal, Labels); err != nil {
		return err
	}
	reached, note, optimum := 0.0, "", 0.0
	if c.Recorded != nil {
		reached, note = c.Recorded.Value, c.Recorded.Note
	}
	if c.GeneralLower > 0 && c.GeneralUpper <= c.GeneralLower*(1+1e-9) {
		optimum = c.GeneralLower
	}
	a.known(reached, note, optimum)
	p := &lanes.Problem{Layers: c.Layers}
	for _, m := range c.Machines {
		p.Types = append(p.Types, lanes.Type{Name: m.Type, Count: m.Count, Throughput: m.Throughput})
	}
	r, err := lanes.Solve(ctx, p)
	if err != nil {
		return err
	}
	a.Backend, a.status, a.Because = Labels, r.Status, r.Because
	if r.Plan != nil {
		a.found(lanesSolution(p, r.Plan), r.Value)
	}
	a.bounded(r.Bound)
	return nil
}

// lanesSolution is a plan in the numbers of the chain, with who hands over to whom.
func lanesSolution(p *lanes.Problem, plan []lanes.Range) *results.PlacedSolution {
	out := &results.PlacedSolution{}
	used := make([]int, len(p.Types))
	for _, m := range plan {
		out.Stages = append(out.Stages, results.PlacedStage{FirstLayer: m.First, LastLayer: m.End() - 1,
			Machine: p.Types[m.Type].Name, Index: used[m.Type], TokensPerS: p.Throughput(m)})
		used[m.Type]++
	}
	for _, r := range p.Routes(plan) {
		out.Routes = append(out.Routes, results.PlacedRoute{From: r.From, To: r.To, TokensPerS: r.TokensPerS})
	}
	return out
}
