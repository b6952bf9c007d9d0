package dagcheck

import (
	"slices"
	"strconv"
	"strings"
)

// layerOf is one layer of one replica.
type layerOf struct {
	replica int32 // the outermost cluster around its GPUs
	layer   int32
}

func checkExperts(c *check) {
	homes := map[layerOf]map[int]bool{}
	gates := map[layerOf]int32{} // the first gate of each
	var order []layerOf
	for i := range c.nodes {
		n := int32(i)
		key := layerOf{c.replica(n), c.nodes[n].layer}
		switch c.op(n) {
		case opGate:
			if _, ok := gates[key]; !ok {
				gates[key] = n
				order = append(order, key)
			}
		case opExpert:
			if homes[key] == nil {
				homes[key] = map[int]bool{}
			}
			for _, e := range c.expertsOf(n) {
				homes[key][e] = true
			}
		}
	}
	unknown := 0
	for _, key := range order {
		gate := gates[key]
		total := c.scored(gate)
		if total == 0 {
			unknown++
			continue
		}
		c.applied++
		var missing []string
		for e := range total {
			if !homes[key][e] {
				missing = append(missing, strconv.Itoa(e))
			}
		}
		if len(missing) > 0 {
			rest := ""
			if len(missing) > 8 {
				rest = ", …"
			}
			c.wrongNode(gate, "chooses among %d experts, of which %d have no home: %s%s; expected every expert on a GPU", total, len(missing), strings.Join(missing[:min(8, len(missing))], ", "), rest)
		}
	}
	switch {
	case len(order) == 0:
		c.unchecked = "no gate"
	case unknown > 0:
		c.unchecked = strconv.Itoa(unknown) + " layers whose gate does not say how many experts it scores (experts=N)"
	}
}

// replica is the outermost subgraph that a node lies in.
func (g *graph) replica(n int32) int32 {
	s := g.nodes[n].sub
	for s != none && g.subs[s].parent > 0 {
		s = g.subs[s].parent
	}
	return s
}

// scored is the number of experts that a gate scores, by its output; 0 where it does not
// say.
func (g *graph) scored(gate int32) int {
	const most = 1 << 16 // no layer has more: a wrong figure must not cost hours
	for _, t := range g.outputs(gate).distinct {
		for _, name := range []string{"experts", "num_experts", "n_experts"} {
			if size, ok := g.tensor(t).size(name); ok && size <= most {
				return int(size)
			}
		}
	}
	return 0
}

// expertsOf are the experts that a node computes: by its attribute, or its title.
func (g *graph) expertsOf(n int32) []int {
	var list []int
	for word := range strings.FieldsFuncSeq(g.experts.texts[g.nodes[n].experts], func(r rune) bool { return r == ' ' || r == ',' }) {
		if e, err := strconv.Atoi(word); err == nil && e >= 0 {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		if e, ok := numberAfter(strings.ToLower(g.titles.texts[g.nodes[n].title]), "expert"); ok {
			list = append(list, int(e))
		}
	}
	return slices.Clip(list)
}
