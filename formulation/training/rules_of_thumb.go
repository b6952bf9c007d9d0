package training

import (
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/formulation/divide"
	"partita/inputs"
)

// proposal is what a rule of thumb comes to.
type proposal struct {
	name   string
	split  Split
	layout *Layout // nil: it has none
	why    string  // it has none, or does not fit
}

// thumb makes the proposals for so many GPUs of each pool.
type thumb struct {
	x     *space
	gpus  []int
	total int
	moe   bool
	tps   []int // tensor degrees inside a node that the model admits, ascending
	pps   []int // pipeline degrees that divide the GPUs, ascending
}

// thumbs are rules that people go by, each the first of its candidates that fits memory:
//
//   - Megatron-LM (Narayanan et al. 2021, arXiv:2104.04473, section 3.5): tensor parallelism
//     up to a node, then as many pipeline ranks as it takes, the rest data parallel with a
//     distributed optimizer; selective recompute and sequence parallelism (Korthikanti et
//     al. 2022, arXiv:2205.05198); layers cut evenly; experts over the tensor group
//   - the same interleaved, or with full recompute
//   - the least model parallelism that fits, tensor before pipeline
//   - fully sharded data parallelism (ZeRO 3, arXiv:1910.02054), alone or over tensor groups;
//     experts inside nodes
//   - experts over as many data-parallel ranks as there are, no tensor parallelism
//     (DeepSeek-V3, arXiv:2412.19437, section 3.2)
func (x *space) thumbs(gpus []int) []proposal {
	t := &thumb{x: x, gpus: gpus, total: sum(gpus), moe: x.c.Model.HasExperts()}
	common, node := 0, t.total
	for k, n := range gpus {
		common = divide.GCD(common, n)
		if n > 0 {
			node = min(node, max(1, x.c.Cluster.Pools[k].GPUsPerNode))
		}
	}
	for _, tp := range divide.Divisors(node) {
		if ok, _ := cost.ValidTrainShape(&x.c.Model, cost.TrainShape{DP: 1, TP: tp, CP: 1, EP: 1, ETP: 1}); ok && common%tp == 0 {
			t.tps = append(t.tps, tp)
		}
	}
	for pp := 1; pp <= min(x.layers(), t.total); pp++ {
		if t.total%pp == 0 && common%(t.total/pp) == 0 {
			t.pps = append(t.pps, pp)
		}
	}
	if len(t.tps) == 0 || len(t.pps) == 0 {
		return nil
	}
	most := t.tps[len(t.tps)-1]
	spread := 1
	if t.moe {
		spread = most
	}
	var megatron, full, least, wide []Split
	for _, pp := range t.pps {
		megatron = append(megatron, t.split(most, pp, spread, 1))
	}
	full = megatron
	for _, tp := range t.tps {
		for _, pp := range t.pps {
			if pp == 1 || tp == most {
				least = append(least, t.split(tp, pp, 1, 1))
			}
		}
	}
	out := []proposal{
		t.first("Megatron-LM", inputs.SelectiveRecompute, megatron),
		t.interleaved("Megatron-LM, interleaved", megatron),
		t.first("Megatron-LM, full recompute", inputs.FullRecompute, full),
		t.first("least model parallelism", inputs.SelectiveRecompute, least),
		t.sharded("fully sharded (FSDP)", 1),
	}
	if most > 1 {
		out = append(out, t.sharded("fully sharded over tensor groups", most))
	}
	if t.moe {
		for _, pp := range t.pps {
			ep := 1
			for _, d := range divide.Divisors(t.total / pp) {
				if ok, _ := cost.ValidTrainShape(&x.c.Model, cost.TrainShape{DP: t.total / pp, TP: 1, CP: 1, EP: d, ETP: 1}); ok {
					ep = d
				}
			}
			wide = append(wide, t.split(1, pp, ep, 1))
		}
		out = append(out, t.first("experts over data parallelism", inputs.SelectiveRecompute, wide))
	}
	return out
}

// split has the rest of the GPUs data parallel; DP 0 where that does not come out even.
func (t *thumb) split(tp, pp, ep, zero int) Split {
	group := t.total / pp
	s := Split{TP: tp, CP: 1, EP: ep, ETP: 1, SP: tp > 1, ZeRO: zero, Virtual: 1, MicroBatch: 1, Ranks: make([]int, len(t.gpus))}
	for k, n := range t.gpus {
		s.Ranks[k] = n / group
	}
	if group%tp == 0 {
		s.DP = group / tp
	}
	return s
}

