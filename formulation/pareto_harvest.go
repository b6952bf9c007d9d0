package formulation

import (
	"context"
	"math"

	"partita/formulation/stagegraph"
	"partita/solver"
	"partita/solver/path"
)

// capLatency states the end-to-end requirement in the units of ℓ, which are exact
// here, in place of the bound that build rounds to weights of its own.
func (x *prospect) capLatency(p *path.Problem) {
	lim, _ := x.goal.limits(x.goal.hourly(x.pass.layouts[0]), x.pass.slack, x.pass.without...)
	p.Cap = nil
	if !math.IsInf(lim.endToEnd, 1) {
		x.boundLatency(p, tickLimit(lim.endToEnd, x.unit))
	}
}

// boundLatency asks for ℓ of at most so many ticks.
func (x *prospect) boundLatency(p *path.Problem, most int64) { p.AtMost(x.weight, most) }

// harvest enters all plans of a choice that no vertex covers. What vertices cover is cut
// off as the search goes, those that it finds included.
func (x *prospect) harvest(ctx context.Context, n *frontNode, g *stagegraph.Graph) error {
	by := x.counted(n.choice.Layout)
	t := path.Trade{
		Problem: g.Problem, Solve: x.prove, LowJ: n.low[0], LowF: n.low[1] / by,
		Limit: func(ticks int64) int64 {
			if c := x.front.least(1, spot{ticks, 0, n.low[2]}); c < path.NoLimit {
				return upTo(c, by) - 1
			}
			return path.NoLimit
		},
		Cutoff: func(int64) int64 { return x.front.least(0, n.low) },
		Found:  func(r path.Result) { x.enter(foundBy(n.choice, g, r)) },
	}
	rest, err := t.Run(ctx)
	if err != nil {
		return err
	}
	n.low[0] = max(n.low[0], rest.LowJ)
	if rest.Status != solver.Optimal {
		x.leave(n)
		return nil
	}
	x.ledger.harvested(n.choice, n.low)
	return nil
}

// foundBy keeps a path with all that makes a plan of it.
func foundBy(ch stagegraph.Choice, g *stagegraph.Graph, r path.Result) *found {
	return &found{choice: ch, graph: g, stages: r.Stages}
}

// enterChecked adds a plan that was found without the requirements and some of the rules,
// where it keeps them: a first plan bounds what is worth looking for.
func (x *prospect) enterChecked(ch stagegraph.Choice, g *stagegraph.Graph, r path.Result) {
	if _, broken := x.space.Breaks(ch); broken {
		return
	}
	own := x.build(ch)
	x.capLatency(own.Problem)
	stages, ok := own.Path(g.Parts(r.Stages))
	if !ok {
		return // a stage of it is no candidate here
	}
	if _, err := own.Problem.Evaluate(stages); err == nil {
		x.enter(&found{choice: ch, graph: own, stages: stages})
	}
}

// enter adds a plan to the front, unless a vertex covers it.
func (x *prospect) enter(f *found) {
	v := f.graph.Problem.Value(f.stages)
	f.ticks = x.weight[0]*v.Metric[0] + x.weight[1]*v.Metric[1]
	f.value = float64(f.ticks) * x.unit
	l := f.choice.Layout
	at := spot{f.ticks, times(v.Metric[1], x.counted(l)), x.costOf(l)}
	x.front.add(&vertex{found: f, at: at})
}

// proved reports whether no open node can hold a plan that beats a vertex.
func (x *prospect) proved(v *vertex) bool {
	for _, n := range x.open {
		if n.low.covers(v.at) && n.low != v.at {
			return false
		}
	}
	return true
}
