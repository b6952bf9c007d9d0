package lanes

import (
	"context"
	"math"
)

// layerPrice is what the relaxation asks of a layer: the scale of all prices.
const layerPrice = int64(1) << 40

// prices are integers that bound what can be served at f; see the package comment. They
// are valid whatever they are: Refutes is exact.
type prices struct {
	f       int64
	options []option
	budget  []int64 // V, by type
	price   []int64 // w, by option: held·price ≤ budget
	least   int64   // W, or a lower bound of it
	set     []int   // machines by option that pay it, or the least that was found
	tariff  *tariff
}

func (g *grid) priced(f int64, options []option, budget []float64) *prices {
	p := &prices{f: f, options: options, budget: make([]int64, len(budget)), price: make([]int64, len(options))}
	for t, v := range budget {
		// No machine serves more than all layers.
		p.budget[t] = int64(min(max(0, v), float64(g.layers)) * float64(layerPrice))
	}
	for i, o := range options {
		p.price[i] = p.budget[o.kind] / int64(o.held)
	}
	p.tariff = newTariff(options, p.price, g.count, f)
	least, set, exact := p.tariff.cheapest(len(options), unpayable, 1<<20)
	switch {
	case exact && set == nil: // all machines at one layer fall short
		least = unpayable / int64(g.layers)
	case !exact:
		least = p.tariff.atLeast(f)
	}
	p.least, p.set = min(least, unpayable/int64(g.layers)), set
	return p
}

// slack is what the machines can pay beyond the price of all layers; where it is
// negative f is out of reach. It saturates.
func (p *prices) slack(g *grid) int64 {
	return p.payable(g.count) - int64(g.layers)*p.least
}

// payable is what machines of the types can pay, at most unpayable.
func (p *prices) payable(count []int) int64 {
	sum := 0.0
	var exact int64
	for t, n := range count {
		sum += float64(n) * float64(p.budget[t])
		exact += int64(n) * p.budget[t]
	}
	if sum >= float64(unpayable) {
		return unpayable
	}
	return exact
}

// cost of a set of machines, by option.
func (p *prices) cost(set []int) int64 {
	var sum int64
	for i, n := range set {
		sum += int64(n) * p.price[i]
	}
	return sum
}

// relax solves the covering program at f: how many layers, fractions of patterns of
// machines taken together, can be served. It stops as soon as its prices refute f and,
// unless they shall be the best ones, once all layers are reached. reached is then the
// throughput for which the same patterns do, at least f.
func (g *grid) relax(ctx context.Context, f int64, best bool) (p *prices, reached int64) {
	s := newSimplex(g.count)
	options := capped(g.options, f)
	for range maxPivots {
		p = g.priced(f, options, s.duals())
		if p.slack(g) < 0 || ctx.Err() != nil {
			return p, f
		}
		if !best && s.value() >= float64(g.layers) {
			return p, max(f, s.smallest())
		}
		if p.set == nil || p.cost(p.set) >= layerPrice-layerPrice>>30 {
			return p, f
		}
		column := make([]float64, len(g.count))
		var ticks int64
		for i, n := range p.set {
			column[options[i].kind] += float64(n) / float64(options[i].held)
			ticks += int64(n) * options[i].ticks
		}
		if !s.enter(column, ticks) {
			return p, f
		}
	}
	return p, f
}

// maxPivots ends a relaxation that does not converge; its prices are as valid.
const maxPivots = 2000

// simplex maximises the sum of the columns taken, under count[t] machines of type t. It
// starts from the idle machines and takes columns one by one.
type simplex struct {
	inverse [][]float64 // of the basis
	amount  []float64   // of the basic columns
	basic   []int64     // ticks of the basic columns; idle machines have 0
	count   []int
}

func newSimplex(count []int) *simplex {
	s := &simplex{count: count, amount: make([]float64, len(count)), basic: make([]int64, len(count))}
	for i, n := range count {
		row := make([]float64, len(count))
		row[i] = 1
		s.inverse = append(s.inverse, row)
		s.amount[i] = float64(n)
	}
	return s
}

// duals are the prices of the machines.
func (s *simplex) duals() []float64 {
	v := make([]float64, len(s.count))
	for r, row := range s.inverse {
		if s.basic[r] > 0 {
			for i, x := range row {
				v[i] += x
			}
		}
	}
	return v
}

func (s *simplex) value() float64 {
	sum := 0.0
	for r, a := range s.amount {
		if s.basic[r] > 0 {
			sum += a
		}
	}
	return sum
}

// smallest throughput of the columns taken.
func (s *simplex) smallest() int64 {
	least := int64(math.MaxInt64)
	for r, ticks := range s.basic {
		if ticks > 0 && s.amount[r] > 1e-9 {
			least = min(least, ticks)
		}
	}
	return least
}

// enter takes a column into the basis, and before it the idle machines whose price is
// negative.
func (s *simplex) enter(column []float64, ticks int64) bool {
	if !s.pivot(column, ticks) {
		return false
	}
	for range len(s.count) {
		worst, at := -1e-9, -1
		for i, v := range s.duals() {
			if v < worst {
				worst, at = v, i
			}
		}
		if at < 0 {
			break
		}
		idle := make([]float64, len(s.count))
		idle[at] = 1
		if !s.pivot(idle, 0) {
			return false
		}
	}
	return true
}

func (s *simplex) pivot(column []float64, ticks int64) bool {
	d := make([]float64, len(column))
	leave, ratio := -1, math.Inf(1)
	for r, row := range s.inverse {
		for i, x := range column {
			d[r] += row[i] * x
		}
		if d[r] > 1e-11 && s.amount[r]/d[r] < ratio {
			leave, ratio = r, s.amount[r]/d[r]
		}
	}
	if leave < 0 {
		return false
	}
	for i := range s.inverse[leave] {
		s.inverse[leave][i] /= d[leave]
	}
	for r := range s.inverse {
		if r == leave {
			continue
		}
		for i := range s.inverse[r] {
			s.inverse[r][i] -= d[r] * s.inverse[leave][i]
		}
		s.amount[r] = max(0, s.amount[r]-d[r]*ratio)
	}
	s.amount[leave], s.basic[leave] = ratio, ticks
	return true
}
