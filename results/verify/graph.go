package verify

import (
	"fmt"
	"math"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// Names of the rules for a plan of an operator graph.
const (
	ruleNodes       = "every operator is placed exactly once per replica"
	ruleEdges       = "data flows to the same stage or a later one"
	ruleColours     = "operators of one colour share a stage"
	ruleNoSequences = "an operator graph has no sequences"
	ruleLone        = "a stage of an operator graph is one GPU"
	ruleLoads       = "loads of the stages (G1)-(G3)"
	ruleFits        = "memory of every GPU fits (G4)"
	ruleHolds       = "memory figures (G4)"
	ruleObjective   = "objective is the largest load over the replicas"
)

// graphAudit is the audit of a plan of an operator graph. What it shares with that of a
// model of layers are the rules about replicas, pools, GPUs and the strategy.
type graphAudit struct {
	*audit
	costs *cost.GraphCalculator
	graph *inputs.Graph
	index map[int]int // node by id
	stage [][]int     // stage by node, replica by replica; -1: on none
	loads [][]load    // by replica and stage
}

// load is what a stage takes of its GPU: ms, bytes.
type load struct {
	work, transfer       float64
	weights, activations int64
}

func (l *load) ms() float64 { return l.work + l.transfer }

// checkGraph runs all rules on the plan of an operator graph.
func checkGraph(p *results.Plan, c *inputs.Condition, o Options) (*results.Verification, error) {
	costs, err := cost.NewGraph(c)
	if err != nil {
		return nil, fmt.Errorf("verification cannot price the condition %q: %w", c.Name, err)
	}
	list := &checklist{}
	planHeader(list, p, c)
	v := &results.Verification{}
	if len(p.Phases) == 1 {
		a := &graphAudit{audit: newAudit(&p.Phases[0], c, nil, o, list), costs: costs, graph: c.Model.Graph, index: map[int]int{}}
		a.exactCosts = !costs.OwnConstants()
		a.warnings = p.Warnings
		for v := range a.graph.Nodes {
			a.index[a.graph.Nodes[v].ID] = v
		}
		a.run()
		v.Parts, v.GPUs = a.parts, a.used
	}
	v.Checks = list.checks
	v.OK = len(Violations(v)) == 0
	return v, nil
}

func (a *graphAudit) run() {
	placement := []func(){
		a.checkNoTraining, a.checkStageOrder, a.checkPools, a.checkNodes, a.checkEdges, a.checkColours, a.checkLone,
		a.checkIDs, a.checkUnique, a.checkStrategy, a.checkNoSequences,
	}
	for _, rule := range placement {
		before := len(a.list.checks)
		rule()
		for _, c := range a.list.checks[before:] {
			if !c.OK && a.broken == "" {
				a.broken = c.Rule
			}
		}
	}
	a.checkCounts()
	if a.broken != "" {
		a.notRecomputed(ruleLoads, ruleFits, ruleHolds, ruleBalance, ruleObjective, "metrics")
		for i := range a.cond.Goal.Requirements {
			a.notRecomputed(ruleRequirement(string(a.cond.Goal.Requirements[i].Kind)))
		}
	} else {
		a.weigh()
		a.checkLoads()
		a.checkFits()
		a.checkEven()
		a.checkThroughput()
	}
	a.checkSolve()
}

// checkNodes: the stages of each replica hold every node once; their ranges of layers count
// the nodes in the order of the stages.
func (a *graphAudit) checkNodes() {
	t := tally{rule: ruleNodes, want: fmt.Sprintf("%d operators, each on one stage of every replica", len(a.graph.Nodes))}
	if a.replicas == nil {
		t.fail(0, "stages are not numbered right")
	}
	for r, stages := range a.replicas {
		at := make([]int, len(a.graph.Nodes))
		for v := range at {
			at[v] = -1
		}
		next := 0
		for i, s := range stages {
			if len(s.Nodes) == 0 {
				t.fail(1, "%s holds no operator", where(s))
			}
			if s.FirstLayer != next || s.LastLayer != next+len(s.Nodes)-1 {
				t.fail(0, "%s holds %d operators and says %d … %d: want %d … %d", where(s), len(s.Nodes), s.FirstLayer, s.LastLayer, next, next+len(s.Nodes)-1)
			}
			next += len(s.Nodes)
			for _, id := range s.Nodes {
				v, known := a.index[id]
				switch {
				case !known:
					t.fail(2, "%s: the graph has no node %d", where(s), id)
				case at[v] >= 0:
					t.fail(2, "%s: node %d is on stage %d too", where(s), id, at[v])
				default:
					at[v] = i
				}
			}
		}
		for v, i := range at {
			if i < 0 {
				t.fail(3, "replica %d: %s is on no stage", r, a.graph.Nodes[v].Label())
			}
		}
		a.stage = append(a.stage, at)
	}
	t.report(a.list, fmt.Sprintf("%d operators on %d replicas", len(a.graph.Nodes), len(a.replicas)))
}

// checkEdges: stages run one after another, so that forward data never goes back. The
// backward pass goes through the same stages in turn.
func (a *graphAudit) checkEdges() {
	t := tally{rule: ruleEdges, want: "every edge between forward operators leads to the same stage or a later one"}
	for r, at := range a.stage {
		for _, e := range a.graph.Edges {
			from, to := &a.graph.Nodes[e.From], &a.graph.Nodes[e.To]
			if from.Backward || to.Backward || at[e.From] < 0 || at[e.To] < 0 {
				continue
			}
			if at[e.From] > at[e.To] {
				t.fail(float64(at[e.From]-at[e.To]), "replica %d: %s on stage %d feeds %s on stage %d", r, from.Label(), at[e.From], to.Label(), at[e.To])
			}
		}
	}
	t.report(a.list, fmt.Sprintf("%d edges do", len(a.graph.Edges)))
}

func (a *graphAudit) checkColours() {
	t := tally{rule: ruleColours, want: "one stage for each colour"}
	colours := map[int]bool{}
	for r, at := range a.stage {
		first := map[int]int{}
		for v := range a.graph.Nodes {
			n := &a.graph.Nodes[v]
			if n.Colour == nil || at[v] < 0 {
				continue
			}
			colours[*n.Colour] = true
			if u, seen := first[*n.Colour]; !seen {
				first[*n.Colour] = v
			} else if at[u] != at[v] {
				t.fail(0, "replica %d: %s and %s have colour %d and lie on stages %d and %d", r, a.graph.Nodes[u].Label(), n.Label(), *n.Colour, at[u], at[v])
			}
		}
	}
	t.report(a.list, fmt.Sprintf("%d colours do", len(colours)))
}

func (a *graphAudit) checkLone() {
	t := tally{rule: ruleLone, want: "one GPU and every degree 1"}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		if s.Sequences != 0 {
			t.fail(0, "%s holds %d sequences: an operator graph has none", where(s), s.Sequences)
		}
		if len(s.GPUs) != 1 || s.TP != 1 || s.EP != 1 || s.ETP != 1 || s.CP != 1 || s.DPAttention != 1 {
			t.fail(float64(len(s.GPUs)), "%s: %d GPUs, TP %d, EP %d, expert TP %d, CP %d, attention DP %d", where(s), len(s.GPUs), s.TP, s.EP, s.ETP, s.CP, s.DPAttention)
		}
	}
	t.report(a.list, "every stage is")
}

