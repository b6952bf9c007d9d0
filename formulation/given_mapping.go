package formulation

import (
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
)

// mapping says in sentences how the parts of a strategy lie on the GPUs.
func (e *evaluation) mapping(t *trial) {
	s := &t.sub
	say := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(e.out.Mapping, text) {
			e.out.Mapping = append(e.out.Mapping, text)
		}
	}
	say("%s: %s", counted(e.needed, "part"), e.product(s))
	if len(s.parts) > 1 {
		text := "layers " + layersOf(s.parts)
		if t.layout.SameHost {
			text += "; each replica lies on one host"
		} else {
			text += "; stages hand over through the network"
		}
		say("%s", text)
	}
	for _, pt := range s.parts {
		node := t.bench.space.Node(pt.Pool)
		if q := pt.Shape.GPUs(); q > node {
			crosses := "TP stays inside a node"
			if pt.Shape.TP > node {
				crosses = fmt.Sprintf("TP %d crosses them", pt.Shape.TP)
			}
			say("a stage of %s lies over %s of %d; %s", counted(q, "GPU"), counted(ceilDiv(q, node), "node"), node, crosses)
		}
		for _, kind := range e.kindsOf(pt.First, pt.Last) {
			for _, text := range splitNotes(&e.c.Model.Kinds[kind], pt.Shape) {
				say("%s", text)
			}
		}
	}
}

// product is how the parts are counted: "2 replicas × 4 stages × 32 GPUs".
func (e *evaluation) product(s *subject) string {
	alike := true
	sum := 0
	for _, pt := range s.parts {
		alike = alike && pt.Shape.GPUs() == s.parts[0].Shape.GPUs()
		sum += pt.Shape.GPUs()
	}
	text := fmt.Sprintf("%s × %s", counted(s.replicas, "replica"), counted(len(s.parts), "stage"))
	if alike {
		return text + " × " + counted(s.parts[0].Shape.GPUs(), "GPU")
	}
	return text + fmt.Sprintf(" of %d GPUs together", sum)
}

// kindsOf lists the kinds of layer in a range, in their order.
func (e *evaluation) kindsOf(first, last int) []int {
	var out []int
	for _, kind := range e.c.Model.Layers[first : last+1] {
		if !slices.Contains(out, kind) {
			out = append(out, kind)
		}
	}
	slices.Sort(out)
	return out
}

// splitNotes says how heads and experts of a layer are shared out.
func splitNotes(k *inputs.LayerKind, sh cost.Shape) []string {
	var out []string
	a, f := &k.Attention, &k.FFN
	if sh.TP > 1 {
		out = append(out, fmt.Sprintf("TP %d: %d of %d query heads on each GPU", sh.TP, a.Heads/sh.TP, a.Heads))
	}
	switch {
	case a.Kind == inputs.MLA:
		if sh.TP > 1 {
			out = append(out, fmt.Sprintf("latent attention: each of the TP %d ranks keeps the whole KV cache of its sequences", sh.TP))
		}
	case sh.TP > a.KVHeads:
		out = append(out, fmt.Sprintf("%d KV heads over TP %d: each is kept by %d GPUs, and the KV cache takes %g times its size", a.KVHeads, sh.TP, ceilDiv(sh.TP, a.KVHeads), float64(sh.TP)/float64(a.KVHeads)))
	case a.KVHeads%sh.TP != 0:
		out = append(out, fmt.Sprintf("%d KV heads do not divide over TP %d: each GPU keeps %d", a.KVHeads, sh.TP, ceilDiv(a.KVHeads, sh.TP)))
	}
	if f.Experts > 0 && sh.GPUs() > 1 {
		text := fmt.Sprintf("EP %d: %d of %d experts on each GPU", sh.EP, f.Experts/sh.EP, f.Experts)
		if sh.ETP > 1 {
			text += fmt.Sprintf(", each cut in %d", sh.ETP)
		}
		out = append(out, text)
	}
	return out
}
