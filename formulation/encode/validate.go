package encode

import (
	"fmt"

	"partita/solver/path"
)

// validate refuses problems that are not well formed: indices out of range, lengths
// that do not match, and the negative figures that would make the bounds wrong.
func validate(p *path.Problem) error {
	if p.Boundaries < 2 || len(p.Class) != p.Boundaries*p.Boundaries {
		return fmt.Errorf("stage graph: %d boundaries with %d classes: at least 2 boundaries and a class for each pair are needed", p.Boundaries, len(p.Class))
	}
	for a := range p.Boundaries {
		for b := a + 1; b < p.Boundaries; b++ {
			if c := p.ClassOf(a, b); int(c) >= len(p.Options) {
				return fmt.Errorf("stage graph: interval [%d, %d) has class %d of %d: give it options or class -1", a, b, c, len(p.Options))
			}
		}
	}
	for c, options := range p.Options {
		for o, opt := range options {
			if opt.Resource < 0 || int(opt.Resource) >= len(p.Resources) || opt.Units <= 0 || opt.Time[0] < 0 || opt.Time[1] < 0 ||
				p.Send != nil && (opt.Group < 0 || int(opt.Group) >= len(p.Send)) {
				return fmt.Errorf("stage graph: option %d of class %d: %+v needs a resource and a group that exist, units above 0 and times of 0 or more", o, c, opt)
			}
		}
	}
	for g, row := range p.Send {
		if len(row) != len(p.Send) {
			return fmt.Errorf("stage graph: send from group %d has %d entries for %d groups", g, len(row), len(p.Send))
		}
		for h, send := range row {
			if send[0] < 0 || send[1] < 0 {
				return fmt.Errorf("stage graph: send from group %d to %d takes %v: times must be 0 or more", g, h, send)
			}
		}
	}
	for f, phase := range p.Phases {
		if phase.Sum < 0 || phase.Peak < 0 || phase.Rate < 0 || p.Weight[f] < 0 || p.Cap != nil && p.Cap.Weight[f] < 0 {
			return fmt.Errorf("stage graph: phase %d: negative coefficients or weights have no bound", f)
		}
	}
	if p.BalanceNum < 0 || p.BalanceNum > 0 && p.BalanceDen < p.BalanceNum {
		return fmt.Errorf("stage graph: balance %d/%d must lie between 0 and 1", p.BalanceNum, p.BalanceDen)
	}
	if err := validatePackings(p); err != nil {
		return err
	}
	return validateSize(p)
}

func validatePackings(p *path.Problem) error {
	for i, k := range p.Packings {
		if len(k.Resources) != len(k.Sizes) || k.Copies < 1 {
			return fmt.Errorf("stage graph: packing %d: %d sizes for %d resources, %d copies: give each resource its size, and one copy or more", i, len(k.Sizes), len(k.Resources), k.Copies)
		}
		for j, r := range k.Resources {
			if r < 0 || r >= len(p.Resources) || k.Sizes[j] < 1 {
				return fmt.Errorf("stage graph: packing %d: resource %d with groups of %d is none of the %d resources", i, r, k.Sizes[j], len(p.Resources))
			}
		}
	}
	return nil
}

// largestValue bounds what an objective can come to: far above the 10⁷ ticks that a
// solver in floating point takes, and low enough that prices fit into int64.
const largestValue = 1 << 40

// largestCap bounds the left side of the cap. It is a row, never an objective: exact
// in doubles is enough.
const largestCap = 1 << 46

func validateSize(p *path.Problem) error {
	var longest, fee float64
	for _, options := range p.Options {
		for _, o := range options {
			longest = max(longest, float64(o.Time[0]), float64(o.Time[1]))
			fee = max(fee, float64(o.Fee), -float64(o.Fee))
		}
	}
	for _, row := range p.Send {
		for _, send := range row {
			longest = max(longest, longest+float64(max(send[0], send[1])))
		}
	}
	layers := float64(p.Boundaries - 1)
	value := func(weight [2]int64) (v float64) {
		for f, phase := range p.Phases {
			v += float64(weight[f]) * longest * (float64(phase.Sum)*layers + float64(phase.Peak) + float64(phase.Rate))
		}
		return v
	}
	most := max(value(p.Weight)+layers*fee, value([2]int64{1, 0}), value([2]int64{0, 1}))
	if p.Cap != nil && value(p.Cap.Weight) > largestCap {
		return fmt.Errorf("stage graph: the cap reaches up to %.3g, over %d: choose smaller weights", value(p.Cap.Weight), int64(largestCap))
	}
	if most > largestValue {
		return fmt.Errorf("stage graph: values up to %.3g, over %d: choose a longer tick or smaller weights", most, int64(largestValue))
	}
	return nil
}
