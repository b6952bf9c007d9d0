package solver_test

import (
	"bytes"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/solver"
	"partita/solver/bruteforce"
	"partita/solver/solvertest"
)

// sample has every kind of row, bound and name that the writers treat specially.
func sample() *solver.Model {
	m := solver.New("sample */ model")
	a, b := m.Bool("a"), m.Bool("stage 1/2")
	x, y, z := m.Int("x", -3, 12), m.Int("e1", 2, 2), m.Int("a", 0, 9)
	m.AtMost("count", solver.Sum(a, b).Add(2, x), 9)
	m.AtLeast("count", solver.Term(1, x), -2)
	m.Equal("exact", solver.Sum(a, b.Not()).Add(-1, z), 0)
	m.Between("range", solver.Term(3, x).Add(-4, z), -30, 30)
	m.AddClause("clause", a, b.Not())
	m.Between("always", solver.Expr{}, 0, 0)
	m.Imply(z) // by the row "exact"
	m.Note("a note, %d */ and", 1)
	m.Note("two\nlines with \x1b[31m")
	m.Maximize(solver.Term(3, a).Add(-2, x).Add(1, y).Plus(5))
	return m
}

func TestWriteGolden(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(*solver.Model, io.Writer) error
		want  string
	}{
		{"LP", (*solver.Model).WriteLP, `/* sample * / model */
/* a note, 1 * / and */
/* two lines with  [31m */
max: 3 a -2 x +1 x_e1 +5;
count: 1 a +1 stage_1_2 +2 x <= 9;
count_2: 1 x >= -2;
exact: 1 a -1 stage_1_2 -1 a_5 = -1;
range: -30 <= 3 x -4 a_5 <= 30;
clause: 1 a -1 stage_1_2 >= 0;
-3 <= x <= 12;
x_e1 = 2;
0 <= a_5 <= 9;
bin a, stage_1_2;
int x, x_e1;
`},
		{"MPS", (*solver.Model).WriteMPS, `* sample * / model
* a note, 1 * / and
* two lines with  [31m
NAME sample____model FREE
OBJSENSE
    MAX
ROWS
 N COST
 L count
 G count_2
 E exact
 L range
 G clause
COLUMNS
    MARKER 'MARKER' 'INTORG'
    a COST 3 count 1
    a exact 1 clause 1
    stage_1_2 count 1 exact -1
    stage_1_2 clause -1
    x COST -2 count 2
    x count_2 1 range 3
    e1 COST 1
    MARKER 'MARKER' 'INTEND'
    a_5 exact -1 range -4
    MARKER 'MARKER' 'INTORG'
    constant COST 5
    MARKER 'MARKER' 'INTEND'
RHS
    RHS count 9
    RHS count_2 -2
    RHS exact -1
    RHS range 30
RANGES
    RGS range 60
BOUNDS
 BV BND a
 BV BND stage_1_2
 LO BND x -3
 UP BND x 12
 FX BND e1 2
 LO BND a_5 0
 UP BND a_5 9
 FX BND constant 1
ENDATA
`},
		{"OPB", (*solver.Model).WriteOPB, `* #variable= 10 #constraint= 7
* sample * / model
* a note, 1 * / and
* two lines with  [31m
* "a" = 0 +1 x1
* "stage 1/2" = 0 +1 x2
* "x" = -3 +1 x3 +2 x4 +4 x5 +8 x6
* "e1" = 2
* "a" = 0 +1 x7 +2 x8 +4 x9 +8 x10
* objective = -1·(minimum + -13)
min: -3 x1 +2 x3 +4 x4 +8 x5 +16 x6 ;
-1 x7 -2 x8 -4 x9 -8 x10 >= -9 ;
-1 x1 -1 x2 -2 x3 -4 x4 -8 x5 -16 x6 >= -15 ;
+1 x3 +2 x4 +4 x5 +8 x6 >= 1 ;
+1 x1 -1 x2 -1 x7 -2 x8 -4 x9 -8 x10 = -1 ;
+3 x3 +6 x4 +12 x5 +24 x6 -4 x7 -8 x8 -16 x9 -32 x10 >= -21 ;
-3 x3 -6 x4 -12 x5 -24 x6 +4 x7 +8 x8 +16 x9 +32 x10 >= -39 ;
+1 x1 -1 x2 >= 0 ;
`},
	} {
		var b bytes.Buffer
		if err := c.write(sample(), &b); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestWriteOPBRefusesUnbounded(t *testing.T) {
	m := solver.New("unbounded")
	m.Int("x", 0, solver.NoUpper)
	if err := m.WriteOPB(io.Discard); err == nil {
		t.Error("an unbounded variable went into OPB")
	}
}

// TestWriteReadBack has the lp_solve command read what was written and compares its
// answer with exhaustive search.
func TestWriteReadBack(t *testing.T) {
	command := solvertest.Tool(t, "lp_solve")
	objective := regexp.MustCompile(`Value of objective function: (\S+)`)
	dir := t.TempDir()
	check := func(m *solver.Model, format string, write func(*solver.Model, io.Writer) error, flag string) {
		var text bytes.Buffer
		if err := write(m, &text); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "model."+format)
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(command, flag, file).CombinedOutput()
		if err != nil && len(out) == 0 {
			t.Fatal(err)
		}
		want, err := bruteforce.New().Solve(t.Context(), m, solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want.Status == solver.Infeasible {
			if !bytes.Contains(out, []byte("infeasible")) {
				t.Fatalf("%s: exhaustive search says infeasible, lp_solve:\n%s\n%s", format, out, text.Bytes())
			}
			return
		}
		found := objective.FindSubmatch(out)
		if found == nil {
			t.Fatalf("%s: optimum %d, lp_solve:\n%s\n%s", format, want.Objective, out, text.Bytes())
		}
		got, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil || math.Abs(got-float64(want.Objective)) > 1e-6 {
			t.Fatalf("%s: optimum %d, lp_solve %s\n%s", format, want.Objective, found[1], text.Bytes())
		}
	}
	both := func(m *solver.Model) {
		check(m, "lp", (*solver.Model).WriteLP, "-S3")
		check(m, "mps", (*solver.Model).WriteMPS, "-fmps")
	}
	both(sample())
	for _, variables := range []int{0, 1} {
		never := solver.New("never")
		for range variables {
			never.Bool("x")
		}
		never.AtLeast("no way", solver.Expr{}, 1)
		both(never)
	}
	// Examples by number, since lp_solve may be wrong about a model by itself: these it
	// gets right.
	models := rapid.Custom(solvertest.RandomModel)
	for i := range 60 {
		both(models.Example(i))
	}
}
