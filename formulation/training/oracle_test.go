package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/solver"
	"partita/solver/path"
)

// layouts calls f with every layout of a condition that uses exactly the GPUs given: all
// degrees, orders of pools, cuts and recomputes, whatever the prices. Where v > 1 the
// stages of a rank are as equal as they can be, larger ones last.
func layouts(c *inputs.Condition, f func(*Layout)) {
	total := 0
	for _, p := range c.Cluster.Pools {
		total += p.Count.Max
	}
	L := len(c.Model.Layers)
	for pp := 1; pp <= min(L, total); pp++ {
		for dp := 1; dp*pp <= total; dp++ {
			for tp := 1; tp*dp*pp <= total; tp++ {
				for cp := 1; cp*tp*dp*pp <= total; cp++ {
					for ep := 1; ep <= tp*cp*dp; ep++ {
						for etp := 1; etp <= tp; etp++ {
							l := Layout{DP: dp, TP: tp, CP: cp, EP: ep, ETP: etp}
							if pp*tp*cp*dp == total && tp%etp == 0 {
								schedules(c, l, pp, f)
							}
						}
					}
				}
			}
		}
	}
}

func schedules(c *inputs.Condition, l Layout, pp int, f func(*Layout)) {
	for _, l.SP = range []bool{false, true} {
		for l.ZeRO = 0; l.ZeRO <= 3; l.ZeRO++ {
			for l.MicroBatch = 1; l.MicroBatch*l.DP <= c.Workload.Batch; l.MicroBatch++ {
				for l.Virtual = 1; l.Virtual*pp <= len(c.Model.Layers); l.Virtual++ {
					if admissible(c, &l, pp) {
						cuts(c, l, pp, nil, f)
					}
				}
			}
		}
	}
}

func admissible(c *inputs.Condition, l *Layout, pp int) bool {
	s := cost.TrainShape{DP: l.DP, TP: l.TP, CP: l.CP, EP: l.EP, ETP: l.ETP, ZeRO: l.ZeRO, SP: l.SP}
	ok, _ := cost.ValidTrainShape(&c.Model, s)
	moe := false
	for _, k := range c.Model.Kinds {
		moe = moe || k.FFN.Experts > 0
	}
	m := c.Workload.Batch / (l.DP * l.MicroBatch)
	switch {
	case !ok, c.Workload.Batch%(l.DP*l.MicroBatch) != 0, l.CP > 1 && c.Workload.Input.Max%(2*l.CP) != 0:
		return false
	case l.SP && l.TP == 1, l.ZeRO > 0 && l.DP*l.CP == 1, l.ETP > 1 && !moe:
		return false
	case l.Virtual > 1 && (pp == 1 || m%pp != 0):
		return false
	}
	for _, p := range c.Cluster.Pools {
		if p.Count.Max%(l.TP*l.CP*l.DP) != 0 || p.GPUsPerNode%l.TP != 0 {
			return false
		}
	}
	return true
}

// cuts gives every rank a number of layers and a pool.
func cuts(c *inputs.Condition, l Layout, pp int, ranks []Stage, f func(*Layout)) {
	L := len(c.Model.Layers)
	held := 0
	for _, r := range ranks {
		held += r.Last
	}
	if len(ranks) == pp {
		if held == L {
			emit(c, l, ranks, f)
		}
		return
	}
	for n := l.Virtual; held+n <= L; n++ {
		for k, p := range c.Cluster.Pools {
			used := 0
			for _, r := range ranks {
				if r.Pool == k {
					used++
				}
			}
			if (used+1)*l.TP*l.CP*l.DP > p.Count.Max {
				continue
			}
			cuts(c, l, pp, append(ranks[:len(ranks):len(ranks)], Stage{Last: n, Pool: k}), f)
		}
	}
}

