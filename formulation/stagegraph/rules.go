package stagegraph

import (
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/knowledge"
)

// ruled is what the rules of a condition take out of a space.
type ruled struct {
	rules *knowledge.Rules
	// joined: some rule holds a stage against what is decided outside of it, so that
	// candidates depend on the outer choice.
	joined bool
	// allowed tells, by pool, shape and class, what rules about a stage alone leave; nil
	// where they leave all that shapes has left.
	allowed     [][][]bool
	masks       map[maskKey]*mask
	cases       map[caseKey]*Case
	settings    map[[knowledge.Traits]bool][]*setting
	agreed      [][knowledge.Traits]bool // where rules mention traits alone
	every, none []bool                   // rows with all classes and with none
	rows        map[string]row           // by what rules about layers see beside them
	counts      []int                    // candidates of stages that each rule took out
	emptied     []int                    // the rule that took the last candidate of a pool; -1
	idle        []bool                   // the pool has none left
}

// outside is what is decided outside of a stage.
const outside = knowledge.OfReplicas | knowledge.OfGPUs | knowledge.OfParts | knowledge.OfPipeline | knowledge.OfAll

func newRuled(r *knowledge.Rules, pools int) ruled {
	x := ruled{
		rules: r, joined: r.Joins(knowledge.OfStage, outside), masks: map[maskKey]*mask{}, cases: map[caseKey]*Case{}, settings: map[[knowledge.Traits]bool][]*setting{},
		rows: map[string]row{}, counts: make([]int, r.Len()), emptied: make([]int, pools), idle: make([]bool, pools),
	}
	for k := range x.emptied {
		x.emptied[k] = -1
	}
	return x
}

// of is what the same rules take out of the space of a condition that differs in its
// workload, which they do not mention, or in what they say nothing of.
func (x *ruled) of(c *inputs.Condition) ruled {
	out := *x
	out.rules = x.rules.For(c)
	out.masks, out.cases, out.settings, out.agreed = map[maskKey]*mask{}, map[caseKey]*Case{}, map[[knowledge.Traits]bool][]*setting{}, nil
	out.rows = map[string]row{}
	out.counts = slices.Clone(x.counts)
	return out
}

// Rules are the rules that bind every plan of the space.
func (s *Space) Rules() *knowledge.Rules { return s.ruled.rules }

// RuledOut counts the candidates of stages (pool, shape, sort of interval) that a rule
// took out, of graphs that were looked at where it speaks of more than a stage.
func (s *Space) RuledOut(rule int) int { return s.ruled.counts[rule] }

// Emptied is the rule that left a pool nothing to run; false where it can run something
// or could not without rules either.
func (s *Space) Emptied(pool int) (inputs.Rule, bool) {
	if i := s.ruled.emptied[pool]; i >= 0 && s.ruled.idle[pool] {
		return s.ruled.rules.Rule(i), true
	}
	return inputs.Rule{}, false
}

func ruleShape(sh cost.Shape) knowledge.Shape {
	return knowledge.Shape{TP: sh.TP, CP: sh.CP, DP: sh.DPAttention, EP: sh.EP, ETP: sh.ETP}
}

// shapes are those of a pool that no rule about pool and shape takes out.
func (x *ruled) shapes(k int, all []cost.Shape) []cost.Shape {
	if x.rules.Empty() {
		return all
	}
	var kept []cost.Shape
	v := x.rules.Start()
	for _, sh := range all {
		v.SetShape(k, ruleShape(sh))
		if i := x.rules.Broken(&v); i >= 0 {
			x.counts[i]++
			x.emptied[k] = i
			continue
		}
		kept = append(kept, sh)
	}
	x.idle[k] = len(kept) == 0
	return kept
}

