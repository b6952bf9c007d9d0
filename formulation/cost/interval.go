package cost

import (
	"math"
	"strings"
)

// Metric names a predicted figure that carries an interval.
type Metric string

// Metrics with an interval. Times in seconds, rates in tokens/s.
const (
	MetricTTFT       Metric = "ttft"
	MetricTPOT       Metric = "tpot"
	MetricDecodeRate Metric = "decode_rate" // tokens/s of decode and mixed serving
	MetricPromptRate Metric = "prompt_rate" // tokens/s of prefill alone
)

// ratios is a range of measured over predicted values.
type ratios struct{ low, high float64 }

// Ranges that hold four of five, or more, of the measured rows of published serving
// tables at a stated number of requests and one pipeline stage
// (TestIntervalsHoldPublishedFigures counts them); nothing was fitted to them.
// Serving adds scheduling and host time that kernels do not show, so measurements
// lie above predictions on Hopper.
var (
	// gpt-oss-120b (InferenceMAX: vLLM, TensorRT-LLM) and Llama 70B FP8 (NIM) on H100
	// and H200: 225 of 247 rows inside, median error 27 %.
	hopperTPOT = ratios{0.85, 1.65}
	// gpt-oss-120b on B200: 187 of 198 rows inside, median error 20 %. The floors of its
	// 4-bit kernels are taken from FP8 on Hopper and too long.
	blackwellTPOT = ratios{0.65, 1.10}
	// No rows, or a handful: the union.
	otherTPOT = ratios{0.65, 1.65}
	// First token of dense models at up to five requests on A100, H100 and H200
	// (TensorRT-LLM 0.9, NIM, FasterTransformer), 11 rows: .88 to 1.53.
	densePrefill = ratios{0.85, 1.60}
	// Experts at up to four requests: the grouped products are the weak spot, and
	// engines mix prompts with decode steps; 48 of 60 rows inside with densePrefill.
	expertPrefill = ratios{0.85, 2.50}
)

// hostAllowance is what serving adds to a first token at low load beside the
// kernels: 8 to 34 ms over the prediction in 24 rows of TensorRT-LLM 0.14 with
// Triton at 2 and 4 requests/s (Llama 8B and 70B). Queueing is not in it.
const hostAllowance = 0.030

// Interval is the range in which a measurement of the metric is to be expected for
// a predicted value (seconds or tokens/s). ok is false where the condition states
// the utilisation of all its devices: its word leaves no error of ours.
func (c *Calculator) Interval(metric Metric, value float64) (low, high float64, ok bool) {
	if !c.ownConstants() {
		return 0, 0, false
	}
	switch metric {
	case MetricTPOT:
		r := c.tpotRatios()
		return value * r.low, value * r.high, true
	case MetricDecodeRate:
		r := c.tpotRatios()
		return value / r.high, value / r.low, true
	case MetricTTFT:
		r := c.prefillRatios()
		return value * r.low, value*r.high + hostAllowance, true
	case MetricPromptRate:
		r := c.prefillRatios()
		return value / r.high, value / r.low, true
	}
	return 0, 0, false
}

// Evidence says in a sentence what the interval of a metric rests on.
func (c *Calculator) Evidence(metric Metric) string {
	if !c.ownConstants() {
		return "the condition states the utilisation; the figure follows from it and carries no interval"
	}
	const depth = "; pipelines of more than one stage have few public measurements and rest on the arithmetic"
	switch metric {
	case MetricTPOT, MetricDecodeRate:
		return "measured over predicted time per output token in published serving tables (247 rows on Hopper, 198 on Blackwell, none on others)" + depth
	case MetricTTFT:
		return "measured over predicted first-token time without a queue, and 30 ms of host time; time in a queue is not predicted" + depth
	case MetricPromptRate:
		return "measured over predicted prefill time in published tables" + depth
	}
	return ""
}

// ownConstants reports whether a device relies on constants of this package.
func (c *Calculator) ownConstants() bool {
	for i := range c.devices {
		if !c.devices[i].stated {
			return true
		}
	}
	return false
}

// tpotRatios is the widest range over the devices that rely on our constants.
func (c *Calculator) tpotRatios() ratios {
	r := ratios{1, 1}
	for i := range c.devices {
		d := &c.devices[i]
		if d.stated {
			continue
		}
		known := otherTPOT
		switch {
		case strings.HasPrefix(d.generation, "hopper"):
			known = hopperTPOT
		case strings.HasPrefix(d.generation, "blackwell"):
			known = blackwellTPOT
		}
		r.low, r.high = math.Min(r.low, known.low), math.Max(r.high, known.high)
	}
	return r
}

func (c *Calculator) prefillRatios() ratios {
	for i := range c.kinds {
		if c.kinds[i].experts > 0 {
			return expertPrefill
		}
	}
	return densePrefill
}
