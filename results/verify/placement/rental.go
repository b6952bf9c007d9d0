package placement

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"partita/inputs/instance"
	"partita/results"
)

// Rented is what a renting comes to.
type Rented struct {
	Bottleneck    float64 // tokens/s of the slowest stage
	USDPerHour    float64
	USDPerMillion float64
}

// Rent recomputes a renting: every stage is a segment of the instance; the groups of each
// rented instance fill all its GPUs, at offsets that their sizes divide; no more is rented
// than there is, and what is rented is used and paid for.
func Rent(r *instance.Rental, s *results.PlacedSolution) (Rented, error) {
	broken := consecutive(s.Stages, r.Layers)
	broken = append(broken, foreign(s, true, true, false)...)
	if len(s.Stages) > r.MaxStages {
		broken = append(broken, fmt.Errorf("%d stages: at most %d are possible", len(s.Stages), r.MaxStages))
	}
	out := Rented{Bottleneck: math.Inf(1)}
	groups := map[string]map[int][]int{} // sizes by type and instance
	for i, m := range s.Stages {
		want := instance.Segment{Type: m.Machine, TP: m.TP, Layers: m.LastLayer - m.FirstLayer + 1, TokensPerS: m.TokensPerS}
		if !slices.Contains(r.Segments, want) {
			broken = append(broken, fmt.Errorf("stage %d: %d layers on %d GPUs of %s at %v tokens/s: the instance has no such segment", i, want.Layers, m.TP, m.Machine, m.TokensPerS))
			continue
		}
		out.Bottleneck = min(out.Bottleneck, m.TokensPerS)
		if groups[m.Machine] == nil {
			groups[m.Machine] = map[int][]int{}
		}
		groups[m.Machine][m.Index] = append(groups[m.Machine][m.Index], m.TP)
	}
	for _, t := range r.Types {
		instances := groups[t.Name]
		if len(instances) > t.Count {
			broken = append(broken, fmt.Errorf("%d instances of %s: there are %d", len(instances), t.Name, t.Count))
		}
		for index := range len(instances) {
			sizes, there := instances[index]
			if !there {
				broken = append(broken, fmt.Errorf("the instances of %s are not counted from 0 on", t.Name))
				break
			}
			if err := fills(sizes, t.GPUs); err != nil {
				broken = append(broken, fmt.Errorf("%s %d: %w", t.Name, index, err))
			}
		}
		out.USDPerHour += float64(len(instances)) * t.USDPerHour
		broken = append(broken, paid(s, t.Name, len(instances))...)
	}
	for _, x := range s.Rented {
		if !slices.ContainsFunc(r.Types, func(t instance.RentalType) bool { return t.Name == x.Type }) {
			broken = append(broken, fmt.Errorf("%q is rented: the instance has no such type", x.Type))
		}
	}
	if math.Abs(s.USDPerHour-out.USDPerHour) > dollar {
		broken = append(broken, fmt.Errorf("said to cost %v USD an hour: it is %v", s.USDPerHour, out.USDPerHour))
	}
	// A pipeline of K stages passes a share of its bottleneck: its bubbles, never over half.
	share := 1.0
	if k := float64(len(s.Stages)); k > 1 {
		n := float64(r.Batch) / float64(r.MicroBatch)
		share = math.Max(0.5, 0.9*n/(n+k-1))
	}
	perHour := out.Bottleneck * share * r.RealWorldEfficiency * 3600
	out.USDPerMillion = 1e6 * out.USDPerHour / perHour
	return out, errors.Join(broken...)
}

// fills checks that groups fill an instance of so many GPUs: from the largest down, one
// behind the other, each aligned.
func fills(sizes []int, gpus int) error {
	sizes = slices.Clone(sizes)
	slices.Sort(sizes)
	slices.Reverse(sizes)
	offset := 0
	for _, size := range sizes {
		if size < 1 || size&(size-1) != 0 || offset%size != 0 || offset+size > gpus {
			return fmt.Errorf("groups of %v GPUs do not fit aligned into %d", sizes, gpus)
		}
		offset += size
	}
	if offset != gpus {
		return fmt.Errorf("groups of %v GPUs leave %d of %d unused", sizes, gpus-offset, gpus)
	}
	return nil
}

// paid checks that the list of what is rented counts a type once and right.
func paid(s *results.PlacedSolution, name string, used int) []error {
	listed, entries := 0, 0
	for _, x := range s.Rented {
		if x.Type == name {
			listed += x.Count
			entries++
		}
	}
	if listed != used || entries > 1 || entries == 1 && used == 0 {
		return []error{fmt.Errorf("%d of %s are listed as rented in %d entries: %d are used", listed, name, entries, used)}
	}
	return nil
}
