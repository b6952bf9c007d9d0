package dag

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/results"
	"partita/results/dagcheck"
)

// valid holds a graph against all rules of a deployment DAG and against its plan.
func valid(t rapid.TB, name string, p *results.Plan, o Options) {
	t.Helper()
	got, err := dagcheck.Check(strings.NewReader(text(t, p, o)), name, dagcheck.Options{Plan: p})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if !got.OK {
		t.Errorf("%s, folded %v:\n%s", name, o.Folded, got.Text())
	}
}

func TestEveryFormKeepsTheRules(t *testing.T) {
	for name, d := range plans() {
		t.Run(name, func(t *testing.T) {
			valid(t, name, d.plan(), Options{})
			valid(t, name, d.plan(), Options{Folded: true})
		})
	}
}
