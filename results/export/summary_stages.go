package export

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/results"
)

// Limits of what the summary shows of a plan; report.md has more, plan.json everything.
const (
	summaryClasses = 2  // unlike replicas
	summaryRows    = 8  // rows of stages, all classes together
	summaryBar     = 5  // characters of a bar
	summaryHosts   = 34 // letters of a list of GPUs
)

// stageTable shows each unlike replica once, stages that are alike in one row.
func (s *screen) stageTable(ph *results.PhasePlan) {
	if len(ph.Stages) == 0 {
		return
	}
	classes := replicaClasses(ph)
	var rows [][]string
	left := 0
	several, unlike, kinds := len(classes) > 1, false, false
	first := &ph.Stages[0]
	for i := range ph.Stages {
		unlike = unlike || split(&ph.Stages[i]) != split(first)
		kinds = kinds || ph.Stages[i].Pool != first.Pool
	}
	for k, c := range classes {
		for i := 0; i < len(c.stages); {
			j := i + 1
			for j < len(c.stages) && sameRow(c.stages[i], c.stages[j]) {
				j++
			}
			if k < summaryClasses && len(rows) < summaryRows {
				rows = append(rows, summaryRow(c, i, j, several, kinds, unlike))
			} else {
				left += (j - i) * len(c.replicas)
			}
			i = j
		}
	}
	header := []string{"replica", "stage", pieces(ph) + "s#", "pool", "split", "GPUs!", "time#", "memory of a GPU!"}
	if !s.fits(header, rows) { // without the degrees, which the strategy's line has
		for _, r := range rows {
			r[4] = ""
		}
	}
	if !s.fits(header, rows) { // without the bars
		for _, r := range rows {
			_, r[7], _ = strings.Cut(r[7], " ")
		}
	}
	if !s.fits(header, rows) {
		header[7] = "GiB of a GPU!"
		for _, r := range rows {
			r[7] = strings.TrimSuffix(r[7], " GiB")
		}
	}
	s.table(header, rows)
	if left > 0 {
		s.styled(soft, " ", fmt.Sprintf("… and %s more in report.md", plural(left, "stage")))
	}
	if n := len(classes[0].replicas); n > 1 && !several {
		s.styled(soft, " ", fmt.Sprintf("%s are alike; the GPUs are those of replica %d", plural(n, "replica"), classes[0].replicas[0]))
	} else if several {
		s.styled(soft, " ", "the GPUs are those of the first replica of a row")
	}
}

// summaryRow is the stages i up to j of a class, which are alike.
func summaryRow(c replicaClass, i, j int, several, kinds, unlike bool) []string {
	a, b := c.stages[i], c.stages[j-1]
	row := []string{"", count(a.Index), fmt.Sprintf("%d–%d", a.FirstLayer, b.LastLayer), "", "", "", duration(a.TimeMS), memoryCell(a)}
	if a.Nodes != nil {
		row[2] = count(len(a.Nodes))
	}
	if several && i == 0 {
		row[0] = runs(c.replicas)
	}
	if j-i > 1 {
		row[1] = fmt.Sprintf("%d–%d", a.Index, b.Index)
		if a.Sequences == 0 { // else they hold the same layers
			row[2] = fmt.Sprintf("%d each", a.LastLayer-a.FirstLayer+1)
		}
	}
	if kinds {
		row[3] = a.Pool
	}
	if unlike {
		row[4] = split(a)
	}
	var ids []string
	for _, s := range c.stages[i:j] {
		ids = append(ids, s.GPUs...)
	}
	row[5] = gpusOnHosts(ids)
	return row
}

// sameRow: what a row of the summary would say is the same but for layers and GPUs.
func sameRow(a, b *results.Stage) bool {
	if a.Sequences != b.Sequences || a.Sequences > 0 && a.FirstLayer != b.FirstLayer {
		return false
	}
	return a.Pool == b.Pool && split(a) == split(b) && len(a.GPUs) == len(b.GPUs) && a.LastLayer-a.FirstLayer == b.LastLayer-b.FirstLayer &&
		duration(a.TimeMS) == duration(b.TimeMS) && memoryCell(a) == memoryCell(b)
}

// memoryCell is what a GPU of a stage holds of what it may hold, as a bar and in figures.
func memoryCell(s *results.Stage) string {
	holds := fmt.Sprintf("%.1f of %.4g GiB", s.MemoryGiB, s.CapacityGiB)
	return bar(s.MemoryGiB/s.CapacityGiB, summaryBar) + " " + holds
}

// bar draws a share of a whole. What is not empty shows a mark, what is not full a gap.
func bar(share float64, width int) string {
	if math.IsNaN(share) || share < 0 {
		share = 0
	}
	n := int(math.Round(min(share, 1) * float64(width)))
	if share > 0 {
		n = max(n, 1)
	}
	if share < 1 {
		n = min(n, width-1)
	}
	return strings.Repeat("█", n) + strings.Repeat("░", width-n)
}

// gpusOnHosts is a list of GPU ids made short: the GPUs of each host as a range, hosts
// that count up and hold the same GPUs together ("node-0…3/gpu-0…7"). What is beyond
// summaryHosts letters is counted.
func gpusOnHosts(ids []string) string {
	type group struct {
		hosts []string
		gpus  []string
	}
	var groups []group
	for _, id := range ids {
		host, gpu := "", id
		if cut := strings.LastIndexByte(id, '/'); cut >= 0 {
			host, gpu = id[:cut], id[cut+1:]
		}
		if n := len(groups); n > 0 && groups[n-1].hosts[0] == host {
			groups[n-1].gpus = append(groups[n-1].gpus, gpu)
			continue
		}
		groups = append(groups, group{[]string{host}, []string{gpu}})
	}
	var merged []group
	for _, g := range groups {
		if n := len(merged); n > 0 && slices.Equal(merged[n-1].gpus, g.gpus) {
			last := &merged[n-1]
			if next := append(slices.Clone(last.hosts), g.hosts[0]); !strings.Contains(gpuRange(next), ", ") {
				last.hosts = next
				continue
			}
		}
		merged = append(merged, g)
	}
	line, shown := "", 0
	for _, g := range merged {
		part := gpuRange(g.gpus)
		if g.hosts[0] != "" {
			part = gpuRange(g.hosts) + "/" + part
		}
		if shown > 0 && len([]rune(line))+len([]rune(part)) > summaryHosts {
			return fmt.Sprintf("%s and %d more", line, len(ids)-shown)
		}
		if shown > 0 {
			line += ", "
		}
		line += part
		shown += len(g.hosts) * len(g.gpus)
	}
	return line
}
