package formulation

import (
	"context"
	"fmt"

	"partita/formulation/cost"
	"partita/formulation/heuristic"
	"partita/inputs"
)

// byShapesAlone says what the verdict would be if the shapes of a model were right
// and its declared parameter count wrong, where the two contradict each other
// (the declared count governs: inputs.Model.FFNScale).
func (r *run) byShapesAlone(ctx context.Context, c *inputs.Condition, sol *solution) error {
	if scale := c.Model.FFNScale; scale == 1 || scale == 0 || ctx.Err() != nil {
		return nil
	}
	plain := *c
	plain.Model.FFNScale = 1
	other, err := newRunIn(r.price, &plain, Options{Backend: backendLabels})
	if err != nil {
		return err
	}
	r.opts.log("by the shapes alone")
	ctx, cancel := part(ctx, 2)
	defer cancel()
	alone, err := other.solve(ctx)
	if err != nil {
		return err
	}
	verdict := "no plan was found in the time left"
	if best := alone.final.best; best != nil {
		p, err := other.phasePlan(alone, 0)
		if err != nil {
			return err
		}
		verdict = "all requirements would be met by"
		if len(p.Requirements) == 0 {
			verdict = "the plan would be"
		}
		if len(unmet(p.Requirements)) > 0 || alone.unfit {
			verdict = "the requirements would not be met either; closest:"
		}
		proposal := heuristic.Proposal{Replicas: p.Strategy.Replicas, Parts: best.graph.Parts(best.stages)}
		verdict += " " + oneLine(&plain, proposal) + " on " + counted(p.GPUs.Used, "GPU")
		if m := p.Metrics; m.TTFTMS != nil {
			verdict += ", TTFT " + amount(*m.TTFTMS/1e3, "s")
		}
		verdict += ", " + amount(*p.Metrics.TokensPerSPerGPU, "tokens/s/GPU")
	}
	sol.reasons = append(sol.reasons, fmt.Sprintf("warning: by the shapes alone (%.3gB parameters where %.3gB are declared) %s",
		cost.Parameters(&plain.Model)/1e9, c.Model.DeclaredParams/1e9, verdict))
	return nil
}
