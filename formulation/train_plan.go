package formulation

import (
	"fmt"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/training"
	"partita/inputs"
	"partita/results"
)

// trainingPlan makes the plan of a layout of a training step.
type trainingPlan struct {
	c     *inputs.Condition
	costs *cost.Calculator
	l     *training.Layout
	step  *training.Step
}

// newTrainingPlan prices a layout. The error says why it does not map onto the condition.
func newTrainingPlan(c *inputs.Condition, costs *cost.Calculator, l *training.Layout) (*trainingPlan, error) {
	step, err := training.Price(c, costs, l)
	if err != nil {
		return nil, err
	}
	return &trainingPlan{c: c, costs: costs, l: l, step: step}, nil
}

// phase is the plan with all but what was proved. The error says that its ranks do not lie
// on the nodes.
func (p *trainingPlan) phase() (*results.PhasePlan, error) {
	gpus, err := p.place()
	if err != nil {
		return nil, err
	}
	l := p.l
	pp, m := l.PP(), l.MicroBatches(p.c.Workload.Batch)
	zero, sp, one := l.ZeRO, l.SP, results.PerStage{1}
	ph := &results.PhasePlan{Phase: inputs.Training, Requirements: []results.RequirementResult{}}
	ph.Strategy = results.Strategy{
		Replicas: l.DP, PP: pp, TP: results.PerStage{l.TP}, EP: results.PerStage{l.EP}, CP: results.PerStage{l.CP}, ETP: results.PerStage{l.ETP}, DPAttention: one,
		MicroBatches: m, MicroBatchSequences: l.MicroBatch, SequencesPerReplica: p.c.Workload.Batch / l.DP,
		VirtualStages: l.Virtual, ZeRO: &zero, SequenceParallel: &sp,
	}
	ph.Strategy.Recompute = l.Recomputes()
	for k := range l.Stages {
		ph.Strategy.Layers = append(ph.Strategy.Layers, l.Stages[k].Last-l.Stages[k].First+1)
	}
	memory := training.Memory(p.c, p.costs, l)
	for r := range l.DP {
		for k := range l.Stages {
			i := l.Rank(k)
			each := l.TP * l.CP
			ph.Stages = append(ph.Stages, p.stage(r, k, gpus[i][r*each:(r+1)*each], memory[i]))
		}
	}
	ph.Balance = p.balance(memory)
	ph.GPUs.Used, ph.GPUs.Parts = l.GPUs(), l.GPUs()
	ph.GPUs.Available, ph.GPUs.Match = available(p.c.Cluster.Pools, ph.GPUs.Used)
	p.metrics(ph)
	return ph, nil
}

// place lays the ranks on the nodes of their pools, one after the other: a tensor group
// inside a node, then the groups of a replica, then replicas.
func (p *trainingPlan) place() ([][]string, error) {
	l, pools := p.l, p.c.Cluster.Pools
	need := make([]int, len(pools))
	for i := range l.PP() {
		need[l.Stages[i].Pool] += l.DP * l.CP * l.TP
	}
	free := make([][]string, len(pools))
	for k := range pools {
		free[k] = tensorSlots(&pools[k], len(pools) > 1, need[k], l.TP)
		if len(free[k]) < need[k] {
			return nil, fmt.Errorf("groups of %d tensor ranks for %s of pool %q do not lie inside its nodes", l.TP, counted(need[k], "GPU"), pools[k].Name)
		}
	}
	var out [][]string
	for i := range l.PP() {
		k, n := l.Stages[i].Pool, l.DP*l.CP*l.TP
		out = append(out, free[k][:n])
		free[k] = free[k][n:]
	}
	return out, nil
}

// tensorSlots lists GPUs of a pool, node by node, that groups of tp can have: as many of
// each node as make whole groups. Nodes of a pool that lists none are made as needed.
func tensorSlots(pool *inputs.Pool, several bool, need, tp int) []string {
	nodes := pool.Nodes
	if len(nodes) == 0 {
		prefix, each := "", max(1, pool.GPUsPerNode)
		if several {
			prefix = pool.Name + "/"
		}
		for room := 0; room < need && each >= tp; room += each / tp * tp {
			n := inputs.Node{Host: fmt.Sprintf("%snode-%d", prefix, len(nodes))}
			for j := range each {
				n.GPUs = append(n.GPUs, fmt.Sprintf("%s/gpu-%d", n.Host, j))
			}
			nodes = append(nodes, n)
		}
	}
	var out []string
	for _, n := range nodes {
		out = append(out, n.GPUs[:len(n.GPUs)/tp*tp]...)
	}
	return out
}

