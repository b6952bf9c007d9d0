package verify

import (
	"fmt"
	"math"
	"strconv"

	"partita/results"
)

// Names of the rules, as the checklist shows them.
const (
	ruleFormat      = "plan format is known"
	ruleCondition   = "plan belongs to this condition"
	ruleOutcome     = "plan says of the whole search what its solve says"
	ruleDeployment  = "plan repeats the model, cluster and workload as they are"
	rulePhase       = "plan serves the phase of the workload"
	ruleOrder       = "stages are numbered by replica and index"
	rulePlacement   = "plan is of the placement asked for"
	ruleLanes       = "every sequence has a way through all layers"
	ruleLayers      = "every layer is placed exactly once per replica, in order"
	rulePools       = "every stage names a pool of the cluster"
	ruleShapes      = "tp·cp·dp_attention = ep·etp = GPUs of the stage"
	ruleDegrees     = "degrees divide the model"
	ruleExperts     = "every expert has a home"
	ruleIDs         = "GPU ids exist in the cluster"
	ruleUnique      = "no GPU is in two places"
	ruleHosts       = "a stage lies on one host or fills whole hosts"
	ruleStrategy    = "strategy agrees with the stages"
	ruleSequences   = "sequences are split evenly"
	ruleParts       = "parts equal the GPUs used"
	ruleUsed        = "GPUs used equal the GPUs given"
	ruleCount       = "GPU count lies in the range asked for"
	ruleAvailable   = "GPU figures are stated right"
	ruleTimes       = "stage times (C1)-(C3)"
	ruleMemory      = "memory of every GPU fits (C8)"
	ruleMemoryParts = "memory figures (C8)"
	ruleBalance     = "balance figures"
	ruleFloor       = "balance reaches its floor"
	ruleHandover    = "KV cache of prompts moves in time (D2)"
	ruleRates       = "rates of both sides match (D1)"
	ruleSolve       = "solve facts agree with each other"
)

// ruleMetric and ruleRequirement name the checks there is one of for each metric
// and each requirement.
func ruleMetric(name string) string      { return "metric " + name }
func ruleRequirement(name string) string { return "requirement " + name }

// ruleKnowledge names the check there is one of for each rule of the condition.
func ruleKnowledge(name string) string { return "rule " + name }

// tolerance is the relative difference that still counts as equal: figures are
// float64 sums of at most a few hundred terms, whose rounding stays far below.
const tolerance = 1e-6

// checklist collects checks in order.
type checklist struct{ checks []results.Check }

func (l *checklist) add(rule string, ok bool, want, got string) {
	l.checks = append(l.checks, results.Check{Rule: rule, OK: ok, Want: want, Got: got})
}

// waive records a check that is reported and not counted where it fails.
func (l *checklist) waive(rule string, ok bool, want, got string) {
	l.checks = append(l.checks, results.Check{Rule: rule, OK: ok, Want: want, Got: got, Waived: !ok})
}

// compare records whether two texts are the same.
func (l *checklist) compare(rule, want, got string) { l.add(rule, want == got, want, got) }

// tally gathers the failures of one rule over many stages or GPUs and keeps the
// worst: the one of largest severity, the first among equals.
type tally struct {
	rule, want string
	failures   int
	worst      float64
	example    string
}

func (t *tally) fail(severity float64, format string, args ...any) {
	t.failures++
	if math.IsNaN(severity) {
		severity = math.MaxFloat64
	}
	if t.failures == 1 || severity > t.worst {
		t.worst, t.example = severity, fmt.Sprintf(format, args...)
	}
}

// report adds the rule's one check; got is shown where nothing failed.
func (t *tally) report(l *checklist, got string) {
	switch {
	case t.failures == 1:
		got = t.example
	case t.failures > 1:
		got = fmt.Sprintf("%d failures; the worst: %s", t.failures, t.example)
	}
	l.add(t.rule, t.failures == 0, t.want, got)
}

// difference is the relative difference of two figures; +Inf where one of them is
// not a number.
func difference(a, b float64) float64 {
	if a == b {
		return 0
	}
	d := math.Abs(a-b) / max(math.Abs(a), math.Abs(b))
	if math.IsNaN(d) {
		return math.Inf(1)
	}
	return d
}

func equal(a, b float64) bool { return difference(a, b) <= tolerance }

// number prints a figure with six significant digits: enough to see a difference
// that the tolerance does not allow in most cases, short enough to read.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// exact prints a figure in full, for pairs that six digits do not tell apart.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// pair prints two figures with as many digits as tell them apart.
func pair(want, got float64) (string, string) {
	w, g := number(want), number(got)
	if w == g && want != got {
		return exact(want), exact(got)
	}
	return w, g
}

// where names a stage.
func where(s *results.Stage) string {
	return fmt.Sprintf("replica %d stage %d", s.Replica, s.Index)
}

// waiveIf records a check that a closest plan may miss.
func (l *checklist) waiveIf(closest bool, rule string, ok bool, want, got string) {
	if closest {
		l.waive(rule, ok, want, got)
		return
	}
	l.add(rule, ok, want, got)
}
