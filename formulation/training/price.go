package training

import (
	"errors"
	"fmt"

	"partita/formulation/cost"
	"partita/inputs"
)

// Step is the price of a training step.
type Step struct {
	Seconds float64 // of the whole step
	// Parts of it. Bubble is the time in which the slowest rank waits for the pipeline to
	// fill and drain, Sync what exchanging gradients and weights adds, Update the
	// optimizer's and the host's.
	Bubble, Sync, Update float64
	// MFU is the model FLOP utilisation: model FLOP (cost.TrainFLOPs) over the step and the
	// peak of all GPUs in the format that weights are multiplied in.
	MFU    float64
	Stages []StagePrice // in the order of Layout.Stages
	Ranks  []RankPrice  // in the order of the pipeline
}

// StagePrice is one stage on one micro-batch, in seconds.
type StagePrice struct {
	Forward, Backward float64
	// Send is handing the hidden state on and receiving its gradient.
	Send float64
}

// RankPrice is one pipeline rank.
type RankPrice struct {
	// MicroBatch is the time of all its stages on one micro-batch, τ.
	MicroBatch   float64
	Sync, Update float64 // of a step
}

// Price is the time of one training step of the layout:
//
//	T = m·max τ_i + (Σ τ_i − max τ_i)/v + max sync_i + max update_i                (T11)
//
// The pipeline's part is exact where all stages take the same time, and where the last one
// takes longer. With unequal stages it is an approximation: plain 1F1B takes no longer where
// backward passes take as many times their forward ones in each stage. Against the simulated
// schedule (TestPipelineFormula, 2 to 16 ranks), stages that differ by up to 10 % (30 %) at
// random: plain 0.5 % (1.4 %) too long in the median, 0 to 6 % (18 %); interleaved 1 % either
// way in the median, 5 % too short to 7 % too long (12 and 10 %). The error says why the
// layout does not map onto the condition.
func Price(c *inputs.Condition, calc *cost.Calculator, l *Layout) (*Step, error) {
	if err := l.check(c); err != nil {
		return nil, err
	}
	p := pricer{c: c, calc: calc, l: l, shape: l.Shape(), work: l.Work(c), hosts: hostsOf(c, l)}
	out := &Step{Stages: make([]StagePrice, len(l.Stages)), Ranks: make([]RankPrice, l.PP())}
	for k := range l.Stages {
		out.Stages[k] = p.stage(k)
		s := &out.Stages[k]
		out.Ranks[l.Rank(k)].MicroBatch += s.Forward + s.Backward + s.Send
	}
	m := l.MicroBatches(c.Workload.Batch)
	var slowest, sum float64
	for i := range out.Ranks {
		r := &out.Ranks[i]
		counts, first, last := p.held(i)
		pool := l.Stages[i].Pool
		r.Sync = calc.TrainSync(pool, counts, first, last, p.shape, p.work, m)
		r.Update = calc.TrainUpdate(pool, counts, first, last, p.shape)
		slowest, sum = max(slowest, r.MicroBatch), sum+r.MicroBatch
		out.Sync, out.Update = max(out.Sync, r.Sync), max(out.Update, r.Update)
	}
	out.Bubble = (sum - slowest) / float64(l.Virtual)
	out.Seconds = pipelineSeconds(slowest, sum, l.Virtual, m) + out.Sync + out.Update
	sequences := float64(c.Workload.Batch)
	out.MFU = sequences * calc.TrainFLOPs(p.work) / out.Seconds / p.peak()
	return out, nil
}

// pipelineSeconds is the time of m micro-batches through a pipeline whose slowest rank takes
// so long on one, and all ranks together sum.
func pipelineSeconds(slowest, sum float64, virtual, m int) float64 {
	return float64(m)*slowest + (sum-slowest)/float64(virtual)
}

// Shape is how each stage of the layout splits its layers.
func (l *Layout) Shape() cost.TrainShape {
	return cost.TrainShape{DP: l.DP, TP: l.TP, CP: l.CP, EP: l.EP, ETP: l.ETP, ZeRO: l.ZeRO, SP: l.SP}
}

// Work is what each stage works on at once.
func (l *Layout) Work(c *inputs.Condition) cost.TrainStep {
	return cost.TrainStep{
		MicroBatch: l.MicroBatch, Sequence: c.Workload.Input.Max, Overlap: cost.Interleaved(l.PP(), l.Virtual),
		TrainEngine: l.Engine,
	}
}

type pricer struct {
	c     *inputs.Condition
	calc  *cost.Calculator
	l     *Layout
	shape cost.TrainShape
	work  cost.TrainStep
	hosts *hosts
}

