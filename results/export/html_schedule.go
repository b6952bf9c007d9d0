package export

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"partita/results"
)

// drawnEnds is how many passes are drawn of the begin of a step, and of its end, where it has
// more than drawnSteps.
const drawnEnds = 600

// htmlSchedule shows how micro-batches go through the ranks of a training step: by the stage
// times of the plan, in the order of 1F1B.
func htmlSchedule(w *webpage, ph *results.PhasePlan) {
	st := &ph.Strategy
	w.heading(3, "Pipeline over time")
	if st.PP == 1 {
		w.paragraph(fmt.Sprintf("There is no pipeline: every replica is one rank, which takes its %s one after another.", plural(st.MicroBatches, "micro-batch")))
		return
	}
	passes := schedule(replicaClasses(ph)[0].stages, st.PP, st.VirtualStages, st.MicroBatches)
	if passes == nil {
		w.paragraph("The plan's micro-batches do not divide over its ranks: there is no schedule to draw.")
		return
	}
	slices.SortStableFunc(passes, func(a, b pass) int { return cmp.Or(cmp.Compare(a.From, b.From), a.Rank-b.Rank) })
	end := scheduleEnd(passes)
	w.paragraph(scheduleAbout(ph, end))
	if len(passes) <= drawnSteps {
		htmlPassesOver(w, ph, "A step", "All of it is drawn.", passes, 0, end)
		return
	}
	until := passes[drawnEnds].From
	first := slices.DeleteFunc(slices.Clone(passes), func(p pass) bool { return p.From >= until })
	htmlPassesOver(w, ph, "Begin of a step", fmt.Sprintf("The first %s of %s are drawn: the pipeline fills, and goes on with one pass of each kind in turn.", duration(until), duration(end)), first, 0, until)
	slices.SortStableFunc(passes, func(a, b pass) int { return cmp.Or(cmp.Compare(a.To, b.To), a.Rank-b.Rank) })
	from := passes[len(passes)-drawnEnds].To
	last := slices.DeleteFunc(passes, func(p pass) bool { return p.To <= from })
	htmlPassesOver(w, ph, "End of a step", fmt.Sprintf("What follows after %s is drawn: the pipeline drains. What lies between is left out.", duration(from)), last, from, end)
}

// stepBesides are what comes behind the pipeline in a step, in ms.
func stepBesides(m *results.Metrics) (exchange, optimizer float64) {
	return valueOr(m.SyncMS), valueOr(m.UpdateMS)
}

func valueOr(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// scheduleAbout says what the step takes by the metrics, and what the schedule comes to.
func scheduleAbout(ph *results.PhasePlan, end float64) string {
	st, m := &ph.Strategy, &ph.Metrics
	about := fmt.Sprintf("%s of %s pass through %s and back.", plural(st.MicroBatches, "micro-batch"), plural(st.MicroBatchSequences, "sequence"), plural(st.PP, "rank"))
	if st.VirtualStages > 1 {
		about = fmt.Sprintf("%s of %s pass through %s with %s each and back, round and round.", plural(st.MicroBatches, "micro-batch"), plural(st.MicroBatchSequences, "sequence"), plural(st.PP, "rank"), plural(st.VirtualStages, "stage"))
	}
	if m.StepMS == nil {
		return about
	}
	exchange, optimizer := stepBesides(m)
	about += fmt.Sprintf(" By the cost model the step takes %s, of which the slowest rank waits %s (the bubble); %s are exchange that nothing hides, %s the optimizer.",
		duration(*m.StepMS), percent(math.Round(1000*valueOr(m.BubbleShare))/10), duration(exchange), duration(optimizer))
	total := end + exchange + optimizer
	if off := total / *m.StepMS - 1; math.Abs(off) < 0.001 {
		about += " The schedule takes as long, pass by pass."
	} else {
		word := "longer"
		if off < 0 {
			word = "shorter"
		}
		about += fmt.Sprintf(" Pass by pass, with stages that are not alike, the schedule takes %s: %s %s than the formula.", duration(total), percent(math.Round(1000*math.Abs(off))/10), word)
	}
	return about + " Sends are part of the passes."
}

// passColour tells passes apart by direction, and those of every second stage of a rank.
func passColour(p pass, ranks int) string {
	odd := p.Stage/ranks%2 == 1
	switch {
	case p.Backward && odd:
		return "c7"
	case p.Backward:
		return "c1"
	case odd:
		return "c6"
	}
	return "c0"
}

// htmlPassesOver draws passes of the time between two instants; behind the end of the
// pipeline come exchange and optimizer.
func htmlPassesOver(w *webpage, ph *results.PhasePlan, title, about string, passes []pass, from, to float64) {
	st := &ph.Strategy
	key := []keyEntry{{"c0", "forward"}, {"c1", "backward"}}
	if st.VirtualStages > 1 {
		key = []keyEntry{{"c0", "forward"}, {"c6", "forward, every second stage of the rank"}, {"c1", "backward"}, {"c7", "backward, every second stage"}}
	}
	c := newBands("ms", to-from, pitchOf(st.PP))
	for r := range st.PP {
		c.Rows = append(c.Rows, fmt.Sprintf("rank %d", r))
	}
	c.Exact = true
	rows := make([][]string, len(passes))
	for i, p := range passes {
		name := "forward"
		if p.Backward {
			name = "backward"
		}
		c.Bars = append(c.Bars, band{Row: p.Rank, Rows: 1, From: max(p.From, from) - from, To: min(p.To, to) - from, Colour: passColour(p, st.PP), Texts: []string{fmt.Sprint(p.Micro)},
			Tip: fmt.Sprintf("micro-batch %d %s, stage %d on rank %d\n%s to %s", p.Micro, name, p.Stage, p.Rank, duration(p.From), duration(p.To))})
		rows[i] = []string{fmt.Sprint(p.Micro), name, fmt.Sprint(p.Stage), c.Rows[p.Rank], duration(p.From), duration(p.To)}
	}
	if from > 0 {
		about += " The axis counts from there."
	}
	exchange, optimizer := stepBesides(&ph.Metrics)
	if last := slices.ContainsFunc(passes, func(p pass) bool { return p.Backward && p.Stage == 0 && p.Micro == st.MicroBatches-1 }); last {
		for _, x := range []struct {
			name, colour string
			ms           float64
		}{{"exchange", "c3", exchange}, {"optimizer", "c2", optimizer}} {
			if x.ms > 0 {
				key = append(key, keyEntry{x.colour, x.name})
				c.Bars = append(c.Bars, band{Row: 0, Rows: st.PP, From: c.End, To: c.End + x.ms, Colour: x.colour, Texts: []string{x.name}, Tip: x.name + " " + duration(x.ms)})
				c.End += x.ms
			}
		}
	}
	w.figure(title, about, key, c, func() {
		w.fold("Begin and end of every pass", func() {
			w.titled(title, []string{"micro-batch#", "pass", "stage#", "rank", "begins#", "ends#"}, rows)
		})
	})
}
