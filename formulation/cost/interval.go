package cost

import (
	"math"
	"slices"
	"strings"

	"partita/inputs/evidence"
)

// Metric names a predicted figure that carries an interval.
type Metric string

// Metrics with an interval. Times in seconds, rates in tokens/s.
const (
	MetricTTFT       Metric = "ttft"
	MetricTPOT       Metric = "tpot"
	MetricDecodeRate Metric = "decode_rate" // tokens/s of decode and mixed serving
	MetricPromptRate Metric = "prompt_rate" // tokens/s of prefill alone
	MetricEndToEnd   Metric = "e2e"         // of a whole request
	MetricStep       Metric = "step_time"   // of a training step
	MetricStepRate   Metric = "step_rate"   // tokens/s of training
)

// measured is what a metric was held against measurements as. inverse: as a time, of
// which the metric is a rate.
func (m Metric) measured() (as evidence.Metric, inverse bool) {
	switch m {
	case MetricTTFT:
		return evidence.TTFT, false
	case MetricTPOT:
		return evidence.TPOT, false
	case MetricDecodeRate:
		return evidence.Rate, false
	case MetricPromptRate:
		return evidence.TTFT, true
	case MetricEndToEnd:
		return evidence.EndToEnd, false
	case MetricStep:
		return evidence.Step, false
	case MetricStepRate:
		return evidence.Step, true
	}
	return "", false
}

// Interval is the range in which a measurement of the metric is to be expected for a
// predicted value (seconds or tokens/s): about nine of ten measured runs of its regime, the
// widest over the devices, and the value itself. ok is false where the condition states
// the utilisation of all its devices, of compute and bandwidth (its word leaves no error of ours) and where nothing
// was measured.
func (c *Calculator) Interval(metric Metric, value float64) (low, high float64, ok bool) {
	_, inverse := metric.measured()
	low, high = 1, 1
	for _, r := range c.regimes(metric) {
		if r == nil {
			return 0, 0, false
		}
		l, h := r.Low, r.High
		if inverse {
			l, h = 1/h, 1/l
		}
		low, high, ok = math.Min(low, l), math.Max(high, h), true
	}
	return value * low, value * high, ok
}

// Held is the share of measured runs, 0 to 1, in which a requirement would have been kept
// that asks for a value so many times the predicted one, and the number of those runs; of
// several devices the least share. upper: the requirement is an upper bound. false where
// there is no evidence, or none is needed.
func (c *Calculator) Held(metric Metric, ratio float64, upper bool) (share float64, cases int, ok bool) {
	_, inverse := metric.measured()
	if inverse {
		ratio, upper = 1/ratio, !upper
	}
	share = 1
	for _, r := range c.regimes(metric) {
		if r == nil {
			return 0, 0, false
		}
		held := r.HeldAbove(ratio)
		if upper {
			held = r.HeldBelow(ratio)
		}
		if !ok || held < share {
			share, cases = held, r.Cases
		}
		ok = true
	}
	return share, cases, ok
}

// Evidence says in a sentence what the interval of a metric rests on.
func (c *Calculator) Evidence(metric Metric) string {
	regimes, asked := c.evidenceFor(metric)
	if len(regimes) == 0 {
		return "the condition states the utilisation; the figure follows from it and carries no interval"
	}
	var says []string
	for i, r := range regimes {
		if r == nil {
			return "nothing was measured that tells how far it is off"
		}
		says = append(says, r.Says(asked[i], c.modelKind()))
	}
	for i := range c.devices {
		if d := &c.devices[i]; d.own && !d.complete {
			says = append(says, "predicted with the built-in constants: those of a profile were not held against these runs")
			break
		}
	}
	return strings.Join(says, "; ")
}

// modelKind is the kind of model that evidence is told apart by.
func (c *Calculator) modelKind() string {
	for i := range c.kinds {
		if c.kinds[i].experts > 0 {
			return evidence.Experts
		}
	}
	return evidence.Dense
}

func (c *Calculator) regimes(metric Metric) []*evidence.Regime {
	out, _ := c.evidenceFor(metric)
	return out
}

// evidenceFor is the evidence on a metric for each generation that relies on our
// constants, nil where there is none, and those generations. Of cards that share the name of
// a generation and no more, all devices speak.
func (c *Calculator) evidenceFor(metric Metric) (out []*evidence.Regime, generations []string) {
	as, _ := metric.measured()
	for i := range c.devices {
		d := &c.devices[i]
		known, asked := d.generation, d.generation
		if !d.alike {
			known, asked = "", d.generation+" of so little memory bandwidth"
		}
		if !d.complete && !slices.Contains(generations, asked) {
			generations = append(generations, asked)
			out = append(out, evidence.Find(as, known, c.modelKind()))
		}
	}
	return out, generations
}
