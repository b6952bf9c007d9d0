package formulation

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"partita/formulation/heuristic"
	"partita/inputs"
	"partita/results"
)

// Kinds of change, the smallest first: what is changed of a deployment, or beside it.
const (
	changeSteps   = "steps"   // micro-batches and decode groups
	changeLayers  = "layers"  // a layer moved
	changeSplit   = "split"   // degrees and replicas, on the GPUs given
	changeBalance = "balance" // the default balance, which nobody stated
	changeGPUs    = "gpus"    // more GPUs or fewer
	changeFormat  = "format"  // number formats
	changeLoad    = "load"    // sequences in flight
)

func changeKinds() []string {
	return []string{changeSteps, changeLayers, changeSplit, changeBalance, changeGPUs, changeFormat, changeLoad}
}

// leastGain is the gain in percent below which a change is no advice: the cost model
// does not tell such differences.
const leastGain = 0.05

// mostNearer is how many changes are kept that only come nearer to being feasible.
const mostNearer = 5

// advice is a change that was tried.
type advice struct {
	results.Change
	trial *trial
	size  float64 // how far it goes, in doublings
	plain bool    // under the condition as it is, so that its optimum is a measure
}

// adviser tries the single changes of one strategy.
type adviser struct {
	*evaluation
	benches map[string]*bench
	tried   map[string]bool
	found   []advice
	nearer  []advice // of a strategy that is not feasible: better, but not feasible either
}

// advise tries every single change and keeps what helps: of a feasible strategy what
// lowers the objective, the most first; of another what makes it feasible, the
// smallest first.
func (e *evaluation) advise(ctx context.Context, g Given) error {
	a := &adviser{evaluation: e, benches: map[string]*bench{}, tried: map[string]bool{}}
	if g.Strategy != nil && !e.out.Feasible {
		if err := a.degrees(ctx, g.Strategy); err != nil {
			return err
		}
	}
	if e.trial != nil {
		for _, f := range []func(context.Context) error{a.steps, a.neighbours, a.beside} {
			if err := f(ctx); err != nil {
				return err
			}
		}
	}
	a.rank()
	e.out.ChangesTried = len(a.tried)
	return nil
}

// rank sorts what was found and enters it.
func (a *adviser) rank() {
	if len(a.found) == 0 {
		slices.SortStableFunc(a.nearer, func(x, y advice) int {
			switch v, w := x.trial.pair.Verdict, y.trial.pair.Verdict; {
			case v.Better(w):
				return -1
			case w.Better(v):
				return 1
			}
			return 0
		})
		a.nearer = distinctPipelines(a.nearer)
		a.found = a.nearer[:min(len(a.nearer), mostNearer)]
	} else {
		kinds := changeKinds()
		slices.SortStableFunc(a.found, func(x, y advice) int {
			if a.out.Feasible {
				return cmp.Compare(x.trial.value, y.trial.value)
			}
			return cmp.Or(cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)), cmp.Compare(x.size, y.size), cmp.Compare(x.trial.value, y.trial.value))
		})
		a.found = distinctPipelines(a.found)
	}
	best := a.out.Optimum.Objective
	for _, x := range a.found {
		if a.out.Feasible {
			gain := 100 * (a.trial.value - x.trial.value) / a.trial.value
			x.GainPercent = &gain
		}
		if x.plain && x.Feasible && best != nil && a.out.Optimum.Status == results.StatusOptimal && len(a.sol.counts.list) == 1 {
			gap := 100 * (x.trial.value - *best) / *best
			x.OptimumGapPercent = &gap
			if gap < 0 {
				x.OutsideSearch = x.trial.beaten()
			}
		}
		a.out.Changes = append(a.out.Changes, x.Change)
	}
	a.advice = a.found
}

// distinctPipelines keeps the first of the changes that lead to the same stages in
// another order: one of fifteen stages to join is as good as another.
func distinctPipelines(list []advice) []advice {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(x advice) bool {
		if x.Kind == changeLayers {
			return false
		}
		var shapes []string
		for _, pt := range x.trial.sub.parts {
			shapes = append(shapes, fmt.Sprint(pt.Pool, pt.Shape, pt.Last-pt.First))
		}
		slices.Sort(shapes)
		key := fmt.Sprint(x.Kind, x.trial.sub.replicas, shapes, x.trial.choice.Micro, x.trial.choice.Groups, x.trial.bench.c.Workload.Batch, x.trial.bench.c.Model.KV, x.trial.bench.c.Model.Weights)
		twice := seen[key]
		seen[key] = true
		return twice
	})
}

