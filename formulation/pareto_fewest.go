package formulation

import (
	"context"
	"slices"

	"partita/solver"
	"partita/solver/path"
)

// fewest gives each vertex the plan with the fewest GPUs among those of its place. Where
// idle GPUs are allowed the metrics leave that open: a stage that does not set the pace
// may have more GPUs than it needs.
func (x *prospect) fewest(ctx context.Context) error {
	if !x.goal.c.Goal.AllowIdle {
		return nil
	}
	for _, v := range x.front {
		if err := x.fewestOf(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (x *prospect) fewestOf(ctx context.Context, v *vertex) error {
	best := 0
	for _, pt := range v.graph.Parts(v.stages) {
		best += pt.Shape.GPUs() * v.choice.Layout.Replicas
	}
	for i, l := range x.pass.layouts {
		if l.Exact && x.gpus(l) >= best || x.costOf(l) > v.at[2] {
			continue
		}
		var choices []*frontNode
		x.visit(&frontNode{first: i, last: i}, func(fl *floors, k, j int, low spot) {
			if low.covers(v.at) {
				choices = append(choices, &frontNode{first: i, last: i, choice: fl.choice(k, j), low: low})
			}
		})
		for _, n := range choices {
			if ctx.Err() != nil {
				return nil // the place is proved; that its GPUs are the fewest is not asked for then
			}
			g := x.build(n.choice)
			x.capLatency(g.Problem)
			p := *g.Problem
			x.boundLatency(&p, v.at[0])
			p.Limit[1] = min(p.Limit[1], v.at[1]/x.counted(l))
			p.Weight = [2]int64{}
			p.Options = feesByGPU(p.Options)
			cutoff := int64((best-1)/l.Replicas) + 1
			r, err := x.prove(ctx, &p, path.Options{Cutoff: &cutoff})
			if err != nil {
				return err
			}
			if r.Status == solver.Optimal {
				best = int(r.Value.Objective) * l.Replicas
				f := foundBy(n.choice, g, r)
				f.ticks, f.value = v.ticks, v.value
				v.found = f
			}
		}
	}
	return nil
}

// feesByGPU makes every option cost what it takes of its resource: GPUs.
func feesByGPU(classes [][]path.Option) [][]path.Option {
	out := make([][]path.Option, len(classes))
	for i, options := range classes {
		out[i] = slices.Clone(options)
		for j := range out[i] {
			out[i][j].Fee = int64(out[i][j].Units)
		}
	}
	return out
}
