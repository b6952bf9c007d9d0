package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"partita/formulation/validate"
	"partita/inputs/measured"
	"partita/results"
	"partita/results/export"
)

func newValidate(env Environment) *cobra.Command {
	var asJSON, each bool
	var packs conditionFlags
	cmd := &cobra.Command{
		Use:   "validate FILE.csv",
		Short: "Score the cost model against measurements",
		Long: `validate reads a table of measurements, one metric of one run a row, and holds the
cost model against it. Each row is mapped to a condition and a strategy, as
somebody would state them, and priced by the code that evaluate and solve price
with. It prints:

  prediction  error of the predicted metric, by family and metric
  choice      layouts that were measured on the same work are ranked by the
              prediction: how often the best is chosen, and what is lost where
              it is not, beside the best rule of thumb
  memory      what is predicted to fit against what ran and what did not
  skipped     rows that no prediction was held against, with the reason

Nothing is fitted. The columns of the table are in docs/validate.md. It writes no
files.`,
		Example: `  partita validate examples/measured/sample.csv
  partita validate examples/measured/sample.csv --each
  partita validate examples/measured/sample.csv --json`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&each, "each", false, "tell of every row what is predicted, or why nothing is")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line instead of the tables")
	cmd.Flags().Var(&knowledgeFlag{c: &packs}, "knowledge", knowledgeUsage)
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		rows, err := measured.Load(args[0])
		if err != nil {
			return err
		}
		v, err := during(env, args[0], func() (*results.Validation, error) {
			return validate.Run(cmd.Context(), rows, validate.Options{Each: each, Knowledge: packs.overrides})
		})
		if err != nil {
			return err
		}
		if asJSON {
			line := json.NewEncoder(env.Out)
			line.SetEscapeHTML(false)
			err = line.Encode(v)
		} else {
			err = export.ValidationText(env.Out, v, env.screen())
		}
		if err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
		return nil
	})
	return cmd
}
