package sat_test

import (
	"testing"

	"partita/solver"
	"partita/solver/sat"
	"partita/solver/solvertest"
)

func TestConformance(t *testing.T) {
	solvertest.Run(t, func() solver.Backend { return sat.New() })
}
