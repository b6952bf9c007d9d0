package export

import (
	"fmt"
	"math"
	"slices"

	"partita/inputs"
	"partita/results"
)

// drawnSteps is how many steps of a pipeline are drawn and listed.
const drawnSteps = 1200

// step is the work of one stage on one micro-batch or decode group, in ms.
type step struct {
	Stage, Part int
	From, To    float64
}

// prefillSteps are the micro-batches of a prefill through stages that take so many ms
// each: a stage begins when it and the micro-batch are free. The last ends at the sum of
// the times and (m−1) times the longest (docs/cost-model.md, C4).
func prefillSteps(times []float64, m int) []step {
	free := make([]float64, len(times))
	steps := make([]step, 0, m*len(times))
	for part := range m {
		at := 0.0
		for s, t := range times {
			at = max(at, free[s])
			steps = append(steps, step{s, part, at, at + t})
			at += t
			free[s] = at
		}
	}
	return steps
}

// decodeSteps are the steps of m decode groups in the second of three rounds. They take
// turns on the stages, each group a share of the round after the one before: no two are
// on a stage at once, for a round is at least m times the longest time (C5). A group may
// still be under way when the next round begins.
func decodeSteps(times []float64, m int) (steps []step, round float64) {
	sum, peak := 0.0, 0.0
	for _, t := range times {
		sum, peak = sum+t, max(peak, t)
	}
	round = max(sum, float64(m)*peak)
	for part := range m {
		at := float64(part) * round / float64(m)
		for s, t := range times {
			steps = append(steps, step{s, part, at, at + t})
			at += t
		}
	}
	return steps, round
}

// inRounds are steps that come again every round, as far as they lie in the first rounds.
func inRounds(steps []step, round float64, rounds int) []step {
	end := round * float64(rounds)
	var out []step
	for turn := -1; turn < rounds; turn++ {
		for _, s := range steps {
			s.From, s.To = max(0, s.From+float64(turn)*round), min(end, s.To+float64(turn)*round)
			if s.To-s.From > 1e-9*round {
				out = append(out, s)
			}
		}
	}
	return out
}

// busy is the share of the time up to the end that the stages work.
func busy(times []float64, each int, end float64) float64 {
	sum := 0.0
	for _, t := range times {
		sum += t * float64(each)
	}
	return sum / (end * float64(len(times)))
}

// slowestReplica are the stages of the replica that the metrics are those of.
func slowestReplica(ph *results.PhasePlan) []*results.Stage {
	var slowest []*results.Stage
	most := math.Inf(-1)
	for _, c := range replicaClasses(ph) {
		worth := 0.0
		if ph.Strategy.MicroBatches > 0 {
			worth += makespan(timesIn(c.stages, prefillTime), prefillTurns(ph))
		}
		if ph.Strategy.DecodeGroups > 0 {
			_, round := decodeSteps(timesIn(c.stages, stepTime), ph.Strategy.DecodeGroups)
			worth += round
		}
		if ph.Phase == inputs.Prefill {
			worth += float64(ph.Strategy.MicroBatches) * slices.Max(timesIn(c.stages, stepTime))
		}
		if worth > most {
			slowest, most = c.stages, worth
		}
	}
	return slowest
}

func prefillTime(s *results.Stage) float64 { return s.PrefillMS }
func stepTime(s *results.Stage) float64    { return s.TimeMS }

func timesIn(stages []*results.Stage, of func(*results.Stage) float64) []float64 {
	times := make([]float64, len(stages))
	for i, s := range stages {
		times[i] = of(s)
	}
	return times
}

// prefillTurns is how many prefill steps a first token waits for: those of all micro-batches
// where prompts come at once, one where requests come as others end.
func prefillTurns(ph *results.PhasePlan) int {
	if ph.Phase == inputs.Mixed {
		return min(1, ph.Strategy.MicroBatches)
	}
	return ph.Strategy.MicroBatches
}

// makespan is the end of the last of m micro-batches.
func makespan(times []float64, m int) float64 {
	sum, peak := 0.0, 0.0
	for _, t := range times {
		sum, peak = sum+t, max(peak, t)
	}
	return sum + float64(m-1)*peak
}