// emit lays the layers of the ranks, whose number is in Last, on their stages. Where v > 1
// the class is: stages of a rank differ by at most one round of the kinds of layer, and
// what lies before these repeat is in the first round of stages.
func emit(c *inputs.Condition, l Layout, ranks []Stage, f func(*Layout)) {
	at, round, before := 0, 1, 0
	if l.Virtual > 1 {
		if round, before = rounds(c.Model.Layers); round == 0 {
			return
		}
	}
	l.Stages = nil
	for v := range l.Virtual {
		for _, r := range ranks {
			if r.Last%round != 0 || r.Last < l.Virtual*round {
				return
			}
			n := r.Last / round / l.Virtual
			if l.Virtual-v <= r.Last/round%l.Virtual {
				n++
			}
			l.Stages = append(l.Stages, Stage{First: at, Last: at + n*round - 1, Pool: r.Pool})
			at += n * round
		}
		if v == 0 && at < before {
			return
		}
	}
	recomputed(l, 0, f)
}

// rounds is how many layers kinds of layer repeat after, and how many lie before; 0 where
// they do not in the second half of the model.
func rounds(layers []int) (round, before int) {
	for round = 1; 2*round <= len(layers); round++ {
		for before = 0; len(layers)%round == 0 && 2*before <= len(layers); before++ {
			same := true
			for i := before; i+round < len(layers); i++ {
				same = same && layers[i] == layers[i+round]
			}
			if same {
				return round, before
			}
		}
	}
	return 0, 0
}

// recomputed gives every stage from one on a recompute. Selective recompute is as none
// (TestSelectiveRecomputeIsNone).
func recomputed(l Layout, from int, f func(*Layout)) {
	if from == len(l.Stages) {
		f(&l)
		return
	}
	l.Stages = slices.Clone(l.Stages)
	if before := from - l.PP(); before >= 0 && l.Stages[before].Recompute == inputs.FullRecompute {
		l.Stages[from].Recompute = inputs.FullRecompute // the class: never less on later stages of a rank
		recomputed(l, from+1, f)
		return
	}
	for _, l.Stages[from].Recompute = range []inputs.Recompute{inputs.NoRecompute, inputs.FullRecompute} {
		recomputed(l, from+1, f)
	}
}

// fits recomputes the memory of every rank.
func fits(c *inputs.Condition, costs costs, l *Layout) bool {
	pp := l.PP()
	m := l.MicroBatches(c.Workload.Batch)
	shape := cost.TrainShape{DP: l.DP, TP: l.TP, CP: l.CP, EP: l.EP, ETP: l.ETP, ZeRO: l.ZeRO, SP: l.SP}
	for i := range pp {
		var held []cost.TrainHeld
		for k := i; k < len(l.Stages); k += pp {
			st := l.Stages[k]
			counts := make([]int, len(c.Model.Kinds))
			for _, kind := range c.Model.Layers[st.First : st.Last+1] {
				counts[kind]++
			}
			inFlight := math.Min(float64(m), float64(pp-i))
			if v := float64(l.Virtual); v > 1 {
				inFlight = math.Min(float64(m)*v, 2*float64(pp-i-1)+(v-1)*float64(pp)+1) / v
			}
			held = append(held, cost.TrainHeld{Counts: counts, First: k == 0, Last: k == len(l.Stages)-1, Recompute: st.Recompute, InFlight: inFlight})
		}
		pool := l.Stages[i].Pool
		if costs.TrainMemory(pool, shape, cost.TrainStep{MicroBatch: l.MicroBatch, Sequence: c.Workload.Input.Max}, held).Total() > costs.Capacity(pool) {
			return false
		}
	}
	return true
}

