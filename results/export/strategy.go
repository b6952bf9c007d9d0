package export

import (
	"fmt"
	"strconv"
	"strings"

	"partita/results"
)

// strategyLine is a strategy in one line: "4 replicas × PP 2 × TP 8/4, layers
// 48/32 on a100/l40s". Degrees of 1 are left out, TP is always named, pools where
// there are several.
func strategyLine(ph *results.PhasePlan) string {
	if ph.Lanes != nil {
		return lanesLine(ph)
	}
	s := &ph.Strategy
	parts := []string{plural(s.Replicas, "replica"), fmt.Sprintf("PP %d", s.PP), "TP " + perStage(s.TP)}
	for _, d := range []struct {
		name    string
		degrees results.PerStage
	}{{"attention DP", s.DPAttention}, {"CP", s.CP}, {"EP", s.EP}} {
		if !all(d.degrees, 1) {
			parts = append(parts, d.name+" "+perStage(d.degrees))
		}
	}
	if !all(s.EP, 1) && !all(s.ETP, 1) {
		parts = append(parts, "expert TP "+perStage(s.ETP))
	}
	line := strings.Join(parts, " × ")
	if s.VirtualStages > 1 {
		line += fmt.Sprintf(" × %d stages", s.VirtualStages)
	}
	if s.PP > 1 && s.VirtualStages > 1 {
		line += ", layers " + perStage(layersByRank(s))
	} else if s.PP > 1 {
		line += ", " + pieces(ph) + "s " + perStage(s.Layers)
	}
	return line + poolsLine(ph)
}

// poolsLine names the pools of the stages of one replica, "" where all stages of
// the plan lie on one pool.
func poolsLine(ph *results.PhasePlan) string {
	var pools []string
	several := false
	for i := range ph.Stages {
		s := &ph.Stages[i]
		several = several || s.Pool != ph.Stages[0].Pool
		if s.Replica == ph.Stages[0].Replica {
			pools = append(pools, s.Pool)
		}
	}
	switch {
	case !several:
		return ""
	case len(pools) > listedStages, len(replicaClasses(ph)) > 1:
		return ", on several pools"
	}
	return " on " + strings.Join(pools, "/")
}

// sequencesLine says how the sequences in flight are divided.
func sequencesLine(s *results.Strategy) string {
	line := fmt.Sprintf("%s a replica at most", plural(s.SequencesPerReplica, "sequence"))
	if s.MicroBatchSequences > 0 {
		line += fmt.Sprintf("; prefill in %s of %d", plural(s.MicroBatches, "micro-batch"), s.MicroBatchSequences)
	}
	if s.GroupSequences > 0 {
		line += fmt.Sprintf("; decode in %s of %d", plural(s.DecodeGroups, "group"), s.GroupSequences)
	}
	return line
}

func all(degrees []int, v int) bool {
	for _, d := range degrees {
		if d != v {
			return false
		}
	}
	return true
}

// listedStages is how many unlike entries are written one by one.
const listedStages = 8

// perStage prints one number a stage: one number where all agree, "8/4/4" for few
// stages, runs ("27 on 14 stages, 26 on 2 stages") for many.
func perStage(v []int) string {
	if len(v) == 0 {
		return "unknown"
	}
	if all(v, v[0]) {
		return strconv.Itoa(v[0])
	}
	if len(v) <= listedStages {
		text := make([]string, len(v))
		for i, d := range v {
			text[i] = strconv.Itoa(d)
		}
		return strings.Join(text, "/")
	}
	var runs []string
	for i := 0; i < len(v); {
		j := i
		for j < len(v) && v[j] == v[i] {
			j++
		}
		runs = append(runs, fmt.Sprintf("%d on %s", v[i], plural(j-i, "stage")))
		i = j
	}
	return strings.Join(runs, ", ")
}

// replicaClass is a set of replicas whose stages differ in nothing but their GPUs.
type replicaClass struct {
	stages   []*results.Stage // of the first replica of the class
	replicas []int
}

// replicaClasses groups the replicas of a phase, in the order of their numbers.
func replicaClasses(ph *results.PhasePlan) []replicaClass {
	byReplica := map[int][]*results.Stage{}
	var order []int
	for i := range ph.Stages {
		s := &ph.Stages[i]
		if _, seen := byReplica[s.Replica]; !seen {
			order = append(order, s.Replica)
		}
		byReplica[s.Replica] = append(byReplica[s.Replica], s)
	}
	var classes []replicaClass
	index := map[string]int{}
	for _, r := range order {
		var key strings.Builder
		for _, s := range byReplica[r] {
			alike := *s
			alike.Replica, alike.GPUs = 0, nil
			alike.Rank, alike.Chunk = nil, nil // pointers: they follow from the index
			fmt.Fprintf(&key, "%+v %d;", alike, len(s.GPUs))
		}
		i, seen := index[key.String()]
		if !seen {
			i = len(classes)
			index[key.String()] = i
			classes = append(classes, replicaClass{stages: byReplica[r]})
		}
		classes[i].replicas = append(classes[i].replicas, r)
	}
	return classes
}

// gpuRange shortens a list of GPU ids: ids that differ in a last number that
// counts up become "node-0/gpu-0…7".
func gpuRange(ids []string) string {
	var parts []string
	for i := 0; i < len(ids); {
		stem, n, numbered := lastNumber(ids[i])
		j := i + 1
		for numbered && j < len(ids) {
			s, m, ok := lastNumber(ids[j])
			if !ok || s != stem || m != n+j-i {
				break
			}
			j++
		}
		text := ids[i]
		if j-i > 1 {
			text += fmt.Sprintf("…%d", n+j-i-1)
		}
		parts = append(parts, text)
		i = j
	}
	return strings.Join(parts, ", ")
}

// lastNumber splits "node-0/gpu-12" into "node-0/gpu-" and 12.
func lastNumber(id string) (string, int, bool) {
	stem := strings.TrimRight(id, "0123456789")
	n, err := strconv.Atoi(id[len(stem):])
	return stem, n, err == nil
}

// runs prints sorted whole numbers: "0–3, 5".
func runs(v []int) string {
	var parts []string
	for i := 0; i < len(v); {
		j := i
		for j+1 < len(v) && v[j+1] == v[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d–%d", v[i], v[j]))
		} else {
			parts = append(parts, strconv.Itoa(v[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
