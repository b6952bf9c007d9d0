package formulation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/divide"
	"partita/inputs"
)

// reading is one way to map the degrees of a strategy onto GPUs. Degrees are a mapping
// and no product: inside a stage tp·cp·dp_attention = ep·etp, and data parallelism may
// stand for replicas, for attention DP inside a stage with the experts spread over it,
// or for both.
type reading struct {
	how      string
	replicas int
	shapes   []cost.Shape // of each stage
	why      string       // why it cannot be; "" where it can
	invalid  bool         // a degree that does not divide the model, whatever the mapping
}

// gpus is how many GPUs the reading takes over all replicas.
func (r *reading) gpus() int {
	n := 0
	for _, sh := range r.shapes {
		n += sh.GPUs()
	}
	return n * r.replicas
}

// etp is the largest tensor degree inside an expert.
func (r *reading) etp() int {
	n := 1
	for _, sh := range r.shapes {
		n = max(n, sh.ETP)
	}
	return n
}

// reader makes readings of one strategy.
type reader struct {
	c      *inputs.Condition
	s      *inputs.Strategy
	stages int
	given  int // GPUs; 0: nobody states a number
	moe    bool
}

func newReader(c *inputs.Condition, s *inputs.Strategy, given int) *reader {
	return &reader{c: c, s: s, stages: max(1, s.PP), given: given, moe: c.Model.HasExperts()}
}

// readings lists the ways to read the strategy, the one to evaluate first: one that
// can be, on the GPUs given, with the experts cut the least; else one that can be on
// other GPUs; else the nearest to being one.
func (r *reader) readings() []reading {
	var all []reading
	for _, d := range r.splits() {
		all = append(all, r.read(d[0], d[1]))
	}
	if inside, ok := r.insideTP(); ok {
		all = append(all, inside)
	}
	rank := func(x reading) int {
		switch {
		case x.why == "" && (r.given == 0 || x.gpus() == r.given):
			return 0
		case x.why == "":
			return 1
		case !x.invalid:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(all, func(a, b reading) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.etp(), b.etp()))
	})
	return all
}

// context is the degree that new tokens are split by. Sequence parallelism over the
// ranks of a tensor group takes no GPUs; of another degree it is context parallelism.
func (r *reader) context(i int) int {
	if len(r.s.CP) == 0 && r.s.SP > 1 && r.s.SP != r.s.TP.At(i) {
		return r.s.SP
	}
	return r.s.CP.At(i)
}

// base is the GPUs of one replica without attention DP.
func (r *reader) base() int {
	n := 0
	for i := range r.stages {
		n += r.s.TP.At(i) * r.context(i)
	}
	return n
}

// fills is the data parallelism that fills the GPUs given; 0: none does. Where the pools
// of the stages are stated, every one of them is to be filled.
func (r *reader) fills() int {
	if r.given == 0 {
		return 0
	}
	if len(r.s.Pools) == 0 || len(r.c.Cluster.Pools) == 1 {
		if r.given%r.base() != 0 {
			return 0
		}
		return r.given / r.base()
	}
	data := 0
	for _, p := range r.c.Cluster.Pools {
		own := 0
		for i := range r.stages {
			if r.s.Pools[min(i, len(r.s.Pools)-1)] == p.Name {
				own += r.s.TP.At(i) * r.context(i)
			}
		}
		if own == 0 {
			continue
		}
		if p.Count.Max%own != 0 || data > 0 && data != p.Count.Max/own {
			return 0
		}
		data = p.Count.Max / own
	}
	return data
}

// splits lists the pairs of replicas and attention DP that the data parallelism may
// stand for, most replicas first. Attention DP 0: as listed stage by stage.
func (r *reader) splits() [][2]int {
	s := r.s
	switch {
	case len(s.DPAttention) > 0:
		return [][2]int{{r.replicasBeside(), 0}}
	case s.Replicas > 0 && s.DP > 0:
		return [][2]int{{s.Replicas, max(1, s.DP/s.Replicas)}}
	case s.Replicas > 0:
		return [][2]int{{s.Replicas, r.forExperts()}}
	}
	data := s.DP
	if data == 0 {
		// Not stated: what fills the GPUs given, and no less than the experts need.
		data = r.forExperts()
		if n := r.fills(); n > 0 && n%data == 0 {
			data = n
		}
	}
	if !r.moe {
		return [][2]int{{data, 1}}
	}
	var out [][2]int
	for d := 1; d <= data; d++ {
		if data%d == 0 {
			out = append(out, [2]int{data / d, d})
		}
	}
	return out
}

// replicasBeside is the number of replicas where attention DP is stated.
func (r *reader) replicasBeside() int {
	s := r.s
	if s.Replicas > 0 {
		return s.Replicas
	}
	if d := s.DPAttention.At(0); s.DP > 0 && s.DP%d == 0 {
		return s.DP / d
	}
	one := 0
	for i := range r.stages {
		one += s.TP.At(i) * r.context(i) * s.DPAttention.At(i)
	}
	if s.DP == 0 && r.given > 0 && r.given%one == 0 {
		return r.given / one
	}
	return 1
}

