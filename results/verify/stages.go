package verify

import (
	"fmt"

	"partita/inputs"
	"partita/results"
)

// StageFindings is what a look at the stages of a plan alone finds.
type StageFindings struct {
	// Broken are the rules of placement that fail: the stages do not map onto the GPUs.
	Broken []results.Check
	// Stale are statements of the plan's strategy that its stages do not bear out, as
	// after an edit by hand.
	Stale []results.Check
	// OneHost: every replica has all its GPUs on one host.
	OneHost bool
}

// Stages judges the stages of a plan and nothing that follows from them. The error
// tells that they could not be judged at all.
func Stages(p *results.Plan, c *inputs.Condition) (StageFindings, error) {
	if p == nil {
		return StageFindings{}, errNoPlan
	}
	if c == nil {
		return StageFindings{}, errNoCondition
	}
	if len(p.Phases) != 1 {
		return StageFindings{}, fmt.Errorf("the plan has %d phases, one is read", len(p.Phases))
	}
	prices, err := newPrices(c)
	if err != nil {
		return StageFindings{}, fmt.Errorf("the condition %q cannot be priced: %w", c.Name, err)
	}
	list := &checklist{}
	a := newAudit(&p.Phases[0], c, prices, Options{}, list)
	for _, rule := range []func(){
		a.checkStageOrder, a.checkLayers, a.checkPools, a.checkShapes, a.checkDegrees, a.checkExperts,
		a.checkIDs, a.checkUnique, a.checkHosts,
	} {
		rule()
	}
	out := StageFindings{Broken: failing(list), OneHost: a.oneHost}
	list.checks = nil
	a.checkStrategy()
	a.checkSequences()
	out.Stale = failing(list)
	return out, nil
}

func failing(list *checklist) []results.Check {
	var out []results.Check
	for _, c := range list.checks {
		if !c.OK {
			out = append(out, c)
		}
	}
	return out
}
