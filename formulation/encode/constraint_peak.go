package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// peakConstraint ties T_p, an integer of the whole model, to the stages. It needs no
// big M, because exactly one arc covers each layer:
//
//	T_p ≥ Σ τ_c·x_c   over the arcs that cover layer l, for every l
//
// In the model of a box T_p is a constant and arcs over the window are not in it.
type peakConstraint struct{ p *path.Problem }

func (c peakConstraint) label() string { return "peak" }

// Explain is the constraint as a sentence.
func (c peakConstraint) Explain() string {
	return "the bottleneck time is at least the time of the stage that holds each layer"
}

func (c peakConstraint) add(b *builder) []solver.Constraint {
	if !b.whole {
		return nil
	}
	var rows []solver.Constraint
	longest := b.n.longest(b.arcs)
	for p := range b.peak {
		b.peak[p] = b.m.Int(fmt.Sprintf("T_%d", p), 0, longest[p])
		for l, cover := range b.covers(p) {
			rows = append(rows, b.m.AtMost(fmt.Sprintf("peak_%d_layer_%d", p, l), cover.Add(-1, b.peak[p]), 0))
		}
	}
	return rows
}

// covers is, for each layer, the time in phase p of the arc that covers it.
func (b *builder) covers(p int) []solver.Expr {
	covers := make([]solver.Expr, b.p.Boundaries-1)
	for i, j := range b.arcs {
		a := &b.n.arcs[j]
		for l := a.begin; l < a.end; l++ {
			covers[l] = covers[l].Add(a.time[p], b.x[i])
		}
	}
	return covers
}
