package solver

// Variable is a handle on an integer variable of one Model, or on the complement
// of a Boolean one. It is two words, comparable, and meaningless for any other
// model. The zero Variable belongs to no model; using it is a build error.
type Variable struct {
	id      int // index + 1, so that the zero value is nobody's
	negated bool
}

// Index is the position of the variable in the model and in every assignment; -1
// for the zero Variable. A variable and its complement share it.
func (v Variable) Index() int { return v.id - 1 }

// Negated reports whether the handle stands for 1 - x.
func (v Variable) Negated() bool { return v.negated }

// Not is the complement 1 - x. It is meant for Booleans: a model that is given the
// complement of a variable with another domain than 0…1 records an error.
func (v Variable) Not() Variable {
	v.negated = !v.negated
	return v
}

// In reads the value of the handle, complement included, out of an assignment.
func (v Variable) In(values []int64) int64 {
	if v.negated {
		return 1 - values[v.Index()]
	}
	return values[v.Index()]
}

type rawTerm struct {
	coef int64
	v    Variable
}

// Expr is a linear expression Σ coef·variable + constant. Expressions are values:
// Add and Plus leave their receiver as it was, and building one term by term takes
// amortised constant time a term. The zero Expr is 0.
type Expr struct {
	terms    *[]rawTerm // shared backing; only the owner of its end appends in place
	n        int
	constant int64
	overflow bool
}

// Sum is Σ vs.
func Sum(vs ...Variable) Expr {
	terms := make([]rawTerm, len(vs))
	for i, v := range vs {
		terms[i] = rawTerm{1, v}
	}
	return Expr{terms: &terms, n: len(terms)}
}

// Term is coef·v.
func Term(coef int64, v Variable) Expr {
	return Expr{}.Add(coef, v)
}

// Constant is the expression without variables.
func Constant(c int64) Expr { return Expr{constant: c} }

// Add is e + coef·v.
func (e Expr) Add(coef int64, v Variable) Expr {
	e.own()
	*e.terms = append(*e.terms, rawTerm{coef, v})
	e.n++
	return e
}

// Plus is e + c. An overflow is reported by the model that is given the expression.
func (e Expr) Plus(c int64) Expr {
	sum, ok := addInt(e.constant, c)
	e.constant = sum
	e.overflow = e.overflow || !ok
	return e
}

// AddExpr is e + f.
func (e Expr) AddExpr(f Expr) Expr {
	e.own()
	*e.terms = append(*e.terms, f.raw()...)
	e.n += f.n
	e.overflow = e.overflow || f.overflow
	return e.Plus(f.constant)
}

// Len is the number of terms as written, duplicates included.
func (e Expr) Len() int { return e.n }

// own makes the end of the backing array this expression's: in place where nobody
// has appended behind it, by a copy otherwise.
func (e *Expr) own() {
	if e.terms != nil && len(*e.terms) == e.n {
		return
	}
	terms := make([]rawTerm, e.n, 2*e.n+4)
	copy(terms, e.raw())
	e.terms = &terms
}

func (e Expr) raw() []rawTerm {
	if e.terms == nil {
		return nil
	}
	return (*e.terms)[:e.n]
}
