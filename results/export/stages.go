package export

import (
	"fmt"
	"math"
	"strings"

	"partita/results"
)

// Limits of what report.md lists; plan.json has everything.
const (
	listedReplicas = 16 // replicas whose GPUs are listed
	listedBars     = 32 // stages whose memory is drawn
	barWidth       = 40 // characters of a memory bar
)

// reportStages shows each unlike replica once, where its GPUs are, how even the
// load is and what fills the memory.
func reportStages(d *document, ph *results.PhasePlan) {
	classes := replicaClasses(ph)
	d.heading(3, "Stages")
	for _, c := range classes {
		if n := len(c.replicas); n > 1 {
			d.paragraph(fmt.Sprintf("%s are alike (%s); replica %d is shown.", plural(n, "replica"), runs(c.replicas), c.replicas[0]))
		} else if len(classes) > 1 {
			d.paragraph(fmt.Sprintf("Replica %d.", c.replicas[0]))
		}
		d.table(stageTableOf(ph, c.stages))
	}
	reportPlacement(d, ph)
	reportRoutes(d, ph)

	d.heading(3, "Balance and memory")
	d.bullets(balanceLines(&ph.Balance))
	var lines []string
	uses := usesOf(ph)
	for _, c := range classes {
		for _, s := range c.stages {
			if len(lines) < listedBars {
				if s.Chunk != nil && *s.Chunk > 0 {
					continue // the GPUs are drawn with the first stage of their rank
				}
				lines = append(lines, memoryBar(s, uses))
			}
		}
	}
	if len(lines) > 0 {
		key := ""
		for _, u := range uses {
			key += u.letter + " " + u.name + "  "
		}
		lines = append(lines, key+". free")
	}
	d.block(lines)
}

// balanceLines say how even time and memory are.
func balanceLines(b *results.Balance) []string {
	time := fmt.Sprintf("time: the slowest stage takes %s times the mean of all GPUs, the fastest %s of the slowest", figure(b.TimeMaxOverMean), percent(100*b.TimeMinOverMax))
	if b.Floor > 0 {
		time += fmt.Sprintf(" (at least %s asked for)", percent(100*b.Floor))
	}
	return []string{
		time,
		fmt.Sprintf("memory: the fullest GPU holds %s times the mean", figure(b.MemoryMaxOverMean)),
	}
}

var stageHeader = []string{"stage#", "layers#", "pool", "GPUs", "split", "time#", "prefill#", "memory of a GPU#"}

func stageRows(stages []*results.Stage) [][]string {
	rows := make([][]string, len(stages))
	for i, s := range stages {
		rows[i] = []string{
			fmt.Sprint(s.Index), fmt.Sprintf("%d–%d", s.FirstLayer, s.LastLayer), s.Pool, gpuRange(s.GPUs), split(s),
			duration(s.TimeMS), duration(s.PrefillMS),
			fmt.Sprintf("%s of %s", gibibytes(s.MemoryGiB), gibibytes(s.CapacityGiB)),
		}
	}
	return rows
}

// split names the degrees of a stage that are not 1.
func split(s *results.Stage) string {
	parts := []string{fmt.Sprintf("TP %d", s.TP)}
	for _, d := range []struct {
		name string
		v    int
	}{{"attention DP", s.DPAttention}, {"CP", s.CP}, {"EP", s.EP}} {
		if d.v != 1 {
			parts = append(parts, fmt.Sprintf("%s %d", d.name, d.v))
		}
	}
	if s.EP != 1 && s.ETP != 1 {
		parts = append(parts, fmt.Sprintf("expert TP %d", s.ETP))
	}
	return strings.Join(parts, " × ")
}

// reportPlacement lists the GPUs of the replicas that the stage tables do not show.
func reportPlacement(d *document, ph *results.PhasePlan) {
	var rows [][]string
	last, more := -1, 0
	for i := range ph.Stages {
		s := &ph.Stages[i]
		if s.Replica != last {
			last = s.Replica
			if len(rows) == listedReplicas {
				more++
			} else {
				rows = append(rows, []string{fmt.Sprint(s.Replica), ""})
			}
		}
		if more > 0 {
			continue
		}
		if s.Chunk != nil && *s.Chunk > 0 {
			continue // on the GPUs of its rank
		}
		cell := &rows[len(rows)-1][1]
		if *cell != "" {
			*cell += "; "
		}
		*cell += gpuRange(s.GPUs)
	}
	if len(rows) < 2 {
		return
	}
	d.heading(3, "GPUs by replica")
	d.table([]string{"replica#", "GPUs, stage by stage"}, rows)
	if more > 0 {
		d.paragraph(fmt.Sprintf("%s more in plan.json.", plural(more, "replica")))
	}
}

// memoryBar draws what fills one GPU of a stage. Each use gets its share of the
// capacity, rounded so that the parts add up to the rounded sum.
func memoryBar(s *results.Stage, uses []use) string {
	label := fmt.Sprintf("replica %d stage %d", s.Replica, s.Index)
	if s.Rank != nil {
		label = fmt.Sprintf("replica %d rank %d", s.Replica, *s.Rank)
	}
	if !(s.CapacityGiB > 0) {
		return label + "  no capacity"
	}
	var bar strings.Builder
	var sum float64
	for _, use := range uses {
		sum += max(use.of(&s.Memory), 0)
		share := min(sum/s.CapacityGiB, 1)
		if math.IsNaN(share) {
			continue
		}
		end := int(math.Round(share * barWidth))
		bar.WriteString(strings.Repeat(use.letter, max(end-bar.Len(), 0)))
	}
	bar.WriteString(strings.Repeat(".", barWidth-bar.Len()))
	return fmt.Sprintf("%-22s |%s| %5s %% of %s", label, bar.String(), figure(math.Round(1000*s.MemoryGiB/s.CapacityGiB)/10), gibibytes(s.CapacityGiB))
}
