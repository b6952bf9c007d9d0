package path

import (
	"fmt"
	"math"
	"slices"
)

// infinite is a cost no path reaches; additions of two of them do not overflow.
const infinite = math.MaxInt64 / 4

// arc is one option on one interval, with the send of its stage included.
type arc struct {
	from, to      int32
	resource      int32
	units         int32
	delta         int64 // what the option adds to the index of the used vector
	time          [2]int64
	fee           int64
	class, option int32
	a, b          int32 // the interval
}

// compiled is a Problem as arcs between nodes. A node is a boundary; where the
// send of a stage depends on the group of its successor it is a pair (boundary,
// group of the stage that starts there), numbered boundary·groups + group.
type compiled struct {
	p       *Problem
	nodes   int
	sources []int32
	sink    int32
	arcs    []arc // ordered by from
	first   []int32
	stride  []int64 // of each resource in the index of a used vector
	states  int64   // number of used vectors; the product of capacities + 1
	// values are the distinct times of each phase, ascending.
	values [2][]int64
	// bottleneck tells for which phases T is worth a window of its own.
	bottleneck [2]bool
	balance    bool
	packed     bool
}

func compile(p *Problem) (*compiled, error) {
	if p.Boundaries < 2 {
		return nil, fmt.Errorf("path: %d boundaries: want at least 2 (one layer)", p.Boundaries)
	}
	if len(p.Class) != p.Boundaries*p.Boundaries {
		return nil, fmt.Errorf("path: class table has %d entries: want %d (Boundaries squared)", len(p.Class), p.Boundaries*p.Boundaries)
	}
	c := &compiled{p: p, balance: p.BalanceNum > 0, packed: len(p.Packings) > 0}
	c.states = 1
	for _, r := range p.Resources {
		c.stride = append(c.stride, c.states)
		if r.Capacity < 0 || c.states > infinite/int64(r.Capacity+1) {
			return nil, fmt.Errorf("path: resource capacity %d: want a number from 0 whose product stays in range", r.Capacity)
		}
		c.states *= int64(r.Capacity + 1)
	}
	groups := c.splitGroups()
	last := p.Boundaries - 1
	c.nodes = last*groups + 1
	c.sink = int32(last * groups)
	for g := range groups {
		c.sources = append(c.sources, int32(g))
	}
	c.first = make([]int32, c.nodes+1)
	c.arcs = make([]arc, 0, c.countArcs(groups))
	for a := 0; a < last; a++ {
		for g := range groups {
			c.first[a*groups+g] = int32(len(c.arcs))
			for b := a + 1; b <= last; b++ {
				if err := c.addInterval(a, b, g, groups); err != nil {
					return nil, err
				}
			}
		}
	}
	for n := int(c.sink); n <= c.nodes; n++ {
		c.first[n] = int32(len(c.arcs))
	}
	c.collectValues()
	return c, nil
}

// splitGroups is the number of nodes a boundary needs: 1 unless some group's send
// depends on the successor.
func (c *compiled) splitGroups() int {
	for _, row := range c.p.Send {
		for _, s := range row {
			if s != row[0] {
				return len(c.p.Send)
			}
		}
	}
	return 1
}

// countArcs bounds the number of arcs, so that they are allocated once.
func (c *compiled) countArcs(groups int) int {
	n := 0
	for _, class := range c.p.Class {
		if class >= 0 {
			n += len(c.p.Options[class])
		}
	}
	return n * groups
}

func (c *compiled) addInterval(a, b, g, groups int) error {
	p := c.p
	class := p.ClassOf(a, b)
	if class < 0 {
		return nil
	}
	for i, o := range p.Options[class] {
		if groups > 1 && int(o.Group) != g {
			continue
		}
		if o.Units <= 0 || int(o.Resource) >= len(p.Resources) {
			return fmt.Errorf("path: option %d of class %d takes %d units of resource %d: want a positive number of one of %d resources", i, class, o.Units, o.Resource, len(p.Resources))
		}
		if int(o.Units) > p.Resources[o.Resource].Capacity {
			continue
		}
		base := arc{
			from: int32(a*groups + g), resource: o.Resource, units: o.Units,
			delta: int64(o.Units) * c.stride[o.Resource], time: o.Time, fee: o.Fee,
			class: class, option: int32(i), a: int32(a), b: int32(b),
		}
		if b == p.Boundaries-1 {
			base.to = c.sink
			c.keep(base)
			continue
		}
		for next := range groups {
			leg := base
			leg.to = int32(b*groups + next)
			if p.Send != nil {
				s := p.Send[o.Group][next]
				leg.time[0] += s[0]
				leg.time[1] += s[1]
			}
			c.keep(leg)
		}
	}
	return nil
}

