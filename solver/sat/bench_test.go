package sat_test

import (
	"testing"

	"partita/solver/sat"
	"partita/solver/solvertest"
)

func BenchmarkProve(b *testing.B) {
	const layers = 16 // counting proofs grow out of clause learning's reach beyond
	solvertest.Benchmark(b, sat.New(), layers)
}
