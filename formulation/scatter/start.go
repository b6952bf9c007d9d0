package scatter

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Limits of chainStart, whose time grows with the square of the clusters times the
// devices: it is over before anyone who cancels would wait.
const (
	longestChain = 1500
	chainEffort  = 100_000_000
)

// chainStart cuts an order of the clusters into stretches, one an accelerator, so that
// the largest load is the least among all cuts of that order; nil where none fits.
func chainStart(p *problem, order []int) []int32 {
	n := len(order)
	if n > longestChain || p.accelerators == 0 {
		return nil
	}
	const none = math.MaxInt64
	// worst[j] of a number of stretches: the least largest load of the first j clusters.
	worst := make([]int64, n+1)
	for j := range worst {
		worst[j] = none
	}
	worst[0] = 0
	var cuts [][]int32
	load := stretches(p, order)
	for len(cuts) < min(p.accelerators, max(1, chainEffort/(n*n))) {
		next := slices.Repeat([]int64{none}, n+1)
		cut := make([]int32, n+1)
		next[0] = 0
		for i := range n {
			if worst[i] == none {
				continue
			}
			for j := i + 1; j <= n; j++ {
				l := load[i*n+j-1]
				if l < 0 {
					break // nothing longer fits either
				}
				if v := max(worst[i], l); v < next[j] {
					next[j], cut[j] = v, int32(i)
				}
			}
		}
		cuts = append(cuts, cut)
		done := slices.Equal(next, worst)
		worst = next
		if done {
			break
		}
	}
	if worst[n] == none {
		return nil
	}
	device := make([]int32, n)
	j := int32(n)
	for d := len(cuts) - 1; d >= 0 && j > 0; d-- {
		i := cuts[d][j]
		for ; j > i; j-- {
			device[order[j-1]] = int32(d)
		}
	}
	return device
}

// stretches gives the load of an accelerator with the clusters i … j of an order at
// i·n + j; −1 where it cannot hold them.
func stretches(p *problem, order []int) []int64 {
	n := len(order)
	load := make([]int64, n*n)
	for i := range n {
		s := newStretcher(p, order)
		sum, bytes := int64(0), int64(0)
		j := i
		for ; j < n; j++ {
			c := &p.clusters[order[j]]
			bytes += c.bytes
			if !c.onAccel || bytes > p.g.AcceleratorBytes {
				break
			}
			sum += c.work + s.add(order[j])
			load[i*n+j] = sum
		}
		for ; j < n; j++ {
			load[i*n+j] = -1
		}
	}
	return load
}

func stretchCost(n *net, inside int32, source bool) int64 {
	if source && int(inside) < len(n.sinks) || !source && inside > 0 {
		return n.cost
	}
	return 0
}

// longStart is chainStart for orders that are too long for it: a largest load is guessed,
// by halving, and every stretch is the longest under it; nil where none fits.
func longStart(ctx context.Context, p *problem, order []int, upper int64) []int32 {
	var best []int32
	try := newStretcher(p, order)
	smallest(0, upper, func(most int64) bool {
		if p.accelerators == 0 || ctx.Err() != nil || try.passes >= longPasses {
			return true
		}
		device := try.cut(most)
		if device != nil {
			best = device
		}
		return device != nil
	})
	return best
}

// longPasses bounds how often longStart goes through an order.
const longPasses = 30

// stretcher cuts an order into stretches under a load, time and again.
type stretcher struct {
	p      *problem
	order  []int
	inside []int32
	holds  []bool
	passes int
}

func newStretcher(p *problem, order []int) *stretcher {
	return &stretcher{p: p, order: order, inside: make([]int32, len(p.nets)), holds: make([]bool, len(p.nets))}
}

