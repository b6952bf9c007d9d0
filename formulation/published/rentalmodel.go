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
	refuted map[[2]int64]bool
}

func newRentalModels(r *instance.Rental, b solver.Backend, name string) *rentalModels {
	m := &rentalModels{rental: r, backend: b, name: name, refuted: map[[2]int64]bool{}}
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
	}
	return m
}

// rentalModel is one model with its variables.
type rentalModel struct {
	*solver.Model
	segments map[int]solver.Variable // how often each is used
	price    solver.Expr             // in units
}

// model asks for a renting of segments of at least a speed, in from low to high stages,
// for at most a price in units (below 0: any).
func (m *rentalModels) model(speed float64, low, high int, price int64) *rentalModel {
	r := m.rental
	x := &rentalModel{Model: solver.New("rental"), segments: map[int]solver.Variable{}}
	var layers, stages solver.Expr
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
		x.price = x.price.Add(m.prices[k], n)
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
	if price >= 0 {
		x.AtMost("budget", x.price, price)
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

// errGaveUp is what a backend says that neither finds nor refutes, with time left.
var errGaveUp = errors.New("gave up on the model")

// decide asks for any solution of a model.
func (m *rentalModels) decide(ctx context.Context, x *rentalModel) (solver.Result, error) {
	r, err := solver.Decide(ctx, x.Model, m.backend)
	if err == nil && r.Point != solver.Feasible && r.Status != solver.Infeasible && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w: %v", m.name, errGaveUp, r.Status)
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
		case err != nil:
			return err
		case r.Point == solver.Feasible:
			p := place(m.rental, x.read(r.Incumbent))
			a.found(p.solution, p.bottleneck)
			high, _ = slices.BinarySearchFunc(m.speeds, p.bottleneck, func(v, want float64) int {
				if v > want {
					return -1
				}
				return 1
			})
		case r.Status == solver.Infeasible:
			low = mid + 1
		default:
			a.status = solver.ContextStatus(ctx)
			a.bounded(m.speeds[low])
			return nil
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
// all); false where time ran out. That there is something is an error.
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
	case errors.Is(err, errGaveUp):
		return false, nil
	case err != nil:
		return false, err
	case r.Point == solver.Feasible:
		return false, fmt.Errorf("labels and %s contradict each other; one of them is wrong, so nothing is reported as optimal", m.name)
	case r.Status == solver.Infeasible:
		m.refuted[[2]int64{int64(i), price}] = true
		return true, nil
	}
	return false, nil
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
		case err != nil && ctx.Err() != nil:
			a.status = solver.ContextStatus(ctx)
			return nil
		case err != nil:
			return err
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

// nothingCheaper proves that no tokens are cheaper than a price; false where time ran out.
// That there are some is an error.
func (m *rentalModels) nothingCheaper(ctx context.Context, than float64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, confirmLimit)
	defer cancel()
	x, err := m.cheaper(ctx, than)
	switch {
	case errors.Is(err, errGaveUp) || err != nil && ctx.Err() != nil:
		return false, nil
	case err != nil:
		return false, err
	case x != nil:
		return false, fmt.Errorf("labels and %s contradict each other; one of them is wrong, so nothing is reported as optimal", m.name)
	}
	return true, nil
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
	most := int64(-1)
	if !math.IsInf(than, 1) {
		// usdPerMillion grows with the price of the hour in proportion.
		most = int64(than / usdPerMillion(m.rental, 1e-9*float64(m.unit), speed, low) * strictly)
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
// cheapest instance is too dear (a price below 0: any will do).
func (m *rentalModels) possible(speed float64, stages int, price int64) bool {
	most, least := 0, int64(math.MaxInt64)
	for _, s := range m.rental.Segments {
		if s.TokensPerS >= speed {
			most = max(most, s.Layers)
			k := slices.IndexFunc(m.rental.Types, func(t instance.RentalType) bool { return t.Name == s.Type })
			least = min(least, m.prices[k])
		}
	}
	return most*stages >= m.rental.Layers && (price < 0 || least <= price)
}