// tiny draws a condition with few enough layouts to look at all.
func tiny(t *rapid.T) *inputs.Condition {
	node := rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "GPUs a node")
	pools := []entry{{"A100-SXM-40GB", node * rapid.IntRange(1, 4/node).Draw(t, "nodes"), node}}
	if rapid.Bool().Draw(t, "two pools") {
		pools[0].gpus = min(pools[0].gpus, 2)
		pools[0].node = min(node, pools[0].gpus)
		pools = append(pools, entry{"H100-SXM-80GB", pools[0].gpus * rapid.IntRange(1, 2).Draw(t, "of the other"), pools[0].node})
	}
	c := training(t, "Llama-3.1-8B", rapid.IntRange(1, 6).Draw(t, "batch"), 256*rapid.IntRange(1, 4).Draw(t, "sequence"), cluster(t, 25e9, pools...))
	m := &c.Model
	m.Hidden, m.Vocab = 1024, 1000*rapid.IntRange(1, 60).Draw(t, "vocabulary")
	m.Kinds[0].Attention.Heads, m.Kinds[0].Attention.KVHeads = 8, 4
	m.Kinds[0].FFN.Intermediate = 512 * rapid.IntRange(1, 12).Draw(t, "width")
	m.Layers = make([]int, rapid.IntRange(1, 5).Draw(t, "layers"))
	if len(pools) > 1 {
		m.Layers = m.Layers[:min(4, len(m.Layers))]
	}
	if rapid.Bool().Draw(t, "experts") {
		moe := m.Kinds[0]
		moe.Name, moe.FFN.Experts, moe.FFN.TopK = "experts", 4, 2
		m.Kinds = append(m.Kinds, moe)
		pattern := rapid.SampledFrom([]string{"01111", "11111", "01010", "00111", "01101"}).Draw(t, "kinds")
		for i := range m.Layers {
			m.Layers[i] = int(pattern[i] - '0')
		}
	}
	// Little memory, so that recompute and sharding matter.
	for k := range c.Cluster.Pools {
		c.Cluster.Pools[k].MemoryBytes = int64(rapid.Float64Range(3, 12).Draw(t, "memory") * 1e9)
	}
	return c
}

// least is the fastest layout of a condition by looking at all.
func least(c *inputs.Condition, costs costs, seconds func(*Layout) float64) (best *Layout, value float64) {
	value = math.Inf(1)
	layouts(c, func(l *Layout) {
		if v := seconds(l); v < value && fits(c, costs, l) {
			x := *l
			best, value = &x, v
		}
	})
	return best, value
}

// priced is what Price says of a layout.
func priced(f failer, c *inputs.Condition, calc *cost.Calculator, l *Layout) float64 {
	f.Helper()
	step, err := Price(c, calc, l)
	if err != nil {
		f.Fatalf("%+v: %v", *l, err)
	}
	return step.Seconds
}

// solveOn is the best layout on exactly the GPUs given, nil where none fits.
func solveOn(c *inputs.Condition, costs costs, o Options) (*found, error) {
	r, err := newRun(c, costs, o)
	if err != nil {
		return nil, err
	}
	a, err := r.through(context.Background(), r.goal.levels(), 0)
	if err != nil || a == nil {
		return nil, err
	}
	return a.out.best, nil
}

func TestSolveAgainstAllLayouts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tiny(t)
		calc := calculator(t, c)
		worth := func(l *Layout) float64 { return priced(t, c, calc, l) }
		best, value := least(c, calc, worth)
		backend := rapid.SampledFrom([]string{"labels", "labels", "labels", "sat", "ilp"}).Draw(t, "backend")
		out, err := solveOn(c, calc, withBackends(Options{Backend: backend}))
		if errors.Is(err, errNoBackend) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if best == nil || out == nil {
			if best != nil || out != nil {
				t.Fatalf("by %s %+v, of all %+v", backend, out, best)
			}
			return
		}
		if !fits(c, calc, out.layout) {
			t.Fatalf("%+v does not fit", *out.layout)
		}
		if got := worth(out.layout); math.Abs(got-value) > 1e-6*value || math.Abs(got-out.seconds) > 1e-12*got {
			t.Fatalf("%s: %+v takes %.9g s, in the search %.9g, %+v takes %.9g s", backend, *out.layout, got, out.seconds, *best, value)
		}
	})
}

