package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/read"
)

func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// newCompletion prints the script that lets a shell complete command lines.
func newCompletion(env Environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the script that completes command lines in a shell",
		Long: `completion prints a script for bash, zsh, fish or powershell. With it the Tab key
completes commands and flags, names of the catalogue, paths of --set with what they
mean, and values where they are few. The script asks the program itself, so it stays
right when the program is replaced.

In the shell that runs:

  source <(partita completion bash)                 bash
  source <(partita completion zsh)                  zsh
  partita completion fish | source                  fish

In every one that starts:

  D=~/.local/share/bash-completion/completions      bash
  mkdir -p $D; partita completion bash > $D/partita
  partita completion zsh > "${fpath[1]}/_partita"   zsh
  partita completion fish > ~/.config/fish/completions/partita.fish

bash needs its package bash-completion, zsh a compinit in ~/.zshrc.`,
		Example:   "  partita completion bash | head -n 3",
		ValidArgs: shells(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || oneOf(args[0], shells()) != nil {
				return fmt.Errorf("want one shell of %s", strings.Join(shells(), ", "))
			}
			return nil
		},
	}
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(env.Out, true)
		case "zsh":
			return root.GenZshCompletion(env.Out)
		case "fish":
			return root.GenFishCompletion(env.Out, true)
		}
		return root.GenPowerShellCompletionWithDesc(env.Out)
	})
	return cmd
}

// completing gives every command below root the completion of its arguments and flags.
func completing(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		completing(cmd)
		if complete := argumentsOf(cmd); complete != nil {
			cmd.ValidArgsFunction = matching(complete)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if complete := valuesOf(cmd, f); complete != nil {
				// An error says that the flag has its completion, or is none of the command's.
				_ = cmd.RegisterFlagCompletionFunc(f.Name, matching(complete))
			}
		})
	}
}

// matching leaves of the words that a completion offers those that go on from what is
// typed. Shells would do it too, each on its own terms.
func matching(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		words, directive := complete(cmd, args, typed)
		if directive&cobra.ShellCompDirectiveFilterFileExt == 0 {
			words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, typed) })
		}
		return words, directive
	}
}

// helpTopics completes what has a help: commands, those below them, and topics.
func helpTopics(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	at, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return commandNames(at), cobra.ShellCompDirectiveNoFileComp
}

// conditionEndings are the endings of files that may be conditions or parts of one.
func conditionEndings() []string { return []string{"yaml", "yml", "toml", "json", "md", "csv"} }

// argumentsOf completes what stands behind a command; nil leaves it to the shell.
func argumentsOf(cmd *cobra.Command) cobra.CompletionFunc {
	switch cmd.CommandPath() {
	case "partita catalog gpus":
		return first(acceleratorNames)
	case "partita catalog models":
		return first(modelNames)
	case "partita batch":
		return files("yaml", "yml", "toml", "json")
	case "partita instance":
		return files("json")
	case "partita validate":
		return files("csv")
	case "partita completion", "partita schema":
		return nil
	}
	if strings.Contains(cmd.Use, "CONDITION") || strings.Contains(cmd.Use, "FILE") {
		return files(conditionEndings()...)
	}
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// valuesOf completes the value of a flag; nil leaves it to the shell, which offers files.
func valuesOf(cmd *cobra.Command, f *pflag.Flag) cobra.CompletionFunc {
	switch f.Name {
	case "model":
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return modelNames(), cobra.ShellCompDirectiveDefault // or the path of a config.json
		}
	case "objective":
		if cmd.Name() == "instance" {
			return values(instanceObjectives()...)
		}
		return values(objectives()...)
	case "phase":
		return values(string(inputs.Prefill), string(inputs.Decode), string(inputs.Mixed))
	case "backend":
		names := []string{auto + "\tlabels, and another proves it again"}
		for _, b := range backends() {
			if b.missing == nil {
				names = append(names, b.name+"\t"+b.about)
			}
		}
		return values(names...)
	case "set":
		return setValues
	case "format":
		if cmd.Name() == "model" {
			return values(modelFormats()...)
		}
		return values("yaml", "toml", "markdown")
	case "at-most":
		return values("optimum\tcan be satisfied", "optimum-1\tcannot")
	case "to":
		return values("kubernetes", "slurm")
	case "plans":
		return values("all\talso closest plans", "found", "none")
	case "plan", "map":
		return files("json")
	case "from-nvidia-smi":
		return files("csv", "txt")
	case "engine":
		return values(engines()...)
	case "knowledge":
		return files("yaml", "yml", "md")
	case "all":
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
	case "precision":
		if cmd.CommandPath() == "partita catalog models" {
			return lastOf(func() []string { return ofModels(func(m inputs.Model) string { return string(m.Weights) }) })
		}
		return values(formatNames()...)
	case "vendor":
		return lastOf(func() []string {
			return ofAccelerators(func(a inputs.Accelerator) string { return strings.ToLower(a.Vendor) })
		})
	case "generation":
		return lastOf(func() []string { return ofAccelerators(func(a inputs.Accelerator) string { return a.Generation }) })
	case "link":
		return lastOf(func() []string { return ofAccelerators(linkKind) })
	case "family":
		return lastOf(families)
	case "attention":
		return lastOf(func() []string { return []string{"mha", "gqa", "mqa", "mla"} })
	case "columns":
		return lastOf(func() []string { return columnKeys(cmd) })
	case "sort":
		return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			keys := columnKeys(cmd)
			if strings.HasPrefix(typed, "-") {
				for i := range keys {
					keys[i] = "-" + keys[i]
				}
			}
			return keys, cobra.ShellCompDirectiveNoFileComp
		}
	}
	switch f.Value.Type() {
	case "value", "weights", "comparison", "int", "int64", "uint", "float64", "duration":
		return values() // no file is meant
	}
	return nil
}

