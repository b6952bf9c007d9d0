package export

import (
	"fmt"
	"math"

	"partita/inputs"
	"partita/results"
)

// drawnRows is how many stages have bars of time and memory.
const drawnRows = 64

// htmlLoad shows how even time and memory are, stage by stage of each unlike replica.
func htmlLoad(w *webpage, p *results.Plan, ph *results.PhasePlan) {
	classes := replicaClasses(ph)
	stages, rows := unlike(classes)
	w.heading(3, "Balance and memory")
	w.bullets(balanceLines(&ph.Balance))
	htmlMemory(w, p, ph, stages, rows)
	if len(stages) < 2 {
		return // the table of stages has its times: there is nothing to compare
	}
	w.part("pair", nil)
	for _, t := range timesOf(ph) {
		w.figure(t.title, t.about, nil, timeChart(stages, rows, t), func() {
			w.fold("The same in figures", func() {
				w.titled(t.title, []string{"stage", "pool", pieces(ph) + "s#", "time#", "of the slowest#"}, timeRows(stages, rows, t))
			})
		})
	}
	w.part("endpair", nil)
	if n := countStages(classes); n > len(stages) {
		w.paragraph(fmt.Sprintf("%s more in plan.json.", plural(n-len(stages), "stage")))
	}
}

// unlike are the stages of each unlike replica with the names of their rows.
func unlike(classes []replicaClass) (stages []*results.Stage, rows []string) {
	for _, c := range classes {
		for _, s := range c.stages {
			if len(stages) == drawnRows {
				return stages, rows
			}
			name := fmt.Sprintf("stage %d", s.Index)
			if len(classes) > 1 {
				name = fmt.Sprintf("replica %d, stage %d", s.Replica, s.Index)
			}
			stages, rows = append(stages, s), append(rows, name)
		}
	}
	return stages, rows
}

func countStages(classes []replicaClass) int {
	n := 0
	for _, c := range classes {
		n += len(c.stages)
	}
	return n
}

// htmlMemory shows what fills a GPU of each stage.
func htmlMemory(w *webpage, p *results.Plan, ph *results.PhasePlan, stages []*results.Stage, rows []string) {
	uses := usesOf(ph)
	key, header := []keyEntry{}, []string{"stage", "pool"}
	if ofTraining(ph) {
		header[0] = "rank"
	}
	for _, u := range uses {
		key, header = append(key, keyEntry{u.colour, u.name}), append(header, u.name+"#")
	}
	key = append(key, keyEntry{"free", "free"}, keyEntry{"limit", "limit: what a plan may fill"})
	w.figure("Memory of a GPU", memoryAbout(ph), key, memoryChart(p, uses, stages, rows), func() {
		w.fold("The same in figures", func() {
			w.titled("Memory of a GPU", append(header, "together#", "may fill#", "filled#"), memoryRows(uses, stages, rows))
		})
	})
}

func memoryAbout(ph *results.PhasePlan) string {
	return fmt.Sprintf("What fills each GPU of a stage, up to the memory it has. The fullest holds %s times the mean.", figure(ph.Balance.MemoryMaxOverMean))
}

// memoryChart draws what fills one GPU of each stage, its limit, and its whole memory.
func memoryChart(p *results.Plan, uses []use, stages []*results.Stage, rows []string) *bands {
	whole := map[string]float64{}
	if p.Deployment != nil {
		for _, pool := range p.Deployment.Cluster.Pools {
			whole[pool.Name] = float64(pool.MemoryBytes) / (1 << 30)
		}
	}
	c := newBands("GiB on each GPU", 0, 26)
	c.Rows = rows
	for i, s := range stages {
		end := max(whole[s.Pool], s.CapacityGiB, s.MemoryGiB)
		c.End = max(c.End, end)
		at := 0.0
		for _, u := range uses {
			gib := u.of(&s.Memory)
			if !(gib > 0) {
				continue
			}
			tip := fmt.Sprintf("%s: %s %s", rows[i], u.name, gibibytes(gib))
			c.Bars = append(c.Bars, band{Row: i, Rows: 1, From: at, To: at + gib, Colour: u.colour, Texts: []string{u.name + " " + gibibytes(gib), gibibytes(gib), figure(gib)}, Tip: tip})
			at += gib
		}
		if end > at {
			c.Bars = append(c.Bars, band{Row: i, Rows: 1, From: at, To: end, Colour: "free", Tip: fmt.Sprintf("%s: %s of %s are filled, a plan may fill %s", rows[i], gibibytes(s.MemoryGiB), gibibytes(end), gibibytes(s.CapacityGiB))})
		}
		c.Bars = append(c.Bars, band{Row: i, Rows: 1, From: s.CapacityGiB, To: s.CapacityGiB, Colour: "limit", Tip: fmt.Sprintf("%s: a plan may fill %s", rows[i], gibibytes(s.CapacityGiB))})
	}
	return c
}

