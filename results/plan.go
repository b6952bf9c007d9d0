// Package results holds what comes out of a solve: the Plan that is applied, the
// Report around it, and the Comparison with the heuristics in use. Plain data;
// JSON names are a contract that other programs rely on: fields are added, none
// is renamed. A figure that does not apply is absent.
package results

import "partita/inputs"

// FormatVersion is the version of plan.json that this program writes. Version 2 added the
// deployment; OldestFormat is the earliest that it still reads.
const (
	FormatVersion = 2
	OldestFormat  = 1
)

// Plan is one deployment plan, complete enough to be verified and started.
type Plan struct {
	FormatVersion int         `json:"format_version"` // of this file
	Condition     string      `json:"condition"`      // name of the condition
	Phases        []PhasePlan `json:"phases"`
	// Disaggregated is set where the phases are prefill and decode on GPUs of their own.
	Disaggregated *Disaggregated `json:"disaggregated,omitempty"`
	Comparison    []Comparison   `json:"comparison"`
	Verification  *Verification  `json:"verification,omitempty"`
	Statements    []Statement    `json:"statements"`
	Assumptions   []Assumption   `json:"assumptions"`
	Warnings      []string       `json:"warnings"` // in sentences
	// Deployment is what the plan is for; absent in plans of format 1.
	Deployment *Deployment `json:"deployment,omitempty"`
	// Outcome is what the search came to; absent in plans of format 1.
	Outcome *Outcome `json:"outcome,omitempty"`
	// WhatIf says what other hardware would bring.
	WhatIf []WhatIf `json:"what_if,omitempty"`
	// Explanation says of a closest plan why none meets the condition.
	Explanation *Explanation `json:"explanation,omitempty"`
}

// PhasePlan is the deployment that serves one phase, or all (mixed).
type PhasePlan struct {
	Phase        inputs.Phase        `json:"phase"` // that it serves
	Strategy     Strategy            `json:"strategy"`
	GPUs         GPUCount            `json:"gpus"`
	Stages       []Stage             `json:"stages"`
	Balance      Balance             `json:"balance"`
	Metrics      Metrics             `json:"metrics"`
	Solve        Solve               `json:"solve"`
	Requirements []RequirementResult `json:"requirements"`
	// Lanes is set where stages hold the same layers side by side; they are then the
	// machines of one replica, by first layer.
	Lanes *Lanes `json:"lanes,omitempty"`
}

// Lanes say which way the sequences of a plan take through machines that share layers.
// Each sequence keeps its way: its KV cache lies there.
type Lanes struct {
	Routes []LaneRoute `json:"routes"` // in the order of the layers where machines hand over
}

// LaneRoute is what goes on from one machine to another.
type LaneRoute struct {
	From      int `json:"from"`      // index of the stage; -1: enters at the first layer
	To        int `json:"to"`        // index of the stage; -1: leaves after the last layer
	Sequences int `json:"sequences"` // in flight at once
}

// Strategy is the parallelism of a plan. TP, EP, CP and DPAttention hold one entry
// where all stages of a replica agree, else one a stage.
type Strategy struct {
	Replicas    int      `json:"replicas"`     // copies of the model
	PP          int      `json:"pp"`           // pipeline stages of a replica
	TP          PerStage `json:"tp"`           // tensor parallelism
	EP          PerStage `json:"ep"`           // expert parallelism
	CP          PerStage `json:"cp"`           // context parallelism
	DPAttention PerStage `json:"dp_attention"` // data parallelism of attention inside a stage
	// ETP is the tensor degree inside one expert: tp·cp·dp_attention = ep·etp.
	ETP PerStage `json:"etp"`
	// MicroBatches is the number of prefill micro-batches (m) of a replica.
	MicroBatches int `json:"micro_batches"`
	// DecodeGroups is the number of groups the sequences of a replica take turns in.
	DecodeGroups int `json:"decode_groups,omitempty"`
	// SequencesPerReplica is the largest number of sequences a replica holds.
	SequencesPerReplica int `json:"sequences_per_replica"`
	// MicroBatchSequences and GroupSequences are the largest sizes of one of them.
	MicroBatchSequences int `json:"micro_batch_sequences"`
	GroupSequences      int `json:"group_sequences,omitempty"`
	// Layers is the number of layers on each stage of a replica.
	Layers []int `json:"layers"`

	// The rest is of a training step alone, where replicas are its data-parallel ranks,
	// experts lie over the GPUs of all of them, and micro_batches of micro_batch_sequences
	// are what each works on in a step.

	// VirtualStages is the number of stages on each pipeline rank (interleaved 1F1B); pp
	// counts ranks.
	VirtualStages int `json:"virtual_stages,omitempty"`
	// ZeRO is what is sharded over cp and the replicas: 0 nothing, 1 the optimizer, 2
	// gradients too, 3 weights too.
	ZeRO *int `json:"zero,omitempty"`
	// SequenceParallel: norms and residuals are split over the tensor ranks.
	SequenceParallel *bool `json:"sequence_parallel,omitempty"`
	// Recompute is which activations are computed again.
	Recompute Recomputes `json:"recompute,omitempty"`
}

