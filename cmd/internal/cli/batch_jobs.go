package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"partita/cmd/internal/batch"
	"partita/inputs/scenario"
)

// jobFlags describe the job that runs a batch on an engine.
type jobFlags struct {
	to     string
	engine batch.Engine
	memory string
}

// Defaults of a job. A task takes 200 MB of memory for conditions like the examples.
const (
	defaultTaskCPUs   = 2
	defaultTaskMemory = "2G"
	defaultRetries    = 3
)

func (j *jobFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&j.to, "to", "", "write the job that runs the batch to stdout: kubernetes or slurm")
	flags.StringVar(&j.engine.Program, "program", "partita", "with --to: the command of this program on the engine's machines")
	flags.IntVar(&j.engine.Parallel, "parallel", 0, "with --to: shards at a time (0: as many as the engine likes)")
	flags.IntVar(&j.engine.CPUs, "cpus", defaultTaskCPUs, "with --to: cores of a shard")
	flags.StringVar(&j.memory, "memory", "", "with --to: memory of a shard, in the engine's words (default 2Gi, 2G)")
	flags.IntVar(&j.engine.Retries, "retries", defaultRetries, "with --to: times a shard that dies is started again")
	flags.StringVar(&j.engine.Image, "image", "", "with --to kubernetes: the image that holds this program")
	flags.StringVar(&j.engine.Claim, "claim", "partita", "with --to kubernetes: the PersistentVolumeClaim of the shared folder")
	flags.StringVar(&j.engine.Mount, "mount", "/work", "with --to kubernetes: where the shared folder is mounted")
	flags.StringVar(&j.engine.Walltime, "walltime", "", "with --to slurm: time limit of a shard: 2:00:00")
	flags.StringVar(&j.engine.Partition, "partition", "", "with --to slurm: the partition")
	flags.StringVar(&j.engine.Account, "account", "", "with --to slurm: the account")
}

// check refuses flags of a job without one, or of another engine.
func (j *jobFlags) check(flags *pflag.FlagSet) error {
	of := map[string][]string{
		"":           {"program", "parallel", "cpus", "memory", "retries"},
		"kubernetes": {"image", "claim", "mount"},
		"slurm":      {"walltime", "partition", "account"},
	}
	if j.to != "" && j.to != "kubernetes" && j.to != "slurm" {
		return fmt.Errorf("--to %q: want kubernetes or slurm", j.to)
	}
	for _, engine := range []string{"", "kubernetes", "slurm"} {
		for _, name := range of[engine] {
			switch {
			case !flags.Changed(name), engine == j.to:
			case j.to == "":
				return fmt.Errorf("--%s describes a job: it goes with --to", name)
			case engine != "":
				return fmt.Errorf("--%s goes with --to %s", name, engine)
			}
		}
	}
	switch {
	case j.engine.CPUs < 1:
		return fmt.Errorf("--cpus %d: want at least 1", j.engine.CPUs)
	case j.engine.Parallel < 0:
		return fmt.Errorf("--parallel %d: want 0 or more", j.engine.Parallel)
	case j.engine.Retries < 0:
		return fmt.Errorf("--retries %d: want 0 or more", j.engine.Retries)
	}
	return nil
}

// writeJob prints the job. What flags say of the batch its shards are told as well.
func (f *batchFlags) writeJob(env Environment, b *scenario.Batch, flags *pflag.FlagSet) error {
	e := f.jobs.engine
	e.Name, e.Config, e.Shares = b.Name, b.File, b.Settings.Shards
	switch {
	case e.Shares == 0:
		return withCode(exitUsage, errors.New("--shards COUNT is missing: how many shares the job has"))
	case e.Shares > b.Len():
		return withCode(exitUsage, fmt.Errorf("%d shards of %d scenarios: want no more shards than scenarios", e.Shares, b.Len()))
	case e.Config == "-":
		return withCode(exitUsage, errors.New("the job reads the config itself: give its path"))
	}
	e.Output = b.Settings.Output
	if e.Output == "" {
		e.Output = filepath.Join("partita-out", b.Name)
	}
	e.Flags, e.Env = passedOn(flags), scenario.Variables(env.Environ)
	make, memory := e.Kubernetes, "2Gi"
	if f.jobs.to == "slurm" {
		make, memory = e.Slurm, defaultTaskMemory
	}
	if e.Memory = f.jobs.memory; e.Memory == "" {
		e.Memory = memory
	}
	text, err := make()
	if err != nil {
		return withCode(exitUsage, err)
	}
	if f.json {
		err = json.NewEncoder(env.Out).Encode(map[string]string{"to": f.jobs.to, "job": string(text)})
	} else {
		_, err = env.Out.Write(text)
	}
	if err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return nil
}

// passedOn are the flags of the command line that its shards need too: all that were
// given, but those of the job and of this run.
func passedOn(flags *pflag.FlagSet) []string {
	own := []string{
		"to", "program", "parallel", "cpus", "memory", "retries", "image", "claim", "mount", "walltime", "partition", "account",
		"shards", "shard", "out", "jobs", "failed-ok", "json", "list", "merge",
	}
	var out []string
	flags.Visit(func(flag *pflag.Flag) {
		if slices.Contains(own, flag.Name) {
			return
		}
		switch value := flag.Value.(type) {
		case *setFlag:
			for _, o := range value.given {
				out = append(out, "--set", o.Key+"="+o.Value)
			}
			return
		case *knowledgeFlag:
			for _, path := range value.given {
				out = append(out, "--knowledge="+path)
			}
			return
		}
		out = append(out, "--"+flag.Name+"="+strings.TrimSpace(flag.Value.String()))
	})
	return out
}
