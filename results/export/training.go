package export

import (
	"fmt"
	"strings"

	"partita/inputs"
	"partita/results"
)

// A plan of a training step has pipeline ranks, each with the GPUs of several stages where
// stages are interleaved; replicas are its data-parallel ranks.

// ofTraining reports whether a phase is of a training step of a model of layers.
func ofTraining(ph *results.PhasePlan) bool {
	return ph.Phase == inputs.Training && ph.Strategy.VirtualStages > 0
}

// trainingPlan reports whether a plan is of a training step.
func trainingPlan(p *results.Plan) bool {
	return p != nil && len(p.Phases) == 1 && ofTraining(&p.Phases[0])
}

// batchesLine says how the global batch is divided, and what else a step is made of.
func batchesLine(s *results.Strategy) string {
	line := fmt.Sprintf("%s of %s in each replica and step", plural(s.MicroBatches, "micro-batch"), plural(s.MicroBatchSequences, "sequence"))
	if s.VirtualStages > 1 {
		line += fmt.Sprintf("; %d stages on each rank, interleaved (1F1B)", s.VirtualStages)
	} else if s.PP > 1 {
		line += "; 1F1B"
	}
	if s.ZeRO != nil {
		line += "; " + zeroWords(*s.ZeRO)
	}
	if s.SequenceParallel != nil && *s.SequenceParallel {
		line += "; sequence parallel"
	}
	return line + "; recompute " + s.Recompute.Words()
}

// layersByRank are the layers of each pipeline rank, over all its stages.
func layersByRank(s *results.Strategy) []int {
	out := make([]int, s.PP)
	for k, n := range s.Layers {
		out[k%s.PP] += n
	}
	return out
}

// zeroWords say what is sharded.
func zeroWords(stage int) string {
	what := []string{"nothing is sharded", "optimizer state sharded", "optimizer state and gradients sharded", "optimizer state, gradients and weights sharded"}
	if stage < 0 || stage >= len(what) {
		return fmt.Sprintf("ZeRO %d", stage)
	}
	return fmt.Sprintf("ZeRO %d (%s)", stage, what[stage])
}

// rank is a pipeline rank of a replica: its stages, and what they take together.
type rank struct {
	index                   int
	stages                  []*results.Stage
	forward, backward, send float64 // ms of one micro-batch
}

func (r *rank) time() float64         { return r.forward + r.backward + r.send }
func (r *rank) first() *results.Stage { return r.stages[0] }

// layers are the ranges of layers of a rank: "0–3, 16–19".
func (r *rank) layers() string {
	var out []string
	for _, s := range r.stages {
		if s.FirstLayer == s.LastLayer {
			out = append(out, fmt.Sprint(s.FirstLayer))
		} else {
			out = append(out, fmt.Sprintf("%d–%d", s.FirstLayer, s.LastLayer))
		}
	}
	return strings.Join(out, ", ")
}

// recompute is what the stages of a rank compute again.
func (r *rank) recompute() string {
	var list results.Recomputes
	for _, s := range r.stages {
		list = append(list, s.Recompute)
	}
	return list.Words()
}

// ranksOf are the pipeline ranks of one replica.
func ranksOf(stages []*results.Stage) []*rank {
	var out []*rank
	for _, s := range stages {
		i := s.Index
		if s.Rank != nil {
			i = *s.Rank
		}
		for len(out) <= i {
			out = append(out, &rank{index: len(out)})
		}
		r := out[i]
		r.stages = append(r.stages, s)
		r.forward, r.backward, r.send = r.forward+s.ForwardMS, r.backward+s.BackwardMS, r.send+s.SendMS
	}
	return out
}

var rankHeader = []string{"rank#", "layers#", "pool", "GPUs", "forward#", "backward#", "sends#", "together#", "recompute", "in flight#", "memory of a GPU#"}

// rankRows are the ranks of a replica with the times of one micro-batch.
func rankRows(stages []*results.Stage) [][]string {
	var rows [][]string
	for _, r := range ranksOf(stages) {
		s := r.first()
		rows = append(rows, []string{fmt.Sprint(r.index), r.layers(), s.Pool, gpuRange(s.GPUs), duration(r.forward), duration(r.backward), duration(r.send), duration(r.time()),
			r.recompute(), figure(s.InFlight), fmt.Sprintf("%s of %s", gibibytes(s.MemoryGiB), gibibytes(s.CapacityGiB))})
	}
	return rows
}