// cut gives every accelerator the longest stretch whose load is at most a number; nil
// where they do not reach the end.
func (s *stretcher) cut(most int64) []int32 {
	s.passes++
	device := make([]int32, len(s.order))
	i := 0
	for d := 0; d < s.p.accelerators && i < len(s.order); d++ {
		end := s.stretch(i, most)
		for ; i < end; i++ {
			device[s.order[i]] = int32(d)
		}
	}
	if i < len(s.order) {
		return nil
	}
	return device
}

// stretch is the end of the longest stretch from a place on. Its work only grows, so
// that no longer one fits once that exceeds the load; moving data may fall again.
func (s *stretcher) stretch(from int, most int64) int {
	end, j := from, from
	var work, moving, bytes int64
	for ; j < len(s.order); j++ {
		c := &s.p.clusters[s.order[j]]
		work += c.work
		bytes += c.bytes
		if !c.onAccel || work > most || bytes > s.p.g.AcceleratorBytes {
			break
		}
		moving += s.add(s.order[j])
		if work+moving <= most {
			end = j + 1
		}
	}
	for j--; j >= from; j-- {
		for _, k := range s.p.asSink[s.order[j]] {
			s.inside[k] = 0
		}
		for _, k := range s.p.asSource[s.order[j]] {
			s.holds[k] = false
		}
	}
	return end
}

// add takes a cluster into the stretch and returns what moving costs more.
func (s *stretcher) add(c int) int64 {
	more := int64(0)
	for _, k := range s.p.asSink[c] {
		net := &s.p.nets[k]
		more -= stretchCost(net, s.inside[k], s.holds[k])
		s.inside[k]++
		more += stretchCost(net, s.inside[k], s.holds[k])
	}
	for _, k := range s.p.asSource[c] {
		net := &s.p.nets[k]
		more -= stretchCost(net, s.inside[k], s.holds[k])
		s.holds[k] = true
		more += stretchCost(net, s.inside[k], s.holds[k])
	}
	return more
}

// greedyStart gives every cluster, the largest first, to the device that is done with it
// first, communication aside; nil where one finds no room.
func greedyStart(p *problem, bytesFirst bool) []int32 {
	order := make([]int, len(p.clusters))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &p.clusters[a], &p.clusters[b]
		free := func(c *cluster) int {
			if c.onAccel && c.onCore {
				return 1
			}
			return 0
		}
		if f := cmp.Compare(free(x), free(y)); f != 0 {
			return f
		}
		if bytesFirst {
			return cmp.Compare(y.bytes, x.bytes)
		}
		return cmp.Compare(y.work, x.work)
	})
	device := make([]int32, len(p.clusters))
	load, bytes := make([]int64, p.devices()), make([]int64, p.devices())
	for _, c := range order {
		best := -1
		for d := range p.devices() {
			if !p.allowed(c, d) || !p.isCore(d) && bytes[d]+p.clusters[c].bytes > p.g.AcceleratorBytes {
				continue
			}
			if best < 0 || load[d]+p.time(c, d) < load[best]+p.time(c, best) {
				best = d
			}
		}
		if best < 0 {
			return nil
		}
		device[c] = int32(best)
		load[best] += p.time(c, best)
		bytes[best] += p.clusters[c].bytes
	}
	return device
}

// given takes an assignment of the nodes as a start; nil where it is none of the
// problem.
func given(p *problem, nodes []int) []int32 {
	if len(nodes) != len(p.g.Nodes) {
		return nil
	}
	device := make([]int32, len(p.clusters))
	bytes := make([]int64, p.devices())
	for i := range p.clusters {
		c := &p.clusters[i]
		d := nodes[c.nodes[0]]
		if d >= p.g.Accelerators {
			d -= p.g.Accelerators - p.accelerators
		} else if d >= p.accelerators {
			return nil
		}
		if d < 0 || d >= p.devices() || !p.allowed(i, d) {
			return nil
		}
		if bytes[d] += c.bytes; !p.isCore(d) && bytes[d] > p.g.AcceleratorBytes {
			return nil
		}
		device[i] = int32(d)
	}
	return device
}
