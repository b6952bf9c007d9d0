package solver_test

import (
	"os"
	"strings"
	"testing"

	"partita/solver"
	"partita/solver/bruteforce"
	"partita/solver/lpsolve"
	"partita/solver/sat"
)

// TestCapabilityTable: the page about solvers has the table as the program has it.
func TestCapabilityTable(t *testing.T) {
	page, err := os.ReadFile("../docs/solvers.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	err = solver.WriteCapabilities(&table, []solver.Described{
		{Name: sat.New().Name(), Capabilities: sat.New().Capabilities()},
		{Name: bruteforce.New().Name(), Capabilities: bruteforce.New().Capabilities()},
		{Name: "lpsolve", Capabilities: lpsolve.Capabilities()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/solvers.md does not have this table:\n%s", table.String())
	}
}
