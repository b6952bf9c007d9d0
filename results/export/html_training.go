package export

import (
	"fmt"

	"partita/results"
)

// htmlRanks shows how even the ranks of a training step are, and what fills their memory.
func htmlRanks(w *webpage, p *results.Plan, ph *results.PhasePlan) {
	w.heading(3, "Balance and memory")
	w.bullets(balanceLines(&ph.Balance))
	ranks := ranksOf(replicaClasses(ph)[0].stages)
	more := max(0, len(ranks)-drawnRows)
	ranks = ranks[:len(ranks)-more]
	stages, rows := make([]*results.Stage, len(ranks)), make([]string, len(ranks))
	for i, r := range ranks {
		stages[i], rows[i] = r.first(), fmt.Sprintf("rank %d", r.index)
	}
	htmlMemory(w, p, ph, stages, rows)
	htmlPasses(w, ranks, rows)
	if more > 0 {
		w.paragraph(fmt.Sprintf("%s more in plan.json.", plural(more, "rank")))
	}
}

// passes are the parts of a rank's time.
var passes = []struct {
	colour, name string
	of           func(*rank) float64
}{
	{"c0", "forward", func(r *rank) float64 { return r.forward }},
	{"c1", "backward", func(r *rank) float64 { return r.backward }},
	{"c5", "sends", func(r *rank) float64 { return r.send }},
}

// htmlPasses shows what each rank does with a micro-batch: a step takes as many times the
// slowest as there are micro-batches.
func htmlPasses(w *webpage, ranks []*rank, rows []string) {
	c := newBands("ms", 0, 22)
	c.Rows, c.Beside = rows, true
	var key []keyEntry
	for _, x := range passes {
		key = append(key, keyEntry{x.colour, x.name})
	}
	lines := make([][]string, len(ranks))
	for i, r := range ranks {
		at := 0.0
		lines[i] = []string{rows[i], r.layers(), r.recompute()}
		for _, x := range passes {
			ms := x.of(r)
			lines[i] = append(lines[i], duration(ms))
			if ms > 0 {
				c.Bars = append(c.Bars, band{Row: i, Rows: 1, From: at, To: at + ms, Colour: x.colour, Texts: []string{x.name + " " + duration(ms), duration(ms)},
					Tip: fmt.Sprintf("%s: layers %s\n%s %s of %s", rows[i], r.layers(), x.name, duration(ms), duration(r.time()))})
			}
			at += ms
		}
		lines[i] = append(lines[i], duration(r.time()))
		c.End = max(c.End, at)
	}
	w.figure("Time of a micro-batch", "The slowest rank sets the pace of the step; backward passes include what is recomputed.", key, c, func() {
		w.fold("The same in figures", func() {
			w.titled("Time of a micro-batch", []string{"rank", "layers#", "recompute", "forward#", "backward#", "sends#", "together#"}, lines)
		})
	})
}
