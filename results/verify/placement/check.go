package placement

import (
	"errors"
	"fmt"
	"math"

	"partita/inputs/instance"
	"partita/results"
)

// Check recomputes an answer from its solution: every rule of the instance kept, the value
// what the solution is worth, and bound, gap and status in keeping with it. The error
// lists all that is broken; an answer without a solution has only its claims to check.
// Whether nothing better exists is not asked: that is the proof's to say.
func Check(i *instance.Instance, p *results.Placed) error {
	if p.Solution == nil {
		return errors.Join(nothing(p)...)
	}
	if i.Graph != nil {
		if err := errors.Join(foreign(p.Solution, false, false, true)...); err != nil {
			return err
		}
	}
	value, maximize, err := evaluate(i, p)
	if err != nil {
		return err
	}
	return errors.Join(claims(p, value, maximize)...)
}

// evaluate is what the solution is worth by the goal of the answer, and whether more is
// better.
func evaluate(i *instance.Instance, p *results.Placed) (value float64, maximize bool, err error) {
	switch {
	case p.Goal == "series" && i.Chain != nil:
		value, err = Series(i.Chain, p.Solution)
		return value, true, err
	case p.Goal == "lanes" && i.Chain != nil:
		value, err = Lanes(i.Chain, p.Solution)
		return value, true, err
	case p.Goal == "throughput" && i.Rental != nil:
		r, err := Rent(i.Rental, p.Solution)
		if err == nil && (p.BudgetUSDPerHour == nil || r.USDPerHour > *p.BudgetUSDPerHour+dollar) {
			err = errors.New("the instances cost " + fmt.Sprint(r.USDPerHour) + " USD an hour, and the budget is " + budget(p))
		}
		return r.Bottleneck, true, err
	case p.Goal == "usd-per-million" && i.Rental != nil:
		r, err := Rent(i.Rental, p.Solution)
		return r.USDPerMillion, false, err
	case p.Goal == "contiguous" && i.Graph != nil:
		value, err = Contiguous(i.Graph, p.Solution)
		return value, false, err
	case p.Goal == "noncontiguous" && i.Graph != nil:
		value, err = Noncontiguous(i.Graph, p.Solution)
		return value, false, err
	case p.Goal == "latency" && i.Graph != nil:
		value, err = Latency(i.Graph, p.Solution)
		return value, false, err
	}
	return 0, false, fmt.Errorf("the instance has no goal %q", p.Goal)
}

// dollar is by how much sums of prices may differ: a billionth of a dollar a sum.
const dollar = 2e-9

func budget(p *results.Placed) string {
	if p.BudgetUSDPerHour == nil {
		return "not stated"
	}
	return fmt.Sprint(*p.BudgetUSDPerHour)
}

// equal reports equality up to the order of summation.
func equal(a, b float64) bool {
	return a == b || math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b))
}

// nothing checks an answer without a solution.
func nothing(p *results.Placed) []error {
	var broken []error
	if p.Objective != nil || p.Gap != nil {
		broken = append(broken, errors.New("a value or a gap without a solution"))
	}
	if p.Status == "optimal" {
		broken = append(broken, errors.New("optimal without a solution"))
	}
	if p.Status == "infeasible" && p.BestBound != nil {
		broken = append(broken, errors.New("a bound on what does not exist"))
	}
	return broken
}

// claims checks what is said of a solution that is worth value.
func claims(p *results.Placed, value float64, maximize bool) []error {
	var broken []error
	wrong := func(format string, args ...any) { broken = append(broken, fmt.Errorf(format, args...)) }
	sense := "minimize"
	if maximize {
		sense = "maximize"
	}
	if p.Sense != sense {
		wrong("sense %q: want %s", p.Sense, sense)
	}
	if p.Objective == nil || !equal(*p.Objective, value) {
		wrong("value %s: the solution is worth %v", shown(p.Objective), value)
		return broken
	}
	if p.Status == "infeasible" {
		wrong("infeasible, with a solution")
	}
	if p.BestBound == nil {
		if p.Status == "optimal" || p.Gap != nil {
			wrong("status %q and gap %s without a bound", p.Status, shown(p.Gap))
		}
		return broken
	}
	slack := tolerance * math.Abs(value)
	if maximize && *p.BestBound < value-slack || !maximize && *p.BestBound > value+slack {
		wrong("bound %v: the solution is better, %v", *p.BestBound, value)
	}
	if p.Status == "optimal" && !equal(*p.BestBound, value) {
		wrong("optimal at %v with a bound of %v", value, *p.BestBound)
	}
	gap := math.Abs(*p.Objective-*p.BestBound) / math.Abs(*p.Objective)
	if *p.Objective == *p.BestBound {
		gap = 0
	}
	if p.Gap == nil && !math.IsInf(gap, 0) && !math.IsNaN(gap) || p.Gap != nil && !(math.Abs(*p.Gap-gap) <= tolerance) {
		wrong("gap %s: it is %v", shown(p.Gap), gap)
	}
	return broken
}

func shown(x *float64) string {
	if x == nil {
		return "none"
	}
	return fmt.Sprint(*x)
}
