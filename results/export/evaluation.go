package export

import (
	"fmt"
	"io"
	"strings"

	"partita/results"
)

// listedChanges is how many changes of each sort a text lists; JSON has all.
const listedChanges = 6

// EvaluationText prints an evaluation for a terminal: the verdict first.
func EvaluationText(w io.Writer, v *results.Evaluation, on Screen) error {
	s := newScreen(on)
	l := good
	if !v.Feasible {
		l = bad
	}
	s.styled(l, "", evaluationVerdict(v))
	for _, p := range v.Problems {
		s.line("- ", problemLine(&p))
	}
	s.b.WriteByte('\n')
	s.line("given     ", v.Given+" ("+v.Source+")")
	s.readings(v)
	if v.Phase != nil {
		s.line("strategy  ", strategyLine(v.Phase)+" ("+string(v.Phase.Phase)+")")
		s.line("          ", loadLine(v.Phase))
	}
	s.line("GPUs      ", neededLine(v))
	for i, m := range v.Mapping {
		s.line(tag("maps", i), m)
	}
	if v.Phase != nil {
		s.figures(v)
	}
	s.optimum(v)
	s.changes(v)
	s.engines(v)
	s.notes(v)
	_, err := io.WriteString(w, s.b.String())
	return err
}

func evaluationVerdict(v *results.Evaluation) string {
	if v.Feasible {
		line := "Feasible: it maps onto the GPUs, fits and meets every requirement"
		if len(v.Requirements) == 0 {
			line = "Feasible: it maps onto the GPUs and fits; no requirement is stated"
		}
		if g := v.OptimumGapPercent; g != nil {
			line += "; " + gapWords(*g, v.GapIn, theOptimum)
		}
		return line + "."
	}
	n := len(v.Problems)
	line := "Not feasible: " + plural(n, "problem") + "."
	if v.Phase != nil {
		line += " Its figures below are what it would reach otherwise."
	} else {
		line += " It cannot be priced as it stands."
	}
	return line
}

// gapWords says how far a strategy is from another: the proved optimum, or the best
// plan that was found.
func gapWords(percentGap float64, in, other string) string {
	switch {
	case percentGap < 0:
		return fmt.Sprintf("%s better than %s of the space that is searched, outside of which it lies", percent(-percentGap), other)
	case percentGap == 0:
		return "as good as " + other
	case in == "GPUs":
		return fmt.Sprintf("%s more GPUs than %s", percent(percentGap), other)
	case in == "USD/h":
		return fmt.Sprintf("%s dearer than %s", percent(percentGap), other)
	}
	return fmt.Sprintf("%s worse than %s", percent(percentGap), other)
}

const theOptimum = "the proved optimum"

func problemLine(p *results.Problem) string {
	line := p.Where + ": " + p.Sentence
	if p.Where == "" {
		line = p.Sentence
	}
	if p.ShortBy == nil {
		return line
	}
	unit := p.Unit
	if first, rest, _ := strings.Cut(unit, " "); *p.ShortBy == 1 {
		unit = strings.TrimSpace(strings.TrimSuffix(first, "s") + " " + rest)
	}
	by := figure(*p.ShortBy) + " " + unit
	switch p.Unit {
	case "s":
		by = duration(*p.ShortBy*1e3) + " too long"
	case "USD/h":
		by += " too much"
	case "GPUs idle", "layers missing", "layers too many":
	case "sequences", "micro-batches", "decode groups":
		by += " too few"
	default:
		by += " short"
	}
	return line + " [" + by + "]"
}

// readings lists the ways to read the degrees where there are several; those that
// cannot be are told together.
func (s *screen) readings(v *results.Evaluation) {
	if len(v.Readings) < 2 {
		return
	}
	lines, not, why := 0, 0, ""
	for _, r := range v.Readings {
		if !r.Possible && !r.Evaluated {
			if not++; not == 1 {
				why = fmt.Sprintf("%s (%s): %s", r.How, r.Strategy, r.Why)
			}
			continue
		}
		text := fmt.Sprintf("%s: %s, %s", r.How, r.Strategy, plural(r.GPUs, "GPU"))
		if r.Evaluated {
			text += " – evaluated here"
		}
		if lines++; lines <= listedReadings {
			s.line(tag("readings", lines-1), text)
		}
	}
	if lines > listedReadings {
		s.line(tag("", 0), fmt.Sprintf("… and %d more (--json has them all)", lines-listedReadings))
	}
	if n := v.GPUsGiven; n != nil && *n != v.GPUsNeeded && lines > 0 {
		s.line(tag("", 0), fmt.Sprintf("none takes the %s given", plural(*n, "GPU")))
	}
	switch {
	case not == 1:
		s.line(tag("", 0), "not possible: "+why)
	case not > 1:
		s.line(tag("", 0), fmt.Sprintf("not possible: %s; and %d more", why, not-1))
	}
}

// listedReadings is how many readings a text lists.
const listedReadings = 4

func neededLine(v *results.Evaluation) string {
	line := plural(v.GPUsNeeded, "GPU") + " needed"
	if v.GPUsGiven == nil {
		return line + ", the number is not limited"
	}
	return line + fmt.Sprintf(", %s given", count(*v.GPUsGiven))
}

