package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
)

// Formats of models, as --format and the ending of a file name them.
const (
	formatLP  = "lp"
	formatMPS = "mps"
	formatOPB = "opb"
	formatCNF = "cnf"
)

func modelFormats() []string { return []string{formatLP, formatMPS, formatOPB, formatCNF} }

// modelFlags say which model is written, how, and where.
type modelFlags struct {
	format  string
	out     string
	all     string
	mapFile string
	atMost  string
	maxSize string
	decode  string
	sparse  bool
	json    bool
	pick    formulation.Pick
	picked  bool
}

func (m *modelFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&m.format, "format", "", "lp (lp_solve's), mps, opb or cnf (default the ending of -o, else lp)")
	flags.StringVarP(&m.out, "out", "o", "", "file of the model; beside it `FILE`.json says what its variables mean (default stdout). With --decode: folder for the plan")
	flags.StringVar(&m.all, "all", "", "write a model for every outer choice that floors do not settle into the folder `DIR`, with index.json")
	flags.IntVar(&m.pick.Replicas, "replicas", 0, "the best outer choice with so many replicas, instead of that of the optimum")
	flags.IntVar(&m.pick.MicroBatches, "micro-batches", 0, "the same for prefill micro-batches of a replica")
	flags.IntVar(&m.pick.DecodeGroups, "decode-groups", 0, "the same for decode groups of a replica")
	flags.StringVar(&m.atMost, "at-most", "", "admit only plans with an objective of at most `TICKS`: a number, optimum, or optimum-1. cnf without it writes two formulas: at most the optimum, which can be satisfied, and below it, which cannot")
	flags.BoolVar(&m.sparse, "sparse", false, "a variable a layer in lp and mps: a tenth of the size, faster in CBC and GLPK, slower in lp_solve")
	flags.StringVar(&m.mapFile, "map", "", "`FILE` that says what the variables mean: written with the model (default FILE of -o with .json), read by --decode")
	flags.StringVar(&m.maxSize, "max-size", "1GB", "refuse to write more than this `SIZE` in all")
	flags.StringVar(&m.decode, "decode", "", "read what another solver printed from `FILE` (- is stdin): the plan, verified, and its objective")
	flags.BoolVar(&m.json, "json", false, "print one JSON line instead of the text; needs -o, --all or --decode")
}

func newModel(env Environment) *cobra.Command {
	var condition conditionFlags
	var search searchFlags
	var flags modelFlags
	cmd := &cobra.Command{
		Use:   "model CONDITION…",
		Short: "Write the exact integer model of a condition for other solvers, and read their solutions back",
		Long: `model searches for the optimum and writes the path problem of its outer choice
(replicas, GPUs of a replica, micro-batches, decode groups) as an integer linear
program (lp, mps), a pseudo-Boolean problem (opb) or a formula (cnf), whole: every
stage candidate, every condition, the objective in whole ticks. Comments at its
head say what values mean. Any other solver can then confirm the optimum, or be
measured on it.

With --all the models of all outer choices that floors do not settle are written;
the least of their optima is the optimum of the condition. With --decode a
solution is read back: the output of lp_solve, CBC, GLPK or HiGHS, or the v lines
of SAT and pseudo-Boolean solvers.`,
		Example: `  partita model examples/gpus-3.yaml --format lp
  partita model examples/gpus-3.yaml -o out/gpus-3.cnf
  partita model examples/gpus-3.yaml --format mps --all out/gpus-3-mps`,
		Args: needsCondition(),
	}
	condition.register(cmd.Flags())
	search.register(cmd.Flags())
	flags.register(cmd.Flags())
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		for _, name := range []string{"replicas", "micro-batches", "decode-groups"} {
			flags.picked = flags.picked || cmd.Flags().Changed(name)
		}
		if err := errors.Join(search.check(), flags.check()); err != nil {
			return withCode(exitUsage, err)
		}
		c, err := condition.load(env, args)
		if err != nil {
			return err
		}
		if flags.decode != "" {
			return flags.restore(cmd.Context(), env, c)
		}
		f, err := formulation.Formulate(cmd.Context(), c, search.options(env))
		if err != nil {
			return err
		}
		return flags.write(cmd.Context(), env, c, f)
	})
	return cmd
}

// check refuses what does not go together, and fills in the format and the map.
func (m *modelFlags) check() error {
	var wrong []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	if m.decode != "" {
		refuse(m.mapFile == "", "--decode needs --map FILE, the .json that was written with the model")
		refuse(m.all != "" || m.picked || m.atMost != "" || m.format != "", "--decode reads a solution; --all, --format, --at-most and the outer choice belong to writing a model")
		return errors.Join(wrong...)
	}
	refuse(m.all != "" && m.out != "", "-o FILE or --all DIR, not both")
	refuse(m.all != "" && m.mapFile != "", "--all writes the maps beside the models; leave out --map")
	refuse(m.all != "" && m.picked, "--all writes every outer choice; leave out --replicas, --micro-batches and --decode-groups")
	refuse(m.json && m.out == "" && m.all == "", "--json needs -o FILE or --all DIR: the model itself goes to stdout")
	refuse(m.pick.Replicas < 0 || m.pick.MicroBatches < 0 || m.pick.DecodeGroups < 0, "--replicas, --micro-batches, --decode-groups: want numbers above 0")
	if ending := strings.TrimPrefix(filepath.Ext(m.out), "."); m.format == "" && slices.Contains(modelFormats(), ending) {
		m.format = ending
	}
	if m.format == "" {
		m.format = formatLP
	}
	if err := oneOf(m.format, modelFormats()); err != nil {
		wrong = append(wrong, fmt.Errorf("--format %q: %w", m.format, err))
	}
	refuse(m.sparse && m.format != formatLP && m.format != formatMPS, "--sparse: %s has its own form; it is for lp and mps", m.format)
	if _, err := m.bound(0, true); err != nil {
		wrong = append(wrong, err)
	}
	if _, err := inputs.ParseBytes(m.maxSize); err != nil {
		wrong = append(wrong, fmt.Errorf("--max-size: %w", err))
	}
	if m.mapFile == "" && m.out != "" {
		m.mapFile = m.out + ".json"
	}
	refuse(m.mapFile != "" && m.mapFile == m.out, "--map %s is the file of the model itself", m.mapFile)
	return errors.Join(wrong...)
}

// bound is --at-most in ticks; nil where it is not given. known: there is an optimum.
func (m *modelFlags) bound(optimum int64, known bool) (*int64, error) {
	text := strings.TrimSpace(m.atMost)
	if text == "" {
		return nil, nil
	}
	rest, relative := strings.CutPrefix(text, "optimum")
	v, err := int64(0), error(nil)
	if rest != "" {
		v, err = parseTicks(rest, relative)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("--at-most %q: %w", m.atMost, err)
	case relative && !known:
		return nil, fmt.Errorf("--at-most %s: this outer choice has no plan, hence no optimum; give a number of ticks", text)
	case relative:
		v += optimum
	}
	return &v, nil
}

// write writes the models that are asked for and says what they are.
func (m *modelFlags) write(ctx context.Context, env Environment, c *inputs.Condition, f *formulation.Formulated) error {
	if f.Status == results.StatusUnknown {
		return conclusive(&results.Report{Status: f.Status, Reasons: f.Reasons})
	}
	s := &modelSet{flags: m, env: env, condition: c, f: f}
	var err error
	switch {
	case m.all != "":
		err = s.every(ctx)
	default:
		err = s.one(ctx)
	}
	if err != nil {
		return err
	}
	if f.Status == results.StatusInfeasible {
		return endWith(exitInfeasible)
	}
	return nil
}
