package formulation

import (
	"context"
	"slices"
)

// mostConflicts is how many conflicts that share nothing are told; a condition with more
// has to be thought over anyway.
const mostConflicts = 4

// conflicts lists minimal conflicts that share no demand, until what is in none of them
// can be met; minimal reports that all of them are proved to be minimal.
func (e *explainer) conflicts(ctx context.Context, all asks) (sets [][]int, minimal bool, err error) {
	minimal = true
	kept := all
	for len(sets) < mostConflicts {
		set, proved, err := e.conflict(ctx, kept)
		if err != nil {
			return nil, false, err
		}
		minimal = minimal && proved
		if len(set) == 0 { // nothing that could be left out is to blame
			return sets, minimal, nil
		}
		sets = append(sets, set)
		kept = kept.without(set...)
		x, err := e.meets(ctx, kept)
		if err != nil || x.yes || !x.known {
			return sets, minimal, err
		}
	}
	return sets, minimal, nil
}

// conflict finds a minimal set of demands that clash among those of the asks, which
// together cannot be met: demands are left out one after the other, and what cannot be
// met without one does not need it. The end is checked: each demand is left out once
// more, and a plan must be found.
func (e *explainer) conflict(ctx context.Context, from asks) (set []int, proved bool, err error) {
	e.opts.log("a minimal conflict")
	kept, err := e.start(ctx, from)
	if err != nil {
		return nil, false, err
	}
	// A model that cannot be placed is not the fault of wishes; of these the first stay.
	wishes, facts := e.split(kept)
	slices.Reverse(wishes)
	if kept, err = e.shrink(ctx, kept, wishes); err != nil {
		return nil, false, err
	}
	if kept, err = e.shrink(ctx, kept, facts); err != nil {
		return nil, false, err
	}
	proved = true
	for i := range e.demands {
		if kept.left[i] {
			continue
		}
		set = append(set, i)
		x, err := e.meets(ctx, kept.without(i))
		if err != nil {
			return nil, false, err
		}
		proved = proved && x.yes
	}
	return set, proved, nil
}

// shrink leaves out what is not needed of a list: all of it, or one by one.
func (e *explainer) shrink(ctx context.Context, kept asks, list []int) (asks, error) {
	if dropped, err := e.drop(ctx, &kept, list...); dropped || err != nil {
		return kept, err
	}
	for _, i := range list {
		if _, err := e.drop(ctx, &kept, i); err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// drop leaves out demands where the others cannot be met without them either.
func (e *explainer) drop(ctx context.Context, kept *asks, demands ...int) (bool, error) {
	var list []int
	for _, i := range demands {
		if !kept.left[i] {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return false, nil
	}
	less := kept.without(list...)
	x, err := e.meets(ctx, less)
	if err != nil || x.yes || !x.known {
		return false, err
	}
	*kept = less
	return true, nil
}

// split sorts the demands that are still asked: wishes say how well a placed model should
// run, facts what it is placed on and what it serves.
func (e *explainer) split(a asks) (wishes, facts []int) {
	for i, d := range e.demands {
		switch {
		case a.left[i]:
		case d.kind == asksRequirement || d.kind == asksBalance:
			wishes = append(wishes, i)
		default:
			facts = append(facts, i)
		}
	}
	return wishes, facts
}

// rest are the other demands to keep while demand i of a conflict gives way: all of them,
// or where they clash among themselves, as many as possible: the others of its conflict,
// then facts, then wishes, each as far as a plan is left. The names are of those that
// give way too.
func (e *explainer) rest(ctx context.Context, all asks, set []int, i int) (asks, []string, error) {
	x, err := e.meets(ctx, all.without(i))
	if err != nil || x.yes {
		return all, nil, err
	}
	kept := all
	kept.left = make([]bool, len(e.demands))
	for j := range kept.left {
		kept.left[j] = true
	}
	for _, j := range set {
		kept.left[j] = false
	}
	wishes, facts := e.split(all)
	if more := kept.keeping(facts...); e.yes(ctx, more.without(i), &err) {
		kept, facts = more, nil
	}
	for _, j := range append(facts, wishes...) {
		if more := kept.keeping(j); kept.left[j] && e.yes(ctx, more.without(i), &err) {
			kept = more
		}
	}
	var names []string
	for j := range e.demands {
		if kept.left[j] && !all.left[j] {
			names = append(names, e.demands[j].name)
		}
	}
	return kept, names, err
}

// yes is meets where only the answer counts; the first error stays.
func (e *explainer) yes(ctx context.Context, a asks, err *error) bool {
	x, failed := e.meets(ctx, a)
	if *err == nil {
		*err = failed
	}
	return x.yes && failed == nil
}
