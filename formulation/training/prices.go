package training

import (
	"math"

	"partita/formulation/cost"
	"partita/inputs"
)

// costs is what the search asks of the cost model; *cost.Calculator in the program.
type costs interface {
	TrainLayer(pool, kind int, s cost.TrainShape, st cost.TrainStep, r inputs.Recompute) (forward, backward float64)
	TrainEmbedding(pool int, s cost.TrainShape, st cost.TrainStep) (forward, backward float64)
	TrainHead(pool int, s cost.TrainShape, st cost.TrainStep) (forward, backward float64)
	TrainSend(from, to int, sameNode bool, s cost.TrainShape, st cost.TrainStep) float64
	TrainSync(pool int, counts []int, first, last bool, s cost.TrainShape, st cost.TrainStep, microBatches int) float64
	TrainUpdate(pool int, counts []int, first, last bool, s cost.TrainShape) float64
	TrainMemory(pool int, s cost.TrainShape, st cost.TrainStep, held []cost.TrainHeld) cost.TrainBytes
	Capacity(pool int) int64
}

// recomputes are the kinds of recompute, the cheapest in time first.
var recomputes = [...]inputs.Recompute{inputs.NoRecompute, inputs.SelectiveRecompute, inputs.FullRecompute}

// table holds the seconds of one micro-batch that stages of a split add up from, both
// directions together, by pool.
type table struct {
	layer     [][][len(recomputes)]float64 // by pool, kind and recompute
	embedding []float64
	head      []float64
	// send is one way between ranks, [from][to]; near where they share a node.
	send [][]float64
	near []float64
	// least is the least that a layer of each kind takes on each pool, [pool][kind].
	least [][]float64
}

// tableKey is what a table depends on: DP alone where weights are gathered over it.
type tableKey struct {
	tp, cp, ep, etp, micro, dp int
	sp, sharded                bool
}

func keyOf(s *Split) tableKey {
	k := tableKey{tp: s.TP, cp: s.CP, ep: s.EP, etp: s.ETP, micro: s.MicroBatch, sp: s.SP}
	if s.ZeRO == 3 {
		k.sharded, k.dp = true, s.DP
	}
	return k
}

// table of a split, made once.
func (x *space) table(s *Split) *table {
	key := keyOf(s)
	if x.last != nil && x.lastKey == key {
		return x.last
	}
	if t, ok := x.tables[key]; ok {
		x.last, x.lastKey = t, key
		return t
	}
	shape, step := s.Shape(), x.step(s)
	both := func(f, b float64) float64 { return f + b }
	t := &table{}
	for k := range x.c.Cluster.Pools {
		kinds := make([][len(recomputes)]float64, len(x.c.Model.Kinds))
		least := make([]float64, len(kinds))
		for kind := range kinds {
			least[kind] = math.Inf(1)
			for r, rec := range recomputes {
				kinds[kind][r] = both(x.costs.TrainLayer(k, kind, shape, step, rec))
				if x.admitsRecompute(r) {
					least[kind] = min(least[kind], kinds[kind][r])
				}
			}
		}
		t.layer, t.least = append(t.layer, kinds), append(t.least, least)
		t.embedding = append(t.embedding, both(x.costs.TrainEmbedding(k, shape, step)))
		t.head = append(t.head, both(x.costs.TrainHead(k, shape, step)))
		t.near = append(t.near, x.costs.TrainSend(k, k, true, shape, step))
		var row []float64
		for to := range x.c.Cluster.Pools {
			row = append(row, x.costs.TrainSend(k, to, false, shape, step))
		}
		t.send = append(t.send, row)
	}
	x.tables[key] = t
	return t
}

// step is the micro-batch of a split.
func (x *space) step(s *Split) cost.TrainStep {
	return cost.TrainStep{MicroBatch: s.MicroBatch, Sequence: x.sequence, Overlap: cost.Interleaved(s.PP(), s.Virtual)}
}

// floor is a bound in seconds on the step of every layout of a split, by counting work:
//
//	T ≥ m·τ + (Λ − τ)/v,   τ ≥ Λ / Σ_k ranks_k·ρ_k,   Λ = Σ cheapest layers + ends + sends (S2)
//
// ρ_k is how much faster than the fastest cost of each layer pool k can be at most (1 or
// less), so a rank of pool k does at most ρ_k·τ of the work counted at its cheapest.
func (x *space) floor(s *Split) float64 {
	t := x.table(s)
	pp := s.PP()
	rate, lambda := 0.0, 0.0
	cheapest := func(of func(k int) float64) float64 {
		least := math.Inf(1)
		for k, n := range s.Ranks {
			if n > 0 {
				least = min(least, of(k))
			}
		}
		return least
	}
	kinds := make([]float64, len(x.kinds))
	for kind, n := range x.kinds {
		kinds[kind] = cheapest(func(k int) float64 { return t.least[k][kind] })
		lambda += float64(n) * kinds[kind]
	}
	for k, n := range s.Ranks {
		if n == 0 {
			continue
		}
		fastest := 0.0
		for kind := range x.kinds {
			if x.kinds[kind] > 0 && t.least[k][kind] > 0 {
				fastest = max(fastest, kinds[kind]/t.least[k][kind])
			}
		}
		if fastest == 0 {
			fastest = 1 // layers that take no time bound nothing
		}
		rate += float64(n) * fastest
	}
	m, v := float64(s.MicroBatches(x.global)), float64(s.Virtual)
	// The ends count in the sum alone: they may lie on whichever pool does them best.
	work := lambda
	lambda += cheapest(func(k int) float64 { return t.embedding[k] }) + cheapest(func(k int) float64 { return t.head[k] })
	if pp > 1 {
		least := cheapest(func(k int) float64 { return t.leastSend(k, s.Ranks) })
		lambda += float64(sends(pp, s.Virtual)) * least
		if len(s.Ranks) == 1 {
			work = lambda
		}
	} else {
		work = lambda
	}
	peak := work / rate
	return m*peak + (lambda-peak)/v
}

// leastSend is the cheapest send of a rank on a pool.
func (t *table) leastSend(k int, ranks []int) float64 {
	least := t.near[k]
	for to, n := range ranks {
		if n > 0 {
			least = min(least, t.send[k][to])
		}
	}
	return least
}

// sends is the number of transfers of a micro-batch through all ranks, both ways.
func sends(pp, virtual int) int {
	if pp == 1 {
		return 0
	}
	return 2 * (pp*virtual - 1)
}

// sendsOf is the number that rank i makes or waits for: to the next stage and back.
func sendsOf(i, pp, virtual int) int {
	switch {
	case pp == 1:
		return 0
	case i == pp-1:
		return 2 * (virtual - 1)
	}
	return 2 * virtual
}
