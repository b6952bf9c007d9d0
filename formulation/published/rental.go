package published

import (
	"context"

	"partita/inputs/instance"
	"partita/results"
)

func solveBudgets(_ context.Context, _ *instance.Instance, _ Options) ([]results.Placed, error) {
	return nil, unsupported(Throughput)
}

func solvePrice(_ context.Context, _ *instance.Rental, _ Options, _ *answer) error {
	return unsupported(USDPerMillion)
}
