package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"partita/formulation"
	"partita/results"
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
		if err := search.check(); err != nil {
			return withCode(exitUsage, err)
		}
		c, err := condition.load(env, args)
		if err != nil {
			return err
		}
		r, err := formulation.Compare(cmd.Context(), c, search.options(env))
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
			err = comparisonTable(env.Out, r)
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

func comparisonTable(w io.Writer, r *results.Report) error {
	t := plainTable()
	t.AppendHeader(table.Row{"", "objective", "gap", "time", "strategy, or why it does not fit"})
	o := optimumOf(r)
	if o.Objective != nil {
		t.AppendRow(table.Row{"this plan (" + string(o.Status) + ")", fmt.Sprintf("%.4g", *o.Objective), "", "", strategyLine(o.Strategy)})
	} else {
		t.AppendRow(table.Row{"no plan", "", "", "", "no plan meets the condition"})
	}
	t.AppendSeparator()
	if r.Plan != nil {
		for _, h := range r.Plan.Comparison {
			t.AppendRow(table.Row{h.Heuristic, orDash(h.Objective, "%.4g"), orDash(h.GapPercent, "%+.1f %%"),
				fmt.Sprintf("%.3g ms", h.TimeMS), detail(h)})
		}
	}
	// The last column takes what 80 columns leave.
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 5, WidthMax: 34, WidthMaxEnforcer: text.WrapSoft}})
	_, err := fmt.Fprintln(w, t.Render())
	if err == nil && o.Unit != "" {
		_, err = fmt.Fprintf(w, "objective in %s; a gap is how much worse the heuristic is\n", o.Unit)
	}
	return err
}

func detail(c results.Comparison) string {
	if c.Feasible {
		return printable(c.Strategy)
	}
	return printable(c.WhyInfeasible)
}

func orDash(v *float64, format string) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf(format, *v)
}

// strategyLine is a strategy in a few words; degrees that differ are listed by stage.
func strategyLine(s *results.Strategy) string {
	if s == nil {
		return ""
	}
	line := fmt.Sprintf("%d × PP%d", s.Replicas, s.PP)
	for _, d := range []struct {
		name   string
		degree results.PerStage
	}{{"TP", s.TP}, {"EP", s.EP}, {"CP", s.CP}, {"DP-attention", s.DPAttention}} {
		if v, ok := d.degree.Uniform(); !ok {
			line += fmt.Sprintf(" %s%v", d.name, []int(d.degree))
		} else if v > 1 {
			line += fmt.Sprintf(" %s%d", d.name, v)
		}
	}
	return line
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
