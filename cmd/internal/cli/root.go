package cli

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// Main runs one command line and returns its exit code. The context ends the
// search: what was found until then is written with its bound and gap.
func Main(ctx context.Context, args []string, env Environment) int {
	root := newRoot(env)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitFound
	}
	return fail(env, cmd, args, err)
}

// commandError marks an error that a command returned, to tell it from one that
// cobra found on the command line.
type commandError struct{ err error }

func (e *commandError) Error() string { return e.err.Error() }

// action makes a command's function into cobra's, its errors marked.
func action(run func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := guarded(func() error { return run(cmd, args) }); err != nil {
			return &commandError{err}
		}
		return nil
	}
}

// guarded turns a panic into an error of exit code 1: Go's own exit code of a
// panic is 2, which here means that the command line is wrong.
func guarded(run func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("internal failure, please report it with the condition: %v\n%s", cause, debug.Stack())
		}
	}()
	return run()
}

// report writes an error to stderr. Problems of an input keep their own form
// `file:line:col: …`, one a line, so that editors can jump to them.
func report(env Environment, err error) {
	text := printable(strings.TrimRight(err.Error(), "\n"))
	switch {
	case text == "":
	case codeOf(err) == exitInvalidInput:
		fmt.Fprintln(env.Err, text)
	default:
		fmt.Fprintln(env.Err, "partita: "+text)
	}
}

// printable replaces what a terminal would take for a command: a condition file is
// quoted in diagnostics, and it may hold escape sequences.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, text)
}

func newRoot(env Environment) *cobra.Command {
	env.color = &colorFlag{}
	root := &cobra.Command{
		Use:   "partita",
		Short: "Proved-optimal deployment plans for large language models",
		Long: `partita reads a deployment condition (hardware, model, workload, requirements),
finds the split of the model over the GPUs that is optimal under the stated cost
model, proves it, verifies the plan by independent code and writes it down.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       env.Version,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(env.Out, pageOf(cmd).text()) })
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.Flags().Bool("version", false, "print the version and the backends that are built in") // without cobra's -v: that is --verbose
	env.color.register(root.PersistentFlags())
	root.SetVersionTemplate(versionText(env))
	root.CompletionOptions.DisableDefaultCmd = true // newCompletion has its help
	root.AddCommand(newSolve(env), newCompare(env), newEvaluate(env), newExplain(env), newPareto(env), newBatch(env), newCatalog(env), newVersion(env), newInit(env), newManual(env), newModel(env), newExport(env), newInstance(env), newValidate(env), newCalibrate(env), newSchema(env), newCompletion(env))
	root.AddCommand(topics()...)
	root.SetHelpCommand(newHelp())
	describe(root, docs())
	completing(root)
	_ = root.RegisterFlagCompletionFunc("color", matching(values(colorModes()...))) // the flag is there
	return root
}
