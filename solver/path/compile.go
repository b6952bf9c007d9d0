package path

import (
	"fmt"
	"math"
	"slices"
)

// infinite is a cost no path reaches; additions of two of them do not overflow.
const infinite = math.MaxInt64 / 4

// leg is one option of a class, with the send of its stage included where the
// interval is not the last. Intervals of one class share their legs.
type leg struct {
	group, next   int32 // nodes of a boundary that the stage starts at and hands over to
	resource      int32
	units         int32
	take          int32 // units in grains of the resource
	time          [2]int64
	fee           int64
	class, option int32
}

// arc is a leg on an interval, or a link: a move between nodes that runs nothing (leg
// is nil).
type arc struct {
	*leg
	from, to int32 // nodes
	a, b     int32 // boundaries; where the order is free, layers run before and after
}

// compiled is a Problem as legs between nodes. A node is a boundary; where the
// send of a stage depends on the group of its successor it is a pair (boundary,
// group of the stage that starts there), numbered boundary·groups + group.
type compiled struct {
	p      *Problem
	groups int
	nodes  int
	sink   int32
	// kinds are the leg lists: of each class inside the chain, then of each class at
	// its end. kindOf maps [a, b) at a·Boundaries+b to one; -1 where nothing runs it.
	kinds  [][]leg
	kindOf []int32
	legs   int
	// capacity of each resource in grains, and the grain: what divides the units of every
	// option. A capacity that no path can exceed and that need not be used up is not
	// counted at all (slack).
	capacity []int
	grain    []int
	slack    []bool
	parts    parts
	// values are the distinct times of each phase, ascending.
	values [2][]int64
	// bottleneck tells for which phases T is worth a window of its own.
	bottleneck [2]bool
	balance    bool
	// stop ends a search for prices early; nil: never.
	stop func() bool
}

func compile(p *Problem) (*compiled, error) {
	if p.Boundaries < 2 {
		return nil, fmt.Errorf("path: %d boundaries: want at least 2 (one layer)", p.Boundaries)
	}
	if len(p.Class) != p.Boundaries*p.Boundaries {
		return nil, fmt.Errorf("path: class table has %d entries: want %d (Boundaries squared)", len(p.Class), p.Boundaries*p.Boundaries)
	}
	c := &compiled{p: p, balance: p.BalanceNum > 0}
	if err := c.countResources(); err != nil {
		return nil, err
	}
	c.groups = c.splitGroups()
	last := p.Boundaries - 1
	c.nodes = last*c.groups + 1
	c.sink = int32(last * c.groups)
	c.kinds = make([][]leg, 2*len(p.Options))
	c.kindOf = make([]int32, len(p.Class))
	for class := range p.Options {
		for end := range 2 {
			if err := c.addClass(class, end); err != nil {
				return nil, err
			}
		}
	}
	for a := range p.Boundaries {
		for b := range p.Boundaries {
			i := a*p.Boundaries + b
			c.kindOf[i] = -1
			if class := p.Class[i]; class >= 0 && b > a {
				k := 2*class + int32(bit(b == last))
				if len(c.kinds[k]) > 0 {
					c.kindOf[i] = k
					c.legs += len(c.kinds[k])
				}
			}
		}
	}
	c.markBottlenecks()
	return c, c.makeParts()
}

