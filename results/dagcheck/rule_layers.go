package dagcheck

import "strings"

// checkLayers holds what the label says of layer and expert against the attributes, and
// the layers of the ends of each edge against each other: other rules rely on them.
func checkLayers(c *check) {
	said := map[uint32][2]int32{} // by title: layer and expert
	c.all(func(n int32) bool { return c.nodes[n].layer != none }, func(n int32) {
		if c.op(n) == opOperator {
			return // its title is a name that its graph gave it
		}
		is := &c.nodes[n]
		words, seen := said[is.title]
		if !seen {
			words = [2]int32{none, none}
			title := strings.ToLower(c.titles.texts[is.title])
			for i, word := range []string{"layer", "expert"} {
				if number, ok := numberAfter(strings.Replace(title, word+"s ", word+" ", 1), word); ok {
					words[i] = number
				}
			}
			said[is.title] = words
		}
		if words[0] != none && words[0] != is.layer {
			c.wrongNode(n, "is of layer %d by its attribute; expected the one of its label", is.layer)
		}
		if list := c.expertsOf(n); is.experts != 0 && words[1] != none && (len(list) == 0 || list[0] != int(words[1])) {
			c.wrongNode(n, "is of expert %s by its attribute; expected the one of its label", clip(c.experts.texts[is.experts]))
		}
	})
	for i := range c.edges {
		e := &c.edges[i]
		if c.op(e.from) == opOperator && c.phaseName() == "training" {
			continue // the backward pass goes through the stages of an operator graph in turn
		}
		if from, to := c.nodes[e.from].layer, c.nodes[e.to].layer; from != none && to != none && to < from {
			c.wrong(e.at, "the edge leads from layer %d back to layer %d: from %s to %s; expected layers to ascend", from, to, c.describe(e.from), c.place(e.to))
		}
	}
	if c.applied == 0 {
		c.unchecked = "no node says its layer"
	}
}
