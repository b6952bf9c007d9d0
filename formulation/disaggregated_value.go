package formulation

import (
	"math"
	"partita/formulation/poolsplit"
	"partita/inputs"
)

// figures that requirements and objectives speak of, from those of a pair.
type apartFigures struct {
	ttft, tpot, e2e float64 // seconds
	tokens, output  float64 // per second
}

func (d *disaggregation) figures(f *poolsplit.Figures) apartFigures {
	w := &d.c.Workload
	in, out := float64(w.Input.Mid()), float64(w.Output.Mid())
	rate := 1 / f.Period()
	return apartFigures{ttft: f.TTFT, tpot: f.TPOT, e2e: f.TTFT + (out-1)*f.TPOT, tokens: rate * (in + out), output: rate * out}
}

// miss is the share by which figures miss what is asked, by the requirement that is missed
// most; 0 where all are met.
func (d *disaggregation) miss(f *apartFigures, gpus int, hourly float64) float64 {
	most := 1.0
	for _, q := range d.c.Goal.Requirements {
		if r := d.ratio(q, f, gpus, hourly); r > most*(1+1e-12) {
			most = r
		}
	}
	return most - 1
}

// ratio is the figure that a requirement bounds against what it may be, the margin
// included; above 1 it is missed.
func (d *disaggregation) ratio(q inputs.Requirement, f *apartFigures, gpus int, hourly float64) float64 {
	keep := 1 - d.margin
	switch q.Kind {
	case inputs.TTFT:
		return f.ttft / (q.Value * keep)
	case inputs.TPOT:
		return f.tpot / (q.Value * keep)
	case inputs.EndToEnd:
		return f.e2e / (q.Value * keep)
	case inputs.CostUSDPerHour:
		return hourly / q.Value
	case inputs.TokensPerSecond:
		return q.Value / (f.tokens * keep)
	case inputs.TokensPerSGPU:
		return q.Value * float64(gpus) / (f.tokens * keep)
	case inputs.OutputPerSecond:
		return q.Value / (f.output * keep)
	case inputs.OutputPerSGPU:
		return q.Value * float64(gpus) / (f.output * keep)
	}
	return math.Inf(1) // of another workload: never met
}

// perToken is c: seconds a token of the deployment, or of each GPU where their number is ours.
func (d *disaggregation) perToken(f *apartFigures, gpus int) float64 {
	if d.perGPU {
		return float64(gpus) / f.tokens
	}
	return 1 / f.tokens
}

// aim is what a search minimises once the requirements are met, or missed by no more than
// a share.
type aim struct {
	purpose string
	norms   [2]float64
	missed  float64 // share that is forgiven
	strict  bool    // what misses more does not count
}

// value makes the value of pairs of a level.
func (l *apartLevel) value(a aim) func(int, poolsplit.Figures) poolsplit.Value {
	wl, wc := weightsOf(l.c)
	return func(pair int, f poolsplit.Figures) poolsplit.Value {
		split := l.splits[l.of[pair]]
		x := l.figures(&f)
		miss := l.miss(&x, split.used(), l.hourly(split))
		if miss <= a.missed*(1+1e-9) {
			miss = 0
		} else if a.strict {
			return poolsplit.Worst
		}
		c := l.perToken(&x, split.used())
		switch a.purpose {
		case forLatency:
			return poolsplit.Value{miss, x.e2e, c}
		case forThroughput:
			return poolsplit.Value{miss, c, x.e2e}
		}
		return poolsplit.Value{miss, wl*x.e2e/a.norms[0] + wc*c/a.norms[1], x.e2e}
	}
}
