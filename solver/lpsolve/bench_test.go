package lpsolve_test

import (
	"testing"

	"partita/solver/lpsolve"
	"partita/solver/solvertest"
)

func BenchmarkProve(b *testing.B) {
	if !lpsolve.Available() {
		b.Skip("lp_solve is not linked in; -tags lpsolve")
	}
	backend, err := lpsolve.New()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	const layers = 80
	solvertest.Benchmark(b, backend, layers)
}
