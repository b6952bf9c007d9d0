package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/cmd/internal/batch"
	"partita/inputs"
	"partita/inputs/read"
	"partita/inputs/scenario"
)

// batchFlags are the flags of batch beside those of a condition.
type batchFlags struct {
	condition conditionFlags
	settings  map[string]string // settings stated by flags
	share     string
	fresh     bool
	failedOK  bool
	list      bool
	merge     bool
	json      bool
	verbose   bool
	jobs      jobFlags
}

func newBatch(env Environment) *cobra.Command {
	f := batchFlags{settings: map[string]string{}}
	cmd := &cobra.Command{
		Use:   "batch CONFIG",
		Short: "Solve many scenarios from one config, resumable, on one machine or many",
		Long: `batch reads a config (YAML, TOML or JSON; docs/batch.md): condition files, a
matrix of axes that override any field or add files, named scenarios, filters and
settings. Each scenario is solved, proved, verified and compared with the
heuristics; one that is invalid, infeasible or out of time is a result with its
reason and does not stop the others.

Results go to results.jsonl as they end, then in the order of the scenarios, with
summary.csv, summary.md and the plans. Kill it at any moment and start it again:
it continues. The same config gives the same bytes, whatever the number of jobs.

The exit code is 0 where every scenario has a plan, else that of the worst
result, looked for in the order 1, 6, 3, 5, 4, 7. With --failed-ok it is 0 once
every scenario has its result.

--shard 2/8 does the third of eight equal shares. A pod of an Indexed Job and a
task of a Slurm array know theirs by JOB_COMPLETION_INDEX and SLURM_ARRAY_TASK_ID;
each then writes to OUT/shard-…. --merge joins the shares into the bytes that one
machine writes. --to prints the job for Kubernetes or Slurm.`,
		Example: `  partita batch examples/batch-clusters.toml --failed-ok
  partita batch examples/batch-llama-70b.yaml --list
  partita batch examples/batch-clusters.toml --confirm -o out/twice --failed-ok
  partita batch examples/batch-clusters.toml --shard 0/2 -o out/a --failed-ok
  partita batch examples/batch-clusters.toml --shard 1/2 -o out/b --failed-ok
  partita batch --merge out/a out/b -o out/whole --failed-ok
  partita batch examples/batch-llama-70b.yaml --to slurm --shards 4 > job.sh
  partita batch examples/batch-llama-70b.yaml --to kubernetes --shards 4 \
    --image registry.example/partita:1 > job.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && f.merge:
				return errors.New("no folder given: --merge takes the folders of the shards")
			case len(args) == 0:
				return errors.New("no config given; examples/ has some to start from")
			case len(args) > 1 && !f.merge:
				return fmt.Errorf("%d configs given, want one: a batch lists its condition files itself", len(args))
			}
			return nil
		},
	}
	f.register(cmd.Flags())
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if err := f.check(cmd.Flags()); err != nil {
			return withCode(exitUsage, err)
		}
		if f.merge {
			return f.join(env, args)
		}
		b, err := f.read(env, args[0])
		if err != nil {
			return err
		}
		switch {
		case f.list:
			return listScenarios(env.Out, b, f.json)
		case f.jobs.to != "":
			return f.writeJob(env, b, cmd.Flags())
		}
		return f.run(cmd.Context(), env, b)
	})
	return cmd
}

func (f *batchFlags) register(flags *pflag.FlagSet) {
	f.condition.register(flags)
	f.setting(flags, "output", "out", "folder of the results (default partita-out/NAME of the batch)")
	f.setting(flags, "jobs", "jobs", "scenarios at a time; 0: one a core (default)")
	f.setting(flags, "time_limit", "time-limit", "limit of each scenario: 30s (default: none)")
	f.setting(flags, "backend", "backend", "exact solver: auto, labels, ilp or sat (default auto: labels)")
	f.setting(flags, "confirm", "confirm", "have a second solver prove each optimum again").NoOptDefVal = "true"
	f.setting(flags, "confirm_limit", "confirm-limit", "time a second proof may take (default 10s)")
	f.setting(flags, "plans", "plans", "which scenarios leave a plan: all (default; also closest plans), found or none")
	f.setting(flags, "reports", "reports", "a report.md beside each plan").NoOptDefVal = "true"
	f.setting(flags, "require_optimal", "require-optimal", "a plan that is not proved optimal ends with 7").NoOptDefVal = "true"
	f.setting(flags, "shards", "shards", "number of shares: of a job (--to), or where the environment names the share")
	flags.StringVar(&f.share, "shard", "", "do one share of the batch: INDEX/COUNT, the index from 0")
	flags.BoolVar(&f.fresh, "fresh", false, "discard the results of an earlier run and start anew")
	flags.BoolVar(&f.failedOK, "failed-ok", false, "exit 0 once every scenario has its result, whatever it is")
	flags.BoolVar(&f.list, "list", false, "list the scenarios and solve none")
	flags.BoolVar(&f.merge, "merge", false, "join the folders of shards into one result")
	flags.BoolVar(&f.json, "json", false, "print the lines of results.jsonl in order, and last the paths of the files and the counts")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "a line on stderr for each scenario as it ends")
	f.jobs.register(flags)
}

// setting adds a flag that stands for a setting of the config.
func (f *batchFlags) setting(flags *pflag.FlagSet, name, flag, usage string) *pflag.Flag {
	letter := ""
	if flag == "out" {
		letter = "o"
	}
	return flags.VarPF(&settingFlag{into: f.settings, name: name}, flag, letter, usage)
}

// settingFlag is a setting by flag; the reader of the config checks it.
type settingFlag struct {
	into map[string]string
	name string
}

func (f *settingFlag) String() string { return f.into[f.name] }
func (f *settingFlag) Type() string   { return "value" }
func (f *settingFlag) Set(v string) error {
	if strings.TrimSpace(v) == "" {
		return errors.New("want a value")
	}
	f.into[f.name] = v
	return nil
}

// check refuses flags that cannot go together.
func (f *batchFlags) check(flags *pflag.FlagSet) error {
	if err := f.jobs.check(flags); err != nil {
		return err
	}
	exclusive := map[string]bool{"--merge": f.merge, "--list": f.list, "--to": f.jobs.to != "", "--shard": f.share != ""}
	for _, pair := range [][2]string{{"--merge", "--list"}, {"--merge", "--to"}, {"--merge", "--shard"}, {"--list", "--to"}, {"--list", "--shard"}, {"--to", "--shard"}} {
		if exclusive[pair[0]] && exclusive[pair[1]] {
			return fmt.Errorf("%s and %s do not go together", pair[0], pair[1])
		}
	}
	if f.share != "" {
		share, err := batch.ParseShare(f.share)
		if err != nil {
			return fmt.Errorf("--shard %w", err)
		}
		if n, ok := f.settings["shards"]; ok && n != strconv.Itoa(share.Count) {
			return fmt.Errorf("--shard %s and --shards %s do not agree", f.share, n)
		}
	}
	return nil
}

// read reads the config with the flags applied. Where only flags are at fault it is the
// command line that is wrong.
func (f *batchFlags) read(env Environment, path string) (*scenario.Batch, error) {
	set := f.condition.overrides
	if f.condition.model != "" {
		set = append(set[:len(set):len(set)], read.Override{Key: "model", Value: f.condition.model, Place: inputs.Place{File: "--model"}})
	}
	set, err := packsFrom(filepath.Dir(path), set)
	if err != nil {
		return nil, err
	}
	b, err := scenario.Read(scenario.Options{File: path, Stdin: env.In, Env: env.Environ, Flags: f.settings, Set: set})
	if err != nil {
		return nil, ofFlagsAlone(err)
	}
	search := searchFlags{backend: b.Settings.Backend}
	if err := search.check(); err != nil {
		return nil, withCode(exitUsage, err)
	}
	if b.Settings.Confirm && b.Settings.Backend != auto {
		return nil, withCode(exitUsage, fmt.Errorf("confirm asks for a second solver, backend %s for one alone: leave one of them out", b.Settings.Backend))
	}
	return b, nil
}

// folder is where a batch, or a share of it, leaves its results. A share that the
// environment names gets a folder of its own in that of the batch: all processes of a
// job are started with one command.
func (f *batchFlags) folder(env Environment, b *scenario.Batch) (string, batch.Share, error) {
	out := b.Settings.Output
	if out == "" {
		out = filepath.Join("partita-out", b.Name)
	}
	if f.share != "" {
		share, err := batch.ParseShare(f.share)
		return out, share, err
	}
	share, err := batch.ShareOf(env.Environ, b.Settings.Shards)
	if err != nil || share.Whole() {
		return out, share, err
	}
	return filepath.Join(out, share.Folder()), share, nil
}

// workers is the number of scenarios at a time.
func workers(s *scenario.Settings) int {
	if s.Jobs > 0 {
		return s.Jobs
	}
	return runtime.GOMAXPROCS(0)
}
