package stagegraph

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs/knowledge"
)

// Case is what rules make of an outer choice beside the GPUs: traits that all stages of
// a replica share, each with its value, and how many stages there may be. Inside a case
// every rule is about one candidate of a stage, so a path problem decides the rest. The
// cases of a layout together cover every plan that keeps the rules.
type Case struct {
	shared [knowledge.Traits]bool // the trait is the same for all stages
	value  [knowledge.Traits]int64
	used   [knowledge.Traits]bool // some rule mentions it
	// Stages are the least and the most stages of a replica; 0: any number.
	Stages [2]int
	// stages is the number that rules are asked with: all numbers of the case give the
	// same answers. 0: no rule mentions it.
	stages int
	text   string
}

// Text says what the case fixes: "TP 4, 2 stages"; "" for nothing.
func (c *Case) Text() string {
	if c == nil {
		return ""
	}
	return c.text
}

// set makes what the case says known.
func (c *Case) set(r *knowledge.Rules, v *knowledge.Values) {
	for t := range knowledge.Traits {
		if c.used[t] {
			v.SetSame(t, c.shared[t])
		}
	}
	if c.stages > 0 {
		v.SetStages(c.stages)
	}
}

// admits reports whether the stage that is known has the values that all share.
func (c *Case) admits(v *knowledge.Values) bool {
	for t := range knowledge.Traits {
		if c.shared[t] && t.Of(v) != c.value[t] {
			return false
		}
	}
	return true
}

// Cases are the layouts that a layout becomes under the rules, each with its case: itself
// where no rule ties stages together. Where no plan of it keeps them the rule that is in
// the way is named, -1 where several are together.
func (s *Space) Cases(l *Layout) (out []*Layout, rule int) {
	rules := s.ruled.rules
	if rules.Empty() {
		return []*Layout{l}, -1
	}
	v := s.values(l)
	if i := rules.Broken(&v); i >= 0 {
		return nil, i
	}
	if i, idle := s.unusable(l); idle {
		return nil, i
	}
	used, any := s.traits()
	if !any && !rules.Uses(knowledge.OfPipeline) && !s.ruled.joined {
		return []*Layout{l}, -1
	}
	rule = -1
	for _, shared := range s.agreements(&v, used) {
		for _, c := range s.settings(shared, used) {
			windows, why := s.windows(l, c)
			if why >= 0 {
				rule = why
			}
			for _, w := range windows {
				out = append(out, l.in(w))
			}
		}
	}
	return out, rule
}

// unusable reports whether rules leave the GPUs of a layout without a shape to run, or
// some of them where all must be used, and names the rule that took the last one.
func (s *Space) unusable(l *Layout) (rule int, idle bool) {
	some := false
	rule = -1
	for k, n := range l.GPUs {
		switch {
		case n == 0:
		case !s.ruled.idle[k]:
			some = true
		case l.Exact:
			return s.ruled.emptied[k], true
		default:
			rule = s.ruled.emptied[k]
		}
	}
	return rule, !some
}

// in is the layout in a case.
func (l *Layout) in(c *Case) *Layout {
	x := *l
	x.base, x.Case = l.Base(), c
	return &x
}

// traits are those that some rule mentions.
func (s *Space) traits() (used [knowledge.Traits]bool, any bool) {
	for t := range knowledge.Traits {
		used[t] = s.ruled.rules.UsesTrait(t)
		any = any || used[t]
	}
	return used, any
}

// agreements lists which of the traits in use are fixed for all stages, and which left
// open, so that no rule is broken by that alone. A trait left open counts as not shared;
// rules cannot forbid sharing, so what holds then holds for the plans that share it by
// chance. Where rules mention traits alone, an agreement that fixes more than another
// has no plan of its own and is left out.
func (s *Space) agreements(v *knowledge.Values, used [knowledge.Traits]bool) [][knowledge.Traits]bool {
	rules := s.ruled.rules
	alone := !rules.Joins(knowledge.OfAll, ^knowledge.OfAll&^knowledge.OfCondition)
	if alone && s.ruled.agreed != nil {
		return s.ruled.agreed
	}
	var mine []knowledge.Trait
	for t, u := range used {
		if u {
			mine = append(mine, knowledge.Trait(t))
		}
	}
	out := [][knowledge.Traits]bool{}
	for bits := range 1 << len(mine) {
		var shared [knowledge.Traits]bool
		for i, t := range mine {
			shared[t] = bits>>i&1 == 1
			v.SetSame(t, shared[t])
		}
		if rules.Broken(v) >= 0 {
			continue
		}
		includes := func(less [knowledge.Traits]bool) bool {
			for t := range less {
				if less[t] && !shared[t] {
					return false
				}
			}
			return true
		}
		if !alone || !slices.ContainsFunc(out, includes) {
			out = append(out, shared)
		}
	}
	v.Forget(knowledge.OfAll)
	if alone {
		s.ruled.agreed = out
	}
	return out
}

// setting is an agreement with values, and the group sizes that each pool has for it.
type setting struct {
	Case
	sizes [][]int // ascending
}

