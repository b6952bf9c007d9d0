package formulation_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
)

// infeasible are conditions that no plan meets, by what their conflict must hold, and by
// what it may: with a question mark, demands that give way or not with the price of a part.
var infeasible = []struct {
	file     string
	set      string // overrides: path=value with blanks between
	conflict string
}{
	{"examples/llama-70b-one-24gb-infeasible.yaml", "", "gpus memory"},
	{"examples/slo-pair-infeasible.yaml", "", "ttft tpot gpus? batch? input?"},
	{"examples/budget-infeasible.yaml", "", "throughput cost_per_hour"},
	{"examples/three-gpus-even-infeasible.yaml", "", "balance gpus heads all_gpus"},
	{"examples/two-kinds-infeasible.yaml", "", "tpot balance? gpus of a100? all_gpus batch? input?"},
	{"examples/early-and-busy-infeasible.md", "", "ttft throughput_per_gpu"},
	{"examples/llama-3.1-70b-2x8-h100.yaml", "goal.requirements.tpot=1ms", "tpot"},
	{"examples/llama-3.1-70b-2x8-h100.yaml", "goal.requirements.throughput_per_gpu=1600", "throughput_per_gpu all_gpus"},
	{"examples/gpus-7.yaml", "goal.requirements.ttft=150ms", "ttft gpus batch input"},
	{"../shared/conditions/moe-10b-16experts.md", "", "throughput_per_gpu"},
	{"../shared/conditions/moe-10b-16experts.md", "goal.requirements.ttft=10ms", "ttft batch input"},
}

