package sat

import "partita/solver"

// objective turns "better than a cutoff" into one literal to assume. What was built
// for one cutoff serves the next: a diagram shares its nodes, an adder its bits.
type objective struct {
	sign  int64 // -1 when maximising
	base  int64 // sign·objective = base + Σ items
	items []item
	dd    *diagram // nil once it has outgrown its limit
	sum   adder
}

func (e *encoding) newObjective() *objective {
	obj := e.m.Objective()
	o := &objective{sign: 1}
	if obj.Sense == solver.Max {
		o.sign = -1
	}
	o.base, o.items = e.items(obj.Terms, o.sign)
	o.base += o.sign * obj.Constant
	o.dd = e.f.newDiagram(o.items, e.diagramLimit(o.items))
	return o
}

// below is a literal that implies a strictly better objective than cutoff; 0 with
// possible where every assignment is better, 0 without where none is.
func (o *objective) below(f *formula, cutoff int64) (l lit, possible bool) {
	// |base| is far from the ends of int64 (solver.Model sees to it), so a cutoff
	// beyond half of them decides by itself.
	const far = 1 << 62
	cutoff = min(max(o.sign*max(cutoff, -far), -far), far)
	bound := cutoff - 1 - o.base
	s := atMost{o.items, bound}
	if bound < 0 {
		return 0, false
	}
	if s.max() <= bound {
		return 0, true
	}
	if o.dd != nil {
		switch root, ok := o.dd.root(bound); {
		case !ok:
			o.dd = nil
		case root == nodeTrue:
			return 0, true
		case root == nodeFalse:
			return 0, false
		default:
			return o.dd.emit(root), true
		}
	}
	if o.sum.bits == nil {
		o.sum = f.newAdder(o.items)
	}
	f.guard = f.fresh()
	f.atMostBinary(o.sum.bits, bound)
	l, f.guard = f.guard, 0
	return l, true
}
