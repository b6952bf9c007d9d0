package published

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"partita/inputs/instance"
	"partita/results"
	"partita/solver"
)

// eff is the share of the bottleneck that a pipeline of stages passes: bubbles.
func eff(r *instance.Rental, stages int) float64 {
	if stages == 1 {
		return 1
	}
	n := float64(r.Batch) / float64(r.MicroBatch)
	return max(0.5, 0.9*(n/(n+float64(stages)-1)))
}

// usdPerMillion is the price of a million tokens, in the file's own arithmetic.
func usdPerMillion(r *instance.Rental, usdPerHour, bottleneck float64, stages int) float64 {
	final := bottleneck * eff(r, stages) * r.RealWorldEfficiency
	return usdPerHour / (final * 3600) * 1e6
}

// rented is a renting in the numbers of the file.
type rented struct {
	solution   *results.PlacedSolution
	bottleneck float64
	usdPerHour float64
	stages     int
}

// place assigns layers and instances to segments, given by their indices. Groups of a
// type go to its instances from the largest, each to the first with room: descending
// powers of two one behind the other are aligned.
func place(r *instance.Rental, segments []int) rented {
	out := rented{solution: &results.PlacedSolution{}, bottleneck: math.Inf(1), stages: len(segments)}
	segments = slices.Clone(segments)
	kind := func(i int) int {
		return slices.IndexFunc(r.Types, func(t instance.RentalType) bool { return t.Name == r.Segments[i].Type })
	}
	slices.SortStableFunc(segments, func(a, b int) int {
		return cmp.Or(cmp.Compare(kind(a), kind(b)), cmp.Compare(r.Segments[b].TP, r.Segments[a].TP), cmp.Compare(a, b))
	})
	layer := 0
	counts := make([]int, len(r.Types))
	used := make([][]int, len(r.Types)) // GPUs of each instance
	for _, i := range segments {
		s, k := &r.Segments[i], kind(i)
		at := slices.IndexFunc(used[k], func(n int) bool { return n+s.TP <= r.Types[k].GPUs })
		if at < 0 {
			at = len(used[k])
			used[k] = append(used[k], 0)
		}
		used[k][at] += s.TP
		counts[k] = len(used[k])
		out.bottleneck = min(out.bottleneck, s.TokensPerS)
		out.solution.Stages = append(out.solution.Stages, results.PlacedStage{
			FirstLayer: layer, LastLayer: layer + s.Layers - 1, Machine: s.Type, Index: at, TP: s.TP, TokensPerS: s.TokensPerS,
		})
		layer += s.Layers
	}
	price := int64(0)
	for k, n := range counts {
		if n > 0 {
			price += int64(n) * nanos(r.Types[k].USDPerHour)
			out.solution.Rented = append(out.solution.Rented, results.PlacedRental{Type: r.Types[k].Name, Count: n})
		}
	}
	out.usdPerHour = float64(price) / 1e9
	out.solution.USDPerHour = out.usdPerHour
	return out
}

