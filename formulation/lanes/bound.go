package lanes

import "context"

// bound is the largest throughput that prices do not refute, in ticks: everything above
// it is out of reach. Where ctx ends first it is what was refuted until then.
func (g *grid) bound(ctx context.Context) int64 {
	low, high := int64(0), g.most() // high is refuted
	leap := false
	for high-low > 1 && ctx.Err() == nil {
		f := low + (high-low)/2
		if leap {
			f = low + 1
		}
		p, reached := g.relax(ctx, f, false)
		if p.slack(g) < 0 {
			high = f
			leap = false
			continue
		}
		low = min(reached, high-1)
		// What can be reached changes only where a pattern falls short of f, so low,
		// which is what a pattern passes, is often the end: try the next tick.
		leap = !leap && float64(high-low) < 1e-3*float64(low)
	}
	return high - 1
}
