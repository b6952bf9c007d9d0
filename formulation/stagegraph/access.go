package stagegraph

import (
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/inputs/knowledge"
	"partita/solver/path"
)

// Shapes lists the ways a stage can split its layers on a pool, smallest groups of
// GPUs first.
func (s *Space) Shapes(pool int) []cost.Shape { return slices.Clone(s.pools[pool].shapes) }

// Node is the number of GPUs of the largest node of a pool.
func (s *Space) Node(pool int) int { return s.pools[pool].node }

// Pipeline is the stages of one replica of a layout, ready to be priced under many
// numbers of micro-batches and decode groups. Stages that cost the same are priced
// once. It prices as Build does, also where a graph would drop a stage because
// another shape beats it.
type Pipeline struct {
	space  *Space
	layout *Layout
	parts  []Part
	alike  []alike
	counts []int // GPUs of each pool
	// byNext: the send depends on the next stage and is rounded to ticks by itself.
	byNext bool
}

// alike is a set of stages with the same cost.
type alike struct {
	pool, shape int
	class       *class
	next        int // pool of the next stage; -1: the last stage sends nothing
	stage       int // the first of them
	stages      int
}

// Pipeline prepares parts for pricing. The error names a part that no stage graph
// of the space has: layers out of order, or a shape that its pool does not offer.
func (s *Space) Pipeline(l *Layout, parts []Part) (*Pipeline, error) {
	p := &Pipeline{space: s, layout: l, parts: parts, counts: make([]int, len(s.pools))}
	at := 0
	for i, pt := range parts {
		if pt.First != at || pt.Last < pt.First || pt.Last >= s.layers {
			return nil, fmt.Errorf("stage %d has layers %d to %d of %d, after layer %d", i, pt.First, pt.Last, s.layers, at-1)
		}
		at = pt.Last + 1
		if pt.Pool < 0 || pt.Pool >= len(s.pools) {
			return nil, fmt.Errorf("stage %d is on pool %d of %d", i, pt.Pool, len(s.pools))
		}
		shape := slices.Index(s.pools[pt.Pool].shapes, pt.Shape)
		if shape < 0 {
			return nil, fmt.Errorf("stage %d: %s", i, s.refusal(pt))
		}
		p.counts[pt.Pool] += pt.Shape.GPUs()
		x := alike{pool: pt.Pool, shape: shape, class: s.classOf(pt), next: -1, stage: i, stages: 1}
		if i+1 < len(parts) {
			x.next = parts[i+1].Pool
		}
		same := slices.IndexFunc(p.alike, func(y alike) bool {
			return y.pool == x.pool && y.shape == x.shape && y.class == x.class && y.next == x.next
		})
		if same >= 0 {
			p.alike[same].stages++
			continue
		}
		p.alike = append(p.alike, x)
	}
	if at != s.layers {
		return nil, fmt.Errorf("the stages end after %d of %d layers", at, s.layers)
	}
	p.byNext = s.sendsByNext(l)
	return p, nil
}

func (s *Space) classOf(pt Part) *class {
	return &s.classes.list[s.classes.of[pt.First*(s.layers+1)+pt.Last+1]]
}

// refusal says why a pool does not offer the shape of a part.
func (s *Space) refusal(pt Part) string {
	for kind := range s.Condition.Model.Kinds {
		if ok, why := cost.ValidShape(&s.Condition.Model, kind, pt.Shape); !ok {
			return why
		}
	}
	if ok, why := cost.ValidPhase(s.Condition.Workload.Phase, pt.Shape); !ok {
		return why
	}
	return fmt.Sprintf("groups of %d GPUs do not fit the nodes of %d", pt.Shape.GPUs(), s.pools[pt.Pool].node)
}

// sendsByNext reports whether some send of the layout depends on the next pool, so
// that graphs round it by itself: links inside a host that differ by pool.
func (s *Space) sendsByNext(l *Layout) bool {
	if !l.SameHost || len(s.pools) == 1 {
		return false
	}
	price := s.pricing(l.Replicas, 1, 1)
	for k := range s.pools {
		for next := range s.pools {
			// The link decides, not the shape: one shape of each pool is enough.
			if len(s.pools[k].shapes) > 0 && price.sends(k, 0, next, true) != price.sends(k, 0, k, true) {
				return true
			}
		}
	}
	return false
}

// GPUs is how many GPUs a replica takes of each pool.
func (p *Pipeline) GPUs() []int { return p.counts }

// Ticks are Λ, T and the shortest stage of phase ph in ticks of the scale.
func (p *Pipeline) Ticks(ph, micro, groups int, u Scale) (sum, peak, low int64) {
	price := p.space.pricing(p.layout.Replicas, micro, groups)
	for i, x := range p.alike {
		ticks := p.ticks(&price, x, x.shape, ph, u)
		sum += ticks * int64(x.stages)
		peak = max(peak, ticks)
		if i == 0 || ticks < low {
			low = ticks
		}
	}
	return sum, peak, low
}

// ticks is the time of a stage in one phase, were it of that shape, rounded as arcs
// are: with its send, or apart from it where the send depends on the next pool.
func (p *Pipeline) ticks(price *pricing, x alike, shape, ph int, u Scale) int64 {
	seconds := price.times(x.pool, shape, x.class)[ph]
	if x.next < 0 {
		return u.Ticks(ph, seconds)
	}
	send := price.sends(x.pool, shape, x.next, p.layout.SameHost)[ph]
	if p.byNext {
		return u.Ticks(ph, seconds) + u.Ticks(ph, send)
	}
	return u.Ticks(ph, seconds+send)
}