// solveBudgets answers the throughput of each budget: the one that is asked for, or those
// that the instance records. One search answers them all; its time is the first one's.
func solveBudgets(ctx context.Context, i *instance.Instance, o Options) ([]results.Placed, error) {
	budgets := i.Rental.Recorded
	if o.Budget != nil {
		budgets = []instance.RentalRecord{{BudgetUSDPerHour: *o.Budget}}
		for _, r := range i.Rental.Recorded {
			if r.BudgetUSDPerHour == *o.Budget {
				budgets[0] = r
				break
			}
		}
	}
	s, err := o.rental(i.Rental)
	if err != nil {
		return nil, err
	}
	var out []results.Placed
	for _, b := range budgets {
		a, err := o.timed(ctx, i.Name, Throughput, func(ctx context.Context, a *answer) error {
			a.BudgetUSDPerHour = &b.BudgetUSDPerHour
			a.known(b.Recorded, "", b.Exact)
			return s.throughput(ctx, b.BudgetUSDPerHour, a)
		})
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func solvePrice(ctx context.Context, r *instance.Rental, o Options, a *answer) error {
	best := 0.0
	for _, row := range r.Recorded {
		if p := row.RecordedUSDPerMillion; p > 0 && (best == 0 || p < best) {
			best = p
		}
	}
	optimum := 0.0
	if r.Best != nil {
		optimum = r.Best.USDPerMillion
	}
	a.known(best, "least of the recorded rows", optimum)
	s, err := o.rental(r)
	if err != nil {
		return err
	}
	return s.price(ctx, a)
}

// rentalSolver answers one rental: by labels, or by a backend over integer models.
type rentalSolver struct {
	rental *instance.Rental
	name   string
	models *rentalModels // of --backend ilp or sat, or of the second proof; nil: none
	search *renting
	ways   []*way // of labels, once they are found
	done   bool
}

func (o *Options) rental(r *instance.Rental) (*rentalSolver, error) {
	s := &rentalSolver{rental: r, name: Labels, search: newRenting(r)}
	models := func(name string) error {
		b, err := o.open(name)
		if err != nil {
			return err
		}
		m := newRentalModels(r, b, name, o.log)
		if !m.exact() {
			return refuse("--backend %s does not take prices with so many digits, want %s, %s or %s", name, Auto, Labels, SAT)
		}
		s.models = m
		return nil
	}
	switch o.Backend {
	case ILP, SAT:
		s.name = o.Backend
		return s, models(o.Backend)
	case "", Auto:
		if models(ILP) != nil {
			_ = models(SAT) // without either the answer says that only labels proved it
		}
	}
	return s, nil
}

// find runs the labels, once; false where they did not end. Where they are too many, auto
// has its other backend answer.
func (s *rentalSolver) find(ctx context.Context, a *answer) bool {
	if s.done || s.name != Labels {
		return s.done
	}
	var err error
	s.ways, err = s.search.ways(ctx)
	switch {
	case err == nil:
		s.done = true
		return true
	case !errors.Is(err, errTooLarge):
		a.status = solver.ContextStatus(ctx)
	case s.models != nil:
		s.name = s.models.name
	default:
		a.status, a.Because = solver.Unknown, "more ways to rent than labels can list; ilp or sat may answer"
	}
	return false
}

func (s *rentalSolver) throughput(ctx context.Context, budget float64, a *answer) error {
	proved := s.find(ctx, a)
	a.Backend = s.name
	if s.name != Labels {
		return s.models.throughput(ctx, nanos(budget), a)
	}
	var best *way
	for _, w := range s.ways {
		if w.price <= nanos(budget) && (best == nil || w.tokens > best.tokens || w.tokens == best.tokens && w.price < best.price) {
			best = w
		}
	}
	if best != nil {
		x := place(s.rental, best.segments())
		a.found(x.solution, x.bottleneck)
	}
	if !proved { // nothing is faster than the fastest segment
		a.bounded(slices.MaxFunc(s.rental.Segments, func(a, b instance.Segment) int { return cmp.Compare(a.TokensPerS, b.TokensPerS) }).TokensPerS)
		return nil
	}
	a.AgreedBy = []string{Labels}
	a.status, a.Because = solver.Optimal, "all ways to rent that no other beats are listed, and the fastest within the budget is taken"
	if best == nil {
		a.status, a.Because = solver.Infeasible, fmt.Sprintf("all ways to rent are listed; none of %d holds all layers within the budget", len(s.ways))
	}
	if s.models == nil {
		return nil
	}
	agreed, err := s.models.nothingFaster(ctx, nanos(budget), a.value)
	if err != nil {
		return fmt.Errorf("%s, budget %v: %w", a.Name, budget, err)
	}
	if agreed {
		a.AgreedBy = append(a.AgreedBy, s.models.name)
	}
	return nil
}

func (s *rentalSolver) price(ctx context.Context, a *answer) error {
	proved := s.find(ctx, a)
	a.Backend = s.name
	if s.name != Labels {
		return s.models.price(ctx, a)
	}
	least := math.Inf(1)
	for _, w := range s.ways {
		x := place(s.rental, w.segments())
		if p := usdPerMillion(s.rental, x.usdPerHour, x.bottleneck, x.stages); p < least {
			least = p
			a.found(x.solution, p)
		}
	}
	if !proved {
		return nil
	}
	a.AgreedBy = []string{Labels}
	a.status, a.Because = solver.Optimal, "all ways to rent that no other beats are listed, and the cheapest by token is taken"
	if len(s.ways) == 0 {
		a.status, a.Because = solver.Infeasible, "all ways to rent are listed, and none holds all layers"
	}
	if s.models == nil {
		return nil
	}
	agreed, err := s.models.nothingCheaper(ctx, least)
	if err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	if agreed {
		a.AgreedBy = append(a.AgreedBy, s.models.name)
	}
	return nil
}
