package cli

import (
	"errors"
	"fmt"
	"os"

	"partita/inputs"
	"partita/inputs/read"
	"partita/results/dagcheck"
)

// checkDAG reads a DAG back from DOT and checks every rule, also against the plan where
// one is given. Nothing is written.
func (f *exportFlags) checkDAG(env Environment, args []string) error {
	if len(f.to) > 0 || f.out != "" || len(f.condition) > 0 {
		return withCode(exitUsage, errors.New("--check writes nothing: leave out --to, -o and --condition"))
	}
	var o dagcheck.Options
	if len(args) > 0 {
		p, err := savedPlan(args[0])
		if err != nil {
			return err
		}
		o.Plan = p
	}
	file, err := os.Open(f.check)
	if err != nil {
		return read.Diagnostics{{Place: inputs.Place{File: f.check}, Problem: errors.Unwrap(err).Error(), Want: "a DOT file"}}
	}
	defer file.Close()
	report, err := dagcheck.Check(file, f.check, o)
	var not *dagcheck.NotDOTError
	switch {
	case errors.As(err, &not):
		return read.Diagnostics{{Place: inputs.Place{File: not.File, Line: int(not.At.Line), Col: int(not.At.Col)}, Problem: not.Wrong, Want: not.Want}}
	case err != nil:
		return read.Diagnostics{{Place: inputs.Place{File: f.check}, Problem: err.Error(), Want: "a DOT file"}}
	}
	if f.json {
		err = toStdout(env, report)
	} else if _, err = fmt.Fprint(env.Out, report.Text()); err != nil {
		err = fmt.Errorf("writing to stdout: %w", err)
	}
	if err == nil && !report.OK {
		err = endWith(exitUnverified)
	}
	return err
}
