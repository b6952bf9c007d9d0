package formulation

import (
	"context"
	"slices"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/results"
)

// nearestOf finds the nearest value of demand i for which a plan meets the rest, and
// other ways out that it stands for. rest has the others as they are kept.
func (e *explainer) nearestOf(ctx context.Context, rest asks, i int) ([]results.Nearest, error) {
	x, err := e.meets(ctx, rest.without(i))
	if err != nil || !x.yes {
		return nil, err
	}
	rest = e.fixed(rest, i, x)
	switch e.demands[i].kind {
	case asksRequirement:
		return e.nearestRequirement(ctx, rest, i, x)
	case asksBalance:
		return e.nearestBalance(ctx, rest, i, x)
	case asksCount:
		return e.nearestCount(ctx, rest, i, x)
	case asksAllUsed:
		return e.nearestAllUsed(ctx, rest, i, x)
	case asksBatch, asksInput:
		return e.nearestLoad(ctx, rest, i, x)
	case asksMemory:
		return e.nearestMemory(ctx, rest, i, x)
	case asksNodes:
		return e.nearestNodes(ctx, rest, i)
	case asksHeads:
		return e.nearestHeads(ctx, rest, i)
	}
	return e.dropped(ctx, rest, i)
}

// fixed takes the workload of a plan for what is asked where any would do.
func (e *explainer) fixed(rest asks, i int, x answer) asks {
	for j, d := range e.demands {
		if j == i || !rest.left[j] {
			continue
		}
		switch d.kind {
		case asksBatch:
			rest = rest.with(j, float64(x.batch))
		case asksInput:
			rest = rest.with(j, float64(x.input))
		}
	}
	return rest
}

// way is a nearest value with the plan that has it: the optimum of the condition as it
// then is, or out of time the plan at hand. value 0: the demand has no amount. held: solve
// itself finds a plan, or had no time to; a plan on the very edge of a requirement may be
// rounded off it by the ticks of an objective.
func (e *explainer) way(ctx context.Context, a asks, i int, value float64, proved bool, known answer) (w results.Nearest, held bool, err error) {
	d := &e.demands[i]
	w = results.Nearest{Requirement: d.name, Unit: d.unit, Proved: proved}
	if d.want > 0 {
		want := tidy(d.want)
		w.Want = &want
	}
	if value > 0 {
		w.Nearest = &value
	}
	if w.Strategy, held, err = e.strategy(ctx, a, d.kind == asksRequirement || d.kind == asksInput); w.Strategy == "" && err == nil && known.plan != nil {
		w.Strategy = known.run.lineOf(known.plan)
	}
	return w, held, err
}

// only is the way out by a demand that has one.
func (e *explainer) only(w results.Nearest, _ bool, err error) ([]results.Nearest, error) {
	return []results.Nearest{w}, err
}

// strategy is the best plan of what is asked, on one line; out of time, or where none is
// as even as usual, any plan. edge: the value is the best there is, so that solve itself
// must be seen to find a plan, with the least imbalance that some plan has.
func (e *explainer) strategy(ctx context.Context, a asks, edge bool) (line string, held bool, err error) {
	x, err := e.meets(ctx, a)
	if err != nil || !x.yes {
		return "", !x.known, err
	}
	f := x.plan
	share, cancel := part(ctx, questionShare)
	defer cancel()
	var sol *solution
	if edge {
		sol, err = x.run.search(share, x.counts, 0)
	} else {
		num, den, _ := x.run.balanceFloor()
		sol, err = x.run.throughLevels(share, x.counts.of(f.choice.Layout), 0, num, den)
	}
	if err != nil {
		return "", false, err
	}
	held = !edge || share.Err() != nil
	if sol != nil && sol.final.best != nil {
		f, held = sol.final.best, true
	}
	return x.run.lineOf(f), held, nil
}

// lineOf is a plan on one line: "4 replicas × PP1 × TP4 on 16 GPUs".
func (r *run) lineOf(f *found) string {
	p := heuristic.Proposal{Replicas: f.choice.Layout.Replicas, Parts: f.graph.Parts(f.stages)}
	return oneLine(r.goal.c, p) + " on " + counted(total(f.used(r.space.Pools())), "GPU")
}

// of are the levels that hold a layout: one, where the number of GPUs is decided first.
func (c levels) of(l *stagegraph.Layout) levels {
	for _, lv := range c.list {
		if slices.Contains(lv.layouts, l) {
			c.list = []level{lv}
		}
	}
	return c
}

// edge is the least n for which ok holds, found around a guess: ok holds from some number
// on. proved: it does not hold one below.
func edge(guess, least, most int, ok func(n int) (yes, known bool, err error)) (n int, found, proved bool, err error) {
	guess = min(max(guess, least), most)
	yes, _, err := ok(guess)
	if err != nil {
		return 0, false, false, err
	}
	no, at := least-1, guess // invariant: ok at at, once one is found; not ok at no, as far as known
	if !yes {
		no = guess
		for step := 1; !yes; step *= 2 {
			if no >= most {
				return 0, false, false, nil
			}
			at = min(no+step, most)
			if yes, _, err = ok(at); err != nil {
				return 0, false, false, err
			}
			if !yes {
				no = at
			}
		}
	} else {
		for step := 1; at > least; step *= 2 {
			try := max(at-step, least)
			if yes, _, err = ok(try); err != nil {
				return 0, false, false, err
			}
			if !yes {
				no = try
				break
			}
			at = try
		}
	}
	for at-no > 1 {
		mid := (at + no) / 2
		if yes, _, err = ok(mid); err != nil {
			return 0, false, false, err
		}
		if yes {
			at = mid
		} else {
			no = mid
		}
	}
	if no < least {
		return at, true, true, nil
	}
	_, known, err := ok(no)
	return at, true, known, err
}

// asking is ok of edge for the values of demand i.
func (e *explainer) asking(ctx context.Context, rest asks, i int, value func(n int) float64) func(int) (bool, bool, error) {
	seen := map[int][2]bool{}
	return func(n int) (bool, bool, error) {
		if x, ok := seen[n]; ok {
			return x[0], x[1], nil
		}
		x, err := e.meets(ctx, rest.with(i, value(n)))
		seen[n] = [2]bool{x.yes, x.known}
		return x.yes, x.known, err
	}
}

// dropped is the way out by a demand without an amount.
func (e *explainer) dropped(ctx context.Context, rest asks, i int) ([]results.Nearest, error) {
	return e.only(e.way(ctx, rest.without(i), i, 0, true, answer{}))
}
