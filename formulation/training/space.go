package training

import (
	"errors"
	"fmt"
	"slices"

	"partita/inputs"
	"partita/inputs/knowledge"
)

// space is what a condition leaves to decide about a training step.
type space struct {
	c        *inputs.Condition
	t        *inputs.TrainingStep
	costs    costs
	rules    *knowledge.Rules
	pinned   *inputs.Strategy // degrees that are not ours to choose; nil: none
	global   int              // sequences of a step
	sequence int              // tokens of one
	kinds    []int            // layers of each kind
	// before[kind][a] is the number of layers of the kind before boundary a.
	before [][]int
	// tail is the first layer from which on all are of one kind.
	tail int
	// From layer repeats on the kinds of layer repeat every unit layers: so many in a row, or
	// a multiple, are the same wherever they begin. unit is 0 where they do not.
	repeats, unit int
	allowed       [len(recomputes)]bool // kinds of recompute on any rank
	tables        map[tableKey]*table
	last          *table // and its key: neighbours in the enumeration share tables
	lastKey       tableKey
}

func newSpace(c *inputs.Condition, costs costs, pinned *inputs.Strategy) (*space, error) {
	w := &c.Workload
	if w.Training == nil {
		return nil, errors.New("training: the condition states no training step")
	}
	if w.Batch < 1 || w.Input.Max < 1 {
		return nil, fmt.Errorf("training: a global batch of %d sequences of %d tokens; both must be 1 or more", w.Batch, w.Input.Max)
	}
	if c.Goal.Balance != nil {
		return nil, errors.New("training: a balance is stated, which the search for a training step does not hold to: leave it out")
	}
	rules, err := knowledge.Compile(c)
	if err != nil {
		return nil, err
	}
	x := &space{c: c, t: w.Training, costs: costs, rules: rules, pinned: pinned, global: w.Batch, sequence: w.Input.Max, tables: map[tableKey]*table{}}
	n := len(c.Model.Layers)
	x.kinds = make([]int, len(c.Model.Kinds))
	x.before = make([][]int, len(c.Model.Kinds))
	for kind := range x.before {
		x.before[kind] = make([]int, n+1)
		for a, k := range c.Model.Layers {
			x.before[kind][a+1] = x.before[kind][a]
			if k == kind {
				x.before[kind][a+1]++
			}
		}
		x.kinds[kind] = x.before[kind][n]
	}
	for x.tail = n; x.tail > 0 && c.Model.Layers[x.tail-1] == c.Model.Layers[n-1]; x.tail-- {
	}
	x.repeats, x.unit = repeating(c.Model.Layers)
	for r, rec := range recomputes {
		x.allowed[r] = len(x.pinnedRecompute()) == 0 || slices.Contains(x.pinnedRecompute(), rec)
	}
	return x, nil
}

// repeating finds the least number of layers after which their kinds come again, from a
// layer in the first half of the model on to its end, which comes out even; unit 0 where
// there is none.
func repeating(layers []int) (from, unit int) {
	n := len(layers)
	for unit = 1; unit <= n/2; unit++ {
		from = n - unit
		for from > 0 && layers[from-1] == layers[from-1+unit] {
			from--
		}
		if n%unit == 0 && from <= n/2 {
			return from, unit
		}
	}
	return 0, 0
}

func (x *space) layers() int { return len(x.c.Model.Layers) }

func (x *space) admitsRecompute(r int) bool { return x.allowed[r] }
