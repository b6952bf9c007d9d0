package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"partita/formulation"
	"partita/results"
	"partita/results/export"
)

func newExplain(env Environment) *cobra.Command {
	var condition conditionFlags
	var search searchFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain CONDITION…",
		Short: "Say why no plan meets a condition, and what is nearest to it",
		Long: `explain says why no plan meets a condition: a smallest set of demands that clash.
No plan meets them together, and without any one of them some plan meets the
others; both are proved. For each of them it names the nearest value for which a
plan exists, with all else as asked, and that plan.

Demands are the requirements (ttft, tpot, e2e, throughput, cost …), a stated
balance, rules, and the facts of the condition: the number of GPUs (gpus) and
that all of them work (all_gpus), the memory of a GPU (memory), sequences in
flight (batch), prompt length (input), the size of nodes (nodes), and that
degrees divide heads (heads).

Where a plan exists it says what binds it, and how far each requirement could be
tightened, all else as asked.

It writes no files. 'solve' tells the same in its report and summary where it
ends infeasible. What the time limit cut short is said: a conflict that is not
proved minimal, a value that is not proved to be the nearest. Without a limit
the explanation may take 30 seconds; most take less than one.`,
		Example: `  partita explain examples/slo-pair-infeasible.yaml   # exit 4
  partita explain examples/llama-3.1-70b-2x8-h100.yaml --tpot 1ms   # exit 4
  partita explain examples/llama-3.1-70b-2x8-h100.yaml --ttft 1s --tpot 40ms
  partita explain examples/budget-infeasible.yaml --json   # exit 4`,
		Args: needsCondition(),
	}
	condition.register(cmd.Flags())
	search.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line instead of the text")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		c, err := search.condition(env, &condition, args)
		if err != nil {
			return err
		}
		x, err := watched(env, &search, func(opts formulation.Options) (*results.Explanation, error) {
			return formulation.Explain(cmd.Context(), c, opts)
		})
		if err != nil {
			return err
		}
		if x.Unknown {
			return withCode(exitNothingFound, errors.New("neither a plan nor a proof that there is none within the time given; raise --time-limit"))
		}
		if asJSON {
			err = json.NewEncoder(env.Out).Encode(x)
		} else {
			err = export.ExplanationText(env.Out, x, env.screen())
		}
		if err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
		if !x.Feasible {
			return endWith(exitInfeasible)
		}
		return nil
	})
	return cmd
}

// tellWhy writes why no plan exists to stderr, where stdout holds JSON.
func tellWhy(env Environment, x *results.Explanation) error {
	if x == nil {
		return nil
	}
	return export.ExplanationText(env.Err, x, env.errorScreen())
}
