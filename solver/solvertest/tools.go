package solvertest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"partita/solver"
)

// toolsMust, set to anything, makes a test fail where it would be skipped because a
// command of another solver is not installed: CI has all of them.
const toolsMust = "PARTITA_TOOLS"

// Tool is the path of the command of another solver, or of another program that only
// tests need (scripts/install-deps.sh test). Without it the test is skipped.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv(toolsMust) != "" {
		t.Fatalf("%s is not installed, and %s asks for it: scripts/install-deps.sh test", name, toolsMust)
	}
	t.Skipf("%s is not installed (scripts/install-deps.sh test)", name)
	return ""
}

// Printed is what another solver printed about a model.
type Printed struct {
	solver.Solution
	// Text is all of it, as its users would save it.
	Text string
	// Objective is the optimum that it states, where HasObjective; never of a SAT solver.
	Objective    float64
	HasObjective bool
}

// stated is how solvers state an optimum: lp_solve, CBC, GLPK.
var stated = regexp.MustCompile(`(?m)^(?:Value of objective function: |Optimal - objective value |Objective:  \S+ = )(\S+)`)

// gaveUp is how a solver says that its arithmetic fails on a model: lp_solve.
var gaveUp = regexp.MustCompile(`(?m)^(?:Accuracy error|Numerical failure encountered)\s*$`)

// RunTool has another solver solve the model in a file; its format is told by the
// ending: lp, mps, opb or cnf. Names are those that the model has (none for opb and cnf).
// What CaDiCaL refutes it has to prove: CheckProof.
// A solver that comes to no end, or to no verdict, is a failure.
func RunTool(t testing.TB, name, file string, known func(string) bool) Printed {
	t.Helper()
	p, answered := AskTool(t, name, file, known)
	if !answered {
		t.Fatalf("%s %s: its arithmetic fails\n%.2000s", name, file, p.Text)
	}
	return p
}

// AskTool is RunTool for a caller that has others to ask: false where the solver says
// itself that its arithmetic fails on the model, which then has no answer from it.
func AskTool(t testing.TB, name, file string, known func(string) bool) (p Printed, answered bool) {
	t.Helper()
	path := Tool(t, name)
	saved := filepath.Join(t.TempDir(), "printed")
	var args []string
	proof := ""     // file of one
	inFile := false // the solution is in a file, not on stdout
	switch format := filepath.Ext(file); name + format {
	case "lp_solve.lp":
		args = []string{"-S4", file}
	case "lp_solve.mps":
		args = []string{"-S4", "-fmps", file}
	case "cbc.mps":
		args, inFile = []string{file, "solve", "solution", saved, "-quit"}, true
	case "glpsol.mps":
		args, inFile = []string{"--freemps", file, "-o", saved}, true
	case "minisat.cnf":
		args, inFile = []string{"-verb=0", file, saved}, true
	case "cadical.cnf":
		proof = filepath.Join(t.TempDir(), "proof")
		args = []string{"-q", "--no-binary", file, proof}
	case "clasp.cnf", "clasp.opb":
		args = []string{file}
	default:
		t.Fatalf("%s takes no %s here", name, format)
	}
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) { // a code says how it ended, each in its own way
		t.Fatalf("%s %s: %v\n%.2000s", name, strings.Join(args, " "), err, out)
	}
	if inFile {
		// GLPK writes none where a relaxation is infeasible already: its log says so.
		if data, err := os.ReadFile(saved); err == nil && len(data) > 0 {
			out = data
		}
	}
	if gaveUp.Match(out) {
		return Printed{Text: string(out)}, false
	}
	s, err := solver.ReadSolution(bytes.NewReader(out), known)
	if err != nil {
		t.Fatalf("%s %s: %v\n%.2000s", name, strings.Join(args, " "), err, out)
	}
	if s.Infeasible && proof != "" {
		checkRefutation(t, file, proof)
	}
	p = Printed{Solution: *s, Text: string(out)}
	if m := stated.FindSubmatch(out); m != nil && !s.Infeasible {
		p.Objective, err = strconv.ParseFloat(string(m[1]), 64)
		p.HasObjective = err == nil
	}
	return p, true
}

// checkRefutation checks the proof that a solver has written of a formula in a file.
func checkRefutation(t testing.TB, file, proof string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := os.Open(proof)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := CheckProof(f, p); err != nil {
		t.Errorf("%s: %v", filepath.Base(file), err)
	}
}
