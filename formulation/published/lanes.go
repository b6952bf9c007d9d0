package published

import (
	"context"

	"partita/inputs/instance"
)

// solveLanes answers a chain where several machines may serve the same layers.
func solveLanes(_ context.Context, _ *instance.Chain, _ Options, _ *answer) error {
	return unsupported(Lanes)
}
