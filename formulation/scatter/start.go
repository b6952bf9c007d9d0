package scatter

import (
	"cmp"
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
	inside := make([]int32, len(p.nets)) // sinks in the stretch
	holds := make([]bool, len(p.nets))   // whether it has the source
	for i := range n {
		clear(inside)
		clear(holds)
		sum, bytes := int64(0), int64(0)
		j := i
		for ; j < n; j++ {
			c := &p.clusters[order[j]]
			bytes += c.bytes
			if !c.onAccel || bytes > p.g.AcceleratorBytes {
				break
			}
			sum += c.work
			for _, k := range p.asSink[order[j]] {
				net := &p.nets[k]
				sum -= stretchCost(net, inside[k], holds[k])
				inside[k]++
				sum += stretchCost(net, inside[k], holds[k])
			}
			for _, k := range p.asSource[order[j]] {
				net := &p.nets[k]
				sum -= stretchCost(net, inside[k], holds[k])
				holds[k] = true
				sum += stretchCost(net, inside[k], holds[k])
			}
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