// checkNoSequences: samples are not counted, so nothing says how sequences are divided.
func (a *graphAudit) checkNoSequences() {
	s := &a.phase.Strategy
	got := fmt.Sprintf("%d sequences a replica, %d micro-batches of %d, %d decode groups of %d", s.SequencesPerReplica, s.MicroBatches, s.MicroBatchSequences, s.DecodeGroups, s.GroupSequences)
	a.list.compare(ruleNoSequences, "0 sequences a replica, 0 micro-batches of 0, 0 decode groups of 0", got)
}

// weigh recomputes what each stage takes: its operators, each output of its own that is
// used elsewhere, once, and each output of elsewhere that it uses, once.
func (a *graphAudit) weigh() {
	for r, stages := range a.replicas {
		at := a.stage[r]
		loads := make([]load, len(stages))
		for v := range a.graph.Nodes {
			n := &a.graph.Nodes[v]
			l := &loads[at[v]]
			l.work += a.costs.NodeMS(a.pools[stages[at[v]].Pool], v)
			l.activations += n.ActivationBytes
			l.weights += n.MemoryBytes - n.ActivationBytes
		}
		touched := map[[2]int]bool{} // output of a node, stage that sends or receives it
		for _, e := range a.graph.Edges {
			if at[e.From] == at[e.To] {
				continue
			}
			for _, s := range []int{at[e.From], at[e.To]} {
				if key := [2]int{e.From, s}; !touched[key] {
					touched[key] = true
					loads[s].transfer += a.costs.SendMS(e.From, a.oneHost)
				}
			}
		}
		a.loads = append(a.loads, loads)
	}
}

