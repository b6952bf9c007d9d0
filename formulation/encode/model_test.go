package encode

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
	"partita/solver/sat"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares the LP text of a model with the file in testdata.
func golden(t *testing.T, name string, m *solver.Model) {
	t.Helper()
	var got bytes.Buffer
	if err := m.WriteLP(&got); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got), go test -update where meant:\n%s", name, diff)
	}
}

// everything is a problem of two layers with every kind of condition.
func everything() *path.Problem {
	p := pools()
	p.Boundaries, p.Class = 3, []int32{-1, 0, 1, -1, -1, 0, -1, -1, -1}
	p.Resources[1].Exact = true
	p.Packings = []path.Packing{{Resources: []int{0, 1}, Sizes: []int{2, 3}, Bins: []int{4, 4}, Copies: 1, Total: 5}}
	p.BalanceNum, p.BalanceDen = 1, 2
	p.Limit = [2]int64{200, 300}
	p.Cap = &path.Cap{Weight: [2]int64{1, 1}, Max: 400}
	p.MaxStages = 2
	return p
}

func TestWholeModelText(t *testing.T) {
	m, d, err := Model(everything())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "whole.lp", m)
	var names []string
	for _, g := range d.Groups {
		names = append(names, g.Name)
		if g.Sentence == "" || len(g.Rows) == 0 {
			t.Errorf("group %s: %+v", g.Name, g)
		}
	}
	if got, want := strings.Join(names, " "), "peak path count packing_0 balance limit cap stages"; got != want {
		t.Errorf("groups %q, want %q", got, want)
	}
}

func TestBoxModelText(t *testing.T) {
	p := everything()
	n, err := newNetwork(p)
	if err != nil {
		t.Fatal(err)
	}
	s := &search{n: n, w: n.newWork(), constraints: constraints(p), objective: newObjective(p)}
	n.distinctTimes(&s.times)
	box := s.root()
	box.window[1] = window{30, 46}
	if !s.filter(box) {
		t.Fatal("nothing is left of the box")
	}
	b := newBuilder("box", n, box.arcs, s.knownOf(box, 500))
	b.add(s.constraints)
	golden(t, "box.lp", b.m)
}

// TestFormsOfTheWholeModel: the rows that the other forms are made of, as text.
func TestFormsOfTheWholeModel(t *testing.T) {
	most := int64(400)
	for name, o := range map[string]ModelOptions{
		"sparse.lp":  {Sparse: true, Title: "sparse form", AtMost: &most},
		"ordered.lp": {Ordered: true, Feasibility: true, AtMost: &most, Name: stageName},
	} {
		m, _, err := WholeModel(everything(), o)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, m)
	}
}

func stageName(s path.Stage, next int) string {
	return fmt.Sprintf("stage_%d_%d_%c_then_%d", s.From, s.To-1, 'a'+s.Option, next)
}

// TestModelAgreement: the whole model has the optimum that trying every path gives.
func TestModelAgreement(t *testing.T) {
	forms := []ModelOptions{{}, {Sparse: true}, {Ordered: true}}
	for seed := range uint64(150) {
		p := pathtest.Random(pathtest.Seeded(seed))
		m, d, err := WholeModel(p, forms[seed%3])
		if err != nil {
			t.Fatal(err)
		}
		r, err := solver.Solve(context.Background(), m, sat.New(), solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, want, ok := path.BruteForce(p)
		if !ok {
			if r.Status != solver.Infeasible {
				t.Fatalf("seed %d: %v where nothing is possible", seed, r.Status)
			}
			continue
		}
		if r.Status != solver.Optimal || r.Objective != want.Objective {
			t.Fatalf("seed %d: %v %d, want %d", seed, r.Status, r.Objective, want.Objective)
		}
		stages, err := d.Stages(r.Incumbent)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if v, err := p.Evaluate(stages); err != nil || v.Objective != want.Objective {
			t.Fatalf("seed %d: %v is %d, %v", seed, stages, v.Objective, err)
		}
	}
}

// TestAtMost: the model admits the optimum, and nothing below it.
func TestAtMost(t *testing.T) {
	feasible := 0
	for seed := range uint64(90) {
		p := pathtest.Random(pathtest.Seeded(seed))
		_, best, ok := path.BruteForce(p)
		for _, short := range []int64{0, 1} {
			most := best.Objective - short
			m, _, err := WholeModel(p, ModelOptions{Ordered: seed%2 == 0, Feasibility: true, AtMost: &most})
			if err != nil {
				t.Fatal(err)
			}
			r, err := solver.Solve(t.Context(), m, sat.New(), solver.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if want := ok && short == 0; (r.Point == solver.Feasible) != want {
				t.Fatalf("seed %d, %d below the optimum of %d: %v, want a path: %v", seed, short, best.Objective, r.Status, want)
			}
		}
		if ok {
			feasible++
		}
	}
	if feasible < 20 {
		t.Errorf("only %d of the problems have a path", feasible)
	}
}

func TestDecoderRefuses(t *testing.T) {
	m, d, err := Model(pools())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Stages(nil); err == nil {
		t.Error("took an assignment of another model")
	}
	nothing := make([]int64, m.NumVariables())
	if _, err := d.Stages(nothing); err == nil {
		t.Error("took no stage for a path")
	}
	all := make([]int64, m.NumVariables())
	for i := range all {
		all[i] = 1
	}
	if _, err := d.Stages(all); err == nil {
		t.Error("took overlapping stages for a path")
	}
}

func TestValidate(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*path.Problem)
		want   string
	}{
		{"boundaries", func(p *path.Problem) { p.Boundaries = 1 }, "boundaries"},
		{"classes", func(p *path.Problem) { p.Class = p.Class[:5] }, "boundaries"},
		{"class", func(p *path.Problem) { p.Class[1] = 7 }, "class 7"},
		{"resource", func(p *path.Problem) { p.Options[0][0].Resource = 2 }, "option 0"},
		{"units", func(p *path.Problem) { p.Options[0][0].Units = 0 }, "option 0"},
		{"time", func(p *path.Problem) { p.Options[1][1].Time[0] = -1 }, "option 1"},
		{"group", func(p *path.Problem) { p.Options[0][0].Group = 2 }, "option 0"},
		{"send", func(p *path.Problem) { p.Send[0] = p.Send[0][:1] }, "entries"},
		{"send time", func(p *path.Problem) { p.Send[0][1][0] = -1 }, "send from group 0"},
		{"weight", func(p *path.Problem) { p.Weight[0] = -1 }, "phase 0"},
		{"balance", func(p *path.Problem) { p.BalanceNum, p.BalanceDen = 3, 2 }, "balance 3/2"},
		{"packing", func(p *path.Problem) { p.Packings = []path.Packing{{Resources: []int{0}, Copies: 1}} }, "packing 0"},
		{"packing resource", func(p *path.Problem) {
			p.Packings = []path.Packing{{Resources: []int{5}, Sizes: []int{1}, Copies: 1}}
		}, "resource 5"},
		{"size", func(p *path.Problem) { p.Weight[1] = 1 << 40 }, "longer tick"},
		{"patterns", func(p *path.Problem) {
			p.Resources = append(p.Resources, path.Resource{Capacity: 900}, path.Resource{Capacity: 900})
			p.Packings = []path.Packing{{Resources: []int{0, 1, 2, 3}, Sizes: []int{2, 3, 5, 7}, Bins: []int{400}, Copies: 1, Total: -1}}
		}, "ways to hold"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := pools()
			row.change(p)
			_, _, err := Model(p)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want one with %q", err, row.want)
			}
		})
	}
}
