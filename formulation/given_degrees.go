package formulation

import (
	"context"
	"fmt"
	"math"
	"slices"

	"partita/formulation/stagegraph"
	"partita/inputs"
)

// mostDegree is the largest value that is tried in place of a degree.
const mostDegree = 128

// degree is a field of a strategy that can be changed by itself.
type degree struct {
	name, field string
	get         func(*inputs.Strategy) int // 0: not stated, or not one for all stages
	set         func(*inputs.Strategy, int)
}

func degreesOfStrategy() []degree {
	one := func(name, field string, at func(*inputs.Strategy) *int) degree {
		return degree{name, field, func(s *inputs.Strategy) int { return *at(s) }, func(s *inputs.Strategy, v int) { *at(s) = v }}
	}
	list := func(name, field string, at func(*inputs.Strategy) *inputs.Degrees) degree {
		return degree{name, field, func(s *inputs.Strategy) int {
			if d := *at(s); len(d) == 1 {
				return d[0]
			}
			return 0
		}, func(s *inputs.Strategy, v int) { *at(s) = inputs.Degrees{v} }}
	}
	return []degree{
		list("TP", "tp", func(s *inputs.Strategy) *inputs.Degrees { return &s.TP }),
		one("PP", "pp", func(s *inputs.Strategy) *int { return &s.PP }),
		one("DP", "dp", func(s *inputs.Strategy) *int { return &s.DP }),
		one("replicas", "replicas", func(s *inputs.Strategy) *int { return &s.Replicas }),
		list("attention DP", "dp_attention", func(s *inputs.Strategy) *inputs.Degrees { return &s.DPAttention }),
		list("EP", "ep", func(s *inputs.Strategy) *inputs.Degrees { return &s.EP }),
		list("expert TP", "etp", func(s *inputs.Strategy) *inputs.Degrees { return &s.ETP }),
		list("CP", "cp", func(s *inputs.Strategy) *inputs.Degrees { return &s.CP }),
		one("SP", "sp", func(s *inputs.Strategy) *int { return &s.SP }),
	}
}

// degrees tries every stated degree at other values, the others as they are: the words
// that the strategy was given in are those in which it is put right.
func (a *adviser) degrees(ctx context.Context, s *inputs.Strategy) error {
	listed, _ := s.Listed()
	for _, d := range degreesOfStrategy() {
		from := d.get(s)
		if from == 0 || d.field == "pp" && listed > 0 {
			continue
		}
		for v := 1; v <= mostDegree && ctx.Err() == nil; v++ {
			if v == from {
				continue
			}
			x := *s
			d.set(&x, v)
			size := math.Abs(math.Log2(float64(v) / float64(from)))
			if err := a.reread(&x, changeSplit, fmt.Sprintf("%s %d → %d", d.name, from, v), size); err != nil {
				return err
			}
		}
	}
	return a.cuts(s)
}

// cuts tries other layers where they are stated: an even cut, and where their sum is
// not the model's the one stage that puts it right.
func (a *adviser) cuts(s *inputs.Strategy) error {
	if len(s.Layers) == 0 {
		return nil
	}
	off := len(a.c.Model.Layers)
	for _, n := range s.Layers {
		off -= n
	}
	for i, n := range s.Layers {
		if off == 0 || n+off < 1 {
			continue
		}
		x := *s
		x.Layers = slices.Clone(s.Layers)
		x.Layers[i] += off
		if err := a.reread(&x, changeLayers, fmt.Sprintf("layers of stage %d: %d → %d", i, n, n+off), math.Abs(float64(off))/float64(n)); err != nil {
			return err
		}
	}
	x := *s
	x.Layers = nil
	return a.reread(&x, changeLayers, "layers cut evenly", 1)
}

// reread reads a changed strategy and tries it.
func (a *adviser) reread(s *inputs.Strategy, kind, text string, size float64) error {
	stated := 0
	if a.statedGPUs() {
		stated = *a.out.GPUsGiven
	}
	all := newReader(a.c, s, stated).readings()
	r := &all[0]
	a.tried[text] = true
	if r.why != "" || len(r.shapes) > len(a.c.Model.Layers) {
		return nil
	}
	quiet := &evaluation{c: a.c, given: a.given, source: a.source, out: newGivenEvaluation(a.c, Given{Plan: nil, Strategy: s}, a.opts).out}
	sub := quiet.fromReading(s, r)
	if sub == nil || !a.admits(a.c, sub.counts(len(a.c.Cluster.Pools))) {
		return nil
	}
	if err := a.scaled(sub); err != nil {
		return nil // it cannot be priced: no advice
	}
	return a.try("", a.c, *sub, kind, text, size)
}

// admitted are the stages whose shapes the given strategy brings with it.
func (a *adviser) admitted() []stagegraph.Part {
	if a.trial == nil {
		return nil
	}
	return slices.Clone(a.trial.sub.parts)
}
