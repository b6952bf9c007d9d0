package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/inputs/read"
	"partita/results"
	"partita/results/dag"
	"partita/results/dagsvg"
	"partita/results/export"
	"partita/results/launch"
	"partita/results/verify"
)

// exportFlags say what a saved plan becomes and where it goes.
type exportFlags struct {
	to        []string
	out       string
	condition []string
	check     string
	json      bool
}

func (f *exportFlags) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.to, "to", nil, "what to make: "+strings.Join(targetNames(), ", ")+", or all (several with commas between them)")
	flags.StringVarP(&f.out, "out", "o", "", "`FILE`, or folder where there are several files (default stdout)")
	flags.StringSliceVar(&f.condition, "condition", nil, "condition `FILE` that a plan of format 1 was made for: it does not repeat it")
	flags.StringVar(&f.check, "check", "", "check the DAG in `FILE` (DOT, of any writer), against PLAN too where one is given; makes nothing")
	flags.BoolVar(&f.json, "json", false, "print one JSON line instead of the text: what was written, or why a target cannot run the plan")
}

func newExport(env Environment) *cobra.Command {
	var flags exportFlags
	var b strings.Builder
	for _, t := range export.Targets() {
		fmt.Fprintf(&b, "  %-11s %s\n", t.Name, t.About)
	}
	cmd := &cobra.Command{
		Use:   "export PLAN | export --check FILE [PLAN]",
		Short: "Make launch files, a DAG or a report from a saved plan",
		Long: `export reads a saved plan (plan.json, closest-plan.json, or the folder of a solve),
verifies it once more, and makes one artifact of it:

` + b.String() + `
solve leaves all of these beside the plan; export makes them from a plan that was
moved, or edited by hand. One that fails verification is refused: nothing is
written. Where a target cannot run a plan the reason is told and the exit code is
4; "partita solve --engine NAME" searches for the best plan that it can run.

--check reads a DAG back from DOT and lists every place where a rule of deployment
DAGs is broken, as FILE:LINE:COLUMN, then what was checked on how much; exit code
6 where a rule is broken.`,
		Example: `  partita solve examples/llama-3.1-70b-2x8-h100.yaml -o out/seventy
  partita export out/seventy/plan.json --to all -o out/seventy-files
  partita export out/seventy --to dot -o out/seventy.dot
  partita export out/seventy --check out/seventy.dot`,
		Args: func(cmd *cobra.Command, args []string) error {
			if flags.check != "" {
				return cobra.MaximumNArgs(1)(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
	}
	flags.register(cmd.Flags())
	cmd.RunE = action(func(_ *cobra.Command, args []string) error {
		if flags.check != "" {
			return flags.checkDAG(env, args)
		}
		targets, err := flags.targets()
		if err != nil {
			return withCode(exitUsage, err)
		}
		p, err := savedPlan(args[0])
		if err != nil {
			return err
		}
		if p, err = flags.completed(env, p); err != nil {
			return err
		}
		if err := stillVerified(env, p); err != nil {
			return err
		}
		return flags.make(env, p, targets)
	})
	return cmd
}

// targetNames are the words that --to takes.
func targetNames() []string {
	var names []string
	for _, t := range export.Targets() {
		names = append(names, t.Name)
	}
	return names
}

// targets are the targets that are asked for, each once.
func (f *exportFlags) targets() ([]export.Target, error) {
	if len(f.to) == 0 {
		return nil, fmt.Errorf("--to is missing, want what to make: %s or all", strings.Join(targetNames(), ", "))
	}
	var list []export.Target
	for _, name := range f.to {
		if name = strings.ToLower(strings.TrimSpace(name)); name == "all" {
			return export.Targets(), nil
		}
		if e, err := knowledge.FindEngine(name); err == nil {
			name = e.Name // tensorrt-llm is trtllm
		}
		k := slices.IndexFunc(export.Targets(), func(t export.Target) bool { return t.Name == name })
		if k < 0 {
			err := oneOf(name, append(targetNames(), "all"))
			return nil, fmt.Errorf("--to %q: %w", name, err)
		}
		if t := export.Targets()[k]; !slices.ContainsFunc(list, func(have export.Target) bool { return have.Name == t.Name }) {
			list = append(list, t)
		}
	}
	return list, nil
}

// savedPlan reads a plan.json, a closest-plan.json, or that of a folder.
func savedPlan(path string) (*results.Plan, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		found := false
		for _, name := range []string{"plan.json", "closest-plan.json"} {
			if _, err := os.Stat(filepath.Join(path, name)); err == nil {
				path, found = filepath.Join(path, name), true
				break
			}
		}
		if !found {
			return nil, ofPlan(path, errors.New("the folder has neither plan.json nor closest-plan.json"))
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, ofPlan(path, err)
	}
	p, err := export.ReadPlan(data)
	if err != nil {
		return nil, ofPlan(path, err)
	}
	return p, nil
}

// ofPlan is the problem of a file that should be a plan.
func ofPlan(path string, err error) error {
	var located read.Diagnostics
	if errors.As(err, &located) {
		for i := range located {
			if located[i].Place.File == "" {
				located[i].Place.File = path
			}
		}
		return located
	}
	return read.Diagnostics{{Place: inputs.Place{File: path}, Problem: err.Error(), Want: "the plan.json of a solve"}}
}

// completed is the plan with the condition that it was made for, which one of format 1
// does not repeat.
func (f *exportFlags) completed(env Environment, p *results.Plan) (*results.Plan, error) {
	if p.Deployment != nil {
		if len(f.condition) > 0 {
			return nil, withCode(exitUsage, errors.New("--condition: the plan repeats its own condition; leave it out"))
		}
		return p, nil
	}
	if len(f.condition) == 0 {
		return nil, withCode(exitUsage, fmt.Errorf("the plan has format_version %d, which does not repeat the condition it was made for; give it with --condition FILE, or solve again", p.FormatVersion))
	}
	var flags conditionFlags
	c, err := flags.load(env, f.condition)
	if err != nil {
		return nil, err
	}
	whole := *results.ReportOf(p).WithOutcome()
	whole.FormatVersion, whole.Deployment = results.FormatVersion, results.DeploymentOf(c)
	return &whole, nil
}

// stillVerified verifies a saved plan again: it may have been edited. What a closest plan
// misses is told and no hindrance.
func stillVerified(env Environment, p *results.Plan) error {
	r := results.ReportOf(p)
	v, err := verify.CheckWith(p, p.Deployment.Condition(p.Condition), verify.Options{Closest: !r.Feasible})
	if err != nil {
		return withCode(exitUnverified, fmt.Errorf("the plan could not be verified, nothing written: %w", err))
	}
	if !v.OK {
		return unverified("the plan fails verification, nothing written", v)
	}
	p.Verification = v
	if !r.Feasible {
		fmt.Fprintln(env.Err, "warning: this is a closest plan, which misses what the condition asks for:")
		for _, reason := range r.Reasons {
			fmt.Fprintln(env.Err, "  "+printable(reason))
		}
	}
	return nil
}

// made is what became of one target.
type made struct {
	Target string   `json:"target"`
	Files  []string `json:"files"` // absolute paths
	// Why says why the target cannot run the plan.
	Why   []string `json:"why,omitempty"`
	left  bool     // left out where all are asked for
	files []export.Stream
}

// make writes the files of the targets, all of them or none. Where only one target is
// asked for and it cannot run the plan, that is the end: exit code 4.
func (f *exportFlags) make(env Environment, p *results.Plan, targets []export.Target) error {
	var list []made
	var all []export.Stream
	for _, t := range targets {
		if why := f.leftOut(t, p); why != "" {
			list = append(list, made{Target: t.Name, Files: []string{}, Why: []string{why}, left: true})
			continue
		}
		files, err := t.Files(p)
		m := made{Target: t.Name, Files: []string{}, files: files}
		var refusal *launch.Refusal
		switch {
		case errors.As(err, &refusal):
			m.Why = refusal.Reasons
		case errors.Is(err, dag.ErrLanes), errors.Is(err, dag.ErrTraining):
			m.Why = []string{err.Error()}
		case errors.Is(err, dagsvg.ErrTooLarge):
			return withCode(exitUsage, fmt.Errorf("--to %s: %w; --to svg draws what is alike once", t.Name, err))
		case err != nil:
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		list = append(list, m)
		all = append(all, files...)
	}
	if f.out == "" {
		return f.print(env, list, all)
	}
	if err := f.write(list, all); err != nil {
		return err
	}
	return f.tell(env, list)
}

// leftOut says why a target that was not asked for by its name is left out.
func (f *exportFlags) leftOut(t export.Target, p *results.Plan) string {
	if t.TooLarge == nil || slices.Contains(f.to, t.Name) {
		return ""
	}
	return t.TooLarge(p)
}

// print puts the one file of the targets on stdout.
func (f *exportFlags) print(env Environment, list []made, all []export.Stream) error {
	switch {
	case len(all) == 0:
		return f.tell(env, list)
	case f.json:
		return withCode(exitUsage, errors.New("--json needs -o: the file itself goes to stdout"))
	case len(all) > 1:
		var names []string
		for _, s := range all {
			names = append(names, s.Name)
		}
		return withCode(exitUsage, fmt.Errorf("there are %d files (%s), want a folder for them: -o DIR", len(all), strings.Join(names, ", ")))
	}
	if err := all[0].Write(env.Out); err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return f.code(env, list, false)
}

// write puts the files where -o says: the one file there is under that name, several into
// a folder. An existing folder, and a name that ends like one, takes even one file.
func (f *exportFlags) write(list []made, all []export.Stream) error {
	if len(all) == 0 {
		return nil
	}
	info, err := os.Stat(f.out)
	folder := len(all) > 1 || strings.HasSuffix(f.out, string(filepath.Separator)) || err == nil && info.IsDir()
	dir := f.out
	if !folder {
		dir = filepath.Dir(f.out)
		one := all[0]
		one.Name = filepath.Base(f.out)
		all = []export.Stream{one}
	} else if err == nil && !info.IsDir() {
		return withCode(exitUsage, fmt.Errorf("-o %s: it is a file, and there are %d files to write; want a folder", f.out, len(all)))
	}
	if err := export.WriteSet(dir, all); err != nil {
		return err
	}
	for i := range list {
		for _, s := range list[i].files {
			path := f.out
			if folder {
				path = filepath.Join(dir, s.Name)
			}
			list[i].Files = append(list[i].Files, absolute(path))
		}
	}
	return nil
}

// tell says what was written and what cannot run the plan.
func (f *exportFlags) tell(env Environment, list []made) error {
	if f.json {
		if err := toStdout(env, list); err != nil {
			return err
		}
		return f.code(env, list, true)
	}
	for _, m := range list {
		for _, path := range m.Files {
			if _, err := fmt.Fprintf(env.Out, "%-11s %s\n", m.Target, printable(path)); err != nil {
				return fmt.Errorf("writing to stdout: %w", err)
			}
		}
	}
	return f.code(env, list, false)
}

// code tells of targets that cannot run the plan; where none can, the exit code is 4.
func (f *exportFlags) code(env Environment, list []made, told bool) error {
	refused := 0
	for _, m := range list {
		if m.Why == nil {
			continue
		}
		refused++
		if !told {
			line := "%s cannot run this plan:\n"
			if m.left {
				line = "%s is left out:\n"
			}
			fmt.Fprintf(env.Err, line, m.Target)
			for _, why := range m.Why {
				fmt.Fprintln(env.Err, "  "+printable(why))
			}
		}
	}
	if refused == len(list) {
		return endWith(exitInfeasible)
	}
	return nil
}
