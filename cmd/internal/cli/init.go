package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partita/inputs"
	"partita/inputs/read"
	"partita/inputs/write"
	"partita/results/export"
	"partita/results/launch"
)

// initFlags say what a new condition states and where it goes.
type initFlags struct {
	condition conditionFlags
	cluster   string
	nvidiaSMI []string
	format    string
	out       string
	force     bool
	ask       bool
	json      bool
}

// initShortcuts are flags for paths that a solve takes from its files.
func initShortcuts() []shortcut {
	return []shortcut{
		{"network", "cluster.network", "network between nodes, per GPU and direction: 400Gb/s"},
		{"precision", "model.precision", "number format of the weights: bf16, fp8, …"},
		{"name", "name", "name of the condition (default that of the file)"},
	}
}

func newInit(env Environment) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init [FILE…]",
		Short: "Write a commented condition from flags, files or questions",
		Long: `init writes a condition file to edit and to solve. Every field that a condition
can have is in it: what is stated as a line, the rest as a comment that shows what
holds without it.

What is stated comes from flags, from files of any form that solve reads (another
condition, an inventory, a config.json), or from questions: on a terminal init
asks where flags and files do not say which GPUs and which model. Each answer is
checked as a file is, and has a default. --ask asks in any case for what they
leave open.`,
		Example: `  partita init --cluster '8 x H100' --model Llama-3.1-70B -o out/new.yaml
  partita init --from-nvidia-smi examples/13b-two-gpus-30-50gb-free.csv \
    --model Llama-2-13B --batch 8 -o out/two.yaml
  partita init examples/qwen3-235b-unlimited-64gb.md -o out/qwen3.toml`,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", "", "GPUs in words: '8 x H100', '2 nodes of 8 x H100', '8 x A100 + 8 x L40S'")
	flags.StringArrayVar(&f.nvidiaSMI, "from-nvidia-smi", nil, "GPUs of one machine from the CSV of nvidia-smi, - for stdin (repeatable)")
	for _, s := range initShortcuts() {
		flags.Var(&overrideFlag{c: &f.condition, path: s.path}, s.flag, s.usage)
	}
	f.condition.register(flags)
	flags.StringVarP(&f.out, "out", "o", "", "file to write, - for stdout (default condition.yaml, or as the format is called)")
	flags.StringVar(&f.format, "format", "", "yaml (default), toml or markdown; else by the extension of the file")
	flags.BoolVar(&f.force, "force", false, "replace the file where it is there")
	flags.BoolVar(&f.ask, "ask", false, "ask for all that flags and files leave open")
	flags.BoolVar(&f.json, "json", false, "print one JSON line: where the condition is, its form and name")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) })
	return cmd
}

func (f *initFlags) run(ctx context.Context, env Environment, files []string) error {
	form, err := f.form()
	if err != nil {
		return withCode(exitUsage, err)
	}
	if f.ask && !env.Asks {
		return withCode(exitUsage, errors.New("--ask: the questions need a terminal; say it by flags (partita init --help)"))
	}
	reader, err := read.NewReader("")
	if err != nil {
		return err
	}
	opts := read.Options{Paths: files, NvidiaSMI: f.nvidiaSMI, Stdin: env.In, Env: env.Environ, Model: f.condition.model, Overrides: f.condition.overrides}
	if f.cluster != "" {
		opts.Texts = clusterText("--cluster", f.cluster)
	}
	stated, err := reader.Stated(opts)
	if err != nil {
		return f.blame(err, files)
	}
	f.ask = f.ask || env.Asks && !(statesCluster(stated) && statesModel(stated))
	if !f.ask && !statesCluster(stated) && !statesModel(stated) {
		return withCode(exitUsage, errors.New("nothing says which GPUs and which model: give --cluster '8 x H100' and --model NAME, or files to start from; on a terminal `partita init` alone asks"))
	}
	if f.ask {
		q := questions{env: env, reader: reader, opts: &opts, stated: stated, lines: linesFrom(ctx, env.In)}
		if err := q.ask(ctx); err != nil {
			return err
		}
		if f.out == "" {
			if f.out, err = q.file(ctx, "condition"+form.Extension(), f.force); err != nil {
				return err
			}
			if form, err = f.form(); err != nil {
				return withCode(exitUsage, err)
			}
		}
	}
	if f.out == "" {
		f.out = "condition" + form.Extension()
	}
	if len(files) == 0 && !stated["name"] && f.out != "-" {
		base := filepath.Base(f.out)
		opts.Overrides = append(opts.Overrides, read.Override{Key: "name", Value: strings.TrimSuffix(base, filepath.Ext(base))})
	}
	survey, err := reader.Look(opts)
	if err != nil {
		return f.blame(err, files)
	}
	text, err := f.written(survey, form)
	if err != nil {
		return withCode(exitUsage, err)
	}
	return f.deliver(env, form, survey.Condition.Name, text)
}

// form is the form to write: by --format or the file's extension, which must agree.
func (f *initFlags) form() (write.Form, error) {
	byName, named := write.FormOf(f.out)
	form := write.Form(f.format)
	switch {
	case f.format == "" && named:
		return byName, nil
	case f.format == "" && filepath.Ext(f.out) != "" && f.out != "-":
		return "", fmt.Errorf("-o %s: no form has the extension %s, want .yaml, .toml or .md, or --format", f.out, filepath.Ext(f.out))
	case f.format == "":
		return write.YAML, nil
	case !slices.Contains(write.Forms(), form):
		return "", fmt.Errorf("--format %q: want one of %s", f.format, joined(write.Forms()))
	case named && byName != form:
		return "", fmt.Errorf("-o %s would be read as %s, --format says %s", f.out, byName, form)
	}
	return form, nil
}

