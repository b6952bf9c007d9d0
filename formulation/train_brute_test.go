package formulation_test

import (
	"fmt"
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
)

// trial is a layout of a training step written down by TestTrainingAgainstAllLayouts: what
// ranks hold, and what the step comes to.
type trial struct {
	shape          cost.TrainShape
	pp, v, b, m    int
	pools          []int   // of each rank
	layers         [][]int // of each stage of each rank
	full           [][]bool
	nodes          [][]int // of each GPU of each rank
	gpus           []int   // by pool
	seconds, price float64
}

func (x *trial) total() (n int) {
	for _, g := range x.gpus {
		n += g
	}
	return n
}

func (x *trial) String() string {
	return fmt.Sprintf("%+v PP %d v %d micro %d of %d on %v (GPUs %v), layers %v, full %v: %.9g s", x.shape, x.pp, x.v, x.b, x.m, x.pools, x.gpus, x.layers, x.full, x.seconds)
}

// brute looks at every layout of a condition.
type brute struct {
	c             *inputs.Condition
	costs         *cost.Calculator
	keeps         func(x *trial) bool // rules of the condition, by hand
	round, before int
	see           func(x *trial)
	alone         [2]float64 // shortest step and least GPU time of all

	x     trial
	time  map[string]float64
	bytes map[string]int64
}

// all calls see for every layout of exactly so many GPUs of each pool.
func (w *brute) all(gpus []int) {
	total := 0
	for _, n := range gpus {
		total += n
	}
	batch, sequence, t := w.c.Workload.Batch, w.c.Workload.Input.Max, w.c.Workload.Training
	moe := false
	for _, k := range w.c.Model.Kinds {
		moe = moe || k.FFN.Experts > 0
	}
	for each := 1; each <= total; each++ { // GPUs of a rank
		if slices.ContainsFunc(gpus, func(n int) bool { return n%each != 0 }) || total/each > len(w.c.Model.Layers) {
			continue
		}
		for code := 0; code < each*each*each*each*each*8; code++ {
			r := code
			next := func(n int) int { d := r % n; r /= n; return d }
			s := cost.TrainShape{TP: next(each) + 1, CP: next(each) + 1, DP: next(each) + 1, EP: next(each) + 1, ETP: next(each) + 1, ZeRO: next(4), SP: next(2) == 1}
			if s.TP*s.CP*s.DP != each || batch%s.DP != 0 || s.CP > 1 && sequence%(2*s.CP) != 0 || s.TP%s.ETP != 0 || s.ETP > 1 && !moe {
				continue
			}
			if s.SP && s.TP == 1 || s.DP*s.CP == 1 && s.ZeRO > 0 && t.ZeRO == nil || t.ZeRO != nil && *t.ZeRO != s.ZeRO || t.SequenceParallel != nil && s.TP > 1 && *t.SequenceParallel != s.SP {
				continue
			}
			if ok, _ := cost.ValidTrainShape(&w.c.Model, s); !ok || !w.inside(gpus, s.TP) {
				continue
			}
			for b := 1; b <= batch/s.DP; b++ {
				if batch%(s.DP*b) != 0 || t.MicroBatch > 0 && t.MicroBatch != b {
					continue
				}
				for v := 1; v*(total/each) <= len(w.c.Model.Layers); v++ {
					m, pp := batch/s.DP/b, total/each
					if v > 1 && (pp == 1 || m%pp != 0 || w.round == 0) || t.VirtualStages > 0 && t.VirtualStages != v {
						continue
					}
					w.x = trial{shape: s, pp: pp, v: v, b: b, m: m, gpus: gpus}
					w.time, w.bytes = map[string]float64{}, map[string]int64{}
					w.rank(nil, nil, slices.Clone(gpus), len(w.c.Model.Layers))
				}
			}
		}
	}
}

// hosts lists the node of each GPU of a pool that tensor groups of tp may have.
func (w *brute) hosts(pool, need, tp int) (out []int) {
	p := &w.c.Cluster.Pools[pool]
	if len(p.Nodes) > 0 {
		for i, n := range p.Nodes {
			for range len(n.GPUs) / tp * tp {
				out = append(out, i)
			}
		}
		return out
	}
	for i := 0; i*p.GPUsPerNode < need; i++ {
		for range p.GPUsPerNode / tp * tp {
			out = append(out, i)
		}
	}
	return out
}

func (w *brute) inside(gpus []int, tp int) bool {
	for k, n := range gpus {
		if len(w.hosts(k, n, tp)) < n {
			return false
		}
	}
	return true
}

