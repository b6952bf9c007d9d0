// Package verify recomputes a plan from the plan and the condition alone.
//
// It shares nothing with the code that made the plan: not the stage graph, not
// the encoders, not the solvers. What it has in common with them is the written
// cost model (docs/cost-model.md, equations C1 to C8, here restated) and the
// price of one operator (formulation/cost). So a slip in an encoder, a decoder
// or in the numbering of GPUs shows here as a failed check.
//
// Checks come in two layers. Placement rules read the plan as it stands. Figures
// (times, memory, metrics, requirements) are recomputed only for a plan whose
// placement holds; otherwise they fail with the reason "not recomputed".
//
// Every check has a want and a got that a person reads. There is one check for
// each rule, not one for each GPU: a plan of 16,384 GPUs reports its worst case.
package verify

import (
	"errors"
	"fmt"

	"partita/inputs"
	"partita/results"
)

// Options loosen the checklist.
type Options struct {
	// Closest says that the plan is the closest plan to requirements that cannot all
	// be met. Unmet requirements and the number of GPUs are then reported as waived;
	// GPUs beyond the given ones may be named, on whole nodes of the pool's size and
	// of eight at least. Everything else must hold.
	Closest bool
}

// Errors of a check that could not run at all.
var (
	errNoPlan      = errors.New("verification needs a plan: none was given; solve first or read plan.json")
	errNoCondition = errors.New("verification needs the condition that the plan was made for: none was given")
)

// Check recomputes everything that the plan claims. The error tells that the check
// could not run; a plan that fails is a Verification that is not OK.
func Check(p *results.Plan, c *inputs.Condition) (*results.Verification, error) {
	return CheckWith(p, c, Options{})
}

// CheckWith is Check with options.
func CheckWith(p *results.Plan, c *inputs.Condition, o Options) (*results.Verification, error) {
	if p == nil {
		return nil, errNoPlan
	}
	if c == nil {
		return nil, errNoCondition
	}
	given := c
	if o.Closest {
		c = enlarged(p, c)
	}
	v, err := checkAny(p, c, o)
	if err != nil {
		return nil, err
	}
	claims := []results.Check{deploymentCheck(p, given)}
	if p.Outcome != nil {
		claims = append(claims, outcomeCheck(p))
	}
	for _, claim := range claims {
		v.Checks, v.OK = append(v.Checks, claim), v.OK && claim.OK
	}
	return v, nil
}

// checkAny runs the rules for the kind of model that the condition has.
func checkAny(p *results.Plan, c *inputs.Condition, o Options) (*results.Verification, error) {
	if c.Model.Graph != nil {
		return checkGraph(p, c, o)
	}
	if c.Workload.Phase == inputs.Training {
		return checkTraining(p, c, o)
	}
	if apart(c) {
		return checkApart(p, c, o)
	}
	prices, err := newPrices(c)
	if err != nil {
		return nil, fmt.Errorf("verification cannot price the condition %q: %w", c.Name, err)
	}
	return check(p, c, prices, o), nil
}

// Violations are the checks that failed and count, in the order of the checklist.
func Violations(v *results.Verification) []results.Check {
	if v == nil {
		return nil
	}
	var failed []results.Check
	for _, c := range v.Checks {
		if !c.OK && !c.Waived {
			failed = append(failed, c)
		}
	}
	return failed
}

// check runs all rules with the given prices.
func check(p *results.Plan, c *inputs.Condition, prices pricer, o Options) *results.Verification {
	list := &checklist{}
	planHeader(list, p, c)
	v := &results.Verification{}
	if len(p.Phases) == 1 {
		a := newAudit(&p.Phases[0], c, prices, o, list)
		a.warnings = p.Warnings
		a.run()
		v.Parts, v.GPUs = a.parts, a.used
	}
	v.Checks = list.checks
	v.OK = len(Violations(v)) == 0
	return v
}

// planHeader checks what a plan says of itself: version, condition and phase.
func planHeader(list *checklist, p *results.Plan, c *inputs.Condition) {
	list.compare(ruleFormat, fmt.Sprint(results.FormatVersion), fmt.Sprint(p.FormatVersion))
	list.compare(ruleCondition, fmt.Sprintf("%q", c.Name), fmt.Sprintf("%q", p.Condition))
	got := fmt.Sprintf("%d phases", len(p.Phases))
	if len(p.Phases) == 1 {
		got = string(p.Phases[0].Phase)
	}
	want := string(c.Workload.Phase)
	if apart(c) {
		want = "prefill and decode on GPUs of their own"
		if len(p.Phases) == 2 && p.Phases[0].Phase == inputs.Prefill && p.Phases[1].Phase == inputs.Decode && p.Disaggregated != nil {
			got = want
		}
	}
	list.compare(rulePhase, want, got)
}

// audit is the state of one phase's verification.
type audit struct {
	phase    *results.PhasePlan
	cond     *inputs.Condition
	prices   pricer
	opts     Options
	list     *checklist
	warnings []string

	pools    map[string]int     // pool index by name
	known    map[string]device  // GPUs that the condition names, by id
	replicas [][]*results.Stage // stages by replica and index; nil where they are not numbered right
	parts    int                // GPU shards counted from the stages
	used     int                // different GPU ids
	usedOf   []int              // different GPU ids by pool
	// exactCosts: a condition of an operator graph leaves no constant of ours in use.
	exactCosts bool
	oneHost    bool    // every replica has all its GPUs on one host
	found      figures // recomputed metrics, where placement holds
	broken     string  // first placement rule that failed; figures are then not recomputed
}

func newAudit(ph *results.PhasePlan, c *inputs.Condition, prices pricer, o Options, list *checklist) *audit {
	a := &audit{phase: ph, cond: c, prices: prices, opts: o, list: list, pools: map[string]int{}, known: devices(c)}
	for k, pool := range c.Cluster.Pools {
		a.pools[pool.Name] = k
	}
	a.usedOf = make([]int, len(c.Cluster.Pools))
	return a
}

// run applies every rule: placement first, then the figures that rest on it.
func (a *audit) run() {
	layers := a.checkLayers
	if a.lanes() {
		layers = a.checkLanes
	}
	placement := []func(){
		a.checkKind, a.checkNoTraining, a.checkStageOrder, layers, a.checkPools, a.checkShapes, a.checkDegrees, a.checkExperts,
		a.checkIDs, a.checkUnique, a.checkHosts, a.checkStrategy, a.checkSequences,
	}
	for _, rule := range placement {
		before := len(a.list.checks)
		rule()
		for _, c := range a.list.checks[before:] {
			if !c.OK && !c.Waived && a.broken == "" {
				a.broken = c.Rule
			}
		}
	}
	a.checkCounts()
	a.checkRules()
	a.checkFigures()
	a.checkSolve()
}
