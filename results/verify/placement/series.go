package placement

import (
	"errors"
	"fmt"
	"math"

	"partita/inputs/instance"
	"partita/results"
)

// Series is what a solution passes in tokens/s as a pipeline: its slowest machine. The
// stages follow each other over all layers, each on a machine of its own.
func Series(c *instance.Chain, s *results.PlacedSolution) (float64, error) {
	var broken []error
	used := map[[2]int]bool{}
	slowest := math.Inf(1)
	for i, m := range s.Stages {
		if err := laneMachine(c, m, used); err != nil {
			broken = append(broken, fmt.Errorf("stage %d: %w", i, err))
		}
		slowest = min(slowest, m.TokensPerS)
	}
	broken = append(broken, consecutive(s.Stages, c.Layers)...)
	broken = append(broken, foreign(s, len(s.Stages) > 0, false, false)...)
	return slowest, errors.Join(broken...)
}

// consecutive checks that stages hold the layers 0 … layers-1, one after the other.
func consecutive(stages []results.PlacedStage, layers int) []error {
	var broken []error
	at := 0
	for i, m := range stages {
		if m.FirstLayer != at || m.LastLayer < m.FirstLayer {
			broken = append(broken, fmt.Errorf("stage %d holds layers %d to %d: want layer %d first", i, m.FirstLayer, m.LastLayer, at))
		}
		at = m.LastLayer + 1
	}
	if at != layers {
		broken = append(broken, fmt.Errorf("the stages hold %d layers of %d", at, layers))
	}
	return broken
}

// foreign checks that a solution has the parts that its kind has, and no other.
func foreign(s *results.PlacedSolution, stages, rented, devices bool) []error {
	var broken []error
	for _, part := range []struct {
		name         string
		there, wants bool
	}{
		{"stages", len(s.Stages) > 0, stages},
		{"rented instances", len(s.Rented) > 0, rented},
		{"a price", s.USDPerHour != 0, rented},
		{"devices", len(s.Devices) > 0, devices},
		{"routes", len(s.Routes) > 0, false},
	} {
		switch {
		case part.there && !part.wants:
			broken = append(broken, fmt.Errorf("%s in a solution of another kind", part.name))
		case !part.there && part.wants:
			broken = append(broken, fmt.Errorf("%s are missing", part.name))
		}
	}
	return broken
}
