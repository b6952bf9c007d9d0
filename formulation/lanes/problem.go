package lanes

import (
	"fmt"
	"math"
	"slices"
)

// Type is a type of machine: Count of them, each passing Throughput[k-1] tokens/s where
// it holds k consecutive layers. The table need not fall with k; a machine holds at
// most as many layers as the table has entries.
//
// Where AtFirst is set it is the table of a machine that holds the first layer, with as
// many entries as Throughput and none above its own there.
type Type struct {
	Name       string
	Count      int
	Throughput []float64
	AtFirst    []float64
}

// Problem is a chain of layers to be served by machines that may overlap.
type Problem struct {
	Layers int
	Types  []Type
}

// Range is one machine of a plan: layers [First, First+Held).
type Range struct {
	Type  int // index into Problem.Types
	First int
	Held  int
}

// End is the layer after the last one held.
func (r Range) End() int { return r.First + r.Held }

// MaxLayers is how many layers a chain may have.
const MaxLayers = 1 << 16

// Check says what makes a problem no problem: the first such thing.
func (p *Problem) Check() error {
	if p.Layers < 1 || p.Layers > MaxLayers {
		return fmt.Errorf("%d layers: 1 to %d are possible", p.Layers, MaxLayers)
	}
	for _, t := range p.Types {
		if t.Count < 0 || t.Count > MaxLayers {
			return fmt.Errorf("%d machines of type %s: 0 to %d are possible", t.Count, t.Name, MaxLayers)
		}
		if t.AtFirst != nil && len(t.AtFirst) != len(t.Throughput) {
			return fmt.Errorf("type %s has tables of %d and %d entries: want as many at the first layer", t.Name, len(t.Throughput), len(t.AtFirst))
		}
		for k, v := range t.AtFirst {
			if !(v >= 0 && v <= t.Throughput[k]) {
				return fmt.Errorf("a machine of type %s with %d layers passes %v tokens/s at the first layer: want 0 to %v", t.Name, k+1, v, t.Throughput[k])
			}
		}
		for k, v := range t.Throughput {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				return fmt.Errorf("a machine of type %s with %d layers passes %v tokens/s: a finite number from 0 is needed", t.Name, k+1, v)
			}
		}
	}
	return nil
}

// Throughput of one machine of a plan, in tokens/s.
func (p *Problem) Throughput(r Range) float64 {
	if t := p.Types[r.Type].AtFirst; t != nil && r.First == 0 {
		return t[r.Held-1]
	}
	return p.Types[r.Type].Throughput[r.Held-1]
}

// Value is the throughput of a plan in tokens/s: over the layers, the smallest sum of
// what the machines that hold the layer pass, added in the order of the plan. A plan
// that leaves a layer out is worth 0.
func (p *Problem) Value(plan []Range) float64 {
	at := make([]float64, p.Layers)
	for _, r := range plan {
		for l := r.First; l < r.End(); l++ {
			at[l] += p.Throughput(r)
		}
	}
	return slices.Min(at)
}
