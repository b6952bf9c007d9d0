package stagegraph

import "math"

// counting is a relaxation of the paths of a layout whose layers are all of one kind:
// stages are counted by their GPUs instead of being lined up, so that a shortest path
// over boundaries becomes a knapsack over GPUs. What is kept exactly is the number of
// GPUs used, the range of layers that each stage may hold, and that one stage is
// the first and another the last; that the stages hold all layers together is priced:
//
//	Σ cost ≥ λ·L + min over stages that use the GPUs of Σ (cost_s(n) − λ·n),  any λ
//
// The cost of a stage of shape w with n layers is fixed_w + n·slope_w. Pipelines of one
// stage are not among those counted.
type counting struct {
	layers int
	exact  bool  // the GPUs must be used up
	counts []int // GPUs of each pool + 1: the radices of a used vector
	states int
	groups []groupSize // distinct (pool, GPUs) of stages
	// best pair of first and last stage is looked for among groups; least is the
	// knapsack of those between.
	least []float64
	held  []int
	most  []int
}

// position of a stage in its pipeline.
const (
	atFirst = iota
	between
	atLast
	positions
)

// groupSize is a number of GPUs of a pool, with the ways to run a stage on so many.
type groupSize struct {
	delta int // of the used vector
	// after lists the used vectors that contain such a group, so that those with fewer of
	// them come first.
	after []int32
	ways  []countedWay
	// best of the ways at the price in use, and the layers it holds, by position.
	value  [positions]float64
	layers [positions]int
	// caps is the most layers that one of the ways holds, by position.
	caps [positions]int
}

// countedWay is a stage of one shape. What it costs in the form that is minimised, and
// how long it takes in either phase, is linear in its layers.
type countedWay struct {
	index int
	cost  linear
	time  [2]linear
	room  [positions]int // most layers that its memory holds
	// fewest and most layers that count; a cap of 0: it cannot stand there.
	low, cap [positions]int
}

// linear is slope·layers + fixed, by position.
type linear struct {
	slope float64
	fixed [positions]float64
}

// mostStates bounds the used vectors that are counted: three pools of 8, 8 and 16 GPUs
// have 1,377.
const mostStates = 1 << 12

// newCounting lists the groups of a layout by ways that stand beside others; nil where
// there are several kinds of layer or too many used vectors.
func (r *Relaxation) newCounting() *counting {
	b, l := r.base, r.layout
	if len(b.counts) != 3 { // one kind, the embedding, the head
		return nil
	}
	c := &counting{layers: r.space.layers, exact: l.Exact, states: 1}
	delta := make([]int, len(l.GPUs))
	for k, n := range l.GPUs {
		delta[k] = c.states
		c.counts = append(c.counts, n+1)
		if c.states *= n + 1; c.states > mostStates {
			return nil
		}
	}
	index := map[int]int{}
	for w, mu := range r.apart {
		if mu < 0 {
			continue
		}
		d := delta[b.ways[w].pool] * b.ways[w].gpus
		g, ok := index[d]
		if !ok {
			g = len(c.groups)
			index[d] = g
			c.groups = append(c.groups, groupSize{delta: d, after: c.following(d)})
		}
		c.groups[g].ways = append(c.groups[g].ways, countedWay{index: w})
	}
	c.least, c.held, c.most = make([]float64, c.states), make([]int, c.states), make([]int, c.states)
	return c
}

// reaches reports whether stages within their caps can hold all layers.
func (c *counting) reaches() bool {
	for g := range c.groups {
		x := &c.groups[g]
		x.caps = [positions]int{}
		for i := range x.ways {
			for at, n := range x.ways[i].cap {
				x.caps[at] = max(x.caps[at], n)
			}
		}
	}
	for s := range c.most {
		c.most[s] = -1
		if s == 0 || !c.exact {
			c.most[s] = 0
		}
	}
	for g := range c.groups {
		x := &c.groups[g]
		if x.caps[between] == 0 {
			continue
		}
		most, delta, room := c.most, x.delta, x.caps[between]
		for _, s := range x.after {
			if from := most[int(s)-delta]; from >= 0 && from+room > most[s] {
				most[s] = from + room
			}
		}
	}
	full := c.states - 1
	for i := range c.groups {
		for j := range c.groups {
			a, z := &c.groups[i], &c.groups[j]
			if a.caps[atFirst] == 0 || z.caps[atLast] == 0 || !c.fit(a.delta, z.delta) {
				continue
			}
			if n := c.most[full-a.delta-z.delta]; n >= 0 && n+a.caps[atFirst]+z.caps[atLast] >= c.layers {
				return true
			}
		}
	}
	return false
}