func memoryRows(uses []use, stages []*results.Stage, names []string) [][]string {
	var out [][]string
	for i, s := range stages {
		row := []string{names[i], s.Pool}
		for _, u := range uses {
			row = append(row, gibibytes(u.of(&s.Memory)))
		}
		filled := ""
		if s.CapacityGiB > 0 {
			filled = percent(math.Round(1000*s.MemoryGiB/s.CapacityGiB) / 10)
		}
		out = append(out, append(row, gibibytes(s.MemoryGiB), gibibytes(s.CapacityGiB), filled))
	}
	return out
}

// stageTimes are the times of all stages in one kind of step.
type stageTimes struct {
	title, about string
	of           func(s *results.Stage) float64 // ms
	// floor is the least that a stage may take, in parts of the slowest; 0: no bound.
	floor float64
}

// timesOf are the kinds of step that a plan has times for: the one that its throughput
// hangs on, and the one of TTFT.
func timesOf(ph *results.PhasePlan) []stageTimes {
	rate := stageTimes{of: func(s *results.Stage) float64 { return s.TimeMS }, floor: ph.Balance.Floor}
	switch ph.Phase {
	case inputs.Prefill:
		rate.title = "Time of a micro-batch at the middle prompt length"
	case inputs.Inference, inputs.Training: // of operator graphs
		rate.title = "Load of a stage: work, sends and receives"
	case inputs.Decode:
		rate.title = "Time of a decode step of one group"
	default:
		rate.title = "Time of a step of one decode group, its share of prefill included"
	}
	b := &ph.Balance
	rate.about = fmt.Sprintf("The throughput hangs on it. The slowest stage takes %s times the mean of all GPUs, the fastest %s of the slowest",
		figure(b.TimeMaxOverMean), percent(100*b.TimeMinOverMax))
	if b.Floor > 0 {
		rate.about += "; the line is the least that is asked for"
	}
	rate.about += "."
	list := []stageTimes{rate}
	if ph.Strategy.MicroBatches > 0 {
		title := "Time of a prefill micro-batch at the longest prompt"
		if ph.Phase == inputs.Mixed {
			title = "Time of a request to its first token, waiting included"
		}
		list = append(list, stageTimes{title: title, about: "The time to the first token hangs on it.",
			of: func(s *results.Stage) float64 { return s.PrefillMS }})
	}
	return list
}

func timeChart(stages []*results.Stage, rows []string, t stageTimes) *bands {
	c := newBands("ms", 0, 22)
	c.Rows, c.Beside = rows, true
	for i, s := range stages {
		ms := t.of(s)
		c.End = max(c.End, ms)
		c.Bars = append(c.Bars, band{Row: i, Rows: 1, From: 0, To: ms, Colour: "c0", Texts: []string{duration(ms)}, Tip: fmt.Sprintf("%s: %s, %s", rows[i], layerRange(s), duration(ms))})
	}
	if t.floor > 0 && len(stages) > 1 {
		c.Rules = append(c.Rules, ruler{t.floor * c.End, fmt.Sprintf("%s of the slowest", percent(100*t.floor))})
	}
	return c
}

func timeRows(stages []*results.Stage, names []string, t stageTimes) [][]string {
	slowest := 0.0
	for _, s := range stages {
		slowest = max(slowest, t.of(s))
	}
	var out [][]string
	for i, s := range stages {
		share := ""
		if slowest > 0 {
			share = percent(math.Round(1000*t.of(s)/slowest) / 10)
		}
		out = append(out, []string{names[i], s.Pool, fmt.Sprint(s.LastLayer - s.FirstLayer + 1), duration(t.of(s)), share})
	}
	return out
}
