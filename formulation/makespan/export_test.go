package makespan

import (
	"context"
	"math"

	"partita/inputs/opgraph"
)

// Stopped searches all ideals of a graph for a number of steps, and returns the value
// found, +Inf if none, and the bound it stopped with.
func Stopped(g *opgraph.Graph, steps int64) (value, bound float64) {
	ctx := context.Background()
	order, _ := g.Topological()
	p := reduce(g, order)
	if len(p.items) == 0 { // nothing takes time; Solve sees that before it searches
		return 0, 0
	}
	t := newTails(p)
	t.paths(ctx, p)
	s := newSearch(ctx, p, t)
	s.limit = steps
	bound = s.run(p.ideals(ctx, 1000), 0)
	if s.last == nil {
		return math.Inf(1), min(bound, s.best)
	}
	if value, err := Evaluate(g, s.devices()); err == nil {
		return value, min(bound, value)
	}
	return math.NaN(), math.NaN()
}
