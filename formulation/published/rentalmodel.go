package published

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"partita/inputs/instance"
	"partita/solver"
)

// rentalModels answers a rental by integer models: how often each segment is used, and
// how many instances of each type are rented. The slowest segment goes by threshold, as
// everywhere: a model has the segments of a speed, and asks whether they suffice.
type rentalModels struct {
	rental  *instance.Rental
	backend solver.Backend
	name    string
	speeds  []float64 // of the segments, fastest first
	prices  []int64   // in units of unit
	unit    int64     // nano-dollars: the greatest common divisor of the prices
	whole   int64     // of all instances together, in units
	refuted map[[2]int64]bool
	log     func(format string, args ...any)
}

func newRentalModels(r *instance.Rental, b solver.Backend, name string, log func(string, ...any)) *rentalModels {
	m := &rentalModels{rental: r, backend: b, name: name, refuted: map[[2]int64]bool{}, log: log}
	for _, s := range r.Segments {
		m.speeds = append(m.speeds, s.TokensPerS)
	}
	slices.Sort(m.speeds)
	m.speeds = slices.Compact(m.speeds)
	slices.Reverse(m.speeds)
	for _, t := range r.Types {
		p := nanos(t.USDPerHour)
		m.prices = append(m.prices, p)
		for a, b := m.unit, p; ; a, b = b, a%b {
			if b == 0 {
				m.unit = a
				break
			}
		}
	}
	m.unit = max(m.unit, 1)
	for k := range m.prices {
		m.prices[k] /= m.unit
		const most = 1 << 60 // a billion dollars an hour
		all := float64(m.prices[k]) * float64(min(r.Types[k].Count, r.MaxStages))
		m.whole += int64(min(all, float64(most-m.whole)))
	}
	return m
}

// rentalModel is one model with its variables.
type rentalModel struct {
	*solver.Model
	segments map[int]solver.Variable // how often each is used
}

// largestPrice is what all instances may cost, in units, for lp_solve to be asked. It works
// in floating point: with prices of eight digits and more it has been seen to return
// rentings that miss the budget. Prices in cents are far below.
const largestPrice = 1 << 20

// exact reports whether the backend can be relied on with these prices.
func (m *rentalModels) exact() bool {
	return m.whole <= largestPrice || m.backend.Capabilities().Exact
}

// model asks for a renting of segments of at least a speed, in from low to high stages,
// for at most a price in units; what costs no more than all is no bound.
func (m *rentalModels) model(speed float64, low, high int, price int64) *rentalModel {
	r := m.rental
	x := &rentalModel{Model: solver.New("rental"), segments: map[int]solver.Variable{}}
	var layers, stages, total solver.Expr
	of := make([][]int, len(r.Types)) // the segments of each type
	for i, s := range r.Segments {
		if s.TokensPerS < speed {
			continue
		}
		k := slices.IndexFunc(r.Types, func(t instance.RentalType) bool { return t.Name == s.Type })
		v := x.Int(fmt.Sprintf("segment_%d", i), 0, int64(min(high, r.Layers/s.Layers)))
		x.segments[i] = v
		of[k] = append(of[k], i)
		layers, stages = layers.Add(int64(s.Layers), v), stages.Add(1, v)
	}
	for k, t := range r.Types {
		if len(of[k]) == 0 {
			continue
		}
		n := x.Int(fmt.Sprintf("rented_%d", k), 0, int64(min(t.Count, high)))
		total = total.Add(m.prices[k], n)
		for s := 1; s <= t.GPUs; s *= 2 {
			var gpus solver.Expr
			for _, i := range of[k] {
				if tp := r.Segments[i].TP; tp >= s {
					gpus = gpus.Add(int64(tp), x.segments[i])
				}
			}
			switch {
			case s == 1:
				x.Equal(fmt.Sprintf("gpus_%d", k), gpus.Add(-int64(t.GPUs), n), 0)
			case t.GPUs%s != 0 && gpus.Len() > 0: // else it follows from the sum
				x.AtMost(fmt.Sprintf("groups_%d_%d", k, s), gpus.Add(-int64(t.GPUs/s*s), n), 0)
			}
		}
	}
	x.Equal("layers", layers, int64(r.Layers))
	x.Between("stages", stages, int64(low), int64(high))
	if price < m.whole {
		x.AtMost("budget", total, price)
	}
	return x
}