// GPUCount tells given from used. Available is nil for an unlimited number; Parts
// is counted from the stages.
type GPUCount struct {
	Available *int `json:"available"` // GPUs given; null: unlimited
	Used      int  `json:"used"`      // GPUs of all stages
	Parts     int  `json:"parts"`     // shards of GPUs, counted
	Match     bool `json:"match"`     // parts = used, and used = available where a number is stated
	// Why says how the number was decided where it was ours to choose.
	Why string `json:"why,omitempty"`
}

// Stage is one stage of one replica. Layers count from 0, both ends included.
type Stage struct {
	Replica    int `json:"replica"`     // from 0
	Index      int `json:"index"`       // of the stage in its replica, from 0
	FirstLayer int `json:"first_layer"` // from 0
	LastLayer  int `json:"last_layer"`  // included
	// Nodes are the operators of a stage of an operator graph, by the ids of its file in
	// the order they run; first_layer and last_layer then count nodes in the order of the
	// stages. Absent of a model of layers.
	Nodes       []int    `json:"nodes,omitempty"`
	Pool        string   `json:"pool"`         // name of the pool
	GPUs        []string `json:"gpus"`         // identifiers: "node-0/gpu-3"
	TP          int      `json:"tp"`           // tensor parallelism
	EP          int      `json:"ep"`           // expert parallelism
	ETP         int      `json:"etp"`          // tensor parallelism inside an expert
	CP          int      `json:"cp"`           // context parallelism
	DPAttention int      `json:"dp_attention"` // data parallelism of attention
	// TimeMS is the stage's time in the phase that dominates: a decode or mixed
	// step of one group, or a prefill micro-batch where nothing is decoded.
	TimeMS float64 `json:"time_ms"`
	// PrefillMS is the time of one prefill micro-batch at the upper input length; of mixed
	// serving a request's way through the stage to its first token, waiting included.
	PrefillMS float64 `json:"prefill_ms"`
	// WorkMS and TransferMS are the parts of time_ms of an operator graph: its nodes, and
	// what is sent and received. Absent of a model of layers.
	WorkMS     float64 `json:"work_ms,omitempty"`
	TransferMS float64 `json:"transfer_ms,omitempty"`
	// Rank is the pipeline rank of a stage of training, Chunk which of the rank's stages it
	// is, both from 0: the stages of a rank share its GPUs. Absent in serving.
	Rank  *int `json:"rank,omitempty"`
	Chunk *int `json:"chunk,omitempty"`
	// Recompute is which activations are computed again in training.
	Recompute inputs.Recompute `json:"recompute,omitempty"`
	// ForwardMS, BackwardMS and SendMS are the parts of time_ms of a stage of training: one
	// micro-batch forward, backward with recompute, and its way to the next stage and back.
	ForwardMS  float64 `json:"forward_ms,omitempty"`
	BackwardMS float64 `json:"backward_ms,omitempty"`
	SendMS     float64 `json:"send_ms,omitempty"`
	// InFlight is how many micro-batches a stage of training keeps activations of, in whole
	// shares of the rank.
	InFlight float64 `json:"in_flight,omitempty"`
	// MemoryGiB is what each of its GPUs holds, CapacityGiB what it may hold. Stages of one
	// rank of training say the same: what their GPUs hold of all of them.
	MemoryGiB   float64 `json:"memory_gib"`
	CapacityGiB float64 `json:"capacity_gib"`
	Memory      Memory  `json:"memory"`
	// Sequences is how many sequences in flight a machine of lanes holds; absent in a
	// pipeline, where every stage holds those of its replica.
	Sequences int `json:"sequences,omitempty"`
}

