package bruteforce_test

import (
	"testing"

	"partita/solver"
	"partita/solver/bruteforce"
	"partita/solver/solvertest"
)

func TestConformance(t *testing.T) {
	solvertest.Run(t, func() solver.Backend { return bruteforce.New() })
}
