package training

import (
	"math"

	"partita/formulation/cost"
	"partita/inputs/knowledge"
)

// network is the inner problem of a split: every layout of it is a path from start to end
// over nodes (ranks of each pool used, layers placed, pool of the next rank), one arc a
// pipeline rank. In ticks:
//
//	minimise   Λ + (m·v − 1)·T + v·(S + U)     v times the step                       (S1)
//	Λ = Σ τ,  T = max τ,  S = max σ,  U = max υ     over the ranks of the path
//	τ   forward, backward, recompute and sends of a micro-batch on the rank
//	σ   exposed exchange of gradients and weights of the rank, once a step
//	υ   its optimizer, once a step
//
// Ranks share no memory, so the stages of each recompute what makes it the fastest that
// fits (mixes): that leaves one arc for a set of layers on a rank.
type network struct {
	x     *space
	s     Split
	m, pp int
	unit  int // layers that go together: 1, or what kinds repeat after where v > 1
	tick  float64
	arcs  []arc // ascending by from: nodes are numbered in topological order
	nodes int
	start []int32
	end   int32 // -1: not reached
}

type arc struct {
	from, to  int32
	time      int64    // τ
	once      [2]int64 // σ, υ
	layers    int16    // of the rank
	pool      int8
	recompute []int8 // of each stage of the rank
}

// peakWeight is the coefficient of T in S1.
func (n *network) peakWeight() int64 { return int64(n.m)*int64(n.s.Virtual) - 1 }

// value is S1 of a path in ticks.
func (n *network) value(sum, peak int64, once [2]int64) int64 {
	return sum + n.peakWeight()*peak + int64(n.s.Virtual)*(once[0]+once[1])
}

// most is the largest value of S1, in ticks, of a step below so many seconds.
func (n *network) most(seconds float64) int64 {
	v := seconds * float64(n.s.Virtual) / n.tick
	if v >= math.MaxInt64/8 {
		return math.MaxInt64 / 8
	}
	return int64(math.Ceil(v)) - 1
}

// builder makes a network.
type builder struct {
	*network
	t      *table
	held   []cost.TrainHeld
	memos  map[rankKey]*rank
	prefix int // layers that only first stages hold, where v > 1
	limit  int64
	ids    map[nodeKey]int32
	keys   []nodeKey
	reach  []int // by rank: fewest layers that must lie before it
	room   []int // by pool: most layers of a rank within the limit
	firsts []int // first layer of each stage, where a pinned strategy states them
	ruled  bool
	stride []int32
	berths [][]berth // of the ranks of each pool
	at     []int     // first layer of each stage of the rank at hand
	placed bool      // rules ask for the places of stages
	noded  bool      // rules ask for the nodes of ranks
}

// nodeKey is a node: used counts the ranks of each pool in mixed radix.
type nodeKey struct {
	used   int32
	pool   int8  // of the rank that starts here; -1 at the end
	home   int8  // pool of the first rank, where the last one sends to it
	covers int16 // layers of first stages, up to prefix, where v > 1
	layers int16
}

// rankKey is what the price of a rank without its sends depends on.
type rankKey struct {
	pool     int8
	position int16 // among the ranks of the pool, as far as rules depend on it
	index    int16
	from     int16 // first layer, as far as kinds of layer and rules depend on it
	layers   int16
}

// rank is a priced rank; ok where some recompute fits.
type rank struct {
	ok        bool
	recompute []int8
	time      int64    // τ without sends
	once      [2]int64 // σ, υ
	// full: no more layers fit into memory or under the limit.
	full bool
}

func (x *space) ticks(seconds, tick float64) int64 { return int64(math.Ceil(seconds/tick - 1e-9)) }

// network of a split with the arcs that a step below the cutoff, in seconds, may use.
func (x *space) network(s Split, tick, cutoff float64) *network {
	n := &network{x: x, s: s, m: s.MicroBatches(x.global), pp: s.PP(), unit: 1, tick: tick, end: -1}
	b := &builder{network: n, t: x.table(&s), memos: map[rankKey]*rank{}, ids: map[nodeKey]int32{}}
	for k, ranks := range s.Ranks {
		b.berths = append(b.berths, berthsOf(&x.c.Cluster.Pools[k], ranks, s.RankGPUs(), s.TP))
	}
	b.placed, b.noded = x.rules.Uses(knowledge.OfPlace), x.rules.Uses(knowledge.OfNodes)
	b.ruled = !x.rules.Empty() && x.rules.Uses(stageLevels)
	if cut := x.cut(&s); cut != nil {
		at := 0
		for _, n := range cut {
			b.firsts = append(b.firsts, at)
			at += n
		}
	} else if s.Virtual > 1 {
		b.prefix, b.unit = x.repeats, x.unit
	}
	if !b.bound(cutoff) {
		return n
	}
	b.grow()
	return n
}