// rank chooses the pool and the layers of the next rank.
func (w *brute) rank(pools []int, layers [][]int, free []int, left int) {
	each := w.x.shape.GPUs()
	if len(pools) == w.x.pp {
		if left == 0 {
			w.x.pools, w.x.layers = pools, layers
			w.recompute(nil)
		}
		return
	}
	for k := range free {
		if free[k] < each {
			continue
		}
		free[k] -= each
		unit := 1
		if w.x.v > 1 {
			unit = w.round
		}
		for n := unit * w.x.v; n <= left; n += unit {
			var parts []int // as even as they can be, the larger ones last
			for c := range w.x.v {
				size := n / unit / w.x.v
				if c >= w.x.v-n/unit%w.x.v {
					size++
				}
				parts = append(parts, size*unit)
			}
			w.rank(append(slices.Clone(pools), k), append(slices.Clone(layers), parts), free, left-n)
		}
		free[k] += each
	}
}

// recompute chooses what the stages of the next rank make again: of each stage, never less
// on a later one.
func (w *brute) recompute(full [][]bool) {
	if len(full) == w.x.pp {
		w.x.full = full
		w.price()
		return
	}
	asked := w.c.Workload.Training.Recompute
	for n := 0; n <= w.x.v; n++ { // so many at the end do
		if len(asked) == 1 && (asked[0] == inputs.FullRecompute) != (n == w.x.v) || len(asked) == 1 && n != 0 && n != w.x.v {
			continue
		}
		list := make([]bool, w.x.v)
		for c := w.x.v - n; c < w.x.v; c++ {
			list[c] = true
		}
		w.recompute(append(slices.Clone(full), list))
	}
}

func (w *brute) price() {
	x, layers := &w.x, w.c.Model.Layers
	at := make([][]int, x.pp) // first layer of each stage
	next := 0
	for c := range x.v {
		for i := range x.pp {
			at[i] = append(at[i], next)
			next += x.layers[i][c]
		}
		if c == 0 && x.v > 1 && next < w.before {
			return
		}
	}
	st := cost.TrainStep{MicroBatch: x.b, Sequence: w.c.Workload.Input.Max, Overlap: cost.Interleaved(x.pp, x.v)}
	// GPUs of each rank by node.
	nodes := make([][]int, x.pp)
	slots := make([][]int, len(x.gpus))
	for k, n := range x.gpus {
		slots[k] = w.hosts(k, n, x.shape.TP)
	}
	for i, k := range x.pools {
		nodes[i], slots[k] = slots[k][:x.shape.GPUs()], slots[k][x.shape.GPUs():]
	}
	if x.nodes = nodes; w.keeps != nil && !w.keeps(x) {
		return
	}
	send := func(i int) float64 { // both ways between rank i and the one after it
		j := (i + 1) % x.pp
		same := x.pools[i] == x.pools[j]
		for _, n := range append(slices.Clone(nodes[i]), nodes[j]...) {
			same = same && n == nodes[i][0]
		}
		return 2 * w.costs.TrainSend(x.pools[i], x.pools[j], same, x.shape, st)
	}
	var most, sum, sync, update float64
	for i, pool := range x.pools {
		key := fmt.Sprint(i, pool, at[i], x.layers[i], x.full[i])
		kept := math.Min(float64(x.m), float64(x.pp-i))
		if x.v > 1 {
			kept = math.Min(float64(x.m), float64(2*(x.pp-i-1)+(x.v-1)*x.pp+1)/float64(x.v))
		}
		if _, ok := w.bytes[key]; !ok {
			counts := make([]int, len(w.c.Model.Kinds))
			var held []cost.TrainHeld
			var time float64
			for c, n := range x.layers[i] {
				h := cost.TrainHeld{Counts: make([]int, len(counts)), First: i == 0 && c == 0, Last: i == x.pp-1 && c == x.v-1, InFlight: kept, Recompute: inputs.NoRecompute}
				if x.full[i][c] {
					h.Recompute = inputs.FullRecompute
				}
				for _, kind := range layers[at[i][c] : at[i][c]+n] {
					h.Counts[kind]++
					counts[kind]++
					f, b := w.costs.TrainLayer(pool, kind, x.shape, st, h.Recompute)
					time += f + b
				}
				held = append(held, h)
			}
			if i == 0 {
				f, b := w.costs.TrainEmbedding(pool, x.shape, st)
				time += f + b
			}
			if i == x.pp-1 {
				f, b := w.costs.TrainHead(pool, x.shape, st)
				time += f + b
			}
			w.time[key] = time
			w.time["sync"+key] = w.costs.TrainSync(pool, counts, i == 0, i == x.pp-1, x.shape, st, x.m)
			w.time["update"+key] = w.costs.TrainUpdate(pool, counts, i == 0, i == x.pp-1, x.shape)
			w.bytes[key] = w.costs.TrainMemory(pool, x.shape, st, held).Total()
		}
		if w.bytes[key] > w.costs.Capacity(pool) {
			return
		}
		time := w.time[key]
		if x.pp > 1 {
			hops := x.v
			if i == x.pp-1 {
				hops--
			}
			if hops > 0 {
				time += float64(hops) * send(i)
			}
		}
		most, sum = math.Max(most, time), sum+time
		sync, update = math.Max(sync, w.time["sync"+key]), math.Max(update, w.time["update"+key])
	}
	x.seconds = float64(x.m)*most + (sum-most)/float64(x.v) + sync + update
	x.price = 0
	for k, n := range x.gpus {
		x.price += float64(n) * w.c.Cluster.Pools[k].USDPerHour
	}
	w.see(x)
}