// keep adds an arc unless it alone breaks a limit.
func (c *compiled) keep(x arc) {
	for ph, f := range c.p.Phases {
		if c.p.Limit[ph] != NoLimit && f.Metric(x.time[ph], x.time[ph]) > c.p.Limit[ph] {
			return
		}
	}
	c.arcs = append(c.arcs, x)
}

func (c *compiled) collectValues() {
	p := c.p
	for ph := range 2 {
		f := p.Phases[ph]
		matters := p.Weight[ph] > 0 || p.Limit[ph] != NoLimit || (p.Cap != nil && p.Cap.Weight[ph] > 0)
		c.bottleneck[ph] = matters && (f.Peak > 0 || f.Rate > 0) || (ph == 1 && c.balance)
		// Distinct times come from the options, not from the far more numerous arcs.
		values := make([]int64, 0, len(p.Options)*4)
		for _, options := range p.Options {
			for _, o := range options {
				values = append(values, o.Time[ph])
				if p.Send != nil {
					for _, s := range p.Send[o.Group] {
						values = append(values, o.Time[ph]+s[ph])
					}
				}
			}
		}
		slices.Sort(values)
		c.values[ph] = slices.Compact(values)
	}
}

// usedOf writes the used vector of an index into out.
func (c *compiled) usedOf(index int64, out []int) {
	for k, r := range c.p.Resources {
		out[k] = int(index / c.stride[k] % int64(r.Capacity+1))
	}
}

// complete reports whether a used vector may end a path: exact resources used
// up, groups packable into nodes.
func (c *compiled) complete(index int64) bool {
	used := make([]int, len(c.p.Resources))
	c.usedOf(index, used)
	for k, r := range c.p.Resources {
		if r.Exact && used[k] != r.Capacity {
			return false
		}
	}
	for _, k := range c.p.Packings {
		counts, total := make([]int, len(k.Resources)), 0
		for i, r := range k.Resources {
			counts[i] = used[r]
			total += used[r]
		}
		if k.Total >= 0 && total != k.Total || !k.Fits(counts) {
			return false
		}
	}
	return true
}

// objective is J of the given sums and peaks; monotone in each of them.
func (c *compiled) objective(sum, peak [2]int64, fee int64) int64 {
	p := c.p
	return p.Weight[0]*p.Phases[0].Metric(sum[0], peak[0]) + p.Weight[1]*p.Phases[1].Metric(sum[1], peak[1]) + fee
}

// allowed reports whether sums and peaks respect limits and cap; monotone too.
func (c *compiled) allowed(sum, peak [2]int64) bool {
	p := c.p
	f0, f1 := p.Phases[0].Metric(sum[0], peak[0]), p.Phases[1].Metric(sum[1], peak[1])
	if f0 > p.Limit[0] || f1 > p.Limit[1] {
		return false
	}
	return p.Cap == nil || p.Cap.Weight[0]*f0+p.Cap.Weight[1]*f1 <= p.Cap.Max
}

// balanced reports min·Den ≥ Num·max on the rate phase.
func (c *compiled) balanced(low, peak int64) bool {
	return !c.balance || low*c.p.BalanceDen >= c.p.BalanceNum*peak
}

// tryPath values a chain of arcs; false where it is not a feasible path.
func (c *compiled) tryPath(chain []int32) (int64, bool) {
	if len(chain) == 0 {
		return 0, false
	}
	var sum, peak [2]int64
	var fee, index int64
	low := int64(math.MaxInt64)
	used := make([]int, len(c.p.Resources))
	for _, i := range chain {
		x := &c.arcs[i]
		for ph := range 2 {
			sum[ph] += x.time[ph]
			peak[ph] = max(peak[ph], x.time[ph])
		}
		low = min(low, x.time[1])
		fee += x.fee
		used[x.resource] += int(x.units)
		index += x.delta
	}
	for k, r := range c.p.Resources {
		if used[k] > r.Capacity {
			return 0, false
		}
	}
	if c.p.MaxStages > 0 && len(chain) > c.p.MaxStages {
		return 0, false
	}
	if !c.balanced(low, peak[1]) || !c.allowed(sum, peak) || !c.complete(index) {
		return 0, false
	}
	return c.objective(sum, peak, fee), true
}

func (c *compiled) stages(chain []int32) []Stage {
	out := make([]Stage, len(chain))
	for i, k := range chain {
		x := &c.arcs[k]
		out[i] = Stage{From: int(x.a), To: int(x.b), Class: x.class, Option: x.option}
	}
	return out
}
