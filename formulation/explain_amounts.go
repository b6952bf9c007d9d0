package formulation

import (
	"context"
	"math"
	"slices"

	"partita/inputs"
	"partita/results"
)

// nearestCount is the fewest GPUs of a pool for which a plan meets the rest.
func (e *explainer) nearestCount(ctx context.Context, rest asks, i int, x answer) ([]results.Nearest, error) {
	d := &e.demands[i]
	n := x.plan.used(len(e.base.Cluster.Pools))[d.index]
	least, proved := min(n, int(d.want)+1), true
	// Invariant: n are enough, fewer than least are not.
	for least < n && ctx.Err() == nil {
		mid := (least + n) / 2
		y, err := e.meets(ctx, rest.upTo(i, float64(mid)))
		if err != nil {
			return nil, err
		}
		if y.yes {
			x, n = y, y.plan.used(len(e.base.Cluster.Pools))[d.index]
		} else {
			least, proved = mid+1, proved && y.known
		}
	}
	return e.only(e.way(ctx, rest.with(i, float64(n)), i, float64(n), proved && least == n, x))
}

// nearestAllUsed is the largest number of GPUs that a plan which meets the rest can use.
func (e *explainer) nearestAllUsed(ctx context.Context, rest asks, i int, x answer) ([]results.Nearest, error) {
	if slices.ContainsFunc(e.base.Cluster.Pools, func(p inputs.Pool) bool { return p.Count.Unlimited() }) {
		return e.using(i, x, false), nil // no end to count down from
	}
	r, err := e.runOn(rest.without(i), at(x.batch, x.input), x.variant)
	if err != nil {
		return nil, err
	}
	plan, proved, err := r.firstOf(ctx, r.goal.idle().list)
	if err != nil || plan == nil {
		return nil, err
	}
	return e.using(i, answer{run: r, admission: admission{plan: plan}}, proved), nil
}

// using is the way out by letting GPUs stay idle: as many as a plan uses.
func (e *explainer) using(i int, x answer, proved bool) []results.Nearest {
	d := &e.demands[i]
	want, n := d.want, float64(total(x.plan.used(x.run.space.Pools())))
	return []results.Nearest{{Requirement: d.name, Unit: d.unit, Want: &want, Nearest: &n, Proved: proved, Strategy: x.run.lineOf(x.plan)}}
}

// firstOf is a plan of the first level that has one, by halving: whether one of the first n
// levels has a plan is asked. proved: the levels before it have none.
func (r *run) firstOf(ctx context.Context, list []level) (*found, bool, error) {
	if len(list) == 0 {
		return nil, false, nil
	}
	plans := make([]*found, len(list)+1)
	_, ok, proved, err := edge(1, 1, len(list), func(n int) (bool, bool, error) {
		share, cancel := part(ctx, questionShare)
		defer cancel()
		y, err := r.admitted(share, levels{list: list[:n]})
		plans[n] = y.plan
		return y.plan != nil, y.settled, err
	})
	if err != nil || !ok {
		return nil, false, err
	}
	return plans[slices.IndexFunc(plans, func(f *found) bool { return f != nil })], proved, nil
}

// mostLoads bounds the questions about a load: where rates are asked that hang on it, the
// loads that will do may be anywhere.
const mostLoads = 40

// nearestLoad is the largest number of sequences in flight, or the longest prompt, below
// the stated one for which a plan meets the rest. Halves of the stated one are tried until
// one will do; what lies above is refuted in ranges, from the top.
func (e *explainer) nearestLoad(ctx context.Context, rest asks, i int, x answer) ([]results.Nearest, error) {
	d := &e.demands[i]
	ok := e.asking(ctx, rest, i, func(n int) float64 { return float64(n) })
	b := e.boxOf(rest.without(i))
	r, best := &b.batch, x.batch
	if d.kind == asksInput {
		r, best = &b.input, x.input
	}
	for n := int(d.want) / 2; n > best; n /= 2 {
		if yes, _, err := ok(n); err != nil {
			return nil, err
		} else if yes {
			best = n
		}
	}
	open := []inputs.Range{{Min: best + 1, Max: int(d.want) - 1}}
	proved := true
	for asked := 0; len(open) > 0 && open[len(open)-1].Max > best; asked++ {
		if asked >= mostLoads || ctx.Err() != nil {
			proved = false
			break
		}
		*r = open[len(open)-1]
		open = open[:len(open)-1]
		if r.Min > r.Max {
			continue
		}
		share, cancel := part(ctx, questionShare)
		y, err := e.anyVariant(share, rest, i, b)
		cancel()
		switch {
		case err != nil:
			return nil, err
		case y.yes && r.Min == r.Max:
			best, x = r.Min, y
		case y.yes:
			mid := (r.Min + r.Max) / 2
			open = append(open, inputs.Range{Min: r.Min, Max: mid}, inputs.Range{Min: mid + 1, Max: r.Max})
		case !y.known:
			proved = false
		}
	}
	for last := best - mostSteps; ; best-- {
		w, held, err := e.way(ctx, rest.with(i, float64(best)), i, float64(best), proved, x)
		if err != nil || held || best <= max(1, last) {
			return []results.Nearest{w}, err
		}
	}
}

