package sat

import "context"

// lit is a literal in DIMACS numbering: v or -v for variable v ≥ 1.
type lit int32

// ctxEvery is how many clauses pass between two looks at the context while a model
// is being encoded: well under a millisecond.
const ctxEvery = 4096

// formula receives the clauses of an encoding. It hands them on at once and keeps
// none.
type formula struct {
	ctx   context.Context
	sink  func(clause []lit)
	vars  int32
	count int // clauses handed on
	// guard, where not 0, is a literal that switches the constraint being encoded on.
	guard lit
	ended bool // the context ended; further clauses are dropped
}

// fresh is a new variable's positive literal.
func (f *formula) fresh() lit {
	f.vars++
	return lit(f.vars)
}

// require adds a clause of the constraint being encoded: it counts only under the
// guard.
func (f *formula) require(clause ...lit) {
	if f.guard != 0 {
		clause = append(append(make([]lit, 0, len(clause)+1), clause...), -f.guard)
	}
	f.define(clause...)
}

// define adds a clause about auxiliary variables, which excludes no assignment of
// the model's own ones.
func (f *formula) define(clause ...lit) {
	if f.ended {
		return
	}
	if f.count++; f.count%ctxEvery == 0 && f.stopped() {
		return
	}
	f.sink(clause)
}

// stopped looks at the context; once it has ended the encoding is given up.
func (f *formula) stopped() bool {
	f.ended = f.ended || f.ctx.Err() != nil
	return f.ended
}

// anyOf is a literal equal to the disjunction of at least one literal.
func (f *formula) anyOf(ls []lit) lit {
	if len(ls) == 1 {
		return ls[0]
	}
	y := f.fresh()
	for _, l := range ls {
		f.define(-l, y)
	}
	f.define(append(append(make([]lit, 0, len(ls)+1), ls...), -y)...)
	return y
}

// noneOf is a literal equal to "no literal of ls is true".
func (f *formula) noneOf(ls []lit) lit { return -f.anyOf(ls) }
