package sat

import "partita/solver"

// group is a set of literals of which the model lets at most one be true (AMO), or
// exactly one (EO). Rows that sum costs over such choices are encoded by choice.
type group struct {
	lits    []lit
	exactly bool
}

// grouping finds the groups of a row.
type grouping struct {
	groups []group
	of     map[lit][]int32 // by literal: the groups that it is in
}

func (g *grouping) add(ls []lit, exactly bool) {
	const worthwhile = 2 // a group of one says nothing
	if len(ls) < worthwhile {
		return
	}
	if g.of == nil {
		g.of = make(map[lit][]int32)
	}
	for _, l := range ls {
		g.of[l] = append(g.of[l], int32(len(g.groups)))
	}
	g.groups = append(g.groups, group{ls, exactly})
}

// weighted is a Boolean term of a row in terms of a literal: weight·l, the constant
// that a complement leaves behind kept elsewhere.
type weighted struct {
	l      lit
	weight int64
}

// split partitions Boolean terms into members of groups, the group with most members
// left first, and the rest. Ties go to the older group, so that the same model gives
// the same clauses. Once stopped says so the partition is any, for nobody uses it.
func (g *grouping) split(terms []weighted, stopped func() bool) (sets map[int32][]weighted, order []int32, rest []weighted) {
	member := make([][]int32, len(g.groups)) // by group: positions in terms
	count := make([]int, len(g.groups))      // of those not taken
	taken := make([]bool, len(terms))
	sets = make(map[int32][]weighted)
	for i, t := range terms {
		if i%ctxEvery == 0 && stopped() {
			return sets, nil, nil
		}
		for _, l := range [2]lit{t.l, -t.l} {
			for _, id := range g.of[l] {
				member[id] = append(member[id], int32(i))
				count[id]++
			}
		}
	}
	for !stopped() {
		best, most := int32(-1), 1
		for id, n := range count {
			if n > most {
				best, most = int32(id), n
			}
		}
		if best < 0 {
			break
		}
		order = append(order, best)
		for _, i := range member[best] {
			if taken[i] {
				continue
			}
			taken[i] = true
			sets[best] = append(sets[best], terms[i])
			for _, l := range [2]lit{terms[i].l, -terms[i].l} {
				for _, id := range g.of[l] {
					count[id]--
				}
			}
		}
	}
	for i, t := range terms {
		if !taken[i] {
			rest = append(rest, t)
		}
	}
	return sets, order, rest
}

// items writes sign·Σ terms as base + items, grouped.
func (e *encoding) items(terms []solver.Coef, sign int64) (base int64, out []item) {
	var booleans []weighted
	for _, t := range terms {
		x, c := e.vars[t.Var], sign*t.Value
		if x.lo == 0 && x.hi == 1 {
			booleans = append(booleans, weighted{x.order[0], c})
			continue
		}
		b, its := x.items(c)
		base += b
		out = append(out, its...)
	}
	sets, order, rest := e.groups.split(booleans, e.f.stopped)
	for _, id := range order {
		b, it := e.choice(e.groups.groups[id], sets[id])
		base += b
		out = append(out, it)
	}
	for _, t := range rest {
		if t.weight < 0 {
			base += t.weight
			t = weighted{-t.l, -t.weight}
		}
		out = append(out, item{lits: []lit{t.l}, weights: []int64{t.weight}})
	}
	tidied := out[:0]
	for _, it := range out {
		if it = e.f.tidy(it); len(it.lits) > 0 {
			tidied = append(tidied, it)
		}
	}
	return base, tidied
}

// choice writes the members of one group that occur in a row as base + item. The
// item's least value becomes the base; where "none of these" is worth more than that
// it gets a literal of its own.
func (e *encoding) choice(g group, members []weighted) (base int64, it item) {
	inGroup := make(map[lit]bool, len(g.lits))
	for _, l := range g.lits {
		inGroup[l] = true
	}
	for _, t := range members {
		if !inGroup[t.l] { // the group has the complement: c·l = c - c·l̄
			base += t.weight
			t = weighted{-t.l, -t.weight}
		}
		it.lits = append(it.lits, t.l)
		it.weights = append(it.weights, t.weight)
	}
	least, canBeNone := int64(0), !g.exactly || len(members) < len(g.lits)
	for i, w := range it.weights {
		if i == 0 && !canBeNone || w < least {
			least = w
		}
	}
	for i := range it.weights {
		it.weights[i] -= least
	}
	if canBeNone && least < 0 {
		it.lits = append(it.lits, e.f.noneOf(it.lits))
		it.weights = append(it.weights, -least)
	}
	// Literals of weight 0 say nothing.
	kept := item{}
	for i, w := range it.weights {
		if w > 0 {
			kept.lits = append(kept.lits, it.lits[i])
			kept.weights = append(kept.weights, w)
		}
	}
	return base + least, kept
}