// anyVariant is possible in any variant.
func (e *explainer) anyVariant(ctx context.Context, rest asks, i int, b box) (answer, error) {
	known := true
	for _, v := range e.variants(rest) {
		x, err := e.possible(ctx, rest.without(i), b, v)
		if err != nil || x.yes {
			return x, err
		}
		known = known && x.known
	}
	return answer{known: known}, nil
}

// gibSteps is the resolution of a memory size: a tenth of a GiB.
const gibSteps = 10

// nearestMemory is the least memory of a GPU for which a plan meets the rest, and the
// number formats that would fit into the memory there is.
func (e *explainer) nearestMemory(ctx context.Context, rest asks, i int, x answer) ([]results.Nearest, error) {
	d := &e.demands[i]
	pool := &e.base.Cluster.Pools[d.index]
	least := int(math.Floor(d.want*gibSteps)) + 1
	most := least
	for _, pt := range x.plan.graph.Parts(x.plan.stages) {
		if pt.Pool == d.index {
			need := float64(x.run.space.Memory(x.plan.choice, pt).Total()) / pool.Utilization / gib
			most = max(most, int(math.Ceil(need*gibSteps))+1)
		}
	}
	value := func(n int) float64 { return float64(n) / gibSteps }
	n, found, proved, err := edge((least+most)/2, least, most, e.asking(ctx, rest, i, value))
	if err != nil {
		return nil, err
	}
	var out []results.Nearest
	if found {
		w, _, err := e.way(ctx, rest.with(i, value(n)), i, value(n), proved, x)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	f, ok, err := e.smallerFormat(ctx, rest, i)
	if ok {
		out = append(out, f)
	}
	return out, err
}

// smallerFormat finds the first of the usual number formats, widest first, in which the
// model fits.
func (e *explainer) smallerFormat(ctx context.Context, rest asks, i int) (results.Nearest, bool, error) {
	m := &e.base.Model
	for _, f := range []struct{ weights, kv inputs.DType }{
		{m.Weights, inputs.FP8}, {inputs.FP8, m.KV}, {inputs.FP8, inputs.FP8}, {inputs.INT4, m.KV}, {inputs.INT4, inputs.FP8},
	} {
		if f.weights.Bytes() > m.Weights.Bytes() || f.kv.Bytes() > m.KV.Bytes() || f.weights.Bytes() == m.Weights.Bytes() && f.kv.Bytes() == m.KV.Bytes() {
			continue
		}
		a := rest
		a.weights, a.kv = f.weights, f.kv
		x, err := e.meets(ctx, a)
		if err != nil {
			return results.Nearest{}, false, err
		}
		if !x.yes {
			continue
		}
		n := results.Nearest{Requirement: "precision", Proved: true}
		var parts []string
		if f.weights != m.Weights {
			parts = append(parts, "weights in "+string(f.weights))
		}
		if f.kv != m.KV {
			parts = append(parts, "the KV cache in "+string(f.kv))
		}
		n.Instead = enumerated(parts)
		n.Strategy, _, err = e.strategy(ctx, a, false)
		return n, true, err
	}
	return results.Nearest{}, false, nil
}

// nearestNodes is the smallest larger node with which a plan meets the rest.
func (e *explainer) nearestNodes(ctx context.Context, rest asks, i int) ([]results.Nearest, error) {
	d := &e.demands[i]
	wide := widerNode(e.base, d.index)
	known := true
	for n := 2 * int(d.want); ; n *= 2 {
		n = min(n, wide)
		x, err := e.meets(ctx, rest.with(i, float64(n)))
		if err != nil {
			return nil, err
		}
		if x.yes {
			return e.only(e.way(ctx, rest.with(i, float64(n)), i, float64(n), known, x))
		}
		known = known && x.known
		if n == wide {
			return nil, nil
		}
	}
}

// nearestHeads is the least padding of the heads with which a plan meets the rest.
func (e *explainer) nearestHeads(ctx context.Context, rest asks, i int) ([]results.Nearest, error) {
	known := true
	for _, degree := range padsOf(e.base) {
		a := rest.with(i, float64(degree))
		x, err := e.meets(ctx, a)
		if err != nil {
			return nil, err
		}
		if x.yes {
			heads := padded(e.base.Model, degree).Kinds[0].Attention.Heads
			return e.only(e.way(ctx, a, i, float64(heads), known, x))
		}
		known = known && x.known
	}
	return nil, nil
}

// nearestBalance is the smallest imbalance that some plan meets beside the rest.
func (e *explainer) nearestBalance(ctx context.Context, rest asks, i int, x answer) ([]results.Nearest, error) {
	v, err := x.plan.graph.Problem.Evaluate(x.plan.stages)
	if err != nil {
		return nil, err
	}
	guess := int(math.Ceil((1 - float64(v.Low[1])/float64(max(1, v.Peak[1]))) * balanceParts))
	value := func(n int) float64 { return float64(n) / balanceParts }
	n, found, proved, err := edge(guess, 1, balanceParts, e.asking(ctx, rest, i, value))
	if err != nil || !found {
		return nil, err
	}
	return e.only(e.way(ctx, rest.with(i, value(n)), i, value(n), proved, x))
}
