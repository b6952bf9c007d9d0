package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"partita/formulation"
	"partita/results"
	"partita/results/export"
)

func newCompare(env Environment) *cobra.Command {
	var condition conditionFlags
	var search searchFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare CONDITION…",
		Short: "Hold the optimum against the heuristics in use, on the same costs",
		Long: `compare solves the condition and evaluates the rules that engines and people use
(even split, FLOP-proportional, memory-greedy, …) on the same stage graph, so each
gap is exact under the cost model. It writes no files.`,
		Example: `  partita compare examples/llama-3.1-70b-2x8-h100.yaml
  partita compare examples/gpus-5.yaml --objective latency --json`,
		Args: needsCondition(),
	}
	condition.register(cmd.Flags())
	search.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line instead of the table")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		c, err := search.condition(env, &condition, args)
		if err != nil {
			return err
		}
		r, err := watched(env, &search, func(opts formulation.Options) (*results.Report, error) {
			return formulation.Compare(cmd.Context(), c, opts)
		})
		if err != nil {
			return err
		}
		if err := conclusive(r); err != nil {
			return err
		}
		if err := verified(c, r); err != nil {
			return err
		}
		if asJSON {
			err = comparisonJSON(env.Out, r)
		} else {
			err = export.ComparisonText(env.Out, r, env.screen())
		}
		if err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
		if !r.Feasible {
			return endWith(exitInfeasible)
		}
		return nil
	})
	return cmd
}

// optimum is the optimal plan as `compare --json` names it. Objective is absent
// where no plan meets the condition.
type optimum struct {
	Objective *float64          `json:"objective,omitempty"`
	Unit      string            `json:"objective_unit,omitempty"`
	Status    results.Status    `json:"status"`
	Strategy  *results.Strategy `json:"strategy,omitempty"`
}

func optimumOf(r *results.Report) optimum {
	o := optimum{Status: r.Status}
	if r.Feasible && r.Plan != nil && len(r.Plan.Phases) > 0 {
		phase := &r.Plan.Phases[0]
		o.Objective = &phase.Solve.Objective
		o.Unit = phase.Solve.ObjectiveUnit
		o.Strategy = &phase.Strategy
	}
	return o
}

func comparisonJSON(w io.Writer, r *results.Report) error {
	out := struct {
		Optimal    optimum              `json:"optimal"`
		Heuristics []results.Comparison `json:"heuristics"`
	}{optimumOf(r), []results.Comparison{}}
	if r.Plan != nil {
		out.Heuristics = append(out.Heuristics, r.Plan.Comparison...)
	}
	return json.NewEncoder(w).Encode(out)
}

// conclusive is exit code 5 where the search has neither a plan nor a proof.
func conclusive(r *results.Report) error {
	if r != nil && r.Status != results.StatusUnknown && (r.Plan != nil || r.Status == results.StatusInfeasible) {
		return nil
	}
	text := "no plan and no proof within the time given; raise --time-limit"
	if r != nil {
		for _, reason := range r.Reasons {
			text += "\n  " + reason
		}
	}
	return withCode(exitNothingFound, errors.New(text))
}
