package stagegraph

import (
	"partita/formulation/cost"
	"partita/inputs"
)

// memoryKey is what the memory of a stage depends on beside the stage.
type memoryKey struct{ sequences, micro, group int }

// load is (C8).
func (s *Space) load(sequences, micro, groups int) cost.Load {
	w := &s.Condition.Workload
	l := cost.Load{Sequences: sequences, Tokens: w.Input.Max}
	if w.Phase != inputs.Prefill {
		l.Tokens += w.Output.Max
	}
	if micro > 0 {
		l.Steps = append(l.Steps, s.latencyStep(ceilDiv(sequences, micro)))
	}
	if groups > 0 {
		l.Steps = append(l.Steps, s.decodeStep(ceilDiv(sequences, groups)))
	}
	return l
}

// fitting tells, by pool, shape and class, whether the stage fits its GPUs.
func (s *Space) fitting(replicas, micro, groups int) [][][]bool {
	n := s.Sequences(replicas)
	key := memoryKey{n, 0, 0}
	if micro > 0 {
		key.micro = ceilDiv(n, micro)
	}
	if groups > 0 {
		key.group = ceilDiv(n, groups)
	}
	if f, ok := s.fits[key]; ok {
		return f
	}
	l := s.load(n, micro, groups)
	out := make([][][]bool, len(s.pools))
	for k := range s.pools {
		capacity := s.Costs.Capacity(k)
		out[k] = make([][]bool, len(s.pools[k].shapes))
		for i, sh := range s.pools[k].shapes {
			fit := make([]bool, len(s.classes.list))
			for j := range s.classes.list {
				c := &s.classes.list[j]
				fit[j] = s.Costs.StageMemory(k, c.counts, c.first, c.last, sh, l).Total() <= capacity
			}
			out[k][i] = fit
		}
	}
	s.fits[key] = out
	return out
}

// Homeless is the first layer that fits no group of GPUs of any pool, alone and with a
// single sequence: no number of GPUs places the model then. False where there is none.
func (s *Space) Homeless() (layer int, found bool) {
	micro, groups := 0, 0
	if s.Prefills() {
		micro = 1
	}
	if s.Decodes() {
		groups = 1
	}
	fits := s.fitting(s.Condition.Workload.Batch, micro, groups)
	for l := range s.layers {
		class, home := s.classes.of[l*(s.layers+1)+l+1], false
		for k := range fits {
			for i := range fits[k] {
				home = home || fits[k][i][class]
			}
		}
		if !home {
			return l, true
		}
	}
	return 0, false
}