// rankTable shows the ranks of the first replica on a terminal, those that are alike in one
// row.
func (s *screen) rankTable(ph *results.PhasePlan) {
	ranks := ranksOf(replicaClasses(ph)[0].stages)
	var rows [][]string
	left := 0
	for i := 0; i < len(ranks); {
		a := ranks[i]
		j := i + 1
		for j < len(ranks) && alikeRanks(a, ranks[j]) {
			j++
		}
		if len(rows) >= summaryRows {
			left += j - i
			i = j
			continue
		}
		row := []string{fmt.Sprint(a.index), a.layers(), "", "", duration(a.time()), memoryCell(a.first())}
		if j-i > 1 {
			row[0] = fmt.Sprintf("%d–%d", a.index, ranks[j-1].index)
		}
		if j-i > 1 || len(a.stages) > 2 {
			var each []string
			for _, st := range a.stages {
				each = append(each, fmt.Sprint(st.LastLayer-st.FirstLayer+1))
			}
			row[1] = strings.Join(each, "+")
			if len(each) > 2 && each[0] == each[len(each)-1] && uniform(each) {
				row[1] = fmt.Sprintf("%d × %s", len(each), each[0])
			}
			if j-i > 1 {
				row[1] += " each"
			}
		}
		if len(poolsOf(ph)) > 1 {
			row[2] = a.first().Pool
		}
		var ids []string
		for _, r := range ranks[i:j] {
			ids = append(ids, r.first().GPUs...)
		}
		row[3] = gpusOnHosts(ids)
		rows = append(rows, row)
		i = j
	}
	header := []string{"rank", "layers#", "pool", "GPUs!", "micro-batch#", "memory of a GPU!"}
	if !s.fits(header, rows) { // without the bars
		for _, r := range rows {
			_, r[5], _ = strings.Cut(r[5], " ")
		}
	}
	s.table(header, rows)
	if left > 0 {
		s.styled(soft, " ", fmt.Sprintf("… and %s more in report.md", plural(left, "rank")))
	}
	if n := ph.Strategy.Replicas; n > 1 {
		s.styled(soft, " ", fmt.Sprintf("%s are alike; the GPUs are those of replica 0", plural(n, "replica")))
	}
}

func uniform(list []string) bool {
	for _, x := range list {
		if x != list[0] {
			return false
		}
	}
	return true
}

// alikeRanks: what a row of the summary would say is the same but for layers and GPUs.
func alikeRanks(a, b *rank) bool {
	if len(a.stages) != len(b.stages) {
		return false
	}
	for i := range a.stages {
		if x, y := a.stages[i], b.stages[i]; x.LastLayer-x.FirstLayer != y.LastLayer-y.FirstLayer || x.Recompute != y.Recompute {
			return false
		}
	}
	x, y := a.first(), b.first()
	return x.Pool == y.Pool && len(x.GPUs) == len(y.GPUs) && duration(a.time()) == duration(b.time()) && memoryCell(x) == memoryCell(y)
}

// poolsOf are the pools that a plan is on.
func poolsOf(ph *results.PhasePlan) []string {
	var out []string
	seen := map[string]bool{}
	for i := range ph.Stages {
		if p := ph.Stages[i].Pool; !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// use is one use of a GPU's memory.
type use struct {
	letter, colour, name string
	of                   func(*results.Memory) float64
}

// usesOf are the uses of memory that the plan of a phase has.
func usesOf(ph *results.PhasePlan) []use {
	weights := use{"W", "c0", "weights", func(m *results.Memory) float64 { return m.WeightsGiB }}
	activations := use{"A", "c2", "activations", func(m *results.Memory) float64 { return m.ActivationsGiB }}
	reserve := use{"R", "c5", "reserve", func(m *results.Memory) float64 { return m.ReserveGiB }}
	if !ofTraining(ph) {
		return []use{weights, {"K", "c1", "KV cache", func(m *results.Memory) float64 { return m.KVGiB }}, activations, reserve}
	}
	return []use{weights, {"G", "c3", "gradients", func(m *results.Memory) float64 { return m.GradientsGiB }},
		{"O", "c4", "optimizer", func(m *results.Memory) float64 { return m.OptimizerGiB }}, activations, reserve}
}

// noGraphOfTraining says why there is no graph of operators.
const noGraphOfTraining = "There is none of a training step: the graphs of operators are those of serving, one pass forward; a step goes through the stages both ways, once for each micro-batch. The ranks are listed above."
