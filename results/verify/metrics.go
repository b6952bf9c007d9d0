package verify

import (
	"fmt"
	"math"

	"partita/inputs"
)

// figures are the recomputed metrics, in seconds, tokens/s and US dollars; NaN
// where a metric does not apply to the phase.
type figures struct {
	ttft, tpot, e2e, round     float64
	kernel                     float64 // of TTFT, in mixed serving
	tokens, output, samples    float64
	step                       float64 // of training
	tokensPerGPU, outputPerGPU float64
	usdPerHour, usdPerMillion  float64
	kvTokens                   int64
}

// metrics is (C4) to (C7). The replica that is slowest decides: its sequences
// arrive with the others.
func (a *audit) metrics(prices [][]stagePrice, q sequences) figures {
	w := &a.cond.Workload
	in, out := float64(w.Input.Mid()), float64(w.Output.Mid())
	batch, none := float64(w.Batch), math.NaN()
	f := figures{ttft: none, tpot: none, e2e: none, output: none, usdPerHour: none, usdPerMillion: none, samples: none, kernel: none}
	var ttft, round, info, kernel float64
	f.kvTokens = math.MaxInt64
	for _, replica := range prices {
		l := fold(replica)
		if a.lanes() {
			l.sum0 = a.longestWay(func(i int) float64 { return replica[i].prefill })
			l.sum1 = a.longestWay(func(i int) float64 { return replica[i].rate })
			l.kernel = a.longestWay(func(i int) float64 { return replica[i].kernel })
		}
		f.kvTokens = min(f.kvTokens, l.kvTokens)
		turns := 1 // mixed: requests come as others end
		if w.Phase == inputs.Prefill {
			turns = q.m0 // all at once
		}
		ttft = max(ttft, l.sum0+float64(turns-1)*l.peak0)
		if w.Phase == inputs.Prefill {
			round = max(round, float64(q.m0)*l.peak1)
			if apart(a.cond) {
				round = max(round, l.sum1) // prompts leave before others come
			}
		} else {
			round = max(round, l.sum1, float64(q.m1)*l.peak1)
		}
		info = max(info, l.decode)
		kernel = max(kernel, l.kernel)
	}
	f.round = round
	switch w.Phase {
	case inputs.Prefill:
		f.ttft, f.tpot, f.e2e = ttft, info, ttft
		f.tokens = batch * in / round
	case inputs.Decode:
		f.tpot, f.e2e = round, out*round
		f.output = batch / round
		f.tokens = f.output
	default:
		f.ttft, f.tpot, f.kernel = ttft, round, kernel
		f.e2e = ttft + (out-1)*round
		f.output = batch / round
		f.tokens = f.output * (in + out) / out
	}
	used := float64(a.used)
	f.tokensPerGPU, f.outputPerGPU = f.tokens/used, f.output/used
	if usd, known := a.price1h(); known {
		f.usdPerHour = usd
		f.usdPerMillion = usd / (f.tokens * 3600) * 1e6
	}
	return f
}

// price1h is the price of all GPUs used, US dollars an hour; false where the price
// of one of them is not known.
func (a *audit) price1h() (float64, bool) {
	var usd float64
	for k, n := range a.usedOf {
		price := a.cond.Cluster.Pools[k].USDPerHour
		if n > 0 && price <= 0 {
			return 0, false
		}
		usd += float64(n) * price
	}
	return usd, true
}

// checkMetrics compares each metric of the plan with the recomputed one. A metric
// that applies to the phase must be there; one that does not must not. Decode
// figures of prefill alone, the parts of TTFT and costs are for information and may be left
// out. What
// intervals and shares of kept requirements rest on is no figure of the plan, and is not checked.
func (a *audit) checkMetrics(f figures) {
	m := &a.phase.Metrics
	decodes := a.decodes()
	for _, metric := range []struct {
		name     string
		want     float64
		got      *float64
		required bool
		interval *[2]float64
	}{
		{"ttft_ms", f.ttft * 1e3, m.TTFTMS, a.prefills(), m.TTFTInterval},
		{"ttft_kernel_ms", f.kernel * 1e3, m.TTFTKernelMS, false, nil},
		{"ttft_queue_ms", (f.ttft - f.kernel) * 1e3, m.TTFTQueueMS, false, nil},
		{"tpot_ms", f.tpot * 1e3, m.TPOTMS, decodes, m.TPOTInterval},
		{"tokens_per_s", f.tokens, m.TokensPerS, true, m.TokensPerSInterval},
		{"tokens_per_s_per_gpu", f.tokensPerGPU, m.TokensPerSPerGPU, true, nil},
		{"output_tokens_per_s", f.output, m.OutputTokensPerS, decodes, nil},
		{"e2e_ms", f.e2e * 1e3, m.E2EMS, decodes, m.E2EInterval},
		{"step_ms", f.round * 1e3, m.StepMS, false, nil},
		{"samples_per_s", f.samples, m.SamplesPerS, false, nil},
		{"sample_latency_ms", math.NaN(), m.SampleLatencyMS, false, nil},
		{"usd_per_hour", f.usdPerHour, m.USDPerHour, false, nil},
		{"usd_per_million_tokens", f.usdPerMillion, m.USDPerMillion, false, nil},
	} {
		a.checkMetric(metric.name, metric.want, metric.got, metric.required, metric.interval)
	}
	if m.KVTokens != nil {
		a.list.compare(ruleMetric("kv_capacity_tokens"), fmt.Sprint(f.kvTokens), fmt.Sprint(*m.KVTokens))
	}
}

func (a *audit) checkMetric(name string, want float64, got *float64, required bool, interval *[2]float64) {
	rule := ruleMetric(name)
	applies := !math.IsNaN(want)
	switch {
	case got == nil && applies && required:
		a.list.add(rule, false, number(want), "absent")
	case got == nil:
		// Left out where it may be: nothing was claimed.
	case !applies:
		a.list.add(rule, false, "absent: it does not apply or a price is not known", number(*got))
	default:
		w, g := pair(want, *got)
		ok := equal(want, *got)
		if interval != nil && !(interval[0] <= *got && *got <= interval[1]) {
			ok = false
			g += fmt.Sprintf(" outside its own interval %s … %s", number(interval[0]), number(interval[1]))
		}
		a.list.add(rule, ok, w, g)
	}
}
