package stagegraph

import (
	"slices"

	"partita/formulation/cost"
)

// Offers reports whether a pool can run a shape.
func (s *Space) Offers(pool int, sh cost.Shape) bool {
	return slices.Contains(s.pools[pool].shapes, sh)
}

// Admit adds a shape to those a pool offers, for stages that somebody proposes and the
// search does not range over: groups over more than two nodes, or that leave a part of
// a node over. It is priced as the others are; whether the model can be split so is
// the caller's to ask. A space with admitted shapes judges pipelines and places them;
// it makes no graphs.
func (s *Space) Admit(pool int, sh cost.Shape) {
	if s.Offers(pool, sh) {
		return
	}
	p := &s.pools[pool]
	p.shapes = append(p.shapes, sh)
	p.sizes = append(p.sizes, sh.GPUs())
	slices.Sort(p.sizes)
	p.sizes = slices.Compact(p.sizes)
	p.admitted = true
	s.everyShape[pool] = append(s.everyShape[pool], len(p.shapes)-1)
	s.forget()
}

// Metered is the space whose times are readings of a meter: what the stages of a
// pipeline use of their GPUs, in seconds.
func (s *Space) Metered(m cost.Meter) *Space {
	out := *s
	out.Costs = s.Costs.Metered(m)
	out.forget()
	return &out
}

// forget empties the caches.
func (s *Space) forget() { s.tables, s.work = newTables(), newWork() }

// tile reports whether the groups of all replicas find room in the nodes, each inside
// one or over whole ones, by placing them.
func (s *Space) tile(replicas int, parts []Part) bool {
	return s.newAssignment(replicas, parts).byGroup(parts, replicas)
}