func (a *graphAudit) each(visit func(s *results.Stage, l *load)) {
	for r, stages := range a.replicas {
		for i, s := range stages {
			visit(s, &a.loads[r][i])
		}
	}
}

func (a *graphAudit) checkLoads() {
	t := tally{rule: ruleLoads, want: fmt.Sprintf("time_ms, work_ms and transfer_ms within %g of the recomputed ones", tolerance)}
	most := 0.0
	a.each(func(s *results.Stage, l *load) {
		most = max(most, l.ms())
		for _, f := range []struct {
			name      string
			want, got float64
		}{{"time_ms", l.ms(), s.TimeMS}, {"work_ms", l.work, s.WorkMS}, {"transfer_ms", l.transfer, s.TransferMS}, {"prefill_ms", 0, s.PrefillMS}} {
			// A part that is small beside the load is the rest of two sums.
			if !equal(f.want, f.got) && !(math.Abs(f.want-f.got) <= tolerance*l.ms()) {
				want, got := pair(f.want, f.got)
				t.fail(difference(f.want, f.got), "%s %s: want %s, got %s", where(s), f.name, want, got)
			}
		}
	})
	t.report(a.list, fmt.Sprintf("the largest load is %s ms", number(most)))
}

// checkFits: the operators of a stage and the runtime's reserve are at most the usable
// memory of its GPU.
func (a *graphAudit) checkFits() {
	fit := tally{rule: ruleFits, want: "at most the usable memory on every GPU"}
	stated := tally{rule: ruleHolds, want: fmt.Sprintf("memory of each use within %g of the recomputed one", tolerance)}
	fullest := 0.0
	a.each(func(s *results.Stage, l *load) {
		total, fits := l.weights+l.activations, a.costs.Capacity(a.pools[s.Pool])
		reserve := a.costs.Reserve()
		fullest = max(fullest, float64(total+reserve)/float64(fits+reserve))
		if total > fits {
			fit.fail(float64(total-fits), "%s: %s GiB of %s GiB", where(s), number(float64(total+reserve)/gib), number(float64(fits+reserve)/gib))
		}
		stated.holds(s, cost.Memory{Weights: l.weights, Activations: l.activations, Reserve: reserve}, fits+reserve)
	})
	got := fmt.Sprintf("the fullest GPU holds %s %% of it", number(100*fullest))
	fit.report(a.list, got)
	stated.report(a.list, got)
}