// candidates holds every shape with every class against the rules about one stage, and
// counts what is out by candidates.
func (x *ruled) candidates(s *Space) {
	for i := range x.counts {
		x.counts[i] *= len(s.classes.list) // a shape that is out is out for every class
	}
	x.every, x.none = make([]bool, len(s.classes.list)), make([]bool, len(s.classes.list))
	for j := range x.every {
		x.every[j] = true
	}
	if !x.rules.Uses(knowledge.OfLayers | knowledge.OfPlace) {
		return
	}
	v := x.rules.Start()
	x.allowed = make([][][]bool, len(s.pools))
	for k := range s.pools {
		out, left := make([]int, len(x.counts)), false
		for _, sh := range s.pools[k].shapes {
			v.SetShape(k, ruleShape(sh))
			row := x.row(s, &v, out)
			x.allowed[k] = append(x.allowed[k], row)
			left = left || slices.Contains(row, true)
		}
		for i, n := range out {
			x.counts[i] += n
			if n > 0 && !left {
				x.emptied[k] = i
			}
		}
		x.idle[k] = !left
	}
}

// row tells for every class whether rules that speak of layers leave it; out counts what
// each rule takes out.
type row struct {
	left []bool
	out  []int
}

// row holds every class against the values and the rules that speak of layers; counts
// grow by what each rule takes out.
func (x *ruled) row(s *Space, v *knowledge.Values, counts []int) []bool {
	key := x.rules.Beside(knowledge.OfLayers|knowledge.OfPlace, v)
	r, known := x.rows[key]
	if !known {
		r = row{make([]bool, len(s.classes.list)), make([]int, len(counts))}
		for j := range s.classes.list {
			c := &s.classes.list[j]
			v.SetLayers(c.counts, c.first, c.last)
			if x.rules.Uses(knowledge.OfPlace) {
				v.SetPlace(c.from, c.to-1)
			}
			i := x.rules.BrokenBy(knowledge.OfLayers|knowledge.OfPlace, v)
			r.left[j] = i < 0
			if i >= 0 {
				r.out[i]++
			}
		}
		v.Forget(knowledge.OfLayers | knowledge.OfPlace)
		x.rows[key] = r
	}
	for i, n := range r.out {
		counts[i] += n
	}
	return r.left
}

// allows reports whether the rules about one stage leave a candidate. Shapes that were
// admitted beside the search are held against rules as parts of a plan.
func (x *ruled) allows(k, shape, class int) bool {
	return x.allowed == nil || shape >= len(x.allowed[k]) || x.allowed[k][shape][class]
}

// mask is what rules leave of the candidates of stages under an outer choice.
type mask struct {
	// rows tell, by pool and shape, which classes are left; a nil row leaves none.
	rows [][][]bool
	out  []int // candidates that each rule took out
	told bool  // out is in the counts
}

// maskKey is what a mask depends on.
type maskKey struct {
	of             *Case
	replicas, gpus int
	micro, groups  int
	anyParts       bool
}

// mask is what rules leave of the candidates of an outer choice, nil where they leave
// all; with anyParts, of all choices that differ in micro-batches and decode groups and of
// all layouts that differ in the number of GPUs.
func (s *Space) mask(ch Choice, anyParts bool) *mask {
	x, l := &s.ruled, ch.Layout
	if !x.joined && l.Case == nil {
		return nil
	}
	v := s.values(l)
	n, known := l.gpus()
	if known = known && !anyParts && x.rules.Joins(knowledge.OfStage, knowledge.OfGPUs); !known {
		n = 0
		v.Forget(knowledge.OfGPUs)
	}
	key := maskKey{of: l.Case, gpus: n, micro: ch.Micro, groups: ch.Groups, anyParts: anyParts}
	if known || x.rules.Joins(knowledge.OfStage, knowledge.OfReplicas) {
		key.replicas = l.Replicas
	}
	if !x.rules.Joins(knowledge.OfStage, knowledge.OfParts) {
		key.micro, key.groups, key.anyParts = 0, 0, true
	}
	if m, ok := x.masks[key]; ok {
		return m
	}
	if !key.anyParts {
		v.SetParts(ch.Micro, ch.Groups)
	}
	m := x.maskOf(s, l.Case, &v)
	x.masks[key] = m
	return m
}