// A rule about where stages begin or end holds at every boundary of its own, also where all
// layers are alike.
func TestRulesOfPlaceAgainstAllLayouts(t *testing.T) {
	bound := 0
	rapid.Check(t, func(t *rapid.T) {
		c := tiny(t)
		ranks := rapid.IntRange(3, 4).Draw(t, "ranks") // of which the middle ones begin anywhere
		c.Cluster.Pools = c.Cluster.Pools[:1]
		c.Cluster.Pools[0].Count, c.Cluster.Pools[0].Nodes, c.Cluster.Pools[0].GPUsPerNode = inputs.Count{Min: ranks, Max: ranks}, nil, 1
		c.Model.Layers = make([]int, rapid.IntRange(ranks, 6).Draw(t, "layers alike"))
		place := rapid.IntRange(1, max(1, len(c.Model.Layers)-1)).Draw(t, "place")
		end := rapid.Bool().Draw(t, "an end")
		keeps := func(s *Stage) bool { return s.First != place }
		c.Rules = []inputs.Rule{{Name: "place", Expr: fmt.Sprintf("first_layer != %d", place)}, {Name: "ranks", Expr: fmt.Sprintf("pp == %d", ranks)}}
		if end {
			keeps = func(s *Stage) bool { return s.Last != place-1 }
			c.Rules[0].Expr = fmt.Sprintf("last_layer != %d", place-1)
		}
		calc := calculator(t, c)
		any := math.Inf(1)
		best, value := least(c, calc, func(l *Layout) float64 {
			if l.Virtual > 1 || l.PP() != ranks { // interleaved ones are not searched where a rule asks for places
				return math.Inf(1)
			}
			seconds := priced(t, c, calc, l)
			if fits(c, calc, l) {
				any = min(any, seconds)
			}
			for k := range l.Stages {
				if !keeps(&l.Stages[k]) {
					return math.Inf(1)
				}
			}
			return seconds
		})
		if any < value {
			bound++
		}
		out, err := solveOn(c, calc, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if best == nil || out == nil {
			if best != nil || out != nil {
				t.Fatalf("found %+v, of all %+v", out, best)
			}
			return
		}
		for k := range out.layout.Stages {
			if !keeps(&out.layout.Stages[k]) {
				t.Fatalf("%+v breaks %s", *out.layout, c.Rules[0].Expr)
			}
		}
		if got := priced(t, c, calc, out.layout); math.Abs(got-value) > 1e-6*value {
			t.Fatalf("%s: %+v takes %.9g s, %+v takes %.9g s", c.Rules[0].Expr, *out.layout, got, *best, value)
		}
	})
	if bound == 0 {
		t.Error("no rule took out the best layout")
	}
}

// Kinds of layer that take turns: stages of an interleaved pipeline are whole rounds.
func TestAlternatingLayers(t *testing.T) {
	interleaved := 0
	rapid.Check(t, func(t *rapid.T) {
		c := tiny(t)
		p := &c.Cluster.Pools[0]
		c.Cluster.Pools = c.Cluster.Pools[:1]
		p.Count, p.Nodes = inputs.Count{Min: 2, Max: 2}, nil
		p.GPUsPerNode = rapid.IntRange(1, 2).Draw(t, "GPUs a node of two")
		if len(c.Model.Kinds) == 1 {
			other := c.Model.Kinds[0]
			other.FFN.Intermediate *= 2
			c.Model.Kinds = append(c.Model.Kinds, other)
		}
		c.Model.Layers = rapid.SampledFrom([][]int{{0, 1, 0, 1, 0, 1, 0, 1}, {0, 0, 1, 0, 1, 0, 1, 1}, {1, 1, 0, 1, 0, 1, 0, 1}, {0, 0, 1, 1, 0, 0, 1, 1}}).Draw(t, "kinds")
		c.Workload.Batch = 2 * rapid.IntRange(1, 3).Draw(t, "batch of two")
		c.Workload.Training.VirtualStages = rapid.IntRange(0, 2).Draw(t, "virtual stages")
		calc := calculator(t, c)
		best, value := least(c, calc, func(l *Layout) float64 {
			if v := c.Workload.Training.VirtualStages; v > 0 && v != l.Virtual {
				return math.Inf(1)
			}
			return priced(t, c, calc, l)
		})
		out, err := solveOn(c, calc, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if best == nil || out == nil {
			if best != nil || out != nil {
				t.Fatalf("found %+v, of all %+v", out, best)
			}
			return
		}
		if out.layout.Virtual > 1 {
			interleaved++
		}
		if got := priced(t, c, calc, out.layout); math.Abs(got-value) > 1e-6*value || !fits(c, calc, out.layout) {
			t.Fatalf("%+v takes %.9g s, %+v takes %.9g s", *out.layout, got, *best, value)
		}
	})
	if interleaved == 0 {
		t.Error("no case was interleaved")
	}
}

// The search and its oracle count on attention that keeps no scores.
func TestSelectiveRecomputeIsNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tiny(t)
		calc := calculator(t, c)
		layouts(c, func(l *Layout) {
			x := *l
			x.Stages = slices.Clone(l.Stages)
			for k := range x.Stages {
				if x.Stages[k].Recompute == inputs.NoRecompute {
					x.Stages[k].Recompute = inputs.SelectiveRecompute
				}
			}
			if a, b := priced(t, c, calc, l), priced(t, c, calc, &x); a != b || !slices.Equal(Memory(c, calc, l), Memory(c, calc, &x)) {
				t.Fatalf("%+v takes %g s, %g with selective recompute", *l, a, b)
			}
		})
	})
}

