package lpsolve_test

import (
	"errors"
	"os"
	"testing"

	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/solvertest"
)

func TestMain(m *testing.M) {
	if lpsolve.IsWorker() {
		os.Exit(lpsolve.RunWorker(os.Stdin, solvertest.Breakable(os.Stdout)))
	}
	os.Exit(m.Run())
}

func backend(t *testing.T) *lpsolve.Backend {
	t.Helper()
	if !lpsolve.Available() {
		if _, err := lpsolve.New(); !errors.Is(err, lpsolve.ErrAbsent) {
			t.Fatalf("New without lp_solve: %v", err)
		}
		t.Skip("lp_solve is not linked in; -tags lpsolve")
	}
	b, err := lpsolve.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestConformance(t *testing.T) {
	b := backend(t) // one for all: what one subtest leaves behind must not hurt the next
	solvertest.Run(t, func() solver.Backend { return b })
}
