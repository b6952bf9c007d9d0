package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"partita/inputs"
)

// failureLine is what goes to stderr instead of a message where --json is asked for:
// one JSON line, the last of stderr. stdout is for results alone, so that a program
// that reads it never takes a failure for one.
type failureLine struct {
	Error    string        `json:"error"` // the name of the exit code
	Exit     int           `json:"exit"`
	Message  string        `json:"message"`
	Problems []problemLine `json:"problems"` // of an input, by place
	Usage    string        `json:"usage,omitempty"`
}

// problemLine is one problem of an input. What is not known is absent.
type problemLine struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Col     int    `json:"col,omitempty"`
	Problem string `json:"problem"`
	Want    string `json:"want,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// fail writes how a run failed to stderr and returns its exit code.
func fail(env Environment, cmd *cobra.Command, args []string, err error) int {
	var failed *commandError
	asJSON := wantsJSON(args)
	// What cobra itself refuses (unknown command or flag, wrong number of
	// arguments) is not marked: it is the command line that is wrong.
	if !errors.As(err, &failed) {
		if word := slices.IndexFunc(args, func(arg string) bool { return !strings.HasPrefix(arg, "-") }); cmd == cmd.Root() && word >= 0 {
			// Of a wrong command its flags are unknown too; the command is what matters.
			if unknown := knownCommand(cmd, args[word:]); unknown != nil {
				err = unknown
			}
		}
		if !asJSON {
			fmt.Fprint(env.Err, usageText(cmd, err))
			return exitUsage
		}
		line := failureOf(exitUsage, wrongUsage(cmd, err))
		line.Usage = pageOf(cmd).usage
		return line.write(env)
	}
	code := codeOf(failed.err)
	if !asJSON {
		report(env, failed.err)
		return code
	}
	line := failureOf(code, strings.TrimRight(failed.err.Error(), "\n"))
	var problems inputs.Diagnostics
	if errors.As(failed.err, &problems) {
		for _, d := range problems.Sorted() {
			line.Problems = append(line.Problems, problemLine{d.Place.File, d.Place.Line, d.Place.Col, d.Problem, d.Want, d.Hint})
		}
	}
	return line.write(env)
}

func failureOf(code int, message string) *failureLine {
	line := &failureLine{Exit: code, Message: message, Problems: []problemLine{}}
	for _, row := range ExitCodes() {
		if row.Code == code {
			line.Error = row.Name
		}
	}
	return line
}

// write writes the line. A run that ends with a code and no message, because its result
// says why, writes nothing.
func (l *failureLine) write(env Environment) int {
	if l.Message != "" {
		e := json.NewEncoder(env.Err)
		e.SetEscapeHTML(false)
		_ = e.Encode(l) // there is nowhere left to say that stderr is closed
	}
	return l.Exit
}

// wantsJSON reports whether a command line asks for JSON. It is read by itself, since a
// wrong command line may not have been parsed up to the flag.
func wantsJSON(args []string) bool {
	asked := false
	for _, arg := range args {
		value, given := strings.CutPrefix(arg, "--json")
		switch {
		case arg == "--":
			return asked
		case !given:
		case value == "":
			asked = true
		case strings.HasPrefix(value, "="):
			asked, _ = strconv.ParseBool(value[1:])
		}
	}
	return asked
}
