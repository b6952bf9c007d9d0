package path

import "slices"

// BruteForce tries every path and keeps the first of the best: the oracle for tiny
// problems. Its time grows with (1 + options)^layers.
func BruteForce(p *Problem) (best []Stage, value Value, ok bool) {
	EveryPath(p, func(stages []Stage, v Value) {
		if !ok || v.Objective < value.Objective {
			best, value, ok = slices.Clone(stages), v, true
		}
	})
	return best, value, ok
}

// EveryPath calls visit with every path that the problem allows; the stages are reused.
func EveryPath(p *Problem, visit func([]Stage, Value)) {
	var stages []Stage
	var walk func(at int)
	walk = func(at int) {
		if at == p.Boundaries-1 {
			if v := p.Value(stages); p.infraction(stages, v) == nil {
				visit(stages, v)
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
}