// htmlPipeline shows how micro-batches and decode groups pass through the stages.
func htmlPipeline(w *webpage, ph *results.PhasePlan) {
	if ph.Lanes != nil {
		reportRoutes(w, ph)
		return
	}
	stages := slowestReplica(ph)
	if len(stages) == 0 {
		return
	}
	rows := make([]string, len(stages))
	for i, s := range stages {
		rows[i] = fmt.Sprintf("stage %d", s.Index)
	}
	w.heading(3, "Pipeline over time")
	if len(stages) == 1 && prefillTurns(ph) < 2 && ph.Strategy.DecodeGroups < 2 {
		w.paragraph("There is no pipeline: a replica is one stage, which takes all sequences at once.")
		return
	}
	w.paragraph("By the stage times of the cost model, sends between stages included. Real engines add scheduling and gaps, which the intervals of the metrics allow for.")
	if m := prefillTurns(ph); m > 0 {
		times := timesIn(stages, prefillTime)
		end := makespan(times, m)
		shown := max(1, min(m, drawnSteps/len(times)))
		about := fmt.Sprintf("%s of %s pass through %s; the last has its first token after %s. The stages work %s of that time.",
			plural(m, "micro-batch"), plural(ph.Strategy.MicroBatchSequences, "sequence"), plural(len(times), "stage"), duration(end), percent(math.Round(1000*busy(times, m, end))/10))
		what := "micro-batch"
		if ph.Phase == inputs.Mixed {
			what = "request"
			about = fmt.Sprintf("A request that comes while all others are in flight passes through %s: its prompt, what decodes along with it, and what it waits for. Its first token comes after %s.", plural(len(times), "stage"), duration(end))
		}
		if shown < m {
			about += fmt.Sprintf(" The first %s are drawn.", count(shown))
		}
		c := newBands("ms", makespan(times, shown), pitchOf(len(rows)))
		c.Rows, c.Exact = rows, true
		steps := prefillSteps(times, shown)
		c.Bars = stepBars(steps, what, rows)
		w.figure("Prefill", about, nil, c, func() { htmlSteps(w, "Prefill", what, steps, rows) })
	}
	if m := ph.Strategy.DecodeGroups; m > 0 && ph.Phase != inputs.Prefill {
		times := timesIn(stages, stepTime)
		steps, round := decodeSteps(times, m)
		about := fmt.Sprintf("%s of %s take turns; a round, in which each sequence gets a token, takes %s. The stages work %s of it. Two rounds out of many are drawn.",
			plural(m, "group"), plural(ph.Strategy.GroupSequences, "sequence"), duration(round), percent(math.Round(1000*busy(times, m, round))/10))
		if shown := max(1, min(m, drawnSteps/len(times))); shown < m {
			about += fmt.Sprintf(" Of the groups the first %s are drawn.", count(shown))
			steps = slices.DeleteFunc(steps, func(s step) bool { return s.Part >= shown })
		}
		c := newBands("ms", 2*round, pitchOf(len(rows)))
		c.Rows, c.Exact = rows, true
		c.Rules = []ruler{{round, "one round"}}
		c.Bars = stepBars(inRounds(steps, round, 2), "group", rows)
		w.figure("Decode round", about, nil, c, func() { htmlSteps(w, "Decode round", "group", steps, rows) })
	}
}

func pitchOf(rows int) int {
	if rows > 16 {
		return 18
	}
	return 26
}

func stepBars(steps []step, what string, rows []string) []band {
	bars := make([]band, len(steps))
	for i, s := range steps {
		bars[i] = band{Row: s.Stage, Rows: 1, From: s.From, To: s.To, Colour: colour(s.Part),
			Texts: []string{fmt.Sprintf("%s %d", what, s.Part), fmt.Sprint(s.Part)},
			Tip:   fmt.Sprintf("%s %d on %s\n%s to %s", what, s.Part, rows[s.Stage], duration(s.From), duration(s.To))}
	}
	return bars
}

func htmlSteps(w *webpage, title, what string, steps []step, rows []string) {
	w.fold("Begin and end of every step", func() {
		lines := make([][]string, len(steps))
		for i, s := range steps {
			lines[i] = []string{fmt.Sprint(s.Part), rows[s.Stage], duration(s.From), duration(s.To)}
		}
		w.titled(title, []string{what + "#", "stage", "begins#", "ends#"}, lines)
	})
}