// countResources finds how the resources are counted.
func (c *compiled) countResources() error {
	p := c.p
	c.slack = c.slackResources()
	c.capacity, c.grain = make([]int, len(p.Resources)), make([]int, len(p.Resources))
	for _, options := range p.Options {
		for _, o := range options {
			if o.Units > 0 && o.Resource >= 0 && int(o.Resource) < len(c.grain) {
				c.grain[o.Resource] = gcd(c.grain[o.Resource], int(o.Units))
			}
		}
	}
	for k, r := range p.Resources {
		if r.Capacity < 0 {
			return fmt.Errorf("path: resource capacity %d: want a number from 0", r.Capacity)
		}
		c.grain[k] = max(1, c.grain[k])
		c.capacity[k] = r.Capacity / c.grain[k]
	}
	return nil
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// slackResources tells which capacities no path can reach.
func (c *compiled) slackResources() []bool {
	out := make([]bool, len(c.p.Resources))
	most := make([]int, len(out))
	for _, options := range c.p.Options {
		for _, o := range options {
			if o.Resource >= 0 && int(o.Resource) < len(most) {
				most[o.Resource] = max(most[o.Resource], int(o.Units))
			}
		}
	}
	for k, r := range c.p.Resources {
		out[k] = !r.Exact && r.Capacity >= most[k]*(c.p.Boundaries-1)
	}
	for _, x := range c.p.Packings {
		for _, k := range x.Resources {
			out[k] = false
		}
	}
	return out
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
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

// addClass makes the legs of a class, ordered by group; end is 1 for the last stage.
func (c *compiled) addClass(class, end int) error {
	p := c.p
	var out []leg
	for g := range c.groups {
		for i, o := range p.Options[class] {
			if o.Units <= 0 || int(o.Resource) >= len(p.Resources) {
				return fmt.Errorf("path: option %d of class %d takes %d units of resource %d: want a positive number of one of %d resources", i, class, o.Units, o.Resource, len(p.Resources))
			}
			if c.groups > 1 && int(o.Group) != g || int(o.Units) > p.Resources[o.Resource].Capacity {
				continue
			}
			base := leg{
				group: int32(g), resource: o.Resource, units: o.Units, take: o.Units / int32(c.grain[o.Resource]),
				time: o.Time, fee: o.Fee, class: int32(class), option: int32(i),
			}
			if end == 1 {
				out = c.keep(out, base)
				continue
			}
			for next := range c.groups {
				x := base
				x.next = int32(next)
				if p.Send != nil {
					s := p.Send[o.Group][next]
					x.time[0] += s[0]
					x.time[1] += s[1]
				}
				out = c.keep(out, x)
			}
		}
	}
	c.kinds[2*class+end] = out
	return nil
}

// keep adds a leg unless it alone breaks a limit.
func (c *compiled) keep(out []leg, x leg) []leg {
	for ph, f := range c.p.Phases {
		if c.p.Limit[ph] != NoLimit && f.Metric(x.time[ph], x.time[ph]) > c.p.Limit[ph] {
			return out
		}
	}
	return append(out, x)
}

func (c *compiled) markBottlenecks() {
	p := c.p
	for ph := range 2 {
		f := p.Phases[ph]
		matters := p.Weight[ph] > 0 || p.Limit[ph] != NoLimit || (p.Cap != nil && p.Cap.Weight[ph] > 0)
		c.bottleneck[ph] = matters && (f.Peak > 0 || f.Rate > 0) || (ph == 1 && c.balance)
	}
}

// collectValues lists the distinct times, for windows.
func (c *compiled) collectValues() {
	for ph := range 2 {
		var values []int64
		for _, legs := range c.kinds {
			for i := range legs {
				values = append(values, legs[i].time[ph])
			}
		}
		slices.Sort(values)
		c.values[ph] = slices.Compact(values)
	}
}

// node is the number of (boundary, group); all groups meet at the sink.
func (c *compiled) node(b int, group int32) int32 {
	if b == c.p.Boundaries-1 {
		return c.sink
	}
	return int32(b*c.groups) + group
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
func (c *compiled) tryPath(chain []arc) (int64, bool) {
	if len(chain) == 0 {
		return 0, false
	}
	var sum, peak [2]int64
	var fee int64
	low := int64(math.MaxInt64)
	used := make([]int, len(c.p.Resources))
	for _, x := range chain {
		for ph := range 2 {
			sum[ph] += x.time[ph]
			peak[ph] = max(peak[ph], x.time[ph])
		}
		low = min(low, x.time[1])
		fee += x.fee
		used[x.resource] += int(x.units)
	}
	if !c.p.admitsStages(len(chain)) {
		return 0, false
	}
	if !c.balanced(low, peak[1]) || !c.allowed(sum, peak) || !c.p.usedUp(used) {
		return 0, false
	}
	return c.objective(sum, peak, fee), true
}

func stagesOf(chain []arc) []Stage {
	out := make([]Stage, len(chain))
	for i, x := range chain {
		out[i] = Stage{From: int(x.a), To: int(x.b), Class: x.class, Option: x.option}
	}
	return out
}