func joined[T ~string](names []T) string {
	var out []string
	for _, n := range names {
		out = append(out, string(n))
	}
	return strings.Join(out, ", ")
}

// blame tells a wrong command line from a wrong file. What is missing is asked of
// whoever gives no file.
func (f *initFlags) blame(err error, files []string) error {
	var problems inputs.Diagnostics
	if !errors.As(err, &problems) {
		return err
	}
	for i := range problems {
		place := &problems[i].Place
		if place.File == "--cluster" { // it is no file that has lines
			place.Line, place.Col = 0, 0
		}
		if strings.HasSuffix(problems[i].Problem, "is not stated") && strings.HasPrefix(place.File, "--") {
			*place = inputs.Place{} // what is missing is at no flag
		}
	}
	if len(files)+len(f.nvidiaSMI) == 0 || !slices.ContainsFunc(problems, notOfAFlag) {
		return withCode(exitUsage, problems)
	}
	return problems
}

// clusterText is a description of GPUs as a condition in Markdown states it.
func clusterText(name, gpus string) []read.Text {
	gpus = strings.Join(strings.Fields(gpus), " ") // one line is one statement
	return []read.Text{{Name: name, Data: []byte("## Environment Condition\n* GPUs: " + gpus + "\n")}}
}

// written is the text of the condition. It is read back: a file that would mean
// another condition is not written.
func (f *initFlags) written(survey *read.Survey, form write.Form) ([]byte, error) {
	fields := slices.Clone(survey.Fields)
	for i := range fields {
		if path := fields[i].Path; (path == "model.config" || path == "model.graph" || path == "knowledge") && fields[i].Origin == read.Stated {
			text, err := f.fromOut(fields[i])
			if err != nil {
				return nil, err
			}
			fields[i].Text = text
		}
	}
	text, err := write.Condition(fields, form)
	if err != nil {
		return nil, err
	}
	back, err := read.Load(read.Options{Texts: []read.Text{{Name: f.out, Data: text}}})
	if err != nil {
		return nil, fmt.Errorf("a file alone cannot say this:\n%w", err)
	}
	if form == write.Markdown && back.Name != survey.Condition.Name {
		if !slices.ContainsFunc(f.condition.overrides, func(o read.Override) bool { return o.Key == "name" }) {
			back.Name = survey.Condition.Name
		} else {
			return nil, fmt.Errorf("a condition in Markdown is called as its file: write it to %s.md", folderName(survey.Condition.Name))
		}
	}
	if d := read.Difference(survey.Condition, back); d != "" {
		return nil, fmt.Errorf("a file alone cannot say this, it would be read with another %s", d)
	}
	return text, nil
}

// fromOut is the path of a config.json, of an operator graph or of packs as the written file names it: from
// its folder.
func (f *initFlags) fromOut(field read.Field) (string, error) {
	folder := filepath.Dir(f.out)
	if field.Path == "model.config" || field.Path == "model.graph" {
		if field.Text == "-" {
			return "", errors.New("the model was read from standard input, which the condition cannot name: give its file")
		}
		return pathFrom(folder, field.Text)
	}
	paths := read.Paths(field.Text)
	for i, path := range paths {
		var err error
		if paths[i], err = packPath(folder, path); err != nil {
			return "", err
		}
	}
	if !field.List {
		return strings.Join(paths, ", "), nil
	}
	return "[" + strings.Join(paths, ", ") + "]", nil
}

// deliver writes the text to its file or to stdout.
func (f *initFlags) deliver(env Environment, form write.Form, name string, text []byte) error {
	if f.out == "-" {
		if f.json {
			return withCode(exitUsage, errors.New("-o - and --json both want stdout"))
		}
		_, err := env.Out.Write(text)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.out), 0o755); err != nil {
		return err
	}
	err := export.File(f.out, text, f.force)
	if errors.Is(err, fs.ErrExist) {
		return withCode(exitUsage, fmt.Errorf("%s is there already and was left alone: choose another -o, or --force replaces it", f.out))
	}
	if err != nil {
		return err
	}
	if f.json {
		absolute, err := filepath.Abs(f.out)
		if err != nil {
			return err
		}
		return json.NewEncoder(env.Out).Encode(struct {
			Condition string     `json:"condition"`
			Format    write.Form `json:"format"`
			Name      string     `json:"name"`
		}{absolute, form, name})
	}
	_, err = fmt.Fprintf(env.Out, "wrote %s; look at it, then:\n\n    partita solve %s\n", printable(f.out), launch.Word(printable(f.out)))
	return err
}

// statesCluster and statesModel report whether the GPUs and the model are spoken of.
func statesCluster(stated map[string]bool) bool {
	for path := range stated {
		switch strings.TrimPrefix(path, "cluster.") {
		case "accelerator", "count", "nodes", "gpus_per_node", "flops", "memory_bandwidth", "hosts":
			return true
		}
		if strings.HasPrefix(path, "cluster.pools.") {
			return true
		}
	}
	return false
}

func statesModel(stated map[string]bool) bool {
	return stated["model.catalog"] || stated["model.config"] || stated["model.graph"] || stated["model.name"] || stated["model.layers"] || stated["model.hidden"]
}
