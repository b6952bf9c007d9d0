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
	return strategyLine(c, p, func(line string, run []stagegraph.Part, alone bool) string {
		switch {
		case !alone:
			return line + " layers " + layersOf(run)
		case len(run) > 1:
			return line + ", layers " + layersOf(run)
		}
		return line
	})
}

// kindLine is oneLine without layers: what stays the same while layers shift.
func kindLine(c *inputs.Condition, p heuristic.Proposal) string {
	return strategyLine(c, p, func(line string, run []stagegraph.Part, alone bool) string {
		if !alone && len(run) > 1 {
			line = fmt.Sprintf("%d × %s", len(run), line)
		}
		return line
	})
}

// strategyLine is replicas, stages and the shape of each run of alike stages, to which
// add adds what else is told of it; alone: there is one run.
func strategyLine(c *inputs.Condition, p heuristic.Proposal, add func(line string, run []stagegraph.Part, alone bool) string) string {
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
	var each []string
	for _, run := range runs {
		text := degreesOf(run[0].Shape)
		switch pool := c.Cluster.Pools[run[0].Pool].Name; {
		case len(c.Cluster.Pools) < 2:
		case len(runs) == 1:
			text += " on " + pool
		default:
			text = pool + " " + text
		}
		each = append(each, add(text, run, len(runs) == 1))
	}
	if len(runs) == 1 {
		return line + " × " + each[0]
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
