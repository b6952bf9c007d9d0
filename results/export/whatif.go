package export

import (
	"fmt"

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
