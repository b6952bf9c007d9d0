package training

import (
	"iter"

	"partita/formulation/cost"
	"partita/formulation/divide"
	"partita/inputs/knowledge"
)

// splits lists the outer choices that use exactly so many GPUs of each pool. What no
// layout can be made of for a reason that needs no prices (shapes that the model does not
// admit, tensor groups that do not fit into nodes, more ranks than layers) is not listed;
// refused receives the rules that take out the others.
func (x *space) splits(gpus []int, refused []int) iter.Seq[Split] {
	return func(yield func(Split) bool) {
		common := 0
		for _, n := range gpus {
			common = divide.GCD(common, n)
		}
		for _, group := range divide.Divisors(common) {
			ranks, pp := make([]int, len(gpus)), 0
			for k, n := range gpus {
				ranks[k] = n / group
				pp += ranks[k]
			}
			if pp > x.layers() || !x.pin(pp, x.pinnedPP()) {
				continue
			}
			for _, s := range x.shapes(group, ranks) {
				if !x.steps(s, refused, yield) {
					return
				}
			}
		}
	}
}

// shapes lists DP, TP, CP, EP and expert TP of ranks of so many GPUs.
func (x *space) shapes(group int, ranks []int) []Split {
	var out []Split
	moe := x.c.Model.HasExperts()
	for _, tp := range divide.Divisors(group) {
		if !x.pin(tp, x.pinnedDegree(tpDegree)) || !x.packable(ranks, group, tp) {
			continue
		}
		for _, cp := range divide.Divisors(group / tp) {
			dp := group / tp / cp
			if x.global%dp != 0 || !x.pin(cp, x.pinnedDegree(cpDegree)) || !x.pin(dp, x.pinnedDP()) || !x.divides(cp) {
				continue
			}
			eps := []int{1}
			if moe {
				eps = divide.Divisors(group)
			}
			for _, ep := range eps {
				if !x.pin(ep, x.pinnedDegree(epDegree)) {
					continue
				}
				for _, etp := range divide.Divisors(tp) {
					if etp > 1 && !moe || group%(ep*etp) != 0 || !x.pin(etp, x.pinnedDegree(etpDegree)) {
						continue
					}
					s := Split{DP: dp, TP: tp, CP: cp, EP: ep, ETP: etp, Ranks: ranks}
					if ok, _ := cost.ValidTrainShape(&x.c.Model, s.Shape()); ok {
						out = append(out, s)
					}
				}
			}
		}
	}
	return out
}

// divides reports whether sequences split over context ranks: each takes a part from the
// front and one from the back, so that the causal mask leaves all as much to do.
func (x *space) divides(cp int) bool { return cp == 1 || x.sequence%(2*cp) == 0 }

func (x *space) packable(ranks []int, group, tp int) bool {
	for k, n := range ranks {
		if !x.packs(k, n*group, tp) {
			return false
		}
	}
	return true
}

// steps yields the splits of a shape: sequence parallelism, ZeRO, micro-batch, virtual
// stages. False: the caller wants no more.
func (x *space) steps(s Split, refused []int, yield func(Split) bool) bool {
	pp, asked := s.PP(), x.pinnedZeRO()
	for _, s.SP = range []bool{false, true} {
		if s.SP && s.TP == 1 || !x.admitsSP(s.SP, s.TP) {
			continue
		}
		for s.ZeRO = 0; s.ZeRO <= 3; s.ZeRO++ {
			if s.ZeRO > 0 && s.DP*s.CP == 1 && asked < 0 || asked >= 0 && s.ZeRO != asked {
				continue
			}
			for _, s.MicroBatch = range divide.Divisors(x.global / s.DP) {
				if !x.pin(s.MicroBatch, x.pinnedMicro()) {
					continue
				}
				m := s.MicroBatches(x.global)
				for s.Virtual = 1; s.Virtual*pp <= x.layers(); s.Virtual++ {
					if s.Virtual > 1 && (pp == 1 || m%pp != 0) {
						break
					}
					if !x.pin(s.Virtual, x.pinnedVirtual()) || s.Virtual > 1 && !x.interleaves(&s) {
						continue
					}
					if rule := x.breaks(&s); rule >= 0 {
						refused[rule]++
						continue
					}
					if !yield(s) {
						return false
					}
				}
			}
		}
	}
	return true
}

// interleaves reports whether a split with virtual stages is searched: where kinds of layer
// repeat from some layer on, and no rule asks which layers a stage has; or where a pinned
// strategy has the layers of each stage.
func (x *space) interleaves(s *Split) bool {
	if x.cut(s) != nil {
		return true
	}
	return x.unit > 0 && s.PP()*s.Virtual*x.unit <= x.layers() && !x.rules.Uses(knowledge.OfPlace)
}
