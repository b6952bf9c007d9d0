package scatter

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// cuts tries all ways to cut an order into at most so many stretches.
func cuts(p *problem, order []int, from, devices int, device []int32, next int32) int64 {
	if from == len(order) {
		bytes := make([]int64, p.devices())
		for c, d := range device {
			if bytes[d] += p.clusters[c].bytes; bytes[d] > p.g.AcceleratorBytes || !p.clusters[c].onAccel {
				return math.MaxInt64
			}
		}
		return newState(p, device).value()
	}
	best := int64(math.MaxInt64)
	if int(next) == devices {
		return best
	}
	for to := from + 1; to <= len(order); to++ {
		for i := from; i < to; i++ {
			device[order[i]] = next
		}
		best = min(best, cuts(p, order, to, devices, device, next+1))
	}
	return best
}

// TestChainStartIsTheBestCut: of all cuts of the order; the guesses for long orders come
// to no better, and break no rule.
func TestChainStartIsTheBestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		g.Accelerators = max(1, g.Accelerators)
		p := newProblem(g)
		order := narrowOrder(p)
		best := cuts(p, order, 0, p.accelerators, make([]int32, len(order)), 0)
		device := chainStart(p, order)
		if (device == nil) != (best == math.MaxInt64) {
			t.Fatalf("start %v, best cut %d", device, best)
		}
		long := longStart(context.Background(), p, order, p.everything())
		if device == nil {
			if long != nil {
				t.Fatalf("no cut fits; the guesses came to %v", long)
			}
			return
		}
		if v := newState(p, device).value(); v != best {
			t.Fatalf("start of load %d, the best cut has %d", v, best)
		}
		if long != nil && (newState(p, long).value() < best || !possible(g, p.expand(long))) {
			t.Fatalf("guesses came to %v of load %d, the best cut has %d", long, newState(p, long).value(), best)
		}
	})
}

// TestLongChainsStartNearTheBound: work spread evenly is within a few parts of what any
// placement must have.
func TestLongChainsStartNearTheBound(t *testing.T) {
	p := newProblem(narrowGraph(2000))
	order := narrowOrder(p)
	device := longStart(context.Background(), p, order, p.everything())
	if device == nil {
		t.Fatal("no start")
	}
	value, bound := newState(p, device).value(), p.workBound(p.everything())
	if value < bound || float64(value) > 1.1*float64(bound) {
		t.Errorf("start of load %g, bound %g", p.ms(value), p.ms(bound))
	}
}

// TestOrdersHoldEveryClusterOnce, and the narrow one keeps few nets open.
func TestOrdersHoldEveryClusterOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newProblem(smallGraph(t))
		for _, order := range [][]int{narrowOrder(p), forwardOrder(p)} {
			sorted := slices.Sorted(slices.Values(order))
			for i, c := range sorted {
				if c != i {
					t.Fatalf("order %v", order)
				}
			}
			if len(sorted) != len(p.clusters) {
				t.Fatalf("%d of %d clusters", len(sorted), len(p.clusters))
			}
		}
	})
	p := newProblem(narrowGraph(200))
	order := narrowOrder(p)
	at := make([]int, len(order))
	for i, c := range order {
		at[c] = i
	}
	for i := range order {
		open := 0
		for _, n := range p.nets {
			first, last := at[n.source], at[n.source]
			for _, s := range n.sinks {
				first, last = min(first, at[s]), max(last, at[s])
			}
			if first <= i && i < last {
				open++
			}
		}
		if open > 5 {
			t.Fatalf("%d nets are open after %d clusters", open, i+1)
		}
	}
}

// TestSlotsAreOneNetsAtATime: nets that share a slot are never open together; where
// there are too many for the slots, the cheap ones are without.
func TestSlotsAreOneNetsAtATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(t, "vertices")
		nets := make([]openNet, rapid.IntRange(1, 60).Draw(t, "nets"))
		for i := range nets {
			nets[i] = openNet{source: rapid.IntRange(0, n-1).Draw(t, "source"), cost: [2]int64{int64(i + 1), 0}}
			for s := range rapid.IntRange(1, 3).Draw(t, "sinks") {
				if v := (nets[i].source + 1 + s*rapid.IntRange(1, n-1).Draw(t, "off")) % n; v != nets[i].source && !slices.Contains(nets[i].sinks, v) {
					nets[i].sinks = append(nets[i].sinks, v)
				}
			}
		}
		steps, left := lay(n, nets)
		owner := map[uint8]int64{} // slot to the cost of its net, which names it
		kept := map[int64]int{}
		for v := range steps {
			for _, pin := range steps[v] {
				cost := pin.cost[0]
				if o, open := owner[pin.slot]; open && o != cost {
					t.Fatalf("slot %d is of nets %d and %d at %d", pin.slot, o, cost, v)
				}
				owner[pin.slot] = cost
				kept[cost]++
			}
			for _, pin := range steps[v] {
				if pin.last {
					delete(owner, pin.slot)
				}
			}
		}
		if len(owner) > 0 {
			t.Fatalf("nets never end: %v", owner)
		}
		if len(kept)+left != len(nets) {
			t.Fatalf("%d nets have slots, %d are left out, of %d", len(kept), left, len(nets))
		}
		for i := range nets {
			if pins := kept[nets[i].cost[0]]; pins != 0 && pins != 1+len(nets[i].sinks) {
				t.Fatalf("net %d has %d pins, want %d", i, pins, 1+len(nets[i].sinks))
			}
		}
	})
}

// TestCoresWorthIsABound: no set of clusters that fits the cores' time is worth more.
func TestCoresWorthIsABound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		g.CPUs = 1
		p := newProblem(g)
		prices := make([]int64, len(p.clusters))
		for c := range prices {
			prices[c] = int64(rapid.IntRange(-3, 9).Draw(t, "price"))
		}
		limit := p.ticks(rapid.Float64Range(0, 60).Draw(t, "limit"))
		share := make([]float64, len(p.clusters))
		bound := p.coresWorth(prices, p.byWorth(prices), limit, share)
		for set := range 1 << len(p.clusters) {
			worth, time := int64(0), int64(0)
			for c := range p.clusters {
				if set>>c&1 == 1 {
					worth += prices[c]
					time += p.clusters[c].cpu
				}
			}
			if time <= limit && worth > bound {
				t.Fatalf("set %b is worth %d, the bound says %d", set, worth, bound)
			}
		}
		taken := 0.0
		for c, part := range share {
			taken += part * float64(prices[c])
		}
		if taken > float64(bound)+1e-6 {
			t.Fatalf("the parts are worth %g, the bound %d", taken, bound)
		}
	})
}