// Memory is one GPU's memory by use, in GiB.
type Memory struct {
	WeightsGiB     float64 `json:"weights_gib"`             // weights
	KVGiB          float64 `json:"kv_gib"`                  // KV cache
	ActivationsGiB float64 `json:"activations_gib"`         // activations
	ReserveGiB     float64 `json:"reserve_gib"`             // kept free for the runtime
	GradientsGiB   float64 `json:"gradients_gib,omitempty"` // of training
	OptimizerGiB   float64 `json:"optimizer_gib,omitempty"` // its state, of training
}

// Balance compares the stages of a plan by Stage.TimeMS and Stage.MemoryGiB; means
// are over GPUs (BalanceOf computes it).
type Balance struct {
	TimeMaxOverMean   float64 `json:"time_max_over_mean"`   // slowest stage over the mean
	MemoryMaxOverMean float64 `json:"memory_max_over_mean"` // fullest GPU over the mean
	// TimeMinOverMax is 1-ε as the plan reaches it; Floor is the bound it had to meet.
	TimeMinOverMax float64 `json:"time_min_over_max"`
	Floor          float64 `json:"floor"`
}

// Metrics are the predicted figures. Intervals hold low and high.
type Metrics struct {
	TTFTMS       *float64    `json:"ttft_ms,omitempty"`          // time to first token, ms
	TTFTInterval *[2]float64 `json:"ttft_ms_interval,omitempty"` // ms
	// TTFTKernelMS is the part of it that a prompt takes by itself; TTFTQueueMS is the rest:
	// waiting for a step, decoding that goes along, and the host. Of mixed serving.
	TTFTKernelMS       *float64    `json:"ttft_kernel_ms,omitempty"`         // ms
	TTFTQueueMS        *float64    `json:"ttft_queue_ms,omitempty"`          // ms
	TPOTMS             *float64    `json:"tpot_ms,omitempty"`                // time per output token, ms
	TPOTInterval       *[2]float64 `json:"tpot_ms_interval,omitempty"`       // ms
	TokensPerS         *float64    `json:"tokens_per_s,omitempty"`           // prompt and generated tokens/s of the deployment
	TokensPerSInterval *[2]float64 `json:"tokens_per_s_interval,omitempty"`  // tokens/s
	TokensPerSPerGPU   *float64    `json:"tokens_per_s_per_gpu,omitempty"`   // tokens/s of each GPU used
	OutputTokensPerS   *float64    `json:"output_tokens_per_s,omitempty"`    // generated tokens/s of the deployment
	E2EMS              *float64    `json:"e2e_ms,omitempty"`                 // whole request, ms
	E2EInterval        *[2]float64 `json:"e2e_ms_interval,omitempty"`        // ms
	StepMS             *float64    `json:"step_ms,omitempty"`                // one step of the phase that dominates, or of training, ms
	StepInterval       *[2]float64 `json:"step_ms_interval,omitempty"`       // ms
	MFU                *float64    `json:"mfu,omitempty"`                    // model FLOP of a training step over what the GPUs could do, 0 to 1
	BubbleShare        *float64    `json:"bubble_share,omitempty"`           // of a training step in which the slowest rank waits, 0 to 1
	SyncMS             *float64    `json:"sync_ms,omitempty"`                // of a training step: exchange of gradients and weights that nothing hides, ms
	UpdateMS           *float64    `json:"update_ms,omitempty"`              // of a training step: the optimizer, ms
	SamplesPerS        *float64    `json:"samples_per_s,omitempty"`          // samples/s of an operator graph, all replicas
	SampleLatencyMS    *float64    `json:"sample_latency_ms,omitempty"`      // one sample through an idle pipeline, ms
	USDPerMillion      *float64    `json:"usd_per_million_tokens,omitempty"` // US dollars per million tokens
	USDPerHour         *float64    `json:"usd_per_hour,omitempty"`           // US dollars an hour for all GPUs used
	// KVTokens is the number of tokens whose KV a replica can hold: the minimum over its stages.
	KVTokens *int64 `json:"kv_capacity_tokens,omitempty"`
	// Evidence says what the intervals rest on.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence is what the interval of a metric rests on.
type Evidence struct {
	Metric string `json:"metric"` // name of the field
	Says   string `json:"says"`   // in a clause
}

// Held is how often a requirement was kept, in measurements, that a prediction meets by as
// much as this plan meets it.
type Held struct {
	Share float64 `json:"share"` // of cases, 0 to 1
	Cases int     `json:"cases"` // measured runs
}

// Solve says what was proved.
type Solve struct {
	Status        string   `json:"status"`               // optimal, feasible, infeasible, time_limit, interrupted
	Objective     float64  `json:"objective"`            // value of what is minimised
	ObjectiveUnit string   `json:"objective_unit"`       // of objective and best_bound
	BestBound     *float64 `json:"best_bound,omitempty"` // no plan is below it
	Gap           *float64 `json:"gap,omitempty"`        // (objective - best_bound) / objective
	Backend       string   `json:"backend"`              // solver that proved it
	// TimeMS is the wall time of the search, rounded up to whole seconds by whoever
	// fills it in, so that the same input gives the same bytes on most runs. Absent in
	// the plans of a batch, which never depend on a clock.
	TimeMS float64 `json:"time_ms,omitempty"`
	// AgreedBy lists the backends that proved the final outer choice, the first included.
	AgreedBy []string `json:"agreed_by"`
	// OutOfTime lists the backends that were asked and did not finish.
	OutOfTime []string `json:"out_of_time,omitempty"`
	Outer     Outer    `json:"outer"`
	// Certificate says of every outer choice what became of it and by which bound.
	Certificate Certificate `json:"certificate"`
}

// Outer counts the outer choices by what became of them.
type Outer struct {
	Solved     int `json:"solved"`     // to the optimum
	Infeasible int `json:"infeasible"` // proved to have no plan
	Pruned     int `json:"pruned"`     // by a bound no better than the incumbent
	// Open counts choices left when time ran out; 0 in a proof.
	Open int `json:"open,omitempty"`
}

// Certificate is the proof's account.
type Certificate struct {
	// Objective says in words what is minimised, with the figures it is scaled by.
	Objective string `json:"objective"`
	// Quantisation is the length of one tick by phase, in seconds.
	Quantisation map[string]float64 `json:"quantisation_seconds"`
	Balance      string             `json:"balance"`   // which bound held, and why
	GPUCount     string             `json:"gpu_count"` // how the number of GPUs was decided
	// Rules says of every rule that bound the plan what it took out.
	Rules []RuleAccount `json:"rules,omitempty"`
	// LeftOut names what the model does not consider.
	LeftOut []string          `json:"left_out"`
	Passes  []CertificatePass `json:"passes"`
}

// RuleAccount is one rule with what it took out of the search. Each candidate and choice
// is counted for the first rule that is in its way.
type RuleAccount struct {
	Name    string `json:"name"`              // unique in the condition
	Place   string `json:"place,omitempty"`   // file:line:col
	Expr    string `json:"expr"`              // the expression, in CEL
	Because string `json:"because,omitempty"` // the reason that was given
	// Candidates are sorts of stages: pool, shape and layers.
	Candidates int `json:"candidates"`
	// OuterChoices are combinations of replicas, GPUs, micro-batches and decode groups.
	OuterChoices int `json:"outer_choices"`
}

// CertificatePass is one search: the best reachable latency alone, throughput alone, or the objective.
type CertificatePass struct {
	Purpose string        `json:"purpose"`        // what it minimises
	Best    *float64      `json:"best,omitempty"` // value it reaches; absent where it found nothing
	Outer   Outer         `json:"outer"`
	Choices []OuterChoice `json:"choices"`
}

// OuterChoice is one combination of what is not decided per stage, or a group of
// them that one bound settles together.
type OuterChoice struct {
	Replicas       int      `json:"replicas"`                   // copies of the model
	GPUsPerReplica []int    `json:"gpus_per_replica,omitempty"` // pool by pool
	Case           string   `json:"case,omitempty"`             // what rules have all stages share: "TP 4, 2 stages"
	MicroBatches   int      `json:"micro_batches,omitempty"`    // 0: all of them
	DecodeGroups   int      `json:"decode_groups,omitempty"`    // 0: all of them
	Choices        int      `json:"choices"`                    // how many this line stands for
	Outcome        string   `json:"outcome"`                    // solved, infeasible, pruned, open
	Value          *float64 `json:"value,omitempty"`            // of its best plan
	Bound          *float64 `json:"bound,omitempty"`            // below which none of its plans is
	Why            string   `json:"why,omitempty"`              // what settles it
}

// RequirementResult is one requirement held against the plan. Want, Got and
// Nearest are in the unit named: s or ms, tokens/s or tokens/ms (of a GPU too),
// USD/h. Name is the requirement's kind, such as "ttft". MarginPercent is what the
// function of that name gives.
type RequirementResult struct {
	Name          string  `json:"name"`           // kind of the requirement
	Unit          string  `json:"unit"`           // of want, got and nearest
	Want          float64 `json:"want"`           // what is asked
	Got           float64 `json:"got"`            // what the plan reaches
	Met           bool    `json:"met"`            // by the margin asked for, too
	MarginPercent float64 `json:"margin_percent"` // by how much it is beaten; negative: missed
	// AskedMarginPercent is by how much it has to be beaten to count as met; absent in plans
	// of before it was written down.
	AskedMarginPercent *float64 `json:"asked_margin_percent,omitempty"`
	Nearest            *float64 `json:"nearest,omitempty"` // nearest feasible value where unmet
	Place              string   `json:"place,omitempty"`   // file:line:col
	// Held says of a requirement that is met how often such a one was kept; absent where
	// nothing was measured, or the condition states its own utilisation.
	Held *Held `json:"held,omitempty"`
}

// Comparison is one heuristic on the same costs.
type Comparison struct {
	Heuristic     string   `json:"heuristic"`                // name of the rule
	Feasible      bool     `json:"feasible"`                 // it places the model and meets every requirement
	Objective     *float64 `json:"objective,omitempty"`      // in the unit of the plan's; absent where infeasible
	GapPercent    *float64 `json:"gap_percent,omitempty"`    // how much worse than the plan, %
	WhyInfeasible string   `json:"why_infeasible,omitempty"` // what it breaks
	Strategy      string   `json:"strategy,omitempty"`       // in a line
	// LatencyMS, TokensPerS and GPUs are what its plan comes to: the time of a whole request
	// (prefill alone: to the first token) and the throughput of the deployment on so many GPUs.
	// Of one that keeps not every condition they hold as far as balance and requirements are
	// left out; absent where its plan does not fit the GPUs.
	LatencyMS  *float64 `json:"latency_ms,omitempty"`
	TokensPerS *float64 `json:"tokens_per_s,omitempty"`
	GPUs       int      `json:"gpus,omitempty"`
	// TimeMS is how long the heuristic took; absent in plans, which depend on their
	// input alone.
	TimeMS float64 `json:"time_ms,omitempty"`
}

// Verification is the checklist, recomputed from the plan alone.
type Verification struct {
	OK     bool    `json:"ok"` // every check holds that is not waived
	Checks []Check `json:"checks"`
	Parts  int     `json:"parts"` // counted from the stages
	GPUs   int     `json:"gpus"`  // different ones
}

// Check is one line of the checklist.
type Check struct {
	Rule string `json:"rule"` // what is checked
	OK   bool   `json:"ok"`   // whether it holds
	Want string `json:"want"` // what the rule asks for
	Got  string `json:"got"`  // what the plan has
	// Waived marks a condition that a closest plan is known to miss: reported as not
	// OK, and not counted against the verification as a whole.
	Waived bool `json:"waived,omitempty"`
}

// Statement is one statement of the condition with its use.
type Statement struct {
	File   string `json:"file"`    // path as it was given
	Line   int    `json:"line"`    // from 1
	Text   string `json:"text"`    // as it stands there
	UsedAs string `json:"used_as"` // what it was taken for
}

// Assumption is a value nobody stated.
type Assumption struct {
	What    string `json:"what"`    // which value
	Value   string `json:"value"`   // that is assumed
	Because string `json:"because"` // why this one
}

// Report is the outcome of a solve: a plan, or the plan that misses the
// requirements by least.
type Report struct {
	Plan *Plan
	// Feasible reports whether Plan meets every hard condition. False with a plan:
	// it is the closest plan and must not be called plan.json.
	Feasible bool
	// Status of the search as a whole: optimal, feasible (found, not proved),
	// infeasible (proved), unknown (nothing found within the limit).
	Status Status
	// Reasons say in sentences what is short and by how much where nothing fits.
	Reasons []string
	// Binding says what holds the optimum back.
	Binding []string
	// Explanation says why no plan meets the condition, where that is proved and was
	// asked for; nil otherwise.
	Explanation *Explanation
	// Condition, Statements, Assumptions and Warnings repeat the plan's where there
	// is a plan and stand in for them where there is none.
	Condition   string
	Statements  []Statement
	Assumptions []Assumption
	Warnings    []string
}

// Status of a whole search.
type Status string

// Outcomes of a search.
const (
	StatusOptimal    Status = "optimal"
	StatusFeasible   Status = "feasible"
	StatusInfeasible Status = "infeasible"
	StatusUnknown    Status = "unknown"
)