// counts are the numbers of GPUs of each pool that a plan may use.
func (w *brute) counts() (out [][]int) {
	out = [][]int{nil}
	for k := range w.c.Cluster.Pools {
		p := &w.c.Cluster.Pools[k]
		low, high := p.Count.Min, p.Count.Max
		if w.c.Goal.AllowIdle && low == high {
			low = 0
		}
		var next [][]int
		for _, v := range out {
			for n := low; n <= high; n++ {
				if n <= p.GPUsPerNode || n%p.GPUsPerNode == 0 || n == low || n == high {
					next = append(next, append(slices.Clone(v), n))
				}
			}
		}
		out = next
	}
	return slices.DeleteFunc(out, func(v []int) bool { return slices.Max(v) == 0 })
}

// ratio is how far a layout is from what is asked of it: 1 and less meets it.
func (w *brute) ratio(x *trial, margin float64) float64 {
	return w.ratioOf(x, margin, func(inputs.RequirementKind) bool { return true })
}

func (w *brute) ratioOf(x *trial, margin float64, counts func(inputs.RequirementKind) bool) float64 {
	tokens := float64(w.c.Workload.Batch) * float64(w.c.Workload.Input.Max) / x.seconds
	worst := 0.0
	for _, q := range w.c.Goal.Requirements {
		r := 0.0
		if !counts(q.Kind) {
			continue
		}
		switch q.Kind {
		case inputs.StepTime:
			r = x.seconds / (q.Value * (1 - margin))
		case inputs.TokensPerSecond:
			r = q.Value / (tokens * (1 - margin))
		case inputs.TokensPerSGPU:
			r = q.Value / (tokens / float64(x.total()) * (1 - margin))
		case inputs.CostUSDPerHour:
			r = x.price / q.Value
		}
		worst = math.Max(worst, r)
	}
	return worst
}

// worth orders layouts as the goal does, the best first; the last of it is minimised.
func (w *brute) worth(x *trial) [3]float64 {
	open := slices.ContainsFunc(w.c.Cluster.Pools, func(p inputs.Pool) bool { return !p.Count.Stated() })
	o := w.c.Goal.Objective
	gpus := float64(x.total())
	ranked := o == inputs.GPUs || o == inputs.Cost
	choice := open || w.c.Goal.AllowIdle
	switch {
	case choice && o == inputs.Cost:
		return [3]float64{math.Round(x.price * 1e6), gpus, x.seconds}
	case choice && ranked, open && len(w.c.Goal.Requirements) > 0:
		return [3]float64{gpus, 0, x.seconds}
	case open && o == inputs.Throughput:
		return [3]float64{0, 0, x.seconds * gpus}
	case open && o == inputs.Balanced:
		g := &w.c.Goal
		return [3]float64{0, 0, g.LatencyWeight*x.seconds/w.alone[0] + g.ThroughputWeight*x.seconds*gpus/w.alone[1]}
	}
	return [3]float64{0, 0, x.seconds}
}

func sliceOf(a [3]float64) []float64 { return a[:] }

// roundsOf is how many layers their kinds come again after, and the layer that this begins
// at, in the first half of the model; 0 where they do not.
func roundsOf(layers []int) (round, before int) {
	for round = 1; 2*round <= len(layers); round++ {
		for before = 0; len(layers)%round == 0 && 2*before <= len(layers); before++ {
			if slices.Equal(layers[before:len(layers)-round], layers[before+round:]) {
				return round, before
			}
		}
	}
	return 0, 0
}