// values completes one of a few words; a description may follow behind a tab.
func values(words ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// files completes files with some endings.
func files(endings ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// first completes the first argument alone.
func first(words func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(), cobra.ShellCompDirectiveNoFileComp
	}
}

// lastOf completes the last word of a list with commas.
func lastOf(words func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		var out []string
		for _, w := range words() {
			if !slices.Contains(strings.Split(before, ","), w) {
				out = append(out, before+w)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// setValues completes --set: a path, with what it means, then its value where few are
// possible.
func setValues(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	path, _, valued := strings.Cut(typed, "=")
	if !valued {
		var out []string
		for _, f := range read.Fields() {
			out = append(out, f.Path+"=\t"+f.About)
		}
		slices.Sort(out)
		return slices.Compact(out), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	var words []string
	switch name := path[strings.LastIndex(path, ".")+1:]; {
	case name == "accelerator":
		words = acceleratorNames()
	case path == "model.catalog":
		words = modelNames()
	case path == "goal.objective":
		words = objectives()
	case path == "goal.placement":
		words = []string{string(inputs.Pipeline), string(inputs.Lanes), string(inputs.Disaggregated)}
	case path == "workload.phase":
		words = []string{string(inputs.Prefill), string(inputs.Decode), string(inputs.Mixed)}
	case path == "model.attention":
		words = []string{"mha", "gqa", "mqa", "mla"}
	case path == "model.ffn":
		words = []string{"dense", "moe"}
	case strings.HasSuffix(name, "precision"):
		words = formatNames()
	case slices.Contains([]string{"model.gated", "model.tied", "goal.allow_idle"}, path):
		words = []string{"yes", "no"}
	case name == "count":
		words = []string{"unlimited"}
	}
	for i := range words {
		words[i] = path + "=" + words[i]
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// formatNames are the number formats that weights may have.
func formatNames() []string { return []string{"fp32", "bf16", "fp16", "fp8", "int8", "fp4", "int4"} }

func ofAccelerators(name func(inputs.Accelerator) string) []string {
	known, err := catalog.Load()
	if err != nil {
		return nil
	}
	return distinctNames(known.Accelerators(), name)
}

func ofModels(name func(inputs.Model) string) []string {
	known, err := catalog.Load()
	if err != nil {
		return nil
	}
	return distinctNames(known.Models(), name)
}

func acceleratorNames() []string {
	return ofAccelerators(func(a inputs.Accelerator) string {
		return fmt.Sprintf("%s\t%s, %.4g GiB", a.Name, a.Generation, gib(a.MemoryBytes))
	})
}

func modelNames() []string {
	return ofModels(func(m inputs.Model) string { return m.Name + "\t" + billions(m.DeclaredParams) })
}

func families() []string {
	known, err := catalog.Load()
	if err != nil {
		return nil
	}
	return distinctNames(known.Models(), func(m inputs.Model) string {
		entry, _ := known.ModelEntry(m.Name)
		return strings.ToLower(strings.ReplaceAll(entry.Family, " ", "-"))
	})
}

// columnKeys are the columns of a list of the catalogue.
func columnKeys(cmd *cobra.Command) []string {
	known, err := catalog.Load()
	if err != nil {
		return nil
	}
	var keys []string
	if cmd.Name() == "gpus" {
		for _, c := range gpuColumns(known) {
			keys = append(keys, c.key)
		}
	} else {
		for _, c := range modelColumns(known) {
			keys = append(keys, c.key)
		}
	}
	return keys
}
