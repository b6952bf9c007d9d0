package verify

import (
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// Names of the rules for a plan of a training step.
const (
	ruleRanks      = "stages go round the pipeline ranks, those of a rank share its GPUs"
	ruleTrainShape = "tp·cp = GPUs of a stage, ep·etp divides those of a rank"
	ruleTrainPlace = "ranks lie on the nodes as they are priced"
	ruleAlike      = "replicas are alike"
	ruleBatches    = "micro-batches divide the global batch"
	ruleAsked      = "what the workload fixes is kept"
	ruleServing    = "nothing of serving in a plan of training"
	ruleStepTimes  = "stage times (T1)-(T7)"
	ruleStepMemory = "memory of every GPU fits (M6)"
	ruleStepHolds  = "memory figures (M6)"
	ruleStepGoal   = "objective follows from the step"
)

// trainPricer is what verification needs of the cost model of a training step. Seconds,
// bytes, FLOP. cost.Calculator has these.
type trainPricer interface {
	TrainLayer(pool, kind int, s cost.TrainShape, st cost.TrainStep, r inputs.Recompute) (forward, backward float64)
	TrainEmbedding(pool int, s cost.TrainShape, st cost.TrainStep) (forward, backward float64)
	TrainHead(pool int, s cost.TrainShape, st cost.TrainStep) (forward, backward float64)
	TrainSend(from, to int, sameNode bool, s cost.TrainShape, st cost.TrainStep) float64
	TrainSync(pool int, counts []int, first, last bool, s cost.TrainShape, st cost.TrainStep, microBatches int) float64
	TrainUpdate(pool int, counts []int, first, last bool, s cost.TrainShape) float64
	TrainFLOPs(st cost.TrainStep) float64
	PeakFLOPS(pool int) float64
	TrainMemory(pool int, s cost.TrainShape, st cost.TrainStep, held []cost.TrainHeld) cost.TrainBytes
	Capacity(pool int) int64
}

// trainAudit is the audit of a plan of a training step. What it shares with that of serving
// are the rules about layers, pools, GPUs and counts.
type trainAudit struct {
	*audit
	costs trainPricer
	shape cost.TrainShape
	work  cost.TrainStep
	pp, v int // pipeline ranks, stages of each
	m     int // micro-batches of a replica
	// pool and host of each rank: host is "" where its GPUs are on several.
	rankPool  []int
	rankHost  []string
	rankNodes []int // hosts of each rank
}

// checkTraining runs all rules on the plan of a training step.
func checkTraining(p *results.Plan, c *inputs.Condition, o Options) (*results.Verification, error) {
	if c.Workload.Training == nil {
		return nil, fmt.Errorf("verification cannot price the condition %q: it states no training step", c.Name)
	}
	costs, err := cost.New(c)
	if err != nil {
		return nil, fmt.Errorf("verification cannot price the condition %q: %w", c.Name, err)
	}
	return checkTrainingWith(p, c, costs, o), nil
}

func checkTrainingWith(p *results.Plan, c *inputs.Condition, costs trainPricer, o Options) *results.Verification {
	list := &checklist{}
	planHeader(list, p, c)
	v := &results.Verification{}
	if len(p.Phases) == 1 {
		a := &trainAudit{audit: newAudit(&p.Phases[0], c, nil, o, list), costs: costs}
		a.warnings = p.Warnings
		a.run()
		v.Parts, v.GPUs = a.parts, a.used
	}
	v.Checks = list.checks
	v.OK = len(Violations(v)) == 0
	return v
}

func (a *trainAudit) run() {
	placement := []func(){
		a.checkStageOrder, a.checkServing, a.checkLayers, a.checkPools, a.checkRanks, a.checkSplit, a.checkModel, a.checkHomes,
		a.checkIDs, a.checkOnce, a.checkPlaces, a.checkStated, a.checkBatches, a.checkAsked,
	}
	for lost := false; !lost && len(placement) > 0; placement = placement[1:] {
		before := len(a.list.checks)
		placement[0]()
		for _, c := range a.list.checks[before:] {
			if c.OK {
				continue
			}
			if a.broken == "" {
				a.broken = c.Rule
			}
			// What follows counts on these.
			lost = lost || c.Rule == ruleOrder || c.Rule == rulePools || c.Rule == ruleRanks || c.Rule == ruleTrainShape
		}
	}
	a.checkCounts()
	if a.broken != "" {
		a.notRecomputed(ruleStepTimes, ruleStepMemory, ruleStepHolds, ruleBalance, ruleStepGoal, "metrics")
		for i := range a.cond.Rules {
			a.notRecomputed(ruleKnowledge(a.cond.Rules[i].Name))
		}
		for i := range a.cond.Goal.Requirements {
			a.notRecomputed(ruleRequirement(string(a.cond.Goal.Requirements[i].Kind)))
		}
	} else {
		a.checkRulesOfTraining()
		a.checkStep()
	}
	a.checkSolve()
}

// checkServing: a training step has no KV cache, no prefill and no attention ranks of its own.
func (a *trainAudit) checkServing() {
	t := tally{rule: ruleServing, want: "no KV cache, prefill, decode groups, lanes or attention DP"}
	st := &a.phase.Strategy
	if a.phase.Lanes != nil || st.DecodeGroups != 0 || st.GroupSequences != 0 {
		t.fail(0, "lanes %t, %d decode groups of %d", a.phase.Lanes != nil, st.DecodeGroups, st.GroupSequences)
	}
	if d, ok := st.DPAttention.Uniform(); !ok || d != 1 {
		t.fail(0, "the strategy has attention DP %v", []int(st.DPAttention))
	}
	for i := range a.phase.Stages {
		if s := &a.phase.Stages[i]; s.PrefillMS != 0 || s.WorkMS != 0 || s.TransferMS != 0 || s.Memory.KVGiB != 0 || s.DPAttention != 1 || s.Sequences != 0 {
			t.fail(0, "%s: prefill %s ms, work %s ms, transfer %s ms, KV cache %s GiB, attention DP %d, %d sequences", where(s), number(s.PrefillMS), number(s.WorkMS), number(s.TransferMS), number(s.Memory.KVGiB), s.DPAttention, s.Sequences)
		}
	}
	t.report(a.list, "there is none")
}

// checkRanks: all replicas have pp·v stages; stage k is chunk k div pp of rank k mod pp and
// has the GPUs of the rank.
func (a *trainAudit) checkRanks() {
	st := &a.phase.Strategy
	a.pp, a.v = st.PP, max(st.VirtualStages, 1)
	t := tally{rule: ruleRanks, want: "stage k is chunk k div pp of rank k mod pp, on the GPUs of the rank"}
	if a.pp < 1 || len(a.replicas) == 0 || a.v > 1 && a.pp == 1 || st.VirtualStages < 1 {
		t.fail(0, "%d ranks of %d stages", a.pp, st.VirtualStages)
	}
	for r, stages := range a.replicas {
		if len(stages) != a.pp*a.v {
			t.fail(1, "replica %d has %d stages, %d ranks of %d make %d", r, len(stages), a.pp, a.v, a.pp*a.v)
			continue
		}
		for k, s := range stages {
			if s.Rank == nil || s.Chunk == nil || *s.Rank != k%a.pp || *s.Chunk != k/a.pp {
				t.fail(0, "%s says rank %s chunk %s, it is rank %d chunk %d", where(s), whole(s.Rank), whole(s.Chunk), k%a.pp, k/a.pp)
			}
			if first := stages[k%a.pp]; s.Pool != first.Pool || !slices.Equal(s.GPUs, first.GPUs) {
				t.fail(0, "%s is not on the GPUs of its rank, those of %s", where(s), where(first))
			}
		}
	}
	t.report(a.list, fmt.Sprintf("%d ranks of %d stages each", a.pp, a.v))
}

func whole(p *int) string {
	if p == nil {
		return "absent"
	}
	return fmt.Sprint(*p)
}

// checkStated: the strategy says what the stages have, and replicas are alike.
func (a *trainAudit) checkStated() {
	st := &a.phase.Strategy
	t := tally{rule: ruleStrategy, want: "replicas, pp, layers, degrees and recompute of the strategy are those of every replica"}
	if st.Replicas != len(a.replicas) {
		t.fail(0, "replicas %d: the stages make %d", st.Replicas, len(a.replicas))
	}
	first := a.replicas[0]
	if len(st.Layers) != len(first) {
		t.fail(0, "layers are listed for %d stages of %d", len(st.Layers), len(first))
	}
	if len(st.Recompute) != 1 && len(st.Recompute) != len(first) {
		t.fail(0, "recompute is listed for %d stages of %d", len(st.Recompute), len(first))
	}
	alike := tally{rule: ruleAlike, want: "stage k of every replica: the same layers, pool, recompute and times"}
	for _, stages := range a.replicas {
		for k, s := range stages {
			if t.failures == 0 && (st.Layers[k] != s.LastLayer-s.FirstLayer+1 || st.Recompute.At(k) != s.Recompute) {
				t.fail(0, "%s has %d layers, recompute %q: the strategy says %d, %q", where(s), s.LastLayer-s.FirstLayer+1, s.Recompute, st.Layers[k], st.Recompute.At(k))
			}
			if o := first[k]; s.FirstLayer != o.FirstLayer || s.LastLayer != o.LastLayer || s.Pool != o.Pool || s.Recompute != o.Recompute {
				alike.fail(0, "%s has layers %d … %d on %q with recompute %q, replica 0 %d … %d on %q with %q", where(s), s.FirstLayer, s.LastLayer, s.Pool, s.Recompute, o.FirstLayer, o.LastLayer, o.Pool, o.Recompute)
			}
		}
	}
	t.report(a.list, fmt.Sprintf("%d replicas of %d ranks", st.Replicas, a.pp))
	alike.report(a.list, fmt.Sprintf("%d are", len(a.replicas)))
}

// checkBatches: every sequence of the global batch is in one micro-batch of one replica.
// Interleaved stages take micro-batches in groups of pp.
func (a *trainAudit) checkBatches() {
	st, global := &a.phase.Strategy, a.cond.Workload.Batch
	a.m = st.MicroBatches
	a.work = cost.TrainStep{MicroBatch: st.MicroBatchSequences, Sequence: a.cond.Workload.Input.Max, Overlap: cost.Interleaved(a.pp, a.v)}
	t := tally{rule: ruleBatches, want: fmt.Sprintf("replicas × micro-batches × their size = %d sequences", global)}
	got := fmt.Sprintf("%d × %d × %d", st.Replicas, st.MicroBatches, st.MicroBatchSequences)
	switch {
	case min(st.Replicas, st.MicroBatches, st.MicroBatchSequences) < 1, max(st.Replicas, st.MicroBatches, st.MicroBatchSequences) > global,
		st.Replicas*st.MicroBatches > global, st.Replicas*st.MicroBatches*st.MicroBatchSequences != global:
		t.fail(0, "%s", got)
	case st.SequencesPerReplica*st.Replicas != global:
		t.fail(0, "%d sequences a replica", st.SequencesPerReplica)
	case a.v > 1 && a.m%a.pp != 0:
		t.fail(0, "%d micro-batches are no whole number of groups of %d, the ranks that stages are interleaved on", a.m, a.pp)
	}
	t.report(a.list, got)
}

// checkAsked: degrees that the workload states are those of the plan.
func (a *trainAudit) checkAsked() {
	w, st := a.cond.Workload.Training, &a.phase.Strategy
	t := tally{rule: ruleAsked, want: "micro-batch, virtual stages, ZeRO, sequence parallelism and recompute as the workload states them"}
	if w.MicroBatch > 0 && st.MicroBatchSequences != w.MicroBatch {
		t.fail(0, "micro-batches of %d sequences, %d asked", st.MicroBatchSequences, w.MicroBatch)
	}
	if w.VirtualStages > 0 && a.v != w.VirtualStages && a.pp > 1 {
		t.fail(0, "%d virtual stages, %d asked", a.v, w.VirtualStages)
	}
	if w.ZeRO != nil && a.shape.ZeRO != *w.ZeRO && a.shape.DP*a.shape.CP > 1 {
		t.fail(0, "ZeRO %d, %d asked", a.shape.ZeRO, *w.ZeRO)
	}
	if w.SequenceParallel != nil && a.shape.SP != *w.SequenceParallel && a.shape.TP > 1 {
		t.fail(0, "sequence parallel %t, %t asked", a.shape.SP, *w.SequenceParallel)
	}
	for k, s := range a.replicas[0] {
		if asked := recomputeAsked(w.Recompute, k, a.pp, a.v); asked != nil && !asked[s.Recompute] {
			t.fail(0, "%s has recompute %q", where(s), s.Recompute)
		}
	}
	t.report(a.list, "as stated, or open")
}

// recomputeAsked are the recomputes that a workload leaves to stage k, nil for all: one
// word is for all stages, a list as long as the ranks or the stages for each, another list
// for any.
func recomputeAsked(list []inputs.Recompute, k, pp, v int) map[inputs.Recompute]bool {
	switch len(list) {
	case 0:
		return nil
	case pp:
		return map[inputs.Recompute]bool{list[k%pp]: true}
	case pp * v:
		return map[inputs.Recompute]bool{list[k]: true}
	}
	out := map[inputs.Recompute]bool{}
	for _, r := range list {
		out[r] = true
	}
	return out
}
