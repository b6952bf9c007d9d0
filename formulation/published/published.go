package published

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partita/inputs/instance"
	"partita/inputs/opgraph"
	"partita/results"
	"partita/solver"
)

// Goals, as flags and answers write them.
const (
	Series        = "series"          // of a chain: one machine a range of layers
	Lanes         = "lanes"           // of a chain: machines side by side
	USDPerMillion = "usd-per-million" // of a rental: cheapest tokens
	Throughput    = "throughput"      // of a rental: bottleneck within a budget
	Contiguous    = "contiguous"      // of a graph: min max load, stages are intervals of ideals
	Noncontiguous = "noncontiguous"   // of a graph: min max load
	Latency       = "latency"         // of a graph: min makespan of one sample
)

// Names of the backends, as flags write them.
const (
	Auto   = "auto"
	Labels = "labels"
	ILP    = "ilp"
	SAT    = "sat"
)

// Options of a solve.
type Options struct {
	// Objective is the goal; empty: the first of Objectives.
	Objective string
	// Budget in USD an hour, for throughput; nil: every budget that the instance records.
	Budget *float64
	// Backend is auto (or empty), labels, ilp or sat. auto takes what is best for the
	// goal, and has a second backend prove it again where one can.
	Backend string
	// TimeLimit of each answer; 0: none.
	TimeLimit time.Duration
	// ILP and SAT give a backend, which the caller closes; nil: this program has none.
	ILP, SAT func() (solver.Backend, error)
	// Log is told what the search does; nil: nobody listens.
	Log func(string)
}

// RefusedError says that what is asked for does not go with the instance, or with this
// program: it is the command line that is wrong.
type RefusedError struct{ text string }

func (e *RefusedError) Error() string { return e.text }

func refuse(format string, args ...any) error {
	return &RefusedError{fmt.Sprintf(format, args...)}
}

// Objectives of an instance, the default first.
func Objectives(i *instance.Instance) []string {
	switch {
	case i.Chain != nil:
		return []string{Series, Lanes}
	case i.Rental != nil:
		return []string{USDPerMillion, Throughput}
	case i.Graph != nil:
		return []string{Contiguous, Noncontiguous, Latency}
	}
	return nil
}

// Check refuses options that do not go with the instance; Solve does it too, after
// those before it have been solved.
func Check(i *instance.Instance, o Options) error {
	goal, err := o.goal(i)
	if err != nil {
		return err
	}
	if o.Budget != nil && goal != Throughput {
		return refuse("%s: a budget goes with the objective %s only; the price per million tokens has none", i.Name, Throughput)
	}
	if goal == Latency && slices.ContainsFunc(i.Graph.Nodes, func(n opgraph.Node) bool { return n.Backward }) {
		return refuse("%s is a graph of training: the objective %s is of one sample of inference", i.Name, Latency)
	}
	return nil
}

func (o *Options) goal(i *instance.Instance) (string, error) {
	all := Objectives(i)
	switch {
	case len(all) == 0:
		return "", fmt.Errorf("instance %q is empty", i.Name)
	case o.Objective == "":
		return all[0], nil
	case !slices.Contains(all, o.Objective):
		return "", refuse("%s has no objective %q, want one of %s", i.Name, o.Objective, strings.Join(all, ", "))
	}
	return o.Objective, nil
}

// Solve answers an instance: one answer, or one a recorded budget. When ctx ends first,
// the answers that are there carry what was found and what was proved until then.
func Solve(ctx context.Context, i *instance.Instance, o Options) ([]results.Placed, error) {
	if err := Check(i, o); err != nil {
		return nil, err
	}
	goal, err := o.goal(i)
	if err != nil {
		return nil, err
	}
	if goal == Throughput {
		return solveBudgets(ctx, i, o)
	}
	a, err := o.timed(ctx, i.Name, goal, func(ctx context.Context, a *answer) error {
		switch goal {
		case Series:
			return solveSeries(ctx, i.Chain, o, a)
		case Lanes:
			return solveLanes(ctx, i.Chain, o, a)
		case USDPerMillion:
			return solvePrice(ctx, i.Rental, o, a)
		default:
			return solveGraph(ctx, i.Graph, o, a)
		}
	})
	if err != nil {
		return nil, err
	}
	return []results.Placed{a}, nil
}

// timed makes one answer within the time limit.
func (o *Options) timed(ctx context.Context, name, goal string, solve func(context.Context, *answer) error) (results.Placed, error) {
	if o.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.TimeLimit)
		defer cancel()
	}
	a := newAnswer(name, goal)
	o.log("%s: %s", name, goal)
	started := time.Now()
	if err := solve(ctx, a); err != nil {
		return results.Placed{}, err
	}
	const ms = time.Millisecond
	a.WallMS = int64((time.Since(started) + ms - 1) / ms)
	return a.placed(), nil
}

func (o *Options) log(format string, args ...any) {
	if o.Log != nil {
		o.Log(fmt.Sprintf(format, args...))
	}
}

// open makes a backend by its name.
func (o *Options) open(name string) (solver.Backend, error) {
	opener := o.SAT
	if name == ILP {
		opener = o.ILP
	}
	if opener == nil {
		return nil, refuse("--backend %s is not built in", name)
	}
	b, err := opener()
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", name, err)
	}
	return b, nil
}

// only refuses a backend that the goal has no use for.
func (o *Options) only(goal string, backends ...string) error {
	if o.Backend == "" || o.Backend == Auto || slices.Contains(backends, o.Backend) {
		return nil
	}
	return refuse("--backend %s does not solve the objective %s, want one of %s", o.Backend, goal, strings.Join(append([]string{Auto}, backends...), ", "))
}