// bench is that of a condition; the name tells conditions apart.
func (a *adviser) bench(name string, c *inputs.Condition) (*bench, error) {
	if b, ok := a.benches[name]; ok {
		return b, nil
	}
	var admit = a.admitted()
	b, err := a.newBench(c, admit)
	if err == nil {
		a.benches[name] = b
	}
	return b, err
}

// try judges a changed strategy under a condition and keeps it where it helps. Where
// it takes other GPUs than there are, they are given to it and the change says so.
func (a *adviser) try(name string, c *inputs.Condition, s subject, kind, text string, size float64) error {
	counts := s.counts(len(c.Cluster.Pools))
	key := name + fmt.Sprint(s.replicas, s.parts, s.micro, s.groups)
	if a.tried[key] {
		return nil
	}
	a.tried[key] = true
	if n := c.Workload.Batch; s.replicas > n || max(s.micro, s.groups) > ceilDiv(n, s.replicas) {
		return nil // some replicas, micro-batches or groups would have no sequence
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	plain := name == ""
	if a.trial != nil && kind != changeLoad && kind != changeFormat && total != a.needed && a.admits(a.c, a.counts()) {
		kind = changeGPUs
		text += fmt.Sprintf(" (%s)", moreGPUs(total-a.needed))
	}
	if !a.admits(c, counts) {
		if !a.admits(a.c, a.counts()) {
			return nil // the GPUs are what is wrong, and this does not put them right
		}
		name += fmt.Sprint(counts)
		c, plain = withGPUs(c, counts), false
	}
	b, err := a.bench(name, c)
	if err != nil {
		return err
	}
	for _, pt := range s.parts {
		if !b.space.Offers(pt.Pool, pt.Shape) {
			return nil
		}
	}
	t, err := b.try(s)
	if err != nil || !t.pipe.Packs() {
		return nil // not on these GPUs: no advice
	}
	x := advice{trial: t, size: size, plain: plain, Change: results.Change{
		Change: text, Kind: kind, Feasible: t.feasible(), GPUs: total, Strategy: oneLine(c, s.proposal()), Metrics: t.metrics(total),
	}}
	switch {
	case !t.feasible():
		if a.trial != nil && !a.out.Feasible && t.pair.Better(a.trial.pair.Verdict) {
			a.nearer = append(a.nearer, x)
		}
	case !a.out.Feasible, t.value < a.trial.value*(1-leastGain/100):
		a.found = append(a.found, x)
	}
	return nil
}

func moreGPUs(n int) string {
	if n < 0 {
		return counted(-n, "GPU") + " fewer"
	}
	return counted(n, "GPU") + " more"
}

// counts is what the strategy itself takes of each pool.
func (a *adviser) counts() []int {
	if a.trial == nil {
		return make([]int, len(a.c.Cluster.Pools))
	}
	return a.trial.sub.counts(len(a.c.Cluster.Pools))
}

// admits reports whether a condition lets a strategy take these GPUs.
func (a *adviser) admits(c *inputs.Condition, counts []int) bool {
	for k, p := range c.Cluster.Pools {
		switch n := counts[k]; {
		case p.Count.Max > 0 && n > p.Count.Max:
			return false
		case p.Count.Stated() && !c.Goal.AllowIdle && n < a.idleFrom(k):
			return false
		case !p.Count.Stated() && n < p.Count.Min:
			return false
		}
	}
	return true
}

// metrics are the figures by which changes are compared.
func (t *trial) metrics(gpus int) results.Metrics {
	g := t.bench.goal
	ttft, round := g.metrics(t.choice, t.bench.space.Seconds(t.choice, t.sub.parts))
	var m results.Metrics
	if t.choice.Micro > 0 {
		m.TTFTMS = ms(ttft)
	}
	if t.bench.space.Decodes() {
		m.TPOTMS = ms(round)
	}
	per := g.tokensPerRound() / round
	each := per / float64(gpus)
	m.TokensPerS, m.TokensPerSPerGPU = &per, &each
	return m
}

// steps tries other numbers of micro-batches and decode groups where they were given;
// where not, the best were chosen.
func (a *adviser) steps(context.Context) error {
	s := a.trial.sub
	if s.micro == 0 && s.groups == 0 {
		return nil
	}
	b, err := a.bench("", a.c)
	if err != nil {
		return err
	}
	for _, free := range [][2]int{{0, s.groups}, {s.micro, 0}, {0, 0}} {
		x := s
		x.micro, x.groups = free[0], free[1]
		t, err := b.try(x)
		if err != nil {
			return nil // not on these GPUs
		}
		x.micro, x.groups = t.choice.Micro, t.choice.Groups
		text := changed(partsOf("micro-batches", a.trial.choice.Micro, x.micro), partsOf("decode groups", a.trial.choice.Groups, x.groups))
		if text == "" {
			continue
		}
		if err := a.try("", a.c, x, changeSteps, text, 0); err != nil {
			return err
		}
	}
	return nil
}

// neighbours tries the strategies one change away.
func (a *adviser) neighbours(ctx context.Context) error {
	b, err := a.bench("", a.c)
	if err != nil {
		return err
	}
	s := &a.trial.sub
	for _, p := range heuristic.Neighbours(b.space, s.proposal()) {
		if ctx.Err() != nil {
			break
		}
		x := subject{replicas: p.Replicas, parts: p.Parts}
		text, kind, size := difference(a.c, s, &x)
		if err := a.try("", a.c, x, kind, text, size); err != nil {
			return err
		}
	}
	return nil
}

// beside tries changes of what is around the strategy: GPUs, formats and load.
func (a *adviser) beside(ctx context.Context) error {
	s := a.trial.sub
	s.ids, s.micro, s.groups = nil, 0, 0
	if counts := a.counts(); !a.admits(a.c, counts) {
		text := fmt.Sprintf("%d GPUs in place of %d", a.needed, *a.out.GPUsGiven)
		c := withGPUs(a.c, counts)
		if a.needed < *a.out.GPUsGiven {
			idle := *a.c
			idle.Goal.AllowIdle = true
			c, text = &idle, fmt.Sprintf("allow %s to stay idle", counted(*a.out.GPUsGiven-a.needed, "GPU"))
		}
		if err := a.try("other GPUs", c, s, changeGPUs, text, 1); err != nil {
			return err
		}
	}
	if e := a.c.Goal.Balance; e == nil && !a.trial.balanced() {
		if err := a.uneven(s); err != nil {
			return err
		}
	}
	m := &a.c.Model
	if m.KV.Bytes() > inputs.FP8.Bytes() {
		c := *a.c
		c.Model.KV = inputs.FP8
		if err := a.try("kv", &c, s, changeFormat, fmt.Sprintf("KV cache in fp8 in place of %s", m.KV), 1); err != nil {
			return err
		}
	}
	if m.Weights.Bytes() > inputs.FP8.Bytes() {
		c := *a.c
		c.Model.Weights, c.Model.Dense, c.Model.Projections = inputs.FP8, "", ""
		if err := a.try("weights", &c, s, changeFormat, fmt.Sprintf("weights in fp8 in place of %s", m.Weights), 2); err != nil {
			return err
		}
	}
	return a.load(ctx, s)
}

// uneven tries the strategy with the balance that it has, in place of the default.
func (a *adviser) uneven(s subject) error {
	epsilon := math.Ceil((1-a.out.Balance.TimeMinOverMax)*balanceParts+1) / balanceParts
	c := *a.c
	c.Goal.Balance = &epsilon
	floor := a.floor
	a.floor = [2]int64{int64(math.Floor((1 - epsilon) * balanceParts)), balanceParts}
	defer func() { a.floor = floor }()
	return a.try("uneven", &c, s, changeBalance, fmt.Sprintf("accept the imbalance (--balance %.3g)", epsilon), 1)
}

// load tries half and twice the sequences in flight; of a strategy that is not
// feasible, the most with which it is.
func (a *adviser) load(ctx context.Context, s subject) error {
	batch := a.c.Workload.Batch
	with := func(n int) error {
		if n < 1 || n == batch {
			return nil
		}
		c := *a.c
		c.Workload.Batch = n
		size := math.Abs(math.Log2(float64(n) / float64(batch)))
		return a.try(fmt.Sprintf("batch %d", n), &c, s, changeLoad, fmt.Sprintf("batch %d → %d", batch, n), size)
	}
	if a.out.Feasible {
		if err := with(batch / 2); err != nil {
			return err
		}
		return with(batch * 2)
	}
	// Invariant of the halving: feasible at low, not at high.
	before, low, high := len(a.found), 0, batch
	for n := batch / 2; n >= 1 && low == 0 && ctx.Err() == nil; n /= 2 {
		if err := with(n); err != nil {
			return err
		}
		if len(a.found) > before {
			low = n
		} else {
			high = n
		}
	}
	for low > 0 && high-low > 1 && ctx.Err() == nil {
		mid, was := (low+high)/2, len(a.found)
		if err := with(mid); err != nil {
			return err
		}
		if len(a.found) > was {
			low = mid
		} else {
			high = mid
		}
	}
	if len(a.found) > before { // the largest alone
		a.found[before] = a.found[len(a.found)-1]
		a.found = a.found[:before+1]
	}
	return nil
}
