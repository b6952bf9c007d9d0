package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"partita/solver/lpsolve"
)

func TestMain(m *testing.M) {
	if lpsolve.IsWorker() { // the test binary runs lp_solve the way the program does
		os.Exit(lpsolve.RunWorker(os.Stdin, os.Stdout))
	}
	if os.Getenv(waiting) != "" {
		waitForSignal()
	}
	testscript.Main(m, map[string]func(){
		"partita": func() { os.Exit(Main(Interruptible(context.Background()), os.Args[1:], System())) },
	})
}

// TestScripts runs the sessions of testdata/script. Beside testscript's own
// commands they know
//
//	exits CODE PROGRAM ARGS…   run a program that must end with exactly this code
//
// the environment variables EXAMPLES and DOCS (their folders) and the condition
// lpsolve (the backend is built in).
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("../../../examples")
	if err != nil {
		t.Fatal(err)
	}
	documents, err := filepath.Abs("../../../docs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLES", examples)
			env.Setenv("DOCS", documents)
			return nil
		},
		Condition: func(condition string) (bool, error) {
			if condition == "lpsolve" {
				return lpsolve.Available(), nil
			}
			return false, errors.New("unknown condition " + condition)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exits: %v", err)
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("exits: %v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}