// stage is stage k of a replica.
func (p *trainingPlan) stage(replica, k int, gpus []string, m cost.TrainBytes) results.Stage {
	l, s, t := p.l, &p.l.Stages[k], &p.step.Stages[k]
	rank, chunk := l.Rank(k), k/l.PP()
	return results.Stage{
		Replica: replica, Index: k, FirstLayer: s.First, LastLayer: s.Last, Pool: p.c.Cluster.Pools[s.Pool].Name, GPUs: gpus,
		TP: l.TP, EP: l.EP, ETP: l.ETP, CP: l.CP, DPAttention: 1, Rank: &rank, Chunk: &chunk, Recompute: s.Recompute,
		TimeMS: (t.Forward + t.Backward + t.Send) * 1e3, ForwardMS: t.Forward * 1e3, BackwardMS: t.Backward * 1e3, SendMS: t.Send * 1e3,
		InFlight:  training.InFlight(rank, l.PP(), l.Virtual, l.MicroBatches(p.c.Workload.Batch)),
		MemoryGiB: float64(m.Total()) / gib, CapacityGiB: float64(p.costs.Capacity(s.Pool)) / gib,
		Memory: results.Memory{WeightsGiB: float64(m.Weights) / gib, GradientsGiB: float64(m.Gradients) / gib, OptimizerGiB: float64(m.Optimizer) / gib,
			ActivationsGiB: float64(m.Activations) / gib, ReserveGiB: float64(m.Reserve) / gib},
	}
}

// balance is that of the ranks, which have as many GPUs each.
func (p *trainingPlan) balance(memory []cost.TrainBytes) results.Balance {
	ranks := make([]results.Stage, len(memory))
	for i := range ranks {
		ranks[i] = results.Stage{GPUs: []string{""}, TimeMS: p.step.Ranks[i].MicroBatch * 1e3, MemoryGiB: float64(memory[i].Total()) / gib}
	}
	return results.BalanceOf(ranks)
}

func (p *trainingPlan) metrics(ph *results.PhasePlan) {
	x, m := p.step, &ph.Metrics
	tokens := float64(p.c.Workload.Batch) * float64(p.c.Workload.Input.Max) / x.Seconds
	perGPU, mfu, bubble := tokens/float64(p.l.GPUs()), x.MFU, x.Bubble/x.Seconds
	m.StepMS, m.SyncMS, m.UpdateMS = ms(x.Seconds), ms(x.Sync), ms(x.Update)
	m.TokensPerS, m.TokensPerSPerGPU, m.MFU, m.BubbleShare = &tokens, &perGPU, &mfu, &bubble
	m.StepInterval = intervalOf(p.costs, cost.MetricStep, x.Seconds, 1e3)
	m.TokensPerSInterval = intervalOf(p.costs, cost.MetricStepRate, tokens, 1)
	m.Evidence = rests(p.costs, inputs.Training, m)
	if usd := p.usdPerHour(); usd > 0 {
		million := usd / 3600 / tokens * 1e6
		m.USDPerHour, m.USDPerMillion = &usd, &million
	}
}

// usdPerHour is the price of all GPUs; 0 where one is not known.
func (p *trainingPlan) usdPerHour() float64 {
	sum := 0.0
	for i := range p.l.PP() {
		usd := p.c.Cluster.Pools[p.l.Stages[i].Pool].USDPerHour
		if usd <= 0 {
			return 0
		}
		sum += usd * float64(p.l.DP*p.l.TP*p.l.CP)
	}
	return sum
}

// trainingLine is a layout in a line: "DP 8 × PP 16 × TP 8, ZeRO 1, micro-batch 1, …".
func trainingLine(l *training.Layout) string {
	parts := []string{fmt.Sprintf("DP%d × PP%d × TP%d", l.DP, l.PP(), l.TP)}
	for _, d := range []struct {
		name   string
		degree int
	}{{"CP", l.CP}, {"EP", l.EP}, {"ETP", l.ETP}} {
		if d.degree > 1 && (d.name != "ETP" || l.EP > 1) {
			parts[0] += fmt.Sprintf("·%s%d", d.name, d.degree)
		}
	}
	if l.Virtual > 1 {
		parts = append(parts, fmt.Sprintf("%d virtual stages", l.Virtual))
	}
	parts = append(parts, fmt.Sprintf("ZeRO %d", l.ZeRO), fmt.Sprintf("micro-batch %d", l.MicroBatch))
	if l.SP {
		parts = append(parts, "SP")
	}
	return strings.Join(append(parts, "recompute "+l.Recomputes().Words()), ", ")
}

// layersByRank are the layers of each pipeline rank, over all its stages.
func layersByRank(l *training.Layout) []int {
	out := make([]int, l.PP())
	for k := range l.Stages {
		out[l.Rank(k)] += l.Stages[k].Last - l.Stages[k].First + 1
	}
	return out
}
