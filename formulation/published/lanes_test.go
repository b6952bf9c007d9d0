package published

import (
	"math"
	"testing"

	"partita/results/verify/placement"
)

// TestPublishedLanes: every published chain is proved, at least what the file knows is
// reached, nothing beyond what it says to be out of reach, and a maximum flow of the
// solution gives the same value.
func TestPublishedLanes(t *testing.T) {
	for _, i := range load(t, "helix.json") {
		a := one(t, i, Options{Objective: Lanes})
		if a.Status != "optimal" || a.Objective == nil || *a.BestBound != *a.Objective || *a.Gap != 0 {
			t.Errorf("%s: %+v, want it proved", i.Name, a)
			continue
		}
		got := *a.Objective
		if got < i.Chain.GeneralLower*(1-1e-9) || got > i.Chain.GeneralUpper*(1+1e-8) || got < i.Chain.SeriesOptimum {
			t.Errorf("%s: %v, the file has %v to %v, the series optimum %v", i.Name, got, i.Chain.GeneralLower, i.Chain.GeneralUpper, i.Chain.SeriesOptimum)
		}
		flow, err := placement.Lanes(i.Chain, a.Solution)
		if err != nil || math.Abs(flow-got) > 1e-9*got {
			t.Errorf("%s: the solution passes %v, said %v: %v", i.Name, flow, got, err)
		}
		if len(a.Solution.Routes) < len(a.Solution.Stages) {
			t.Errorf("%s: %d routes for %d machines", i.Name, len(a.Solution.Routes), len(a.Solution.Stages))
		}
	}
}

func TestLanesTakesNoOtherBackend(t *testing.T) {
	for _, i := range load(t, "helix.json")[:1] {
		if _, err := Solve(t.Context(), i, Options{Objective: Lanes, Backend: SAT}); err == nil {
			t.Error("SAT was taken")
		}
	}
}
