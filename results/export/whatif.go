package export

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/results"
)

// whatIfRows are what other hardware would bring, a row a change: change, the best
// strategy then, its GPUs, by how much a request gets faster and tokens/s grow, and what to
// know of it. Plain texts.
func whatIfRows(p *results.Plan) [][]string {
	var rows [][]string
	for i := range p.WhatIf {
		w := &p.WhatIf[i]
		gpus := ""
		if w.GPUs > 0 {
			gpus = count(w.GPUs)
		}
		note := w.Why
		if note == "" && w.Status == results.StatusOptimal {
			note = "proved"
		}
		rows = append(rows, []string{w.Change, w.Strategy, gpus, signedPercent(w.LatencyGainPercent), signedPercent(w.ThroughputGainPercent), note})
	}
	return rows
}

// signedPercent is a gain for people; "" where there is none.
func signedPercent(gain *float64) string {
	if gain == nil {
		return ""
	}
	return fmt.Sprintf("%+.3g %%", *gain)
}

func reportWhatIf(d form, p *results.Plan) {
	if len(p.WhatIf) == 0 {
		return
	}
	d.heading(2, "What other hardware would bring")
	d.paragraph("Each line is the best plan of the same condition with one thing changed, every GPU used, held against this plan.")
	d.table([]string{"with", "best strategy", "GPUs#", "faster#", "more tokens/s#", ""}, whatIfRows(p))
}

// mostHelps is how many changes the summary names; report.md has all.
const mostHelps = 2

// helps are the changes of the hardware that bring most, in words: "one more node of 8 GPUs
// of h100: 18 % faster, 25 % more tokens/s".
func helps(p *results.Plan) []string {
	type gain struct {
		line string
		sum  float64
	}
	var list []gain
	for i := range p.WhatIf {
		w := &p.WhatIf[i]
		var parts []string
		sum := 0.0
		for _, x := range []struct {
			gain        *float64
			more, fewer string
		}{{w.LatencyGainPercent, "faster", "slower"}, {w.ThroughputGainPercent, "more tokens/s", "fewer tokens/s"}} {
			if x.gain == nil || math.Abs(*x.gain) < leastHelp {
				continue
			}
			sum += *x.gain
			word := x.more
			if *x.gain < 0 {
				word = x.fewer
			}
			parts = append(parts, fmt.Sprintf("%.2g %% %s", math.Abs(*x.gain), word))
		}
		if sum > 0 {
			list = append(list, gain{w.Change + ": " + strings.Join(parts, ", "), sum})
		}
	}
	slices.SortStableFunc(list, func(a, b gain) int { return cmp.Compare(b.sum, a.sum) })
	var lines []string
	for _, g := range list[:min(len(list), mostHelps)] {
		lines = append(lines, g.line)
	}
	return lines
}

// leastHelp is the gain in percent below which a change is not spoken of.
const leastHelp = 0.5
