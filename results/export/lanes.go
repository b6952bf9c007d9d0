package export

import (
	"fmt"
	"slices"
	"strings"

	"partita/results"
)

// ofLanes reports whether machines of a plan share layers.
func ofLanes(p *results.Plan) bool {
	return p != nil && slices.ContainsFunc(p.Phases, func(ph results.PhasePlan) bool { return ph.Lanes != nil })
}

// lanesLine is a strategy of lanes in one line: "lanes: 4 a100, 7 l4, layers held 1 to 3
// times".
func lanesLine(ph *results.PhasePlan) string {
	var pools []string
	of := map[string]int{}
	for i := range ph.Stages {
		s := &ph.Stages[i]
		if of[s.Pool]++; of[s.Pool] == 1 {
			pools = append(pools, s.Pool)
		}
	}
	slices.Sort(pools)
	for i, p := range pools {
		pools[i] = fmt.Sprintf("%d %s", of[p], p)
	}
	least, most := heldBy(ph)
	held := fmt.Sprintf("every layer held by %d to %d of them", least, most)
	if least == most {
		held = fmt.Sprintf("every layer held by %d of them", least)
	}
	return "lanes: " + strings.Join(pools, ", ") + "; " + held
}

// heldBy is by how many machines a layer is held, at least and at most.
func heldBy(ph *results.PhasePlan) (least, most int) {
	var by []int
	for i := range ph.Stages {
		s := &ph.Stages[i]
		for len(by) <= s.LastLayer {
			by = append(by, 0)
		}
		for l := max(0, s.FirstLayer); l <= s.LastLayer; l++ {
			by[l]++
		}
	}
	if len(by) == 0 {
		return 0, 0
	}
	return slices.Min(by), slices.Max(by)
}

// lanesWords say what lanes mean for this plan.
func lanesWords(ph *results.PhasePlan) []string {
	return []string{fmt.Sprintf("Lanes: %s hold the layers, some of them the same ones side by side. Each sequence takes one way through the machines and keeps it; its KV cache lies there. No engine that is known here runs that.", plural(len(ph.Stages), "machine"))}
}

// reportRoutes lists who hands over to whom.
func reportRoutes(d form, ph *results.PhasePlan) {
	if ph.Lanes == nil {
		return
	}
	name := func(stage int, outside string) string {
		if stage < 0 || stage >= len(ph.Stages) {
			return outside
		}
		s := &ph.Stages[stage]
		return fmt.Sprintf("stage %d (%s, layers %d–%d)", stage, strings.Join(s.GPUs, ", "), s.FirstLayer, s.LastLayer)
	}
	var rows [][]string
	for _, r := range ph.Lanes.Routes {
		rows = append(rows, []string{name(r.From, "input"), name(r.To, "output"), count(r.Sequences)})
	}
	d.heading(3, "Ways of the sequences")
	d.paragraph("A machine hands over where its layers end, to one that holds the next layer. A sequence may enter a machine at any layer that it holds.")
	d.table([]string{"from", "to", "sequences#"}, rows)
}