// read is the renting of an assignment, by the indices of its segments.
func (x *rentalModel) read(values []int64) []int {
	var out []int
	for i, v := range x.segments {
		for range v.In(values) {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}

// gaveUp is what is said of a backend that neither finds nor refutes, with time left.
type gaveUp struct {
	status solver.Status
	text   string
}

func (e gaveUp) Error() string { return e.text }

// open leaves an answer unproved because of an error of the backend or the end of the
// context; any other error is returned.
func (m *rentalModels) open(ctx context.Context, a *answer, err error) error {
	var gave gaveUp
	switch {
	case ctx.Err() != nil:
		a.status = solver.ContextStatus(ctx)
	case errors.As(err, &gave):
		a.status, a.Because = gave.status, gave.text
	default:
		return err
	}
	return nil
}

// decide asks for any solution of a model.
func (m *rentalModels) decide(ctx context.Context, x *rentalModel) (solver.Result, error) {
	if err := x.Err(); err != nil {
		return solver.Result{}, gaveUp{solver.Unsupported, fmt.Sprintf("%s gave up on a model: %v", m.name, err)}
	}
	r, err := solver.Decide(ctx, x.Model, m.backend)
	if err == nil && r.Point != solver.Feasible && r.Status != solver.Infeasible && ctx.Err() == nil {
		err = gaveUp{r.Status, fmt.Sprintf("%s gave up on a model: %v, %s", m.name, r.Status, r.RawStatus)}
	}
	return r, err
}

// throughput finds the fastest bottleneck within a budget by halving the speeds: where
// segments of a speed do not suffice, faster ones do not.
func (m *rentalModels) throughput(ctx context.Context, budget int64, a *answer) error {
	price := budget / m.unit
	low, high := 0, len(m.speeds) // no faster speed than low suffices; high does, or none
	for low < high {
		mid := (low + high) / 2
		x := m.model(m.speeds[mid], 1, m.rental.MaxStages, price)
		r, err := m.decide(ctx, x)
		switch {
		case err != nil || r.Point != solver.Feasible && r.Status != solver.Infeasible:
			a.bounded(m.speeds[low])
			return m.open(ctx, a, err)
		case r.Point == solver.Feasible:
			p := place(m.rental, x.read(r.Incumbent))
			a.found(p.solution, p.bottleneck)
			high, _ = slices.BinarySearchFunc(m.speeds, p.bottleneck, func(v, want float64) int {
				if v > want {
					return -1
				}
				return 1
			})
		default:
			low = mid + 1
		}
	}
	a.AgreedBy = []string{m.name}
	a.status, a.Because = solver.Optimal, "faster segments do not suffice within the budget"
	if a.Solution == nil {
		a.status, a.Because = solver.Infeasible, "no segments hold all layers within the budget"
	}
	return nil
}

// nothingFaster proves that nothing within a budget is faster than a speed (0: nothing at
// all); false where it cannot tell: the first proof stands alone then. That there is
// something is an error.
func (m *rentalModels) nothingFaster(ctx context.Context, budget int64, than float64) (bool, error) {
	i := slices.IndexFunc(m.speeds, func(v float64) bool { return v <= than })
	if i < 0 {
		i = len(m.speeds)
	}
	price := budget / m.unit
	if i == 0 || m.refuted[[2]int64{int64(i), price}] {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	r, err := m.decide(ctx, m.model(m.speeds[i-1], 1, m.rental.MaxStages, price))
	switch {
	case err != nil:
		m.log("second proof: %v", err)
	case r.Point == solver.Feasible:
		return false, m.contradiction()
	case r.Status == solver.Infeasible:
		m.refuted[[2]int64{int64(i), price}] = true
		return true, nil
	}
	return false, nil
}

func (m *rentalModels) contradiction() error {
	return fmt.Errorf("labels and %s contradict each other; one of them is wrong, so nothing is reported as optimal", m.name)
}

// strictly keeps rounding from finding a price again that is known.
const strictly = 1 - 1e-12

// price finds the cheapest tokens: for each speed and each number of stages the least
// price that would beat what is known, until nothing does.
func (m *rentalModels) price(ctx context.Context, a *answer) error {
	least := math.Inf(1)
	for {
		x, err := m.cheaper(ctx, least)
		switch {
		case err != nil:
			return m.open(ctx, a, err)
		case x == nil:
			a.AgreedBy = []string{m.name}
			a.status, a.Because = solver.Optimal, "no speed and number of stages has a price that beats it"
			if a.Solution == nil {
				a.status, a.Because = solver.Infeasible, "no segments hold all layers"
			}
			return nil
		}
		least = usdPerMillion(m.rental, x.usdPerHour, x.bottleneck, x.stages)
		a.found(x.solution, least)
	}
}

// nothingCheaper proves that no tokens are cheaper than a price; false where it cannot
// tell. That there are some is an error.
func (m *rentalModels) nothingCheaper(ctx context.Context, than float64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	x, err := m.cheaper(ctx, than)
	switch {
	case err != nil:
		m.log("second proof: %v", err)
	case x != nil:
		return false, m.contradiction()
	}
	return err == nil, nil
}

// cheaper is a renting whose tokens cost less than a price, nil where there is none.
func (m *rentalModels) cheaper(ctx context.Context, than float64) (*rented, error) {
	for _, speed := range m.speeds {
		if x, err := m.cheaperAt(ctx, than, speed, 1, m.rental.MaxStages); x != nil || err != nil {
			return x, err
		}
	}
	return nil, nil
}

// cheaperAt is cheaper with segments of a speed in low to high stages. More stages never
// pass more, so the price of the hour that low stages may cost bounds that of all; where
// that decides nothing the range is halved.
func (m *rentalModels) cheaperAt(ctx context.Context, than, speed float64, low, high int) (*rented, error) {
	// usdPerMillion grows with the price of the hour in proportion.
	most := m.whole
	if x := than / usdPerMillion(m.rental, 1e-9*float64(m.unit), speed, low) * strictly; x < float64(m.whole) {
		most = int64(x)
	}
	if !m.possible(speed, high, most) {
		return nil, nil
	}
	x := m.model(speed, low, high, most)
	r, err := m.decide(ctx, x)
	switch {
	case err != nil:
		return nil, err
	case r.Status == solver.Infeasible:
		return nil, nil
	case r.Point != solver.Feasible:
		return nil, ctx.Err()
	}
	p := place(m.rental, x.read(r.Incumbent))
	if low == high || usdPerMillion(m.rental, p.usdPerHour, p.bottleneck, p.stages) < than*strictly {
		return &p, nil
	}
	mid := (low + high) / 2
	if x, err := m.cheaperAt(ctx, than, speed, low, mid); x != nil || err != nil {
		return x, err
	}
	return m.cheaperAt(ctx, than, speed, mid+1, high)
}

// possible rules out what needs no solver: so many stages hold too few layers, or the
// cheapest instance is too dear.
func (m *rentalModels) possible(speed float64, stages int, price int64) bool {
	most, least := 0, int64(math.MaxInt64)
	for _, s := range m.rental.Segments {
		if s.TokensPerS >= speed {
			most = max(most, s.Layers)
			k := slices.IndexFunc(m.rental.Types, func(t instance.RentalType) bool { return t.Name == s.Type })
			least = min(least, m.prices[k])
		}
	}
	return most*stages >= m.rental.Layers && least <= price
}