func loaded(t *testing.T, file, set string) *inputs.Condition {
	t.Helper()
	path := filepath.Join("..", file)
	if _, err := os.Stat(path); err != nil && strings.HasPrefix(file, "../") {
		t.Skipf("%s is not here", file)
	}
	var over []read.Override
	for _, s := range strings.Fields(set) {
		k, v, _ := strings.Cut(s, "=")
		over = append(over, read.Override{Key: k, Value: v})
	}
	c, err := read.Load(read.Options{Paths: []string{path}, Overrides: over})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every infeasible example: the conflict is the one that a person would name, proved
// minimal; without any one of its demands, all else as asked, there is a plan; each
// nearest value is proved, and solve finds a plan for it.
func TestExplainExamples(t *testing.T) {
	for _, x := range infeasible {
		t.Run(strings.TrimSpace(filepath.Base(x.file)+" "+x.set), func(t *testing.T) {
			c := loaded(t, x.file, x.set)
			e, err := formulation.Explain(context.Background(), c, formulation.Options{SAT: openSAT, TimeLimit: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, m := range e.Conflict {
				names = append(names, m.Requirement)
				if m.Line == 0 && m.File == "" {
					t.Errorf("%s says nothing of its place: %s", m.Requirement, m.Sentence)
				}
			}
			if got := strings.Join(names, " "); !conflictOf(x.conflict).MatchString(got) || e.Feasible || !e.Minimal {
				t.Errorf("conflict %q (feasible %t, minimal %t), want %q", got, e.Feasible, e.Minimal, x.conflict)
			}
			for _, m := range e.Conflict {
				met, ok, err := formulation.Meeting(context.Background(), c, []string{m.Requirement})
				if err != nil || len(e.Further) == 0 && !ok {
					t.Errorf("without %s, all else as asked, there is no plan (%v)", m.Requirement, err)
				}
				if ok && !feasible(t, met, patience) {
					t.Errorf("without %s solve finds no plan", m.Requirement)
				}
			}
			for _, n := range e.Nearest {
				checkWay(t, c, n)
			}
		})
	}
}

// conflictOf matches the names of a conflict, each with a blank between, as infeasible writes them.
func conflictOf(names string) *regexp.Regexp {
	optional := regexp.MustCompile(` ([a-z_]+(?: of [a-z0-9]+)?)\?`)
	return regexp.MustCompile("^" + optional.ReplaceAllString(names, "(?: $1)?") + "$")
}

// checkWay solves a condition with a nearest value, and with one a little closer.
func checkWay(t *testing.T, c *inputs.Condition, n results.Nearest) {
	t.Helper()
	if !n.Proved || n.Strategy == "" {
		t.Errorf("%s: proved %t, strategy %q", n.Requirement, n.Proved, n.Strategy)
	}
	if n.Nearest == nil || len(n.AlsoRelaxed) > 0 {
		return
	}
	closer := 0.0
	value := *n.Nearest
	switch kind, _, _ := strings.Cut(n.Requirement, " of "); kind {
	case "all_gpus", "heads", "nodes":
		return
	case "gpus":
		closer = value - 1
	case "batch", "input":
		closer = value + max(1, math.Ceil(value/500))
	case "memory":
		closer = value - 0.1
	case "balance":
		closer = value - 0.001
	default:
		closer = value * (1 - 1e-3)
		if !inputs.RequirementKind(kind).Upper() {
			closer = value * (1 + 1e-3)
		}
	}
	if !feasible(t, formulation.Changed(c, nil, map[string]float64{n.Requirement: value}), patience) {
		t.Errorf("%s %g: solve finds no plan", n.Requirement, value)
	}
	if feasible(t, formulation.Changed(c, nil, map[string]float64{n.Requirement: closer}), patience/10) {
		t.Errorf("%s %g is named: solve finds a plan for %g too", n.Requirement, value, closer)
	}
}

// patience is time enough to find a plan of these conditions.
const patience = 5 * time.Second

// feasible reports whether solve finds a plan in the time given.
func feasible(t *testing.T, c *inputs.Condition, limit time.Duration) bool {
	t.Helper()
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels", TimeLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return rep.Feasible
}

// Heads that do not divide: with 33 of them, in a layer as wide as three GPUs can share,
// three GPUs work evenly.
func TestExplainHeads(t *testing.T) {
	c := loaded(t, "examples/three-gpus-even-infeasible.yaml", "")
	e, err := formulation.Explain(context.Background(), c, formulation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(e.Nearest, func(n results.Nearest) bool { return n.Requirement == "heads" })
	if i < 0 || *e.Nearest[i].Nearest != 33 || *e.Nearest[i].Want != 32 {
		t.Fatalf("%+v", e.Nearest)
	}
	met := formulation.Changed(c, nil, map[string]float64{"heads": 3})
	if k := met.Model.Kinds[0]; k.Attention.Heads != 33 || k.FFN.Intermediate%3 != 0 || !feasible(t, met, patience) {
		t.Errorf("padded to %d heads and width %d: feasible %t", k.Attention.Heads, k.FFN.Intermediate, feasible(t, met, patience))
	}
	if c.Model.Kinds[0].Attention.Heads != 32 {
		t.Error("the condition itself was padded")
	}
}

// Requirements that are out of reach one by one make a conflict each, and the nearest
// value of either says that the other was left out for it.
func TestExplainFurtherConflicts(t *testing.T) {
	c := loaded(t, "examples/llama-3.1-8b-one-24gb.yaml", "goal.requirements.tpot=1us goal.requirements.ttft=1us")
	e, err := formulation.Explain(context.Background(), c, formulation.Options{SAT: openSAT})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Conflict) != 1 || len(e.Further) != 1 || len(e.Further[0].Conflict) != 1 {
		t.Fatalf("%+v, want two conflicts of one demand each", e)
	}
	a, b := e.Nearest[0], e.Further[0].Nearest[0]
	if !slices.Equal(a.AlsoRelaxed, []string{b.Requirement}) || !slices.Equal(b.AlsoRelaxed, []string{a.Requirement}) {
		t.Errorf("%s relaxes %v too, %s %v", a.Requirement, a.AlsoRelaxed, b.Requirement, b.AlsoRelaxed)
	}
	for _, n := range []results.Nearest{a, b} {
		if !strings.Contains(n.Sentence, "left out too") {
			t.Errorf("%q does not say what else is left out", n.Sentence)
		}
		if !feasible(t, formulation.Changed(c, n.AlsoRelaxed, map[string]float64{n.Requirement: *n.Nearest}), patience) {
			t.Errorf("%s %g: solve finds no plan", n.Requirement, *n.Nearest)
		}
	}
}

// Rules clash like all else, by name and place, and are dropped to get out.
func TestExplainRules(t *testing.T) {
	c := loaded(t, "examples/llama-3.1-70b-2x8-h100.yaml", "goal.requirements.tpot=39ms")
	c.Rules = []inputs.Rule{
		{Name: "no wide groups", Expr: "tp <= 2", Place: inputs.Place{File: "house.yaml", Line: 3}},
		{Name: "whole stages", Expr: "layers >= 1", Place: inputs.Place{File: "house.yaml", Line: 4}},
	}
	e, err := formulation.Explain(context.Background(), c, formulation.Options{SAT: openSAT})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(e.Conflict, func(m results.Clash) bool { return m.Requirement == "rule no wide groups" })
	if e.Feasible || !e.Minimal || i < 0 || e.Conflict[i].File != "house.yaml" || e.Conflict[i].Line != 3 || !strings.Contains(e.Conflict[i].Sentence, "tp <= 2") {
		t.Fatalf("%+v: the rule that rules out TP 4 and 8 is not named with its place", e)
	}
	if slices.ContainsFunc(e.Conflict, func(m results.Clash) bool { return m.Requirement == "rule whole stages" }) {
		t.Error("a rule that every plan keeps is in the conflict")
	}
	k := slices.IndexFunc(e.Nearest, func(n results.Nearest) bool { return n.Requirement == "rule no wide groups" })
	if k < 0 || e.Nearest[k].Nearest != nil || !regexp.MustCompile("TP[48]").MatchString(e.Nearest[k].Strategy) {
		t.Errorf("%+v", e.Nearest)
	}
}
