package solvertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// square is (a or b)(a or not b)(not a or c)(not a or not c): no solution.
const square = "p cnf 3 4\n1 2 0\n1 -2 0\n-1 3 0\n-1 -3 0\n"

func TestCheckProof(t *testing.T) {
	for name, c := range map[string]struct{ cnf, proof, wrong string }{
		"a lemma and its conflict":       {square, "1 0\n0\n", ""},
		"a lemma suffices":               {square, "-1 0\n", ""},
		"with deletions":                 {square, "1 0\nd 1 2 0\nd 2 1 0\nd 1 -2 0\n0\n", ""},
		"nothing":                        {square, "", "without the empty clause"},
		"the empty clause at once":       {square, "0\n", "does not follow"},
		"a clause that does not follow":  {"p cnf 3 3\n1 2 0\n1 -2 0\n-1 3 0\n", "1 0\n-3 0\n", "does not follow"},
		"what was deleted":               {square, "d 1 2 0\n1 0\n", "does not follow"},
		"a formula with a solution":      {"p cnf 2 1\n1 2 0\n", "1 0\n0\n", "does not follow"},
		"not a proof":                    {square, "s UNSATISFIABLE\n", "invalid syntax"},
		"cut off":                        {square, "1", "does not end in 0"},
		"an empty clause in the formula": {"p cnf 1 1\n0\n", "", ""},
		"units alone":                    {"p cnf 1 2\n1 0\n-1 0\n", "", ""},
	} {
		err := CheckProof(strings.NewReader(c.cnf), strings.NewReader(c.proof))
		if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: %v, want %q", name, err, c.wrong)
		}
	}
}

// drawClauses are up to most clauses over few variables, as text.
func drawClauses(t *rapid.T, most int, label string) (text string, clauses [][]int32) {
	for range rapid.IntRange(0, most).Draw(t, label) {
		var ls []int32
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			l := int32(rapid.IntRange(1, 5).Draw(t, "variable"))
			if rapid.Bool().Draw(t, "not") {
				l = -l
			}
			ls = append(ls, l)
			text += fmt.Sprintf("%d ", l)
		}
		text += "0\n"
		clauses = append(clauses, ls)
	}
	return text, clauses
}

// solvable tries every assignment of five variables.
func solvable(clauses [][]int32) bool {
	for bits := range 1 << 5 {
		all := true
		for _, ls := range clauses {
			any := false
			for _, l := range ls {
				any = any || (bits>>(max(l, -l)-1)&1 == 1) == (l > 0)
			}
			all = all && any
		}
		if all {
			return true
		}
	}
	return false
}

// TestNoProofOfWhatIsWrong: whatever is handed in as a proof, a formula with a solution
// is not refuted.
func TestNoProofOfWhatIsWrong(t *testing.T) {
	refuted := 0
	rapid.Check(t, func(t *rapid.T) {
		cnf, clauses := drawClauses(t, 25, "clauses")
		proof, _ := drawClauses(t, 12, "lemmas")
		if err := CheckProof(strings.NewReader(cnf), strings.NewReader(proof)); err == nil {
			refuted++
			if solvable(clauses) {
				t.Fatalf("a formula with a solution is refuted:\n%s by\n%s", cnf, proof)
			}
		}
	})
	if refuted == 0 {
		t.Error("no proof was accepted at all")
	}
}

// TestProofOfPigeons: a formula that takes a solver thousands of lemmas. One lemma
// changed in the middle is found out.
func TestProofOfPigeons(t *testing.T) {
	cadical := Tool(t, "cadical")
	const pigeons, holes = 8, 7
	var cnf strings.Builder
	in := func(p, h int) int { return p*holes + h + 1 }
	for p := range pigeons {
		for h := range holes {
			fmt.Fprintf(&cnf, "%d ", in(p, h))
		}
		fmt.Fprint(&cnf, "0\n")
	}
	clauses := cnf.String()
	for h := range holes {
		for p := range pigeons {
			for q := range p {
				clauses += fmt.Sprintf("-%d -%d 0\n", in(p, h), in(q, h))
			}
		}
	}
	text := fmt.Sprintf("p cnf %d %d\n%s", pigeons*holes, strings.Count(clauses, "\n"), clauses)
	dir := t.TempDir()
	file, written := filepath.Join(dir, "pigeons.cnf"), filepath.Join(dir, "proof")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	exec.Command(cadical, "-q", "--no-binary", file, written).Run() // 20 is its exit code
	proof, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckProof(strings.NewReader(text), strings.NewReader(string(proof))); err != nil {
		t.Error(err)
	}
	lines := strings.SplitAfter(string(proof), "\n")
	if len(lines) < 100 {
		t.Fatalf("only %d lines of proof", len(lines))
	}
	wrong := strings.Join(lines[:len(lines)/2], "") + "1 2 3 0\n1 0\n" + strings.Join(lines[len(lines)/2:], "")
	if err := CheckProof(strings.NewReader(text), strings.NewReader(wrong)); err == nil {
		t.Error("a pigeon nailed to its hole goes unnoticed")
	}
}