// first is the first of the candidates that fits.
func (t *thumb) first(name string, r inputs.Recompute, list []Split) proposal {
	out := proposal{name: name, why: "no degrees divide the GPUs and the batch"}
	for _, s := range list {
		if why := t.bad(&s); why != "" {
			if out.layout == nil {
				out.split, out.why = s, why
			}
			continue
		}
		out.split, out.layout = s, t.even(&s, r)
		rank, bytes := t.x.overfull(out.layout)
		if out.why = ""; rank < 0 {
			return out
		}
		const gib = 1 << 30
		out.why = fmt.Sprintf("memory: a GPU of rank %d takes %.1f GiB of %.1f", rank, float64(bytes)/gib, float64(t.x.costs.Capacity(out.layout.Stages[rank].Pool))/gib)
	}
	return out
}

// interleaved is the first with as many virtual stages as divide the layers.
func (t *thumb) interleaved(name string, list []Split) proposal {
	plain := t.first(name, inputs.SelectiveRecompute, list)
	s := plain.split
	if plain.layout == nil {
		return plain
	}
	pp := s.PP()
	if pp == 1 {
		return proposal{name: name, why: "without a pipeline there is nothing to interleave"}
	}
	for v := t.x.layers() / pp; v > 1; v-- {
		if s.Virtual = v; t.x.layers()%(v*pp) == 0 && t.bad(&s) == "" {
			if p := t.first(name, inputs.SelectiveRecompute, []Split{s}); p.why == "" {
				return p
			}
		}
	}
	return proposal{name: name, why: fmt.Sprintf("no 2 or more virtual stages on each of %d ranks cut the %d layers evenly and fit", pp, t.x.layers())}
}

// sharded is ZeRO 3 over tensor groups, with the largest micro-batch that fits: without
// recompute if any does, else with full recompute.
func (t *thumb) sharded(name string, tp int) proposal {
	s := t.split(tp, 1, t.inNode(tp), 3)
	if !slices.Contains(t.pps, 1) {
		return proposal{name: name, why: "the pools do not form one group of GPUs"}
	}
	if s.DP == 0 || t.x.global%s.DP != 0 {
		return proposal{name: name, split: s, why: fmt.Sprintf("a global batch of %d does not divide over %d data-parallel ranks", t.x.global, t.total/tp)}
	}
	sizes := divide.Divisors(t.x.global / s.DP)
	slices.Reverse(sizes)
	var out proposal
	for _, r := range []inputs.Recompute{inputs.SelectiveRecompute, inputs.FullRecompute} {
		var list []Split
		for _, s.MicroBatch = range sizes {
			list = append(list, s)
		}
		if out = t.first(name, r, list); out.why == "" {
			break
		}
	}
	return out
}

// inNode is how many ranks experts are spread over where they stay in a node: as many as
// the model and the groups admit.
func (t *thumb) inNode(tp int) int {
	ep := 1
	for _, d := range divide.Divisors(t.tps[len(t.tps)-1]) {
		if ok, _ := cost.ValidTrainShape(&t.x.c.Model, cost.TrainShape{DP: t.total / tp, TP: tp, CP: 1, EP: d, ETP: 1}); ok {
			ep = d
		}
	}
	return ep
}

// bad says why a split is none; empty: it is one.
func (t *thumb) bad(s *Split) string {
	if s.DP == 0 {
		return "the degrees do not divide the GPUs"
	}
	if ok, why := cost.ValidTrainShape(&t.x.c.Model, s.Shape()); !ok {
		return why
	}
	m := s.MicroBatches(t.x.global)
	switch {
	case t.x.global%(s.DP*s.MicroBatch) != 0:
		return fmt.Sprintf("a global batch of %d does not divide over DP %d and micro-batches of %d", t.x.global, s.DP, s.MicroBatch)
	case s.Virtual > 1 && m%s.PP() != 0:
		return fmt.Sprintf("%d micro-batches do not divide over %d ranks", m, s.PP())
	case s.PP()*s.Virtual > t.x.layers():
		return "more stages than layers"
	case !t.x.packable(s.Ranks, s.RankGPUs(), s.TP):
		return fmt.Sprintf("groups of TP %d do not fit into the nodes", s.TP)
	}
	return ""
}

// even cuts the layers evenly, the first stages taking one more where it does not come out;
// pools follow one another as they are listed.
func (t *thumb) even(s *Split, r inputs.Recompute) *Layout {
	l := &Layout{DP: s.DP, TP: s.TP, CP: s.CP, EP: s.EP, ETP: s.ETP, SP: s.SP, ZeRO: s.ZeRO, Virtual: s.Virtual, MicroBatch: s.MicroBatch}
	pp := s.PP()
	n, at := pp*s.Virtual, 0
	var pools []int
	for k, ranks := range s.Ranks {
		for range ranks {
			pools = append(pools, k)
		}
	}
	for k := range n {
		size := t.x.layers() / n
		if k < t.x.layers()%n {
			size++
		}
		l.Stages = append(l.Stages, Stage{First: at, Last: at + size - 1, Pool: pools[k%pp], Recompute: r})
		at += size
	}
	return l
}
