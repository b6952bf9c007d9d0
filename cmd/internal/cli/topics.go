package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"partita/inputs/read"
)

// topics are the help texts that belong to no single command.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "condition", Short: "What a condition can state, field by field", Long: conditionTopic()},
		{Use: "environment", Short: "Environment variables that are read", Long: environmentTopic()},
		{Use: "exit-codes", Short: "Exit codes that scripts may rely on", Long: exitCodesTopic()},
	}
}

func exitCodesTopic() string {
	var b strings.Builder
	b.WriteString("Every command uses the same codes; none changes its meaning.\n\n")
	for _, e := range ExitCodes() {
		b.WriteString(indented(fmt.Sprintf("  %d  %-14s ", e.Code, e.Name), e.Meaning))
	}
	b.WriteString(`
A run that was interrupted or ran out of time with a plan in hand ends with 0: the
plan is verified and says how far from the bound it may be. Use --require-optimal
where only a proof will do.`)
	return b.String()
}

func environmentTopic() string {
	return `A variable states a value of the condition and replaces what files state; flags
replace both. Its name is PARTITA_ and the path of the field in capitals, with two
underscores for each dot:

  PARTITA_WORKLOAD__BATCH=64             workload.batch
  PARTITA_GOAL__REQUIREMENTS__TTFT=2s    goal.requirements.ttft
  PARTITA_CLUSTER__POOLS__1__COUNT=4     cluster.pools.1.count
  PARTITA_MODEL=Llama-3.1-8B             model.catalog
  PARTITA_ENGINE=vllm                    engine

Each shows among the statements of the report. A name with one underscore for a
dot (PARTITA_WORKLOAD_BATCH) is refused, so that none is dropped unseen.

batch also reads its settings, such as PARTITA_JOBS and PARTITA_OUTPUT
(docs/batch.md lists them), and which share of the scenarios is its own:

  JOB_COMPLETION_INDEX    of a pod of an Indexed Job of Kubernetes
  SLURM_ARRAY_TASK_ID     of a task of a Slurm array

Colours (where --color does not say it):

  NO_COLOR, CLICOLOR=0           none, on a terminal either
  CLICOLOR_FORCE, FORCE_COLOR    in a pipe too
  TERM=dumb                      none, and no line of progress`
}

func conditionTopic() string {
	var b strings.Builder
	b.WriteString(`The fields of a condition by their paths. In YAML and TOML a dot is a level; in flags
it is --set PATH=VALUE. Where the GPUs are of several kinds, cluster.pools lists
them, each with the fields of cluster. The same can be said in Markdown. A file with
all fields is written by partita init.
`)
	section := ""
	for _, f := range read.Fields() {
		if s, _, _ := strings.Cut(f.Path, "."); s != section {
			section = s
			b.WriteString("\n")
		}
		text := f.About
		if f.Text != "" && !strings.Contains(text, f.Text) {
			text += " Such as " + strings.ReplaceAll(f.Text, " ", "\u00a0") + "."
		}
		path := "  " + f.Path
		if len(path) > 28 {
			b.WriteString(path + "\n")
			path = ""
		}
		b.WriteString(indented(fmt.Sprintf("%-30s", path), text))
	}
	return strings.TrimRight(b.String(), "\n")
}
