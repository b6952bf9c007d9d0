package knowledge

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// tables are what docs/knowledge.md says of variables and engines.
func tables(t *testing.T) (variables, engines string) {
	t.Helper()
	cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
	for _, v := range Variables() {
		variables += fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", v.Name, v.Type, v.Unit, v.Of, cell(v.About))
	}
	list, err := Engines()
	if err != nil {
		t.Fatal(err)
	}
	engines = "| rule of an engine | says | because |\n|---|---|---|\n"
	for _, e := range list {
		for _, r := range e.Rules {
			engines += fmt.Sprintf("| %s | `%s` | %s |\n", r.Name, cell(r.Expr), cell(r.Because))
		}
	}
	return variables, engines
}

// The document names every variable with its unit, and every rule of every engine.
func TestDocument(t *testing.T) {
	data, err := os.ReadFile("../../docs/knowledge.md")
	if err != nil {
		t.Fatal(err)
	}
	variables, engines := tables(t)
	for _, table := range []string{variables, engines} {
		if !strings.Contains(string(data), table) {
			t.Errorf("docs/knowledge.md does not hold:\n%s", table)
		}
	}
}

// The examples are packs without a problem.
func TestExamples(t *testing.T) {
	for name, want := range map[string]int{"site.yaml": 2, "lab.md": 1} {
		data, err := os.ReadFile("../../examples/knowledge/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if p := Parse(name, data); len(p.Problems) > 0 || len(p.Rules) != want {
			t.Errorf("%s: %d rules, %v", name, len(p.Rules), p.Problems)
		}
	}
}