// checkEven recomputes the balance figures; no floor is asked of an operator graph.
func (a *graphAudit) checkEven() {
	var gpus, sum, memory, longest, largest float64
	shortest := math.Inf(1)
	a.each(func(_ *results.Stage, l *load) {
		gpus++
		sum += l.ms()
		holds := float64(l.weights + l.activations + a.costs.Reserve())
		memory += holds
		longest, shortest, largest = max(longest, l.ms()), min(shortest, l.ms()), max(largest, holds)
	})
	want := results.Balance{MemoryMaxOverMean: largest * gpus / memory}
	if longest > 0 {
		want.TimeMaxOverMean, want.TimeMinOverMax = longest*gpus/sum, shortest/longest
	}
	b := &a.phase.Balance
	t := tally{rule: ruleBalance, want: "max over mean of time and memory a GPU, and min over max of time, as recomputed; no floor"}
	for _, f := range []struct {
		name      string
		want, got float64
	}{
		{"time_max_over_mean", want.TimeMaxOverMean, b.TimeMaxOverMean}, {"memory_max_over_mean", want.MemoryMaxOverMean, b.MemoryMaxOverMean},
		{"time_min_over_max", want.TimeMinOverMax, b.TimeMinOverMax}, {"floor", 0, b.Floor},
	} {
		if !equal(f.want, f.got) {
			w, g := pair(f.want, f.got)
			t.fail(difference(f.want, f.got), "%s: want %s, got %s", f.name, w, g)
		}
	}
	t.report(a.list, fmt.Sprintf("time %s, memory %s", number(want.TimeMaxOverMean), number(want.MemoryMaxOverMean)))
}

// checkThroughput recomputes the objective, the metrics and the requirements. Each replica
// passes a sample as often as its largest load takes.
func (a *graphAudit) checkThroughput() {
	rate, latency := 0.0, 0.0
	for r := range a.replicas {
		longest := 0.0
		for i := range a.loads[r] {
			longest = max(longest, a.loads[r][i].ms())
		}
		rate += 1e3 / longest
		latency = max(latency, a.passage(r))
	}
	if a.graph.Training() {
		latency = math.NaN()
	}
	want, got := pair(1e3/rate, a.phase.Solve.Objective)
	a.list.add(ruleObjective, equal(1e3/rate, a.phase.Solve.Objective), want+" ms per sample", got+" "+a.phase.Solve.ObjectiveUnit)
	none := math.NaN()
	f := figures{ttft: none, tpot: none, e2e: none, tokens: none, output: none, tokensPerGPU: none, outputPerGPU: none, usdPerHour: none, usdPerMillion: none, samples: rate}
	if usd, known := a.price1h(); known {
		f.usdPerHour = usd
	}
	m := &a.phase.Metrics
	a.checkMetric("samples_per_s", rate, m.SamplesPerS, true, nil)
	a.checkMetric("sample_latency_ms", latency, m.SampleLatencyMS, true, nil)
	a.checkMetric("usd_per_hour", f.usdPerHour, m.USDPerHour, false, nil)
	for _, of := range []struct {
		name string
		got  *float64
	}{
		{"ttft_ms", m.TTFTMS}, {"tpot_ms", m.TPOTMS}, {"tokens_per_s", m.TokensPerS}, {"tokens_per_s_per_gpu", m.TokensPerSPerGPU},
		{"output_tokens_per_s", m.OutputTokensPerS}, {"e2e_ms", m.E2EMS}, {"step_ms", m.StepMS}, {"usd_per_million_tokens", m.USDPerMillion},
	} {
		a.checkMetric(of.name, none, of.got, false, nil)
	}
	a.checkRequirements(f)
}

// passage is the time of one sample through an idle replica: a stage begins when all it
// takes is there, and gives nothing before its end.
func (a *graphAudit) passage(r int) float64 {
	end := make([]float64, len(a.loads[r]))
	last := 0.0
	for i := range end {
		begin := 0.0
		for _, e := range a.graph.Edges {
			if a.stage[r][e.To] == i && a.stage[r][e.From] < i {
				begin = max(begin, end[a.stage[r][e.From]])
			}
		}
		end[i] = begin + a.loads[r][i].ms()
		last = max(last, end[i])
	}
	return last
}
