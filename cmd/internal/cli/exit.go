package cli

import (
	"errors"

	"partita/formulation"
	"partita/inputs/read"
)

// Exit codes. Programs rely on them: none changes its meaning.
const (
	exitFound        = 0
	exitInternal     = 1
	exitUsage        = 2
	exitInvalidInput = 3
	exitInfeasible   = 4
	exitNothingFound = 5
	exitUnverified   = 6
	exitNotOptimal   = 7
)

// ExitCode is one row of the table of exit codes.
type ExitCode struct {
	Code    int
	Name    string
	Meaning string
	Written string // which files a solve leaves behind
}

// ExitCodes is the table that docs/exit-codes.md shows; a test keeps them in step.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{exitFound, "found", "a plan was found and verified", "plan.json, the reports, graphs, launch files, manifest.json"},
		{exitInternal, "internal", "the program failed: a file could not be written, or a defect", "nothing, or what an earlier run left"},
		{exitUsage, "usage", "the command line is wrong, or it asks for a backend that is not built in", "nothing"},
		{exitInvalidInput, "invalid input", "a condition file is wrong; every problem is listed as file:line:column", "nothing"},
		{exitInfeasible, "infeasible", "proved: no plan meets the condition; the report says what is short and by how much", "the reports, manifest.json; closest-plan.json, its graphs and launch files where one exists"},
		{exitNothingFound, "nothing found", "neither a plan that meets everything nor a proof within the time limit", "closest-plan.json and all beside it where a plan was found that misses requirements, else nothing"},
		{exitUnverified, "unverified", "a plan was found and failed the independent verification", "nothing"},
		{exitNotOptimal, "not optimal", "a plan was found but not proved optimal; only with --require-optimal", "plan.json, the reports, graphs, launch files, manifest.json"},
	}
}

// exitError is an error that knows the exit code it leads to. A nil err ends the
// run with the code and no message, where the result itself says why.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// withCode attaches an exit code to an error; nil stays nil.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// endWith ends the run with a code, without a message.
func endWith(code int) error {
	if code == exitFound {
		return nil
	}
	return &exitError{code: code}
}

// codeOf is the exit code that an error of a command leads to: the one it carries,
// 3 for problems of an input or of what it asks for, else 1.
func codeOf(err error) int {
	var coded *exitError
	var diagnostics read.Diagnostics
	var asked *formulation.AskedError
	switch {
	case err == nil:
		return exitFound
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &diagnostics), errors.As(err, &asked):
		return exitInvalidInput
	default:
		return exitInternal
	}
}