// stage prices stage k on one micro-batch.
func (p *pricer) stage(k int) StagePrice {
	s := &p.l.Stages[k]
	var out StagePrice
	for kind, n := range p.counts(s) {
		if n == 0 {
			continue
		}
		f, b := p.calc.TrainLayer(s.Pool, kind, p.shape, p.work, s.Recompute)
		out.Forward += float64(n) * f
		out.Backward += float64(n) * b
	}
	if k == 0 {
		f, b := p.calc.TrainEmbedding(s.Pool, p.shape, p.work)
		out.Forward, out.Backward = out.Forward+f, out.Backward+b
	}
	if k == len(p.l.Stages)-1 {
		f, b := p.calc.TrainHead(s.Pool, p.shape, p.work)
		out.Forward, out.Backward = out.Forward+f, out.Backward+b
		return out
	}
	if p.l.PP() > 1 {
		to := p.l.Stages[k+1].Pool
		out.Send = 2 * p.calc.TrainSend(s.Pool, to, p.hosts.share(p.l.Rank(k), p.l.Rank(k+1)), p.shape, p.work)
	}
	return out
}

// counts are the layers of each kind in a stage.
func (p *pricer) counts(s *Stage) []int {
	out := make([]int, len(p.c.Model.Kinds))
	for i := s.First; i <= s.Last; i++ {
		out[p.c.Model.Layers[i]]++
	}
	return out
}

// held is what a rank holds over all its stages.
func (p *pricer) held(rank int) (counts []int, first, last bool) {
	counts = make([]int, len(p.c.Model.Kinds))
	for k := rank; k < len(p.l.Stages); k += p.l.PP() {
		for kind, n := range p.counts(&p.l.Stages[k]) {
			counts[kind] += n
		}
	}
	return counts, rank == 0, rank == p.l.PP()-1
}

// peak is the FLOP/s of all GPUs of the layout.
func (p *pricer) peak() float64 {
	total := 0.0
	for rank := range p.l.PP() {
		pool := p.l.Stages[rank].Pool
		total += float64(p.shape.GPUs()) * p.calc.PeakFLOPS(pool)
	}
	return total
}

// check reports everything that keeps the layout from mapping onto the condition.
func (l *Layout) check(c *inputs.Condition) error {
	if c.Workload.Training == nil || c.Workload.Phase != inputs.Training {
		return errors.New("the workload is no training step")
	}
	if l.Virtual < 1 || len(l.Stages) == 0 || len(l.Stages)%l.Virtual != 0 {
		return fmt.Errorf("%d stages do not lie %d on each rank", len(l.Stages), l.Virtual)
	}
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if ok, why := cost.ValidTrainShape(&c.Model, l.Shape()); !ok {
		add("%s", why)
	}
	switch batch := c.Workload.Batch; {
	case l.MicroBatch < 1 || l.DP < 1 || batch%(l.DP*l.MicroBatch) != 0:
		add("a global batch of %d does not divide over DP %d and micro-batches of %d", batch, l.DP, l.MicroBatch)
	case l.Virtual > 1 && l.MicroBatches(batch)%l.PP() != 0:
		add("%d micro-batches: interleaved stages take them in groups of %d, the ranks of the pipeline", l.MicroBatches(batch), l.PP())
	}
	if l.Virtual > 1 && l.PP() == 1 {
		add("%d virtual stages on one rank: there is no pipeline to interleave", l.Virtual)
	}
	next := 0
	used := make([]int, len(c.Cluster.Pools))
	for k := range l.Stages {
		s := &l.Stages[k]
		if s.First != next || s.Last < s.First-1 {
			add("stage %d has layers %d to %d, and layer %d is next", k, s.First, s.Last, next)
			break
		}
		next = s.Last + 1
		switch {
		case s.Pool < 0 || s.Pool >= len(c.Cluster.Pools):
			add("stage %d is on pool %d, of which there are %d", k, s.Pool, len(c.Cluster.Pools))
			return errors.Join(problems...)
		case s.Pool != l.Stages[l.Rank(k)].Pool:
			add("stages %d and %d of one rank are on different pools", l.Rank(k), k)
		case k < l.PP():
			used[s.Pool] += l.DP * l.TP * l.CP
		}
	}
	if next != len(c.Model.Layers) && len(problems) == 0 {
		add("the stages have %d layers, the model %d", next, len(c.Model.Layers))
	}
	for i, n := range used {
		if pool := &c.Cluster.Pools[i]; !pool.Count.Unlimited() && n > pool.Count.Max {
			add("%d GPUs of pool %q, which has %d", n, pool.Name, pool.Count.Max)
		}
	}
	return errors.Join(problems...)
}
