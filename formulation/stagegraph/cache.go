package stagegraph

import (
	"reflect"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/knowledge"
)

// Cache makes spaces that share what their conditions have in common. Two spaces
// share the resolved hardware, shapes, classes of intervals and prices of steps if
// their conditions differ in nothing but goal, workload, and what is said of them, and no
// rule speaks of the workload; and all that was computed so far if their workloads are the same, too. Not safe for
// concurrent use, nor are spaces of one cache among each other.
type Cache struct {
	known []*known // least recently used first
}

// known is one cluster and model.
type known struct {
	fixed inputs.Condition // what its values hang on
	space *Space           // of its first condition
	works []*workOf        // least recently used first
}

type workOf struct {
	workload inputs.Workload
	work     *work
}

// How much a cache keeps. Batches go through workloads of one cluster and model, or
// through requirements of one workload; few alternate between many of them.
const (
	mostKnown = 8
	mostWorks = 8
)

// Space is New, by what is known.
func (k *Cache) Space(c *inputs.Condition) (*Space, error) {
	at, err := k.find(c)
	if err != nil {
		return nil, err
	}
	if at.space.ruled.rules.Uses(knowledge.OfWorkload) {
		return New(c) // what may run where hangs on the workload
	}
	s := *at.space
	s.Condition = c
	s.ruled = at.space.ruled.of(c)
	// Shapes may be admitted to a space: not to those that share with it.
	s.pools, s.everyShape = slices.Clone(s.pools), slices.Clone(s.everyShape)
	for i := range s.pools {
		p := &s.pools[i]
		p.shapes, p.sizes, s.everyShape[i] = slices.Clip(p.shapes), slices.Clone(p.sizes), slices.Clip(s.everyShape[i])
	}
	s.work = at.workOn(c.Workload)
	return &s, nil
}

// find returns what is known of the condition's cluster and model, made where it is new.
func (k *Cache) find(c *inputs.Condition) (*known, error) {
	fixed := fixedOf(c)
	for i := len(k.known) - 1; i >= 0; i-- {
		if x := k.known[i]; reflect.DeepEqual(x.fixed, fixed) {
			k.known = append(slices.Delete(k.known, i, i+1), x)
			return x, nil
		}
	}
	s, err := New(c)
	if err != nil {
		return nil, err
	}
	x := &known{fixed: fixed, space: s}
	k.known = append(k.known, x)
	if len(k.known) > mostKnown {
		k.known = slices.Delete(k.known, 0, 1)
	}
	return x, nil
}

// fixedOf is a condition without what spaces do not hang on, or on by their workload:
// whatever a condition holds beside these is compared.
func fixedOf(c *inputs.Condition) inputs.Condition {
	x := *c
	x.Name, x.Strategy, x.Goal = "", nil, inputs.Goal{}
	x.Statements, x.Places, x.Assumptions, x.Warnings = nil, nil, nil, nil
	x.Workload = inputs.Workload{Phase: x.Workload.Phase} // shapes hang on the phase
	return x
}

func (k *known) workOn(w inputs.Workload) *work {
	for i := len(k.works) - 1; i >= 0; i-- {
		if x := k.works[i]; x.workload == w {
			k.works = append(slices.Delete(k.works, i, i+1), x)
			return x.work
		}
	}
	x := &workOf{w, newWork()}
	k.works = append(k.works, x)
	if len(k.works) > mostWorks {
		k.works = slices.Delete(k.works, 0, 1)
	}
	return x.work
}

// tables are prices of steps. They hang on cluster, model and shapes, whatever the
// workload.
type tables struct {
	steps map[cost.Step][][]prices
}

func newTables() *tables {
	return &tables{steps: map[cost.Step][][]prices{}}
}

// mostPrices bounds the tables of a series of workloads: some 30 MB.
const mostPrices = 200_000

// room empties the tables where they are full.
func (t *tables) room(s *Space) {
	if (len(t.steps)+1)*s.allShapes() > mostPrices {
		clear(t.steps)
	}
}

// work is what hangs on the workload as well.
type work struct {
	memories map[memoryKey][][]cost.StageMemories
	fits     map[memoryKey][][][]bool
	bases    map[int]*layerTimes
	served   map[served][][]prices
}

func newWork() *work {
	return &work{memories: map[memoryKey][][]cost.StageMemories{}, fits: map[memoryKey][][][]bool{}, bases: map[int]*layerTimes{},
		served: map[served][][]prices{}}
}
