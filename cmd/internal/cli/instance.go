package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"partita/formulation/published"
	"partita/inputs"
	"partita/inputs/instance"
	"partita/results"
	"partita/results/export"
	"partita/results/verify/placement"
	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/sat"
)

// instanceFlags are the flags of instance beside those of every search.
type instanceFlags struct {
	name, objective string
	budget          float64
	json            bool
}

func newInstance(env Environment) *cobra.Command {
	var search searchFlags
	var own instanceFlags
	cmd := &cobra.Command{
		Use:   "instance FILE",
		Short: "Solve published placement instances, with proof",
		Long: `instance reads placement problems that other optimisers were shown on, solves them
by the searches that solve uses, has every answer recomputed by code that shares
nothing with the searches, and prints value, bound, gap and status. Each instance
has its own objective, in its own numbers: nothing is rounded. It writes no files.

What a file holds is told by its content:

  chains     machines that pass tokens/s by the layers they hold
             series (default): one machine a range of layers, each at most once
             lanes: several machines may serve the same layers
  rentals    cloud instances with a price, layers on groups of their GPUs
             usd-per-million (default): cheapest tokens
             throughput: fastest bottleneck within --budget; without it, one
             answer for each budget that the file records
  a graph    operators or layers with costs on accelerators and CPU cores
             contiguous (default), noncontiguous: least load of the busiest
             device; latency: least time of one sample

optimal is said only where the bound proves it. Where the file says what others
reached, that stands beside.`,
		Example: `  partita instance examples/instances/chain.json --name example/three-types
  partita instance examples/instances/chain.json --json   # exit 4
  partita instance examples/instances/rental.json
  partita instance examples/instances/rental.json \
    --objective throughput --budget 30
  partita instance examples/instances/graph.json`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&own.name, "name", "", "solve the instance of that name only; what stands behind its last slash will do")
	cmd.Flags().StringVar(&own.objective, "objective", "", "what is optimised: "+strings.Join(instanceObjectives(), ", "))
	cmd.Flags().Float64Var(&own.budget, "budget", 0, "`USD` an hour that may be spent, with the objective throughput")
	search.register(cmd.Flags())
	cmd.Flags().BoolVar(&own.json, "json", false, "print one JSON line an answer instead of the table")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if err := search.check(); err != nil {
			return withCode(exitUsage, err)
		}
		opts, err := own.options(cmd, env, &search)
		if err != nil {
			return withCode(exitUsage, err)
		}
		all, err := instance.Load(args[0])
		if err != nil {
			return err
		}
		chosen, err := own.choose(args[0], all)
		if err != nil {
			return withCode(exitUsage, err)
		}
		for _, i := range chosen { // before the first takes its time
			if err := published.Check(i, opts); err != nil {
				return withCode(exitUsage, err)
			}
		}
		if ilp, err := lpsolve.New(); err == nil { // one for all: its processes are used again
			defer ilp.Close()
			opts.ILP = func() (solver.Backend, error) { return ilp, nil }
		}
		return own.run(cmd.Context(), env, chosen, opts)
	})
	return cmd
}

// instanceObjectives are the objectives of all kinds of instances.
func instanceObjectives() []string {
	return []string{published.Series, published.Lanes, published.USDPerMillion, published.Throughput,
		published.Contiguous, published.Noncontiguous, published.Latency}
}

func (f *instanceFlags) options(cmd *cobra.Command, env Environment, search *searchFlags) (published.Options, error) {
	opts := published.Options{
		Objective: f.objective,
		Backend:   search.backend,
		TimeLimit: search.timeLimit,
		SAT:       func() (solver.Backend, error) { return sat.New(), nil },
	}
	if search.verbose {
		opts.Log = func(line string) { fmt.Fprintln(env.Err, printable(line)) }
	}
	if f.objective != "" {
		if err := oneOf(f.objective, instanceObjectives()); err != nil {
			return opts, fmt.Errorf("--objective %q: %w", f.objective, err)
		}
	}
	if cmd.Flags().Changed("budget") {
		if !(f.budget > 0) || math.IsInf(f.budget, 0) {
			return opts, fmt.Errorf("--budget %v: want USD an hour above 0", f.budget)
		}
		opts.Budget = &f.budget
	}
	return opts, nil
}

// choose picks the instance of --name, or the only one whose name ends in it behind a
// slash; without the flag all are solved.
func (f *instanceFlags) choose(file string, all []*instance.Instance) ([]*instance.Instance, error) {
	if f.name == "" {
		return all, nil
	}
	var names []string
	var ending []*instance.Instance
	for _, i := range all {
		if i.Name == f.name {
			return []*instance.Instance{i}, nil
		}
		if strings.HasSuffix(i.Name, "/"+f.name) {
			ending = append(ending, i)
		}
		names = append(names, i.Name)
	}
	if len(ending) == 1 {
		return ending, nil
	}
	text := fmt.Sprintf("--name %q: %s has no such instance", f.name, file)
	if near := inputs.Nearest(f.name, names); near != "" {
		return nil, fmt.Errorf("%s; did you mean %s?", text, near)
	}
	const shown = 8
	if len(names) > shown {
		names = append(names[:shown:shown], "…")
	}
	return nil, fmt.Errorf("%s, want one of %s", text, strings.Join(names, ", "))
}

// run solves the instances one after the other. Lines of JSON appear as they are found,
// the table at the end.
func (f *instanceFlags) run(ctx context.Context, env Environment, chosen []*instance.Instance, opts published.Options) error {
	var all []results.Placed
	lines := json.NewEncoder(env.Out)
	lines.SetEscapeHTML(false)
	for _, i := range chosen {
		answers, err := during(env, printable(i.Name), func() ([]results.Placed, error) { return published.Solve(ctx, i, opts) })
		var refused *published.RefusedError
		switch {
		case errors.As(err, &refused):
			return withCode(exitUsage, err)
		case err != nil:
			return err
		}
		if len(answers) == 0 {
			fmt.Fprintf(env.Err, "%s records no budget and has no answer; --budget gives one\n", printable(i.Name))
		}
		for k := range answers {
			if err := verifiedAnswer(i, &answers[k]); err != nil {
				return err
			}
			if f.json {
				if err := lines.Encode(&answers[k]); err != nil {
					return fmt.Errorf("writing to stdout: %w", err)
				}
			}
		}
		all = append(all, answers...)
	}
	if len(all) == 0 {
		return withCode(exitUsage, errors.New("no budget is recorded; want --budget with USD an hour"))
	}
	if !f.json {
		if err := export.PlacedText(env.Out, all, env.screen()); err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
	}
	return endWith(placedExit(all))
}

// verifiedAnswer has an answer recomputed from its solution. One that fails is not printed.
func verifiedAnswer(i *instance.Instance, a *results.Placed) error {
	if err := placement.Check(i, a); err != nil {
		return withCode(exitUnverified, fmt.Errorf("%s, %s: the answer failed verification; this is a defect, please report it with the file:\n%w", a.Name, a.Goal, err))
	}
	a.Verified = a.Solution != nil
	return nil
}

// placedExit is the exit code of several answers: that nothing was found in time weighs
// more than a proof that there is nothing.
func placedExit(all []results.Placed) int {
	code := exitFound
	for i := range all {
		switch {
		case all[i].Solution != nil:
		case all[i].Status != solver.Infeasible.String():
			return exitNothingFound
		default:
			code = exitInfeasible
		}
	}
	return code
}