// Bounds by counting work are no higher than any layout, and no split with a layout that
// fits is told not to.
func TestFloors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tiny(t)
		calc := calculator(t, c)
		x, err := newSpace(c, calc, nil)
		if err != nil {
			t.Fatal(err)
		}
		layouts(c, func(l *Layout) {
			s := SplitOf(l, len(c.Cluster.Pools))
			if floor, is := x.floor(&s), priced(t, c, calc, l); floor > is*(1+1e-9) {
				t.Fatalf("%+v takes %g s, by counting work at least %g", *l, is, floor)
			}
			if fits(c, calc, l) && !x.mayFit(&s) {
				t.Fatalf("%+v fits, and is said not to", *l)
			}
			if !x.within(&s) {
				t.Fatalf("%s is not searched", s.String())
			}
		})
	})
}

// The network and its stage graph have the same optimum.
func TestGraphOfNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tiny(t)
		r, err := newRun(c, calculator(t, c), Options{})
		if err != nil {
			t.Fatal(err)
		}
		gpus := make([]int, len(c.Cluster.Pools))
		for k := range gpus {
			gpus[k] = c.Cluster.Pools[k].Count.Max
		}
		for s := range r.x.splits(gpus, nil) {
			n := r.x.network(s, 1e-7, math.Inf(1))
			trip := n.best(far)
			other, status, err := n.bestBy(context.Background(), path.Solve, far)
			if err != nil {
				t.Fatal(err)
			}
			if trip == nil || other == nil {
				if trip != nil || other != nil || status != solver.Infeasible {
					t.Fatalf("%s: paths %+v and %+v, %v", s.String(), trip, other, status)
				}
				continue
			}
			if got, want := n.value(other.sum, other.peak, other.once), n.value(trip.sum, trip.peak, trip.once); got != want || status != solver.Optimal {
				t.Fatalf("%s: %d, by its stage graph %d (%v)", s.String(), want, got, status)
			}
		}
	})
}
