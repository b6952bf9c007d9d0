package formulation

import (
	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// rateMetric is what tokens/s of a phase are held against measurements as.
func rateMetric(phase inputs.Phase) cost.Metric {
	switch phase {
	case inputs.Prefill:
		return cost.MetricPromptRate
	case inputs.Training:
		return cost.MetricStepRate
	}
	return cost.MetricDecodeRate
}

// requestMetric is what the time of a whole request is held against: where nothing is
// decoded it is that to the first token, where prompts are there already it is decoding.
func requestMetric(phase inputs.Phase) cost.Metric {
	switch phase {
	case inputs.Prefill:
		return cost.MetricTTFT
	case inputs.Decode:
		return cost.MetricTPOT
	}
	return cost.MetricEndToEnd
}

// boundBy is the metric that a requirement bounds; false for what is no prediction.
func boundBy(kind inputs.RequirementKind, phase inputs.Phase) (cost.Metric, bool) {
	switch kind {
	case inputs.TTFT:
		return cost.MetricTTFT, true
	case inputs.TPOT:
		return cost.MetricTPOT, true
	case inputs.EndToEnd:
		return requestMetric(phase), true
	case inputs.StepTime:
		return cost.MetricStep, true
	case inputs.TokensPerSecond, inputs.TokensPerSGPU, inputs.OutputPerSecond, inputs.OutputPerSGPU:
		return rateMetric(phase), true
	}
	return "", false
}

// heldOf is how often a requirement that a prediction meets like this one was kept in
// measurements; nil where none tell, or it is not met.
func heldOf(costs *cost.Calculator, phase inputs.Phase, q *results.RequirementResult) *results.Held {
	kind := inputs.RequirementKind(q.Name)
	metric, ok := boundBy(kind, phase)
	if !ok || !q.Met || !(q.Got > 0) {
		return nil
	}
	share, cases, ok := costs.Held(metric, q.Want/q.Got, kind.Upper())
	if !ok {
		return nil
	}
	return &results.Held{Share: share, Cases: cases}
}

// rests says what the intervals of the metrics of a phase rest on.
func rests(costs *cost.Calculator, phase inputs.Phase, m *results.Metrics) []results.Evidence {
	var out []results.Evidence
	say := func(name string, interval *[2]float64, metric cost.Metric) {
		if interval != nil {
			out = append(out, results.Evidence{Metric: name, Says: costs.Evidence(metric)})
		}
	}
	say("step_ms", m.StepInterval, cost.MetricStep)
	say("ttft_ms", m.TTFTInterval, cost.MetricTTFT)
	say("tpot_ms", m.TPOTInterval, cost.MetricTPOT)
	say("e2e_ms", m.E2EInterval, requestMetric(phase))
	say("tokens_per_s", m.TokensPerSInterval, rateMetric(phase))
	return out
}
