package dagcheck

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"partita/results"
)

func checkPlan(c *check) {
	if c.options.Plan == nil {
		c.unchecked = "no plan was given"
		return
	}
	phase := phaseOf(c.options.Plan, c.phaseName())
	if phase == nil {
		c.applied++
		c.wrong(c.at, "the plan has no phase %q; expected one of its phases", clip(c.phaseName()))
		return
	}
	stageOf := map[uint32]int{} // by GPU
	for i := range phase.Stages {
		for _, name := range phase.Stages[i].GPUs {
			id := c.gpus.gpu(name)
			stageOf[id] = i
			c.applied++
			if _, ok := c.clusterOf[id]; !ok {
				c.wrong(c.at, "the plan's GPU %s has no cluster; expected the GPUs of the plan", clip(name))
			}
		}
	}
	for i := range c.clusters {
		for _, id := range c.clusters[i].ids {
			if _, ok := stageOf[id]; !ok {
				c.applied++
				c.wrong(c.clusters[i].at, "the GPU %s is not in the plan; expected the GPUs of the plan", clip(c.gpus.names.texts[id]))
			}
		}
	}
	c.layers(phase, stageOf)
	if !c.folded {
		c.stages(phase, stageOf)
	}
}

// phaseOf is the phase of a plan that a graph draws.
func phaseOf(p *results.Plan, name string) *results.PhasePlan {
	for i := range p.Phases {
		if is := string(p.Phases[i].Phase); is == name || is == "mixed" && (name == "prefill" || name == "decode") {
			return &p.Phases[i]
		}
	}
	return nil
}

// layers checks that each layer lies on the GPUs of its stage, and that none is missing.
func (c *check) layers(phase *results.PhasePlan, stageOf map[uint32]int) {
	drawn := make([]map[int]bool, len(phase.Stages))
	c.all(func(n int32) bool { return c.cluster(n) != none && c.nodes[n].layer != none }, func(n int32) {
		run, err := c.layersOf(n)
		if err != nil {
			c.wrongNode(n, "lists layers that cannot be read: %v", err)
			return
		}
		for _, id := range c.clusters[c.cluster(n)].ids {
			stage, ok := stageOf[id]
			if !ok {
				continue
			}
			s := &phase.Stages[stage]
			if drawn[stage] == nil {
				drawn[stage] = map[int]bool{}
			}
			for _, l := range run {
				drawn[stage][l] = true
			}
			if run[0] < s.FirstLayer || run[len(run)-1] > s.LastLayer {
				c.wrongNode(n, "is of layer %d on %s, whose stage holds the layers %d to %d; expected the layers of the plan", run[0], clip(c.gpus.names.texts[id]), s.FirstLayer, s.LastLayer)
				return
			}
		}
	})
	for i := range phase.Stages {
		s := &phase.Stages[i]
		for l := s.FirstLayer; l <= s.LastLayer; l++ {
			if !drawn[i][l] {
				c.wrong(c.at, "layer %d of stage %d of replica %d is not drawn on its GPUs; expected every layer of the plan", l, s.Index, s.Replica)
			}
		}
	}
}

// layersOf are the layers that a node stands for: one, or in a folded graph the run that
// its attribute lists, as "3-60" or "0-46/2".
func (c *check) layersOf(n int32) ([]int, error) {
	text := c.experts.texts[c.nodes[n].layers]
	if text == "" {
		return []int{int(c.nodes[n].layer)}, nil
	}
	var run []int
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		span, every, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(span, "-")
		if !ranged {
			last = first
		}
		if !stepped {
			every = "1"
		}
		from, e1 := strconv.Atoi(first)
		to, e2 := strconv.Atoi(last)
		step, e3 := strconv.Atoi(every)
		if e1 != nil || e2 != nil || e3 != nil || step < 1 || from < 0 || to < from || to > 1<<20 {
			return nil, fmt.Errorf("%q; expected layers as 3-60 or 0-46/2", clip(part))
		}
		for l := from; l <= to; l += step {
			run = append(run, l)
		}
	}
	slices.Sort(run)
	return run, nil
}

// stages checks that the clusters around GPUs part them as the plan's stages do.
func (c *check) stages(phase *results.PhasePlan, stageOf map[uint32]int) {
	around := map[int32]int{} // subgraph around GPUs → stage
	for i := range c.clusters {
		up := c.subs[c.clusters[i].sub].parent
		stage, ok := stageOf[c.clusters[i].ids[0]]
		if up <= 0 || !ok {
			continue
		}
		if first, seen := around[up]; seen && first != stage {
			a, b := &phase.Stages[first], &phase.Stages[stage]
			c.wrong(c.clusters[i].at, "the GPU %s of replica %d, stage %d lies in one cluster with those of replica %d, stage %d; expected a cluster a stage",
				clip(c.clusters[i].name), b.Replica, b.Index, a.Replica, a.Index)
		} else {
			around[up] = stage
		}
	}
	if len(around) > 0 && len(around) != len(phase.Stages) {
		c.wrong(c.at, "GPUs lie in %d clusters of stages; expected %d, as in the plan", len(around), len(phase.Stages))
	}
}