// settings are the cases of an agreement: one for each combination of values that the
// shapes of the pools have.
func (s *Space) settings(shared, used [knowledge.Traits]bool) []*setting {
	if known, ok := s.ruled.settings[shared]; ok {
		return known
	}
	var out []*setting
	index := map[[knowledge.Traits]int64]*setting{}
	v := s.ruled.rules.Start()
	for k := range s.pools {
		for _, sh := range s.pools[k].shapes {
			v.SetShape(k, ruleShape(sh))
			c := Case{shared: shared, used: used}
			var parts []string
			for t := range knowledge.Traits {
				if shared[t] {
					c.value[t] = t.Of(&v)
					parts = append(parts, t.Name()+" "+t.Text(&v))
				}
			}
			x, ok := index[c.value]
			if !ok {
				c.text = strings.Join(parts, ", ")
				x = &setting{Case: c, sizes: make([][]int, len(s.pools))}
				index[c.value] = x
				out = append(out, x)
			}
			x.sizes[k] = append(x.sizes[k], sh.GPUs())
		}
	}
	for _, x := range out {
		for k := range x.sizes {
			slices.Sort(x.sizes[k])
			x.sizes[k] = slices.Compact(x.sizes[k])
		}
	}
	s.ruled.settings[shared] = out
	return out
}

// stageRange is how many stages the GPUs and layers of a layout admit in a setting.
func (s *Space) stageRange(l *Layout, c *setting) (low, high int) {
	for k, n := range l.GPUs {
		sizes := c.sizes[k]
		fit, exact := slices.BinarySearch(sizes, n)
		if exact {
			fit++
		}
		switch sizes = sizes[:fit]; {
		case n == 0:
		case fit > 0:
			high += n / sizes[0]
			if l.Exact {
				low += ceilDiv(n, sizes[fit-1])
			}
		case l.Exact:
			return 1, 0 // GPUs that no stage can use, and all must be used
		}
	}
	return max(1, low), min(high, s.layers)
}

// windows splits a setting by the number of stages into the fewest cases that rules do
// not tell apart; the rule that left none is named, -1 where it is none alone.
func (s *Space) windows(l *Layout, c *setting) (out []*Case, rule int) {
	rules := s.ruled.rules
	low, high := s.stageRange(l, c)
	if low > high {
		return nil, -1
	}
	if !rules.Uses(knowledge.OfPipeline) {
		return s.unless(l, c.Case)
	}
	told := rules.Joins(knowledge.OfPipeline, knowledge.OfStage)                  // candidates depend on the number
	each := rules.Joins(knowledge.OfPipeline, knowledge.OfParts|knowledge.OfGPUs) // what is not known here does
	rule = -1
	var last *mask
	for n := low; n <= high; n++ {
		x := c.Case
		x.Stages, x.stages = [2]int{n, n}, n
		one, why := s.unless(l, x)
		if len(one) == 0 {
			last, rule = nil, why
			continue
		}
		m := s.mask(Choice{Layout: l.in(one[0])}, true)
		if last != nil && !each && (!told || m.equal(last)) {
			out[len(out)-1].Stages[1] = n
		} else {
			out = append(out, &x)
		}
		last = m
	}
	for i, x := range out {
		if x.Stages == [2]int{low, high} && low < high {
			x.Stages = [2]int{} // what the GPUs allow needs no row of its own
		}
		out[i] = s.intern(*x)
	}
	return out, rule
}

// unless is a case, or the rule that leaves it nothing.
func (s *Space) unless(l *Layout, c Case) ([]*Case, int) {
	x := s.intern(c)
	in := l.in(x)
	v := s.values(in)
	if i := s.ruled.rules.Broken(&v); i >= 0 {
		return nil, i
	}
	m := s.mask(Choice{Layout: in}, true)
	for k := range m.rows {
		for i, row := range m.rows[k] {
			if row != nil && s.pools[k].shapes[i].GPUs() <= l.GPUs[k] {
				return []*Case{x}, -1
			}
		}
	}
	for i, n := range m.out {
		if n > 0 {
			return nil, i
		}
	}
	return nil, -1
}

// intern makes equal cases one, so that what is known of one is known of all.
func (s *Space) intern(c Case) *Case {
	key := caseKey{c.shared, c.value, c.Stages, c.stages}
	if known, ok := s.ruled.cases[key]; ok {
		return known
	}
	var number string
	switch least, most := c.Stages[0], c.Stages[1]; {
	case most == 0:
	case most == 1:
		number = "1 stage"
	case least == most:
		number = fmt.Sprintf("%d stages", least)
	default:
		number = fmt.Sprintf("%d to %d stages", least, most)
	}
	if c.text != "" && number != "" {
		c.text += ", "
	}
	c.text += number
	s.ruled.cases[key] = &c
	return &c
}

// caseKey tells cases apart.
type caseKey struct {
	shared [knowledge.Traits]bool
	value  [knowledge.Traits]int64
	stages [2]int
	asked  int
}

// equal reports whether two masks leave the same.
func (m *mask) equal(n *mask) bool {
	for k := range m.rows {
		for i := range m.rows[k] {
			if !slices.Equal(m.rows[k][i], n.rows[k][i]) {
				return false
			}
		}
	}
	return true
}
