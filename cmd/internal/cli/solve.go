package cli

import (
	"github.com/spf13/cobra"

	"partita/formulation"
	"partita/results"
	"partita/results/dagsvg"
)

func newSolve(env Environment) *cobra.Command {
	var condition conditionFlags
	var search searchFlags
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "solve CONDITION…",
		Short: "Find, prove, verify and write the optimal plan",
		Long: `solve reads one condition (several files combine: hardware, model, workload),
searches for the optimal plan, proves it, verifies it by independent code, and
prints a summary. It writes plan.json, report.md and report.html, the graph of
operators (dag.dot, dag-folded.dot, dag-folded.svg), what starts the plan on real
engines (launch/), and manifest.json with the paths of them all.

Interrupt it once and it writes the best plan so far with its bound and gap;
interrupt it twice and it stops at once.`,
		Example: `  partita solve examples/llama-3.1-70b-2x8-h100.yaml
  partita solve examples/qwen3-235b-unlimited-64gb.md --ttft 20s -o out/qwen3
  partita solve examples/13b-two-gpus-30-50gb-free.csv \
    examples/13b-workload.yaml --objective latency --json`,
		Args: needsCondition(),
	}
	condition.register(cmd.Flags())
	search.register(cmd.Flags())
	out.register(cmd.Flags())
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if err := search.check(); err != nil {
			return withCode(exitUsage, err)
		}
		if err := out.check(); err != nil {
			return err
		}
		c, err := condition.load(env, args)
		if err != nil {
			return err
		}
		dagsvg.Prepare()
		rep, err := watched(env, &search, func(opts formulation.Options) (*results.Report, error) {
			opts.Explain, opts.WhatIf = true, true
			return formulation.Optimize(cmd.Context(), c, opts)
		})
		if err != nil {
			return err
		}
		return out.finish(env, c, rep)
	})
	return cmd
}
