package knowledge

import (
	"errors"
	"strings"
	"testing"

	"partita/inputs"
)

// What is wrong with an expression is told with its place, what was expected and a hint.
func TestCompileErrors(t *testing.T) {
	long := "tp <= 1 || " + strings.Repeat("tp <= 1 || ", 200) + "true"
	for _, row := range []struct{ expr, want string }{
		{"tpp <= 4", `r.yaml:10:5: rule "a": "tpp" is not known, want a variable of rules; did you mean "tp"?`},
		{"tp <= 4 && kv_haeds > 1", `r.yaml:10:16: rule "a": "kv_haeds" is not known, want a variable of rules; did you mean "kv_heads"?`},
		{"quux == 1", `"quux" is not known, want a variable of rules; docs/knowledge.md lists the names`},
		{"tp + 1", `r.yaml:10:5: rule "a": the expression is of type int, want true or false; compare it with something`},
		{"memory_gib", "of type double"},
		{"tp <= ", `not a valid expression`},
		{"tp <== 4", `not a valid expression`},
		{"tp = 4", `not a valid expression`},
		{"", "the expression is empty"},
		{"  ", "the expression is empty"},
		{`tp == "4"`, `does not take int, string`},
		{"tp * memory_gib > 3.0", `does not take int, double`},
		{"[1, 2].exists(x, x == tp)", `exists`},
		{"tp.startsWith('a')", "startsWith does not take"},
		{"!same_tp", `r.yaml:10:6: rule "a": same_tp is negated or compared, want same_tp as it stands, alone or joined by && and ||; that stages differ cannot be demanded`},
		{"same_tp == false", "same_tp is negated or compared"},
		{"pp > 1 ? same_ep : !same_tp", "same_tp is negated"},
		{"same_pool ? tp == 1 : tp == 2", "same_pool is negated or compared"},
		{"[same_tp][0]", "same_tp is negated or compared"},
		{`{"x": same_tp}["x"]`, "same_tp is negated or compared"},
		{long, "letters, want at most 2000; split it"},
		{strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), "a.yaml"},
	} {
		_, err := Compile(fixture(row.expr))
		var ds inputs.Diagnostics
		if !errors.As(err, &ds) {
			t.Errorf("%.60s: %v", row.expr, err)
			continue
		}
		if row.want != "a.yaml" && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%.60s:\n got %s\nwant %s", row.expr, err, row.want)
		}
		for _, d := range ds {
			if d.Place.File != "r.yaml" || d.Place.Line < 10 {
				t.Errorf("%.60s: no place in %v", row.expr, d)
			}
		}
	}
}

// All problems are told at once, by place; two rules of one name are one of them.
func TestCompileTellsAll(t *testing.T) {
	c := fixture("tpp == 1", "true", "heads ==", "same_tp && epp == 1 && ccp == 1")
	c.Rules[1].Name = "a"
	_, err := Compile(c)
	got := strings.Split(err.Error(), "\n")
	if len(got) != 5 {
		t.Errorf("%d problems:\n%v", len(got), err)
	}
}

// Expressions that rules are made of compile and have the value they should.
func TestExpressions(t *testing.T) {
	for expr, holds := range map[string]bool{
		"tp <= 4 && pp in [2, 4]":         true,
		"double(tp) * memory_gib >= 24.0": true,
		"memory_gib >= 24":                true, // numbers of both types compare
		"heads % tp == 0 && (kv_heads % tp == 0 || tp % kv_heads == 0)": true,
		`pool.startsWith("fa") || vendor == "AMD"`:                      true,
		"same_tp || pp == 2":                        true,
		"pp == 3 ? same_tp : same_cp":               true,
		`accelerator.matches("H[12]00") || tp == 1`: true,
		"layers == (total_layers + pp - 1) / pp":    true,
		"ep * etp == tp * cp * dp && !(tp > 2)":     true,
		"tp == 1 || ep == 1":                        false,
		"size(pool) == 3":                           false,
	} {
		if got := broken(t, expr) == ""; got != holds {
			t.Errorf("%s: %t", expr, got)
		}
	}
}
