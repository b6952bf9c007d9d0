package export

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
	"partita/results"
)

// A plan of an operator graph has nodes where others have layers, samples where others
// have tokens, and one GPU a stage.

// ofGraph reports whether a phase is of an operator graph.
func ofGraph(ph *results.PhasePlan) bool {
	return ph.Phase == inputs.Inference || ph.Phase == inputs.Training && !ofTraining(ph)
}

// pieces is what the stages of a plan hold: layers, or nodes.
func pieces(ph *results.PhasePlan) string {
	if ofGraph(ph) {
		return "node"
	}
	return "layer"
}

// samplesLine says how samples pass through the replicas of an operator graph.
func samplesLine(ph *results.PhasePlan) string {
	line := "samples pass through the stages one after another, each stage on one GPU"
	if ph.Strategy.Replicas > 1 {
		line += "; the replicas take turns"
	}
	return line
}

// loadLine says how the work is divided: sequences, or samples.
func loadLine(ph *results.PhasePlan) string {
	if ofGraph(ph) {
		return samplesLine(ph)
	}
	if ofTraining(ph) {
		return batchesLine(&ph.Strategy)
	}
	return sequencesLine(&ph.Strategy)
}

var graphStageHeader = []string{"stage#", "nodes#", "pool", "GPU", "load#", "work#", "sends and receives#", "memory of a GPU#"}

// stageTableOf is the table of stages with its header.
func stageTableOf(ph *results.PhasePlan, stages []*results.Stage) (header []string, rows [][]string) {
	switch {
	case ofTraining(ph):
		return rankHeader, rankRows(stages)
	case !ofGraph(ph):
		return stageHeader, stageRows(stages)
	}
	for _, s := range stages {
		rows = append(rows, []string{fmt.Sprint(s.Index), count(len(s.Nodes)), s.Pool, gpuRange(s.GPUs), duration(s.TimeMS), duration(s.WorkMS), duration(s.TransferMS),
			fmt.Sprintf("%s of %s", gibibytes(s.MemoryGiB), gibibytes(s.CapacityGiB))})
	}
	return graphStageHeader, rows
}

// namedNodes is how many nodes of a stage report.md names; plan.json has the ids of all.
const namedNodes = 24

// nodeTable lists the operators of the stages of a replica, by name where they have one.
func nodeTable(p *results.Plan, stages []*results.Stage) (header []string, rows [][]string) {
	names := map[int]string{}
	if p.Deployment != nil && p.Deployment.Model.Graph != nil {
		for _, n := range p.Deployment.Model.Graph.Nodes {
			names[n.ID] = n.Name
		}
	}
	for _, s := range stages {
		var list []string
		for _, id := range s.Nodes[:min(len(s.Nodes), namedNodes)] {
			if name := names[id]; name != "" {
				list = append(list, name)
			} else {
				list = append(list, fmt.Sprint(id))
			}
		}
		if more := len(s.Nodes) - len(list); more > 0 {
			list = append(list, fmt.Sprintf("and %s more in plan.json", count(more)))
		}
		rows = append(rows, []string{fmt.Sprint(s.Index), strings.Join(list, ", ")})
	}
	return []string{"stage#", "operators, in the order they run"}, rows
}

// reportNodes lists the operators of each stage.
func reportNodes(d form, r *results.Report) {
	if r.Plan == nil {
		return
	}
	for i := range r.Plan.Phases {
		ph := &r.Plan.Phases[i]
		if !ofGraph(ph) {
			continue
		}
		d.heading(2, "Operators by stage")
		d.table(nodeTable(r.Plan, replicaClasses(ph)[0].stages))
	}
}

// drawnSamples is how many samples of a pipeline are drawn.
const drawnSamples = 8

// htmlSamples shows how samples pass through the stages of an operator graph. A backward
// pass goes through them twice, which one bar a stage does not show.
func htmlSamples(w *webpage, ph *results.PhasePlan) {
	stages := replicaClasses(ph)[0].stages
	if len(stages) < 2 || ph.Phase == inputs.Training {
		return
	}
	times := timesIn(stages, stepTime)
	rows := make([]string, len(stages))
	for i, s := range stages {
		rows[i] = fmt.Sprintf("stage %d", s.Index)
	}
	m := max(1, min(drawnSamples, drawnSteps/len(times)))
	w.heading(3, "Pipeline over time")
	c := newBands("ms", makespan(times, m), pitchOf(len(rows)))
	c.Rows, c.Exact = rows, true
	steps := prefillSteps(times, m)
	c.Bars = stepBars(steps, "sample", rows)
	w.figure("Samples through a replica", fmt.Sprintf("The first %s through the stages, one after another; then one passes every %s.", plural(m, "sample"), duration(slices.Max(times))), nil, c,
		func() { htmlSteps(w, "Samples", "sample", steps, rows) })
}
