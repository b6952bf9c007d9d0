package formulation

import (
	"fmt"
	"math"

	"partita/formulation/poolsplit"
	"partita/results"
)

// account is a search in the certificate: one line for each split of the GPUs.
func (l *apartLevel) account(a aim, r *poolsplit.Result) results.CertificatePass {
	out := results.CertificatePass{Purpose: a.purpose, Choices: []results.OuterChoice{}}
	lines := make([]results.OuterChoice, len(l.splits))
	value := func(v poolsplit.Value) *float64 {
		if math.IsInf(v[1], 0) || v[0] != 0 {
			return nil
		}
		return &v[1]
	}
	if r.Best != nil {
		out.Best = value(r.Best.Value)
	}
	told := map[string]int{} // splits with as many GPUs
	for _, s := range l.splits {
		told[fmt.Sprint(s.prefill, s.decode)]++
	}
	for i, s := range l.splits {
		lines[i] = results.OuterChoice{Case: l.splitText(s, told[fmt.Sprint(s.prefill, s.decode)] > 1), Outcome: "infeasible", Why: "no plan of one side, or no pair that meets the requirements"}
	}
	for pair, line := range r.Lines {
		o := &lines[l.of[pair]]
		o.Choices++
		if line.Best != nil {
			if v := value(line.Best.Value); v != nil && (o.Value == nil || *v < *o.Value) {
				o.Value = v
			}
		}
		if line.Outcome == poolsplit.Infeasible {
			out.Outer.Infeasible++
			continue
		}
		if v := value(line.Bound); v != nil && (o.Bound == nil || *v < *o.Bound) {
			o.Bound = v
		}
		best := r.Best != nil && r.Best.Pair == pair
		switch {
		case line.Outcome == poolsplit.Open:
			out.Outer.Open++
			o.Outcome, o.Why = "open", "time ran out"
		case best || line.Outcome == poolsplit.Settled:
			out.Outer.Solved++
			if best && o.Outcome != "open" {
				o.Outcome, o.Why = "solved", ""
			}
		default:
			out.Outer.Pruned++
		}
		if o.Outcome == "infeasible" {
			o.Outcome, o.Why = "pruned", "bounds of both sides, or the best of both on this split"
		}
	}
	for _, o := range lines {
		if o.Choices > 0 {
			out.Choices = append(out.Choices, o)
		}
	}
	return out
}

// splitText says a split: "prefill 4, decode 12 of h100"; with the hosts where there are
// several with as many GPUs: "prefill 4 on node-0, decode 12 on node-1 and node-2 of h100".
func (d *disaggregation) splitText(s gpuSplit, hosts bool) string {
	text := ""
	for k, p := range d.c.Cluster.Pools {
		if s.prefill[k]+s.decode[k] == 0 {
			continue
		}
		if text != "" {
			text += "; "
		}
		var on [2]string
		for i := range on {
			if hosts {
				on[i] = d.whereText(k, s.nodes[i][k])
			}
		}
		text += fmt.Sprintf("prefill %d%s, decode %d%s of %s", s.prefill[k], on[0], s.decode[k], on[1], p.Name)
	}
	return text
}