// Beaten finds a stage that another shape on as many GPUs beats in both phases, in
// ticks, and fits in as well. Graphs leave such stages out; they matter to a balance
// floor alone, which a slower stage can meet.
func (p *Pipeline) Beaten(micro, groups int, u Scale) (stage int, by cost.Shape, ok bool) {
	s := p.space
	price := s.pricing(p.layout.Replicas, micro, groups)
	memories := s.memories(p.layout.Replicas, micro, groups)
	for _, x := range p.alike {
		shapes := s.pools[x.pool].shapes
		own := shapes[x.shape]
		both := func(shape int) [2]int64 {
			return [2]int64{p.ticks(&price, x, shape, 0, u), p.ticks(&price, x, shape, 1, u)}
		}
		mine := both(x.shape)
		for j, other := range shapes {
			if other.GPUs() != own.GPUs() || p.byNext && (other.CP != own.CP || other.DPAttention != own.DPAttention) {
				continue
			}
			t := both(j)
			if t == mine || t[0] > mine[0] || t[1] > mine[1] {
				continue
			}
			m := memories[x.pool][j].Of(x.class.counts, x.class.first, x.class.last)
			if m.Total() <= s.Costs.Capacity(x.pool) && p.legal(x.stage, other, micro, groups) {
				return x.stage, other, true
			}
		}
	}
	return 0, cost.Shape{}, false
}

// Facts is what rules see of the pipeline.
func (p *Pipeline) Facts(micro, groups int) knowledge.Plan {
	return p.space.Facts(p.layout.Replicas, micro, groups, p.parts)
}

// legal reports whether the pipeline keeps the rules with a stage in another shape.
func (p *Pipeline) legal(stage int, sh cost.Shape, micro, groups int) bool {
	facts := p.Facts(micro, groups)
	facts.Stages[stage].Shape = ruleShape(sh)
	broken, err := p.space.ruled.rules.Check(facts)
	return err == nil && len(broken) == 0
}

// Fullest is the stage whose GPUs are filled most in proportion to what a plan may
// fill, in bytes of one GPU.
func (p *Pipeline) Fullest(micro, groups int) (stage int, need, capacity int64) {
	s := p.space
	memories := s.memories(p.layout.Replicas, micro, groups)
	worst := -1.0
	for _, x := range p.alike {
		m := memories[x.pool][x.shape].Of(x.class.counts, x.class.first, x.class.last)
		room := s.Costs.Capacity(x.pool)
		if share := float64(m.Total()) / float64(max(1, room)); share > worst {
			worst, stage, need, capacity = share, x.stage, m.Total(), room
		}
	}
	return stage, need, capacity
}

// Packs reports whether the groups of all replicas fit into the nodes, no group
// across nodes but those of whole nodes.
func (p *Pipeline) Packs() bool {
	s := p.space
	for k := range s.pools {
		pl := &s.pools[k]
		if pl.admitted {
			return s.tile(p.layout.Replicas, p.parts)
		}
	}
	for k := range s.pools {
		pl := &s.pools[k]
		if pl.chains {
			continue
		}
		pack := path.Packing{Bins: pl.bins, Copies: p.layout.Replicas, Sizes: pl.sizes, Total: -1}
		units := make([]int, len(pl.sizes))
		for i := range pl.sizes {
			pack.Resources = append(pack.Resources, i)
		}
		for _, x := range p.alike {
			if x.pool != k {
				continue
			}
			q := pl.shapes[x.shape].GPUs()
			i, _ := slices.BinarySearch(pl.sizes, q)
			units[i] += q * x.stages
		}
		if !pack.Fits(units) {
			return false
		}
	}
	return true
}

// MostLayers is how many layers from layer first on a stage can hold, at most most,
// with the smallest steps that the phase knows: micro-batches and decode groups of
// one sequence. 0: not even one.
func (s *Space) MostLayers(replicas, pool int, sh cost.Shape, first, most int) int {
	micro, groups := 0, 0
	if s.Prefills() {
		micro = s.Sequences(replicas)
	}
	if s.Decodes() {
		groups = s.Sequences(replicas)
	}
	l := s.load(s.Sequences(replicas), micro, groups, sh.DPAttention)
	holds := func(n int) bool {
		c := s.classOf(Part{First: first, Last: first + n - 1})
		return s.Costs.StageMemory(pool, c.counts, c.first, c.last, sh, l).Total() <= s.Costs.Capacity(pool)
	}
	// More layers never take less, the head on the last aside, so halving finds the end.
	low, high := 0, most
	for low < high {
		mid := (low + high + 1) / 2
		if holds(mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// MixedHosts reports whether some host has GPUs of several pools, or hosts of a pool
// differ in size.
func (s *Space) MixedHosts() bool {
	size := make([]int, len(s.pools))
	for i := range s.hosts {
		pools := 0
		for k, n := range s.hosts[i].gpus {
			if n == 0 {
				continue
			}
			pools++
			if size[k] > 0 && size[k] != n {
				return true
			}
			size[k] = n
		}
		if pools > 1 {
			return true
		}
	}
	return false
}

// OneShapeASize reports whether every pool has one shape for each number of GPUs, so
// that no shape is ever beaten by another.
func (s *Space) OneShapeASize() bool {
	for k := range s.pools {
		if len(s.pools[k].shapes) != len(s.pools[k].sizes) {
			return false
		}
	}
	return true
}
