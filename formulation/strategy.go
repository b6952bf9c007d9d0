package formulation

import (
	"fmt"
	"strconv"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
)

// oneLine says what a proposal is: "4 replicas × PP2 × TP4, layers 40+40". Where
// stages differ, each run of alike ones says its own shape.
func oneLine(c *inputs.Condition, p heuristic.Proposal) string {
	if len(p.Parts) == 0 {
		return ""
	}
	line := fmt.Sprintf("PP%d", len(p.Parts))
	if p.Replicas > 1 {
		line = fmt.Sprintf("%d replicas × %s", p.Replicas, line)
	}
	var runs [][]stagegraph.Part
	for i, pt := range p.Parts {
		if i > 0 && pt.Pool == p.Parts[i-1].Pool && pt.Shape == p.Parts[i-1].Shape {
			runs[len(runs)-1] = append(runs[len(runs)-1], pt)
			continue
		}
		runs = append(runs, []stagegraph.Part{pt})
	}
	if len(runs) == 1 {
		line += " × " + degreesOf(p.Parts[0].Shape)
		if len(p.Parts) > 1 {
			line += ", layers " + layersOf(p.Parts)
		}
		return line
	}
	var each []string
	for _, run := range runs {
		text := degreesOf(run[0].Shape) + " layers " + layersOf(run)
		if len(c.Cluster.Pools) > 1 {
			text = c.Cluster.Pools[run[0].Pool].Name + " " + text
		}
		each = append(each, text)
	}
	return line + ": " + strings.Join(each, ", ")
}

// degreesOf is a shape: TP, and what else is split.
func degreesOf(sh cost.Shape) string {
	s := fmt.Sprintf("TP%d", sh.TP)
	for _, d := range []struct {
		name   string
		degree int
	}{{"EP", sh.EP}, {"CP", sh.CP}, {"DPA", sh.DPAttention}} {
		if d.degree > 1 {
			s += fmt.Sprintf("·%s%d", d.name, d.degree)
		}
	}
	return s
}

// layersOf lists the layers of stages: "30+25", and "14×8+2×7" for long pipelines.
func layersOf(parts []stagegraph.Part) string {
	var counts []int
	for _, pt := range parts {
		counts = append(counts, pt.Last-pt.First+1)
	}
	const listed = 4 // stages that are written out one by one
	var out []string
	for i := 0; i < len(counts); {
		j := i + 1
		for len(counts) > listed && j < len(counts) && counts[j] == counts[i] {
			j++
		}
		text := strconv.Itoa(counts[i])
		if j-i > 1 {
			text = fmt.Sprintf("%d×%d", j-i, counts[i])
		}
		out = append(out, text)
		i = j
	}
	return strings.Join(out, "+")
}