// forExperts is the least attention DP over whose GPUs the experts divide as stated.
func (r *reader) forExperts() int {
	d := 1
	for i := range r.stages {
		q, ep := r.s.TP.At(i)*r.context(i), r.s.EP.At(i)
		need := ep / divide.GCD(q, ep)
		d = d / divide.GCD(d, need) * need
	}
	return d
}

// read makes the reading of one split.
func (r *reader) read(replicas, data int) reading {
	out := reading{replicas: replicas, how: howRead(r.s, replicas, data)}
	for i := range r.stages {
		d := data
		if d == 0 {
			d = r.s.DPAttention.At(i)
		}
		out.add(r, i, cost.Shape{TP: r.s.TP.At(i), CP: r.context(i), DPAttention: d, EP: r.s.EP.At(i)})
	}
	return out
}

func howRead(s *inputs.Strategy, replicas, data int) string {
	switch {
	case data == 0 || s.Replicas > 0:
		return "as stated"
	case s.DP == 0 && replicas == 1 && data == 1:
		return "no data parallelism"
	case data == 1:
		return "DP as replicas"
	case replicas == 1:
		return "DP as attention DP inside a stage, with the experts over it"
	}
	return fmt.Sprintf("DP as %d replicas × attention DP %d", replicas, data)
}

// insideTP is the reading of engines that count attention DP inside TP (SGLang): TP is
// the GPUs of a stage, of which DP groups share the sequences. It is one only where it
// takes the GPUs given.
func (r *reader) insideTP() (reading, bool) {
	s := r.s
	if !r.moe || s.DP < 2 || len(s.DPAttention) > 0 || r.given == 0 {
		return reading{}, false
	}
	out := reading{replicas: max(1, s.Replicas), how: "DP inside TP, as SGLang counts: TP is the GPUs of a stage"}
	for i := range r.stages {
		tp := s.TP.At(i)
		if tp%s.DP != 0 {
			return reading{}, false
		}
		out.add(r, i, cost.Shape{TP: tp / s.DP, CP: r.context(i), DPAttention: s.DP, EP: s.EP.At(i)})
	}
	return out, out.gpus() == r.given
}

// add appends a stage; the first that cannot be says why.
func (x *reading) add(r *reader, stage int, sh cost.Shape) {
	q := sh.GPUs()
	why := ""
	switch etp := r.s.ETP.At(stage); {
	case len(r.s.ETP) > 0:
		sh.ETP = etp
	case q%sh.EP == 0:
		sh.ETP = q / sh.EP
	default:
		sh.ETP = 1
		why = fmt.Sprintf("EP %d does not divide over %s of a stage", sh.EP, gpus(q))
	}
	x.shapes = append(x.shapes, sh)
	if x.why != "" {
		return
	}
	if bad := r.refusal(sh, why != ""); bad != "" {
		x.why, x.invalid = bad, true
		return
	}
	x.why = why
}

func gpus(n int) string {
	if n == 1 {
		return "the one GPU"
	}
	return fmt.Sprintf("the %d GPUs", n)
}

// refusal says why the model or its phase admits no such shape; "" where it does. Where
// the experts do not divide over the GPUs, only the heads are looked at.
func (r *reader) refusal(sh cost.Shape, unmapped bool) string {
	var all []string
	for kind := range r.c.Model.Kinds {
		ok, why := cost.ValidShape(&r.c.Model, kind, sh)
		if heads := r.c.Model.Kinds[kind].Attention.Heads; unmapped {
			ok, why = heads%sh.TP == 0, fmt.Sprintf("%d attention heads do not divide over TP %d", heads, sh.TP)
		}
		if !ok && !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	if ok, why := cost.ValidPhase(r.c.Workload.Phase, sh); !ok {
		all = append(all, why)
	}
	return strings.Join(all, "; ")
}

// inWords is a strategy as its author wrote it.
func inWords(s *inputs.Strategy) string {
	var out []string
	one := func(name string, v int) {
		if v > 0 {
			out = append(out, fmt.Sprintf("%s %d", name, v))
		}
	}
	list := func(name string, v inputs.Degrees) {
		if len(v) > 0 {
			out = append(out, name+" "+joined(v, "/"))
		}
	}
	list("TP", s.TP)
	one("PP", s.PP)
	one("DP", s.DP)
	one("replicas", s.Replicas)
	list("attention DP", s.DPAttention)
	list("EP", s.EP)
	list("expert TP", s.ETP)
	list("CP", s.CP)
	one("SP", s.SP)
	if len(s.Layers) > 0 {
		out = append(out, "layers "+joined(s.Layers, "+"))
	}
	if len(s.Pools) > 0 {
		out = append(out, "on "+strings.Join(s.Pools, "/"))
	}
	one("micro-batches", s.MicroBatches)
	one("micro-batch size", s.MicroBatchSize)
	one("decode groups", s.DecodeGroups)
	if len(out) == 0 {
		out = append(out, "no degrees")
	}
	text := strings.Join(out, ", ")
	if s.GPUs > 0 {
		text += fmt.Sprintf(" on %s", counted(s.GPUs, "GPU"))
	}
	return text
}

func joined(list []int, separator string) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = fmt.Sprint(n)
	}
	return strings.Join(out, separator)
}
