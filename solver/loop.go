package solver

import (
	"context"
	"strings"
)

// loop is the state of one Solve. Objectives inside it are turned so that less is
// better: sign · objective.
type loop struct {
	m       *Model
	b       Backend
	opts    Options
	session Session // nil: raw calls
	result  Result

	sign   int64
	beat   int64 // values < beat are wanted
	hasTop bool  // beat means something
	low    int64 // no point is better than low
	hasLow bool
	step   int64 // how far below beat the next probe goes, see next
}

func (l *loop) run(ctx context.Context) error {
	if _, clash := l.m.Contradiction(); clash {
		l.finish(Infeasible)
		l.result.RawStatus = "a row without variables cannot hold"
		return nil
	}
	l.begin()
	if l.met() {
		l.close(Infeasible)
		return nil
	}
	if inc, ok := l.b.(Incremental); ok && ctx.Err() == nil {
		session, err := inc.Start(ctx, l.m)
		if err != nil {
			if ctx.Err() != nil {
				l.finish(ContextStatus(ctx))
				return nil
			}
			return err
		}
		if session != nil {
			defer session.Close()
			l.session = session
		}
	}
	for {
		done, err := l.round(ctx)
		if done || err != nil {
			return err
		}
	}
}

// begin sets the sense, the bound that the domains give, the cutoff and the hint.
func (l *loop) begin() {
	obj := l.m.objective
	l.sign, l.step = 1, 1
	if obj.Sense == Max {
		l.sign = -1
	}
	if obj.Sense != NoObjective {
		l.low, l.hasLow = l.domainBound(obj)
		if l.opts.Cutoff != nil {
			// Every objective lies within ±headroom, so a wilder cutoff means the same.
			cutoff := min(max(*l.opts.Cutoff, -headroom-1), headroom+1)
			l.beat, l.hasTop = l.sign*cutoff, true
		}
	}
	if l.opts.Hint != nil {
		value, violations := l.m.Check(l.opts.Hint)
		if len(violations) == 0 && (!l.hasTop || l.sign*value < l.beat) {
			l.accept(l.opts.Hint, value)
		}
	}
}

// domainBound is the least sign·objective that the domains allow.
func (l *loop) domainBound(obj Objective) (int64, bool) {
	low := l.sign * obj.Constant
	for _, t := range obj.Terms {
		d, c := l.m.domains[t.Var], l.sign*t.Value
		end := d.Lo
		if c < 0 {
			end = d.Hi
		}
		if end == NoLower || end == NoUpper {
			return 0, false
		}
		low += c * end // normalise saw to it that this fits
	}
	return low, true
}

// round makes one raw call and draws the conclusion.
func (l *loop) round(ctx context.Context) (done bool, err error) {
	if ctx.Err() != nil {
		l.finish(ContextStatus(ctx))
		return true, nil
	}
	opts := l.opts
	opts.Cutoff = nil
	target := l.beat
	if l.hasTop {
		target = l.next()
		turned := l.sign * target
		opts.Cutoff = &turned
	}
	raw, err := l.call(ctx, opts)
	if err != nil {
		if ctx.Err() != nil {
			l.finish(ContextStatus(ctx))
			return true, nil
		}
		return true, err
	}
	l.result.Calls++
	l.result.RawStatus = raw.RawStatus
	if raw.Point == Feasible {
		value, violations := l.m.Check(raw.Incumbent)
		switch {
		case len(violations) > 0:
			l.finish(NumericalError)
			l.result.RawStatus = describe(raw.RawStatus, violations)
			return true, nil
		case l.hasTop && l.sign*value >= target:
			l.finish(NumericalError)
			l.result.RawStatus = raw.RawStatus + ": the point does not keep to the cutoff"
			return true, nil
		}
		l.accept(raw.Incumbent, value)
		if l.m.objective.Sense == NoObjective || l.met() {
			l.close(Optimal)
			return true, nil
		}
		l.step = min(2*l.step, headroom)
		if raw.Status == Unbounded {
			l.finish(Unbounded)
			return true, nil
		}
		return false, nil
	}
	switch raw.Status {
	case Infeasible:
		if !l.hasTop {
			l.finish(Infeasible)
			return true, nil
		}
		l.low, l.hasLow = target, true
		l.step = max(1, l.step/4)
		if l.met() {
			l.close(Infeasible)
			return true, nil
		}
		return false, nil
	case Optimal, Unknown:
		// A claim without a point is no claim.
		l.finish(NumericalError)
	default:
		if raw.HasBound && (!l.hasLow || l.sign*raw.BestBound > l.low) && l.b.Capabilities().Exact {
			l.low, l.hasLow = l.sign*raw.BestBound, true
		}
		l.finish(raw.Status)
	}
	return true, nil
}

func (l *loop) call(ctx context.Context, opts Options) (Result, error) {
	if l.session != nil {
		return l.session.Solve(ctx, opts)
	}
	return l.b.Solve(ctx, l.m, opts)
}

// next is the cutoff to try. A backend that optimises is asked for anything better.
// One that returns any point is driven: the step below the incumbent doubles with
// every point found and shrinks with every refutation, which raises the bound.
func (l *loop) next() int64 {
	if l.b.Capabilities().Optimises || !l.hasLow {
		return l.beat
	}
	half := (l.beat - l.low) / 2
	return l.beat - min(l.step-1, half)
}

func (l *loop) accept(point []int64, value int64) {
	l.result.Point = Feasible
	l.result.Incumbent = append([]int64(nil), point...)
	l.result.Objective = value
	l.beat, l.hasTop = l.sign*value, l.m.objective.Sense != NoObjective
}

// met reports whether nothing below beat is left.
func (l *loop) met() bool { return l.hasTop && l.hasLow && l.low >= l.beat }

// close ends a complete search: Optimal where there is an incumbent.
func (l *loop) close(without Status) {
	if l.result.Point == Feasible {
		l.finish(Optimal)
		return
	}
	l.finish(without)
}

func (l *loop) finish(s Status) {
	l.result.Status = s
	if l.m.objective.Sense == NoObjective {
		return
	}
	if s == Optimal {
		l.low, l.hasLow = l.beat, true
	}
	refuted := s == Infeasible && l.opts.Cutoff == nil // there is nothing to bound
	if l.hasLow && s != Unbounded && !refuted {
		l.result.BestBound, l.result.HasBound = l.sign*min(l.low, l.capLow()), true
	}
}

// capLow keeps the bound of an infeasible cutoff at the cutoff itself.
func (l *loop) capLow() int64 {
	if l.hasTop {
		return l.beat
	}
	return l.low
}

func describe(raw string, violations []Violation) string {
	const shown = 3 // enough to recognise the row; a wrong point breaks hundreds
	parts := make([]string, 0, shown)
	for _, v := range violations[:min(shown, len(violations))] {
		parts = append(parts, v.String())
	}
	return raw + ": the point fails the exact check: " + strings.Join(parts, "; ")
}
