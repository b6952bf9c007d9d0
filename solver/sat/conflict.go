package sat

import (
	"context"
	"fmt"
	"slices"

	"partita/solver"
)

// Conflict switches every group on by an assumption, takes the assumptions that the
// refutation used, and tries to leave out one after the other; what cannot be left
// out is minimal. Earlier groups are kept rather than later ones where there is a
// choice, hence order groups by what a reader should hear of first.
func (b Backend) Conflict(ctx context.Context, m *solver.Model, groups []solver.Constraint) ([]solver.Constraint, error) {
	if m.Err() != nil {
		return nil, m.Err()
	}
	if cause := unsupported(m); cause != "" {
		return nil, fmt.Errorf("sat: conflict of model %q: %s", m.Name(), cause)
	}
	eng := newEngine()
	e := b.encode(ctx, m, groups, eng.add)
	if e.f.ended {
		return nil, fmt.Errorf("sat: conflict of model %q: %w", m.Name(), context.Cause(ctx))
	}
	core := make([]lit, 0, len(groups))
	owner := make(map[lit]solver.Constraint, len(groups))
	for _, c := range groups {
		if l := e.guards[c]; owner[l] == (solver.Constraint{}) {
			owner[l] = c
			core = append(core, l)
		}
	}
	refuted := func(assumed []lit) (bool, error) {
		v := eng.solve(ctx, assumed)
		if v == unknown {
			return false, fmt.Errorf("sat: conflict of model %q: %w", m.Name(), context.Cause(ctx))
		}
		return v == unsatisfiable, nil
	}
	switch clash, err := refuted(core); {
	case err != nil:
		return nil, err
	case !clash:
		return nil, solver.ErrNoConflict
	}
	core = keep(core, eng.failed())
	for _, candidate := range slices.Backward(slices.Clone(core)) { // so that early groups stay
		i := slices.Index(core, candidate)
		if i < 0 {
			continue // a refutation since did without it
		}
		without := slices.Delete(slices.Clone(core), i, i+1)
		clash, err := refuted(without)
		if err != nil {
			return nil, err
		}
		if clash {
			core = keep(without, eng.failed())
		}
	}
	conflict := make([]solver.Constraint, len(core))
	for i, l := range core {
		conflict[i] = owner[l]
	}
	return conflict, nil
}

// keep is core without what the refutation did not use, in core's order.
func keep(core, used []lit) []lit {
	in := make(map[lit]bool, len(used))
	for _, l := range used {
		in[l] = true
	}
	out := make([]lit, 0, len(used))
	for _, l := range core {
		if in[l] {
			out = append(out, l)
		}
	}
	return out
}
