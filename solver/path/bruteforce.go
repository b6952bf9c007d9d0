package path

import "slices"

// BruteForce tries every path and keeps the first of the best: the oracle for tiny
// problems. Its time grows with (1 + options)^layers.
func BruteForce(p *Problem) (best []Stage, value Value, ok bool) {
	var stages []Stage
	var walk func(at int)
	walk = func(at int) {
		if at == p.Boundaries-1 {
			v := p.Value(stages)
			if (!ok || v.Objective < value.Objective) && p.infraction(stages, v) == nil {
				best, value, ok = slices.Clone(stages), v, true
			}
			return
		}
		for to := at + 1; to < p.Boundaries; to++ {
			class := p.ClassOf(at, to)
			if class < 0 {
				continue
			}
			for o := range p.Options[class] {
				stages = append(stages, Stage{at, to, class, int32(o)})
				walk(to)
				stages = stages[:len(stages)-1]
			}
		}
	}
	walk(0)
	return best, value, ok
}
