package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
	"partita/results/export"
	"partita/results/verify"
)

// paretoFlags say which trade-off is asked for and how it is shown.
type paretoFlags struct {
	condition conditionFlags
	search    searchFlags
	out       outputFlags
	csv       bool
	free      bool
	vary      varyFlags
}

func newPareto(env Environment) *cobra.Command {
	var f paretoFlags
	cmd := &cobra.Command{
		Use:   "pareto CONDITION…",
		Short: "The exact trade-off of latency, throughput and cost, or what if a field varies",
		Long: `pareto finds every plan that no other plan beats: none has a lower latency without
less throughput. Where all GPUs have a price, cost per hour is a third axis; where
their number is open, throughput counts by GPU used. The points are proved, verified
by independent code and do not depend on --objective; what balanced, latency and
throughput would take is marked, and the heuristics are placed beside them.

With -o it writes pareto.json, pareto.csv and pareto.svg, a picture for light and dark.

With --vary it finds the best plan at each value of one field instead, and where the
best strategy changes: between two values with unlike strategies it halves until they
are as near as --resolution asks for. -o then writes vary.json, vary.csv and vary.svg.
--time-limit bounds the search at each value.`,
		Example: `  partita pareto examples/llama-3.1-70b-2x8-h100.yaml --gpus 1..16
  partita pareto examples/gpus-6.yaml --allow-idle \
    --set cluster.usd_per_hour=1.2 -o out/pareto
  partita pareto examples/gpus-6.yaml --vary cluster.intra_link=8GB/s..450GB/s
  partita pareto examples/gpus-6.yaml --vary model.precision=bf16,fp8,int4`,
		Args: needsCondition(),
	}
	f.condition.register(cmd.Flags())
	f.search.register(cmd.Flags())
	f.register(cmd.Flags())
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if err := f.check(); err != nil {
			return withCode(exitUsage, err)
		}
		if f.vary.sweep != nil {
			return f.runVary(cmd.Context(), env, args)
		}
		c, err := f.condition.load(env, args)
		if err != nil {
			return err
		}
		asked := len(c.Goal.Requirements) > 0
		if f.free {
			c = withoutRequirements(c)
		}
		frontier, err := watched(env, &f.search, func(opts formulation.Options) (*results.Frontier, error) {
			return formulation.Pareto(cmd.Context(), c, opts)
		})
		if err != nil {
			return err
		}
		if f.free && asked {
			frontier.Requirements = "left out"
		}
		for i := range frontier.Points {
			if err := verifiedPoint(c, frontier.Points[i].Plan, fmt.Sprintf("point %d", i+1)); err != nil {
				return err
			}
		}
		return f.print(env, frontier)
	})
	return cmd
}

func (f *paretoFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.free, "without-requirements", false, "leave the condition's requirements out: the whole trade-off")
	f.vary.register(flags)
	flags.StringVarP(&f.out.dir, "out", "o", "", "also write JSON, CSV and the picture (SVG) into this folder")
	flags.BoolVar(&f.out.json, "json", false, "print one JSON line instead of the table")
	flags.BoolVar(&f.csv, "csv", false, "print CSV instead of the table")
	flags.BoolVar(&f.out.requireOptimal, "require-optimal", false, "exit 7 where not everything is proved")
}

func (f *paretoFlags) check() error {
	if err := f.search.check(); err != nil {
		return err
	}
	if f.csv && f.out.json {
		return errors.New("--csv and --json: want one of them")
	}
	if err := f.out.check(); err != nil {
		return err
	}
	return f.vary.check()
}

// withoutRequirements is a condition that asks for nothing.
func withoutRequirements(c *inputs.Condition) *inputs.Condition {
	free := *c
	free.Goal.Requirements = nil
	return &free
}

// verifiedPoint recomputes the plan of a point independently and records the checklist.
func verifiedPoint(c *inputs.Condition, p *results.Plan, name string) error {
	v, err := verify.Check(p, c)
	if err != nil {
		return withCode(exitUnverified, fmt.Errorf("the plan of %s could not be verified, nothing written: %w", name, err))
	}
	p.Verification = v
	if v.OK {
		return nil
	}
	return unverified("the plan of "+name+" failed verification, nothing written; this is a defect of the search, please report it with the condition", v)
}

// print writes the files and shows the frontier in the form asked for.
func (f *paretoFlags) print(env Environment, frontier *results.Frontier) error {
	var paths []string
	if f.out.dir != "" && frontier.Status != results.StatusUnknown {
		var err error
		if paths, err = export.WriteFrontier(f.out.dir, frontier); err != nil {
			return fmt.Errorf("writing the trade-off: %w", err)
		}
	}
	var err error
	switch {
	case f.out.json:
		err = json.NewEncoder(env.Out).Encode(frontier)
	case f.csv:
		var data []byte
		if data, err = export.FrontierCSV(frontier); err == nil {
			_, err = env.Out.Write(data)
		}
	default:
		if err = export.FrontierText(env.Out, frontier, env.screen()); err == nil {
			err = f.named(env, paths)
		}
	}
	if err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return endWith(f.code(frontier))
}

// named lists the files that were written.
func (f *paretoFlags) named(env Environment, paths []string) error {
	for i, path := range paths {
		if i == 0 {
			fmt.Fprintln(env.Out)
		}
		if _, err := fmt.Fprintln(env.Out, "written:", path); err != nil {
			return err
		}
	}
	return nil
}

// code is the exit code of a frontier.
func (f *paretoFlags) code(frontier *results.Frontier) int {
	switch frontier.Status {
	case results.StatusInfeasible:
		return exitInfeasible
	case results.StatusUnknown:
		return exitNothingFound
	case results.StatusFeasible:
		if f.out.requireOptimal {
			return exitNotOptimal
		}
	}
	return exitFound
}
