package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
	"partita/results/export"
	"partita/results/launch"
	"partita/results/verify"
)

// evaluateFlags are the flags of evaluate beside those of every search.
type evaluateFlags struct {
	strategy, plan string
	json           bool
}

func newEvaluate(env Environment) *cobra.Command {
	var condition conditionFlags
	var search searchFlags
	var own evaluateFlags
	cmd := &cobra.Command{
		Use:   "evaluate CONDITION…",
		Short: "Judge a given strategy: does it fit, how good is it, what to change",
		Long: `evaluate maps a given parallelism strategy onto the GPUs of the condition, prices
it by the costs that solve goes by, and says whether it fits (on which GPU memory
breaks first, and by how much), whether each requirement is met, how the GPUs are
used, how far it is from the proved optimum, and which single changes help most.
It writes no files.

The strategy is that of the condition's own section "Parallelism Strategy", or of
--strategy, or of --plan. --strategy takes pairs with commas between them:

  tp pp ep etp cp dp sp     degrees; 1 where not stated, dp what fills the GPUs
  replicas dp_attention     what dp leaves open
  layers=20+20+40           layers of each stage; cut evenly where not stated
  pool=a100/l40s            the pool of each stage
  micro_batches or micro_batch_size, decode_groups, gpus

Degrees may differ from stage to stage: tp=8/4/4. Degrees are a mapping and no
product: inside a stage tp·cp·dp_attention = ep·etp, and replicas times the GPUs of
the stages are the GPUs it needs. Where dp may mean replicas, attention DP inside a
stage, or both, every reading is listed and the one that fits the GPUs given is
evaluated.

The exit code is 0 for a strategy that maps, fits and meets every requirement, 4
for one that does not.`,
		Example: `  partita evaluate examples/llama-3.1-70b-2x8-h100.yaml --strategy tp=8,pp=2
  partita evaluate examples/qwen3-235b-given-strategy.md   # exit 4
  partita evaluate examples/three-pools-llama-70b-fp16.yaml --allow-idle \
    --strategy tp=8/4,layers=64+16,pool=a100/l40s
  partita solve examples/gpus-5.yaml -o out/five
  partita evaluate examples/gpus-5.yaml --plan out/five/plan.json --json`,
		Args: needsCondition(),
	}
	cmd.Flags().StringVar(&own.strategy, "strategy", "", "the strategy to judge: tp=8,pp=2 (default: the condition's own section)")
	cmd.Flags().StringVar(&own.plan, "plan", "", "judge the stages of a plan.json, also one that was edited by hand")
	condition.register(cmd.Flags())
	search.register(cmd.Flags())
	cmd.Flags().BoolVar(&own.json, "json", false, "print one JSON line instead of the text")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if err := search.check(); err != nil {
			return withCode(exitUsage, err)
		}
		if cmd.Flags().Changed("strategy") && cmd.Flags().Changed("plan") {
			return withCode(exitUsage, errors.New("--strategy and --plan both give a strategy; want one of them"))
		}
		condition.strategy = own.strategy
		c, err := condition.load(env, args)
		if err != nil {
			return err
		}
		given, err := own.given(c)
		if err != nil {
			return err
		}
		v, err := watched(env, &search, func(opts formulation.Options) (*results.Evaluation, error) {
			opts.Launch = launch.Refused
			return formulation.Evaluate(cmd.Context(), c, given, opts)
		})
		if err != nil {
			return err
		}
		if err := verifiedEvaluation(c, v); err != nil {
			return err
		}
		if own.json {
			err = json.NewEncoder(env.Out).Encode(v)
		} else {
			err = export.EvaluationText(env.Out, v, env.screen())
		}
		if err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
		if !v.Feasible {
			return endWith(exitInfeasible)
		}
		return nil
	})
	return cmd
}

// given is the strategy to judge.
func (f *evaluateFlags) given(c *inputs.Condition) (formulation.Given, error) {
	if f.plan != "" {
		p, err := savedPlan(f.plan)
		if err != nil {
			return formulation.Given{}, err
		}
		return formulation.Given{Plan: p, Source: f.plan}, nil
	}
	if c.Strategy == nil && c.Model.Graph == nil { // a graph is refused by the evaluation itself
		return formulation.Given{}, withCode(exitUsage, errors.New("the condition proposes no strategy; want --strategy tp=8,pp=2, --plan plan.json, or a section Parallelism Strategy"))
	}
	return formulation.Given{Strategy: c.Strategy}, nil
}

// verifiedEvaluation has a feasible strategy recomputed by the verifier, as a plan
// would be: our own figures must stand.
func verifiedEvaluation(c *inputs.Condition, v *results.Evaluation) error {
	if !v.Feasible || v.Phase == nil {
		return nil
	}
	p := &results.Plan{FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{*v.Phase}, Warnings: v.Warnings, Deployment: results.DeploymentOf(c)}
	checks, err := verify.Check(p, c)
	if err != nil {
		return withCode(exitUnverified, fmt.Errorf("the strategy could not be verified: %w", err))
	}
	v.Verification = checks
	if checks.OK {
		return nil
	}
	return unverified("the figures of the strategy failed verification; this is a defect, please report it with the condition", checks)
}
