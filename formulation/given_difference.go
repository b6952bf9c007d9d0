package formulation

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/stagegraph"
	"partita/inputs"
)

// changed joins the parts of a change that are one.
func changed(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), ", ")
}

func partsOf(noun string, from, to int) string {
	if from == to {
		return ""
	}
	return fmt.Sprintf("%s %d → %d", noun, from, to)
}

// difference says how one strategy differs from another: in words, of which kind it is,
// and how far it goes in doublings.
func difference(c *inputs.Condition, a, b *subject) (text, kind string, size float64) {
	kind = changeSplit
	if moved := movedLayer(a, b); moved != "" {
		return moved, changeLayers, 1
	}
	if one := cutOrJoined(a, b) + swapped(a, b); one != "" {
		return one, kind, 1
	}
	var texts []string
	note := func(name string, from, to int) {
		if from != to {
			texts = append(texts, fmt.Sprintf("%s %d → %d", name, from, to))
			size += math.Abs(math.Log2(float64(to) / float64(from)))
		}
	}
	note("replicas", a.replicas, b.replicas)
	note("PP", len(a.parts), len(b.parts))
	for _, d := range degreeNames() {
		from, to := degreeOfParts(a.parts, d.of), degreeOfParts(b.parts, d.of)
		switch {
		case slices.Equal(from, to):
		case len(from) == 1 && len(to) == 1:
			note(d.name, from[0], to[0])
		default:
			texts = append(texts, fmt.Sprintf("%s %s → %s", d.name, brief(from), brief(to)))
			size++
		}
	}
	from, to := poolsOfParts(c, a.parts), poolsOfParts(c, b.parts)
	if !slices.Equal(from, to) {
		texts = append(texts, fmt.Sprintf("stages on %s in place of %s", joinedNames(to), joinedNames(from)))
		size++
	}
	if len(a.parts) == len(b.parts) && layersOf(a.parts) != layersOf(b.parts) {
		texts = append(texts, fmt.Sprintf("layers %s → %s", layersOf(a.parts), layersOf(b.parts)))
	}
	return strings.Join(texts, ", "), kind, size
}

// movedLayer is the sentence of a layer moved between two neighbours, "" for anything
// else.
func movedLayer(a, b *subject) string {
	if a.replicas != b.replicas || len(a.parts) != len(b.parts) {
		return ""
	}
	at, moves := -1, 0
	for i := range a.parts {
		if a.parts[i].Pool != b.parts[i].Pool || a.parts[i].Shape != b.parts[i].Shape {
			return ""
		}
		if a.parts[i].Last != b.parts[i].Last {
			at, moves = i, moves+1
		}
	}
	if moves != 1 {
		return ""
	}
	n, from, to := a.parts[at].Last-b.parts[at].Last, at, at+1
	if n < 0 {
		n, from, to = -n, to, from
	}
	return fmt.Sprintf("%s from stage %d to stage %d", counted(n, "layer"), from, to)
}

// cutOrJoined is the sentence of one stage cut in several, or of two made one; "" for
// anything else, and where all stages are.
func cutOrJoined(a, b *subject) string {
	from, to := a.parts, b.parts
	if a.replicas != b.replicas || len(from) == len(to) || min(len(from), len(to)) < 2 {
		return ""
	}
	head, tail := 0, 0
	for head < min(len(from), len(to)) && from[head] == to[head] {
		head++
	}
	for tail < min(len(from), len(to))-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	old, now := from[head:len(from)-tail], to[head:len(to)-tail]
	switch {
	case len(old) == 1 && len(now) > 1:
		return fmt.Sprintf("stage %d (%s) cut in %d of %s", head, degreesOf(old[0].Shape), len(now), degreesOf(now[0].Shape))
	case len(old) > 1 && len(now) == 1:
		return fmt.Sprintf("stages %d to %d (%s each) made one of %s", head, head+len(old)-1, degreesOf(old[0].Shape), degreesOf(now[0].Shape))
	}
	return ""
}

// swapped is the sentence of two neighbours that change places, "" for anything else.
func swapped(a, b *subject) string {
	if a.replicas != b.replicas || len(a.parts) != len(b.parts) {
		return ""
	}
	at, differ := -1, 0
	for i := range a.parts {
		if a.parts[i] != b.parts[i] {
			at, differ = i, differ+1
		}
	}
	if differ != 2 || at == 0 {
		return ""
	}
	alike := func(x, y stagegraph.Part) bool {
		return x.Pool == y.Pool && x.Shape == y.Shape && x.Last-x.First == y.Last-y.First
	}
	if !alike(a.parts[at-1], b.parts[at]) || !alike(a.parts[at], b.parts[at-1]) {
		return ""
	}
	return fmt.Sprintf("stages %d and %d change places", at-1, at)
}

// degreeName is a degree with how a shape has it.
type degreeName struct {
	name string
	of   func(cost.Shape) int
}

func degreeNames() []degreeName {
	return []degreeName{
		{"TP", func(s cost.Shape) int { return s.TP }},
		{"CP", func(s cost.Shape) int { return s.CP }},
		{"attention DP", func(s cost.Shape) int { return s.DPAttention }},
		{"EP", func(s cost.Shape) int { return s.EP }},
	}
}

// degreeOfParts is a degree of each stage; one where all agree.
func degreeOfParts(parts []stagegraph.Part, of func(cost.Shape) int) []int {
	var out []int
	for _, pt := range parts {
		out = append(out, of(pt.Shape))
	}
	if len(slices.Compact(slices.Clone(out))) == 1 {
		return out[:1]
	}
	return out
}

func poolsOfParts(c *inputs.Condition, parts []stagegraph.Part) []string {
	var out []string
	for _, pt := range parts {
		if name := c.Cluster.Pools[pt.Pool].Name; len(out) == 0 || out[len(out)-1] != name {
			out = append(out, name)
		}
	}
	return out
}

// brief lists degrees by stage, runs of alike ones once: "8×4/2".
func brief(list []int) string {
	var out []string
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j] == list[i] {
			j++
		}
		text := fmt.Sprint(list[i])
		if j-i > 1 && len(list) > 4 {
			text = fmt.Sprintf("%d×%d", j-i, list[i])
		} else if j-i > 1 {
			text = strings.TrimSuffix(strings.Repeat(text+"/", j-i), "/")
		}
		out = append(out, text)
		i = j
	}
	return strings.Join(out, "/")
}