// following lists the used vectors that contain one group of the given delta.
func (c *counting) following(delta int) []int32 {
	stride := 1
	for _, n := range c.counts {
		if delta < stride*n { // the pool of the group
			var out []int32
			for s := delta; s < c.states; s++ {
				if s/stride%n >= delta/stride {
					out = append(out, int32(s))
				}
			}
			return out
		}
		stride *= n
	}
	return nil
}

// fit reports whether two groups fit into the GPUs together.
func (c *counting) fit(a, b int) bool {
	stride := 1
	for _, n := range c.counts {
		used := 0
		for _, d := range [2]int{a, b} {
			if d >= stride && d < stride*n {
				used += d / stride
			}
		}
		if used >= n {
			return false
		}
		stride *= n
	}
	return true
}

// sum is a lower bound on the Σ cost of all pipelines within the caps; +Inf where there
// is none.
func (c *counting) sum() float64 {
	if !c.reaches() {
		return math.Inf(1)
	}
	low, high := math.Inf(1), 0.0
	for g := range c.groups {
		for i := range c.groups[g].ways {
			if w := &c.groups[g].ways[i]; w.cap != [positions]int{} {
				low, high = min(low, w.cost.slope), max(high, w.cost.slope)
			}
		}
	}
	const tiny = 1e-200 // below it prices are nothing but rounding
	if high < tiny {
		return 0
	}
	// The dual is concave in λ: between a price at which too few layers are taken and one
	// at which too many are, the tangents' meeting point is tried until it is on the curve.
	left, leftAt := c.dual(low*(1-1e-9)), low*(1-1e-9)
	best := left.value
	if left.layers >= c.layers {
		return best
	}
	right, rightAt := c.dual(high*(1+1e-9)), high*(1+1e-9)
	for range 64 {
		if right.layers >= c.layers {
			break
		}
		best = max(best, right.value)
		left, leftAt = right, rightAt
		rightAt *= 2
		right = c.dual(rightAt)
	}
	best = max(best, right.value)
	for range 24 {
		a, z := float64(c.layers-left.layers), float64(c.layers-right.layers)
		if z == 0 || a == 0 {
			break
		}
		at := (right.value - left.value + a*leftAt - z*rightAt) / (a - z)
		meet := left.value + a*(at-leftAt)
		x := c.dual(at)
		best = max(best, x.value)
		if x.value >= meet*(1-1e-9) {
			break
		}
		if x.layers < c.layers {
			left, leftAt = x, at
		} else {
			right, rightAt = x, at
		}
	}
	return best
}

// pricedStages is the dual at one price: its value, and the layers its stages hold.
type pricedStages struct {
	value  float64
	layers int
}

// dual is λ·L + min Σ (cost − λ·n).
func (c *counting) dual(lambda float64) pricedStages {
	for g := range c.groups {
		x := &c.groups[g]
		for at := range positions {
			x.value[at], x.layers[at] = math.Inf(1), 0
			for i := range x.ways {
				w := &x.ways[i]
				n := w.cap[at]
				if n == 0 {
					continue
				}
				if w.cost.slope >= lambda {
					n = w.low[at]
				}
				if v := w.cost.fixed[at] + float64(n)*(w.cost.slope-lambda); v < x.value[at] {
					x.value[at], x.layers[at] = v, n
				}
			}
		}
	}
	for s := range c.least {
		c.least[s], c.held[s] = math.Inf(1), 0
		if s == 0 || !c.exact {
			c.least[s] = 0
		}
	}
	for g := range c.groups {
		x := &c.groups[g]
		if math.IsInf(x.value[between], 1) {
			continue
		}
		least, delta, value := c.least, x.delta, x.value[between]
		for _, s := range x.after {
			if v := least[int(s)-delta] + value; v < least[s] {
				least[s], c.held[s] = v, c.held[int(s)-delta]+x.layers[between]
			}
		}
	}
	best, full := pricedStages{value: math.Inf(1)}, c.states-1
	for i := range c.groups {
		a := &c.groups[i]
		if math.IsInf(a.value[atFirst], 1) {
			continue
		}
		for j := range c.groups {
			z := &c.groups[j]
			if math.IsInf(z.value[atLast], 1) || !c.fit(a.delta, z.delta) {
				continue
			}
			s := full - a.delta - z.delta
			if v := a.value[atFirst] + c.least[s] + z.value[atLast]; v < best.value {
				best = pricedStages{v, a.layers[atFirst] + c.held[s] + z.layers[atLast]}
			}
		}
	}
	best.value += lambda * float64(c.layers)
	return best
}