// figures prints metrics, requirements, memory and utilisation.
func (s *screen) figures(v *results.Evaluation) {
	ph := v.Phase
	s.table([]string{"metric", "predicted#", "interval#~"}, metricRows(ph))
	rows := requirementRows(ph)
	for i := range rows {
		rows[i] = append(rows[i][:5], rows[i][6])
	}
	s.table([]string{"requirement", "want#", "got#", "!", "margin#", "kept#~"}, rows)
	if ofTraining(ph) {
		s.rankTable(ph)
		return
	}
	s.stages(v)
}

// stages prints what each stage holds and uses, alike neighbours in one row.
func (s *screen) stages(v *results.Evaluation) {
	var rows [][]string
	several := false
	for i := 0; i < len(v.Stages); {
		j := i + 1
		for j < len(v.Stages) && alikeStages(&v.Stages[i], &v.Stages[j]) {
			j++
		}
		rows = append(rows, stageRow(v, i, j))
		several = several || v.Stages[i].Pool != v.Stages[0].Pool
		i = j
	}
	if !several {
		for _, r := range rows {
			r[2] = ""
		}
	}
	if len(rows) > 1 {
		u := &v.Utilisation
		rows = append(rows, []string{"all", "", "", "", "", shareText(u.Memory), shareText(u.Compute), shareText(u.Bandwidth), shareText(u.Network), shareText(u.Busy)})
	}
	s.table([]string{"stage", "layers", "on", "time#", "GiB#", "full#", "compute#", "mem bw#", "links#", "busy#"}, rows)
	s.line("", "GiB and full: of a GPU. Of a step: compute and memory bandwidth at their peaks, links taken, GPU not waiting")
}

func stageRow(v *results.Evaluation, i, j int) []string {
	a, b := &v.Stages[i], &v.Stages[j-1]
	name, layers := count(a.Index), fmt.Sprintf("%d–%d", a.FirstLayer, b.LastLayer)
	if j-i > 1 {
		name = fmt.Sprintf("%d–%d", a.Index, b.Index)
		layers = fmt.Sprintf("%d each", a.LastLayer-a.FirstLayer+1)
	}
	u := &a.Utilisation
	full := fmt.Sprintf("%.0f %%", 100*a.MemoryGiB/a.CapacityGiB)
	return []string{name, layers, a.Pool, duration(a.TimeMS), fmt.Sprintf("%.1f", a.MemoryGiB), full,
		shareText(u.Compute), shareText(u.Bandwidth), shareText(u.Network), shareText(u.Busy)}
}

// alikeStages: what a row of the table would say is the same but for the layers.
func alikeStages(a, b *results.EvaluatedStage) bool {
	return a.Pool == b.Pool && a.TP == b.TP && a.EP == b.EP && a.LastLayer-a.FirstLayer == b.LastLayer-b.FirstLayer &&
		duration(a.TimeMS) == duration(b.TimeMS) && figure(a.MemoryGiB) == figure(b.MemoryGiB)
}

func shareText(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100**v)
}

// optimum says what the strategy was held against.
func (s *screen) optimum(v *results.Evaluation) {
	o := v.Optimum
	if o == nil {
		return
	}
	s.b.WriteByte('\n')
	switch {
	case o.Strategy == "" && o.Status == results.StatusInfeasible:
		s.line("optimum   ", "none: no plan exists for this condition")
	case o.Strategy == "":
		s.line("optimum   ", "none was found in the time given")
	case o.Status == results.StatusInfeasible:
		s.line("optimum   ", "proved: no plan meets the condition; the closest is "+o.Strategy+" on "+plural(o.GPUs, "GPU"))
	default:
		word := "proved"
		if o.Status != results.StatusOptimal {
			word = "the best found in time, not proved"
		}
		s.line("optimum   ", fmt.Sprintf("%s on %s, %s%s", o.Strategy, plural(o.GPUs, "GPU"), word, briefMetrics(&o.Metrics)))
	}
	if g := o.GapPercent; g != nil {
		other := theOptimum
		if o.Status != results.StatusOptimal {
			other = "that plan"
		}
		s.line("          ", "the given strategy: "+gapWords(*g, v.GapIn, other))
	}
	if same := v.SameGPUs; same != nil {
		line := fmt.Sprintf("on the same %s: %s%s", plural(same.GPUs, "GPU"), same.Strategy, briefMetrics(&same.Metrics))
		if same.GapPercent != nil {
			line += "; the given strategy: " + gapWords(*same.GapPercent, "", "it")
		}
		s.line("          ", line)
	}
	for _, text := range v.OutsideSearch {
		s.line("          ", "outside what is searched: "+text)
	}
}

// briefMetrics is TTFT, TPOT and throughput behind a strategy.
func briefMetrics(m *results.Metrics) string {
	var out []string
	if m.TTFTMS != nil {
		out = append(out, "TTFT "+duration(*m.TTFTMS))
	}
	if m.TPOTMS != nil {
		out = append(out, "TPOT "+duration(*m.TPOTMS))
	}
	if m.StepMS != nil && m.MFU != nil {
		out = append(out, "step "+duration(*m.StepMS))
	}
	if m.TokensPerS != nil {
		out = append(out, figure(*m.TokensPerS)+" tokens/s")
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}