// maskOf holds every candidate against the rules, given what is known outside of it.
func (x *ruled) maskOf(s *Space, of *Case, v *knowledge.Values) *mask {
	layered := x.rules.Joins(knowledge.OfLayers|knowledge.OfPlace, outside)
	m := &mask{rows: make([][][]bool, len(s.pools)), out: make([]int, x.rules.Len())}
	for k := range s.pools {
		m.rows[k] = make([][]bool, len(s.pools[k].shapes))
		for i, sh := range s.pools[k].shapes {
			v.SetShape(k, ruleShape(sh))
			if of != nil && !of.admits(v) {
				continue
			}
			if broken := x.rules.Broken(v); broken >= 0 {
				m.out[broken] += len(s.classes.list)
				continue
			}
			row := x.every
			if layered {
				row = both(row, x.row(s, v, m.out))
			}
			if x.allowed != nil {
				row = both(row, x.allowed[k][i])
			}
			m.rows[k][i] = row
		}
	}
	v.Forget(knowledge.OfShape)
	return m
}

// both is a and b; nil where nothing is left.
func both(a, b []bool) []bool {
	var out []bool
	for j := range a {
		if a[j] && b[j] {
			if out == nil {
				out = make([]bool, len(a))
			}
			out[j] = true
		}
	}
	return out
}

// tell adds what a mask takes out to the counts, once.
func (x *ruled) tell(m *mask) {
	if m == nil || m.told {
		return
	}
	m.told = true
	for i, n := range m.out {
		x.counts[i] += n
	}
}

// filter is what fits and a mask leaves.
func (x *ruled) filter(fits [][][]bool, m *mask) [][][]bool {
	if m == nil {
		return fits
	}
	out := make([][][]bool, len(fits))
	for k := range fits {
		out[k] = make([][]bool, len(fits[k]))
		for i, row := range fits[k] {
			out[k][i] = x.none
			switch left := m.rows[k][i]; {
			case left == nil:
			case &left[0] == &x.every[0]:
				out[k][i] = row
			default:
				if left = both(row, left); left != nil {
					out[k][i] = left
				}
			}
		}
	}
	return out
}

// values is what a layout says, its case included.
func (s *Space) values(l *Layout) knowledge.Values {
	v := s.ruled.rules.Start()
	v.SetReplicas(l.Replicas)
	if n, known := l.gpus(); known {
		v.SetGPUs(n, l.Replicas)
	}
	if l.Case != nil {
		l.Case.set(s.ruled.rules, &v)
	}
	return v
}

// gpus is how many GPUs a replica has; false where the layout leaves it open.
func (l *Layout) gpus() (n int, known bool) { return l.Used(), l.Exact || l.Total >= 0 }

// Breaks is the rule that an outer choice breaks whatever its stages are; false where
// it breaks none.
func (s *Space) Breaks(ch Choice) (rule int, broken bool) {
	if s.ruled.rules.Empty() {
		return 0, false
	}
	v := s.values(ch.Layout)
	v.SetParts(ch.Micro, ch.Groups)
	i := s.ruled.rules.Broken(&v)
	return i, i >= 0
}

// Facts is what rules see of so many alike replicas of a pipeline.
func (s *Space) Facts(replicas, micro, groups int, parts []Part) knowledge.Plan {
	p := knowledge.Plan{MicroBatches: micro, DecodeGroups: groups, Alike: replicas}
	for i, pt := range parts {
		n, node := pt.Shape.GPUs(), s.pools[pt.Pool].node
		p.Stages = append(p.Stages, knowledge.Stage{
			Index: i, Pool: pt.Pool, Shape: ruleShape(pt.Shape), GPUs: n, Nodes: ceilDiv(n, node), First: pt.First, Last: pt.Last,
		})
	}
	return p
}
