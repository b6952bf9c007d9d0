package lanes

import (
	"context"
	"math"
)

// Reach looks for a plan that passes at least target tokens/s, with sweeps of up to
// width states a layer; a width below 8 asks the prices alone. settled without a plan:
// there is none.
func Reach(ctx context.Context, p *Problem, target float64, width int) (plan []Range, settled bool, err error) {
	if err := p.Check(); err != nil {
		return nil, false, err
	}
	g := newGrid(p)
	f := int64(math.Ceil(math.Ldexp(target, g.shift)))
	if f < 1 || float64(f) >= math.Ldexp(1, 60) {
		return nil, f >= 1, nil // more than all machines pass together
	}
	prices, _ := g.relax(ctx, f, width >= firstWidth)
	if prices.slack(g) < 0 {
		return nil, true, nil
	}
	for w := firstWidth; w <= width && ctx.Err() == nil; w *= 8 {
		switch v, plan, _ := g.decide(ctx, prices, w); v {
		case found:
			return plan, true, nil
		case refuted:
			return nil, true, nil
		}
	}
	return nil, false, nil
}
