package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// constraint is one condition of the problem: how it enters a model and what it says.
type constraint interface {
	// add puts the constraint into the model and returns its rows.
	add(b *builder) []solver.Constraint
	// Explain is the constraint as a sentence.
	Explain() string
	// label is the name of the constraint, a prefix of the names of its rows.
	label() string
}

// linear is a constraint that consists of bounds on forms, so that it can also be
// priced. The rows depend on what is known of T.
type linear interface {
	constraint
	rows(k known) []row
}

// known is what a model takes for granted of the paths it admits: T_p ≥ low_p and
// Λ_p ≥ sum_p, and only objectives under the cutoff are of interest.
type known struct {
	p      *path.Problem
	low    [2]int64
	sum    [2]int64
	cutoff int64 // path.NoLimit: none
	whole  bool  // nothing is known: T is a variable of the model
}

func (k known) rate() [2]bool {
	if k.whole {
		return rateMayWin(k.p)
	}
	return rateCanWin(k.p, k.sum, k.low)
}

// builder makes one model out of some of the arcs of a network. In the model of a box
// T_p is replaced by its lower bound, in the whole model it is a variable.
type builder struct {
	known
	n           *network
	m           *solver.Model
	arcs        []int32
	x           []solver.Variable // by position in arcs
	peak        [2]peak
	groups      []Group
	least, most int64            // what J can be
	visits      bool             // path rows by visited nodes, see pathConstraint
	ordered     bool             // T in Booleans, see peakConstraint
	decision    bool             // nothing is minimised
	sparse      bool             // see layerTimes
	layers      [2][]solver.Expr // time of the stage that holds each layer, see layerTimes
	err         error
}

// Group is one constraint of a model with its rows.
type Group struct {
	Name     string
	Sentence string
	Rows     []solver.Constraint
}

// endEvery is how many arcs of a model pass between two looks at the context: a
// millisecond.
const endEvery = 4096

func newBuilder(name string, n *network, arcs []int32, k known) *builder {
	b := &builder{known: k, n: n, m: solver.New(name), arcs: arcs, x: make([]solver.Variable, len(arcs))}
	for i, j := range arcs {
		if i%endEvery == 0 && n.ended() {
			break // what is built is never solved
		}
		b.x[i] = b.m.Bool(n.arcs[j].name(n))
	}
	return b
}

func (b *builder) add(constraints []constraint) {
	for _, c := range constraints {
		if b.n.ended() {
			return
		}
		if rows := c.add(b); len(rows) > 0 {
			b.groups = append(b.groups, Group{Name: c.label(), Sentence: c.Explain(), Rows: rows})
		}
	}
}

// expr is the form over the variables of the model, its coefficients divided by g.
// The part that is a constant in the model of a box is left out.
func (b *builder) expr(f *form, g int64) (e solver.Expr) {
	for i, j := range b.arcs {
		if c := f.of(&b.n.arcs[j]); c != 0 {
			e = e.Add(c/g, b.x[i])
		}
	}
	if b.whole {
		for p, c := range f.peak {
			if c != 0 {
				e = b.peak[p].add(e, c/g)
			}
		}
	}
	return e
}

// constant is the part of the form that expr leaves out.
func (b *builder) constant(f *form) int64 {
	if b.whole {
		return 0
	}
	return f.at(b.low)
}

// common is the greatest common divisor of the coefficients of the form, at least 1.
// Rows and objectives are divided by it: lp_solve works in floating point.
func (b *builder) common(f *form) int64 {
	g := int64(0)
	for _, j := range b.arcs {
		g = gcd(g, f.of(&b.n.arcs[j]))
	}
	if b.whole {
		g = gcd(gcd(g, f.peak[0]), f.peak[1])
	}
	return max(g, 1)
}

// bound adds a row, in lowest terms.
func (b *builder) bound(r row) solver.Constraint {
	g, bound := b.common(&r.form), r.bound-b.constant(&r.form)
	if r.equal && bound%g != 0 {
		g = 1 // no path meets it; the row says so as it stands
	}
	e := b.expr(&r.form, g)
	if r.equal {
		return b.m.Equal(r.name, e, bound/g)
	}
	return b.m.AtMost(r.name, e, floorDiv(bound, g))
}

func (b *builder) bounds(rows []row) []solver.Constraint {
	var added []solver.Constraint
	for _, r := range rows {
		added = append(added, b.bound(r))
	}
	return added
}

// decoder ends the building.
func (b *builder) decoder() (*Decoder, error) {
	if b.err != nil {
		return nil, b.err
	}
	if err := b.m.Err(); err != nil {
		return nil, fmt.Errorf("stage graph as a model: %w", err)
	}
	return &Decoder{n: b.n, m: b.m, arcs: b.arcs, x: b.x, Groups: b.groups}, nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func ceilDiv(a, b int64) int64 { return -floorDiv(-a, b) }
