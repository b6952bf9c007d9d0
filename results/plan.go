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
	FormatVersion int           `json:"format_version"`
	Condition     string        `json:"condition"`
	Phases        []PhasePlan   `json:"phases"`
	Comparison    []Comparison  `json:"comparison"`
	Verification  *Verification `json:"verification,omitempty"`
	Statements    []Statement   `json:"statements"`
	Assumptions   []Assumption  `json:"assumptions"`
	Warnings      []string      `json:"warnings"`
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
	Phase        inputs.Phase        `json:"phase"`
	Strategy     Strategy            `json:"strategy"`
	GPUs         GPUCount            `json:"gpus"`
	Stages       []Stage             `json:"stages"`
	Balance      Balance             `json:"balance"`
	Metrics      Metrics             `json:"metrics"`
	Solve        Solve               `json:"solve"`
	Requirements []RequirementResult `json:"requirements"`
}

// Strategy is the parallelism of a plan. TP, EP, CP and DPAttention hold one entry
// where all stages of a replica agree, else one a stage.
type Strategy struct {
	Replicas    int      `json:"replicas"`
	PP          int      `json:"pp"`
	TP          PerStage `json:"tp"`
	EP          PerStage `json:"ep"`
	CP          PerStage `json:"cp"`
	DPAttention PerStage `json:"dp_attention"`
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
}

// GPUCount tells given from used. Available is nil for an unlimited number; Parts
// is counted from the stages.
type GPUCount struct {
	Available *int `json:"available"`
	Used      int  `json:"used"`
	Parts     int  `json:"parts"`
	Match     bool `json:"match"`
	// Why says how the number was decided where it was ours to choose.
	Why string `json:"why,omitempty"`
}

// Stage is one stage of one replica. Layers count from 0, both ends included.
type Stage struct {
	Replica     int      `json:"replica"`
	Index       int      `json:"index"`
	FirstLayer  int      `json:"first_layer"`
	LastLayer   int      `json:"last_layer"`
	Pool        string   `json:"pool"`
	GPUs        []string `json:"gpus"`
	TP          int      `json:"tp"`
	EP          int      `json:"ep"`
	ETP         int      `json:"etp"`
	CP          int      `json:"cp"`
	DPAttention int      `json:"dp_attention"`
	// TimeMS is the stage's time in the phase that dominates: a decode or mixed
	// step of one group, or a prefill micro-batch where nothing is decoded.
	TimeMS float64 `json:"time_ms"`
	// PrefillMS is the time of one prefill micro-batch at the upper input length.
	PrefillMS float64 `json:"prefill_ms"`
	// MemoryGiB is what each of its GPUs holds, CapacityGiB what it may hold.
	MemoryGiB   float64 `json:"memory_gib"`
	CapacityGiB float64 `json:"capacity_gib"`
	Memory      Memory  `json:"memory"`
}

// Memory is one GPU's memory by use, in GiB.
type Memory struct {
	WeightsGiB     float64 `json:"weights_gib"`
	KVGiB          float64 `json:"kv_gib"`
	ActivationsGiB float64 `json:"activations_gib"`
	ReserveGiB     float64 `json:"reserve_gib"`
}

// Balance compares the stages of a plan by Stage.TimeMS and Stage.MemoryGiB; means
// are over GPUs (BalanceOf computes it).
type Balance struct {
	TimeMaxOverMean   float64 `json:"time_max_over_mean"`
	MemoryMaxOverMean float64 `json:"memory_max_over_mean"`
	// TimeMinOverMax is 1-ε as the plan reaches it; Floor is the bound it had to meet.
	TimeMinOverMax float64 `json:"time_min_over_max"`
	Floor          float64 `json:"floor"`
}

// Metrics are the predicted figures. Intervals hold low and high.
type Metrics struct {
	TTFTMS             *float64    `json:"ttft_ms,omitempty"`
	TTFTInterval       *[2]float64 `json:"ttft_ms_interval,omitempty"`
	TPOTMS             *float64    `json:"tpot_ms,omitempty"`
	TPOTInterval       *[2]float64 `json:"tpot_ms_interval,omitempty"`
	TokensPerS         *float64    `json:"tokens_per_s,omitempty"`
	TokensPerSInterval *[2]float64 `json:"tokens_per_s_interval,omitempty"`
	TokensPerSPerGPU   *float64    `json:"tokens_per_s_per_gpu,omitempty"`
	OutputTokensPerS   *float64    `json:"output_tokens_per_s,omitempty"`
	E2EMS              *float64    `json:"e2e_ms,omitempty"`
	StepMS             *float64    `json:"step_ms,omitempty"`
	USDPerMillion      *float64    `json:"usd_per_million_tokens,omitempty"`
	USDPerHour         *float64    `json:"usd_per_hour,omitempty"`
	// KVTokens is the number of tokens whose KV a replica can hold: the minimum over its stages.
	KVTokens *int64 `json:"kv_capacity_tokens,omitempty"`
}

// Solve says what was proved.
type Solve struct {
	Status        string   `json:"status"` // optimal, feasible, infeasible, time_limit, interrupted
	Objective     float64  `json:"objective"`
	ObjectiveUnit string   `json:"objective_unit"`
	BestBound     *float64 `json:"best_bound,omitempty"`
	Gap           *float64 `json:"gap,omitempty"` // (objective - best_bound) / objective
	Backend       string   `json:"backend"`
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
	Solved     int `json:"solved"`
	Infeasible int `json:"infeasible"`
	Pruned     int `json:"pruned"`
	// Open counts choices left when time ran out; 0 in a proof.
	Open int `json:"open,omitempty"`
}

// Certificate is the proof's account.
type Certificate struct {
	// Objective says in words what is minimised, with the figures it is scaled by.
	Objective string `json:"objective"`
	// Quantisation is the length of one tick by phase, in seconds.
	Quantisation map[string]float64 `json:"quantisation_seconds"`
	Balance      string             `json:"balance"`
	GPUCount     string             `json:"gpu_count"`
	// Rules says of every rule that bound the plan what it took out.
	Rules []RuleAccount `json:"rules,omitempty"`
	// LeftOut names what the model does not consider.
	LeftOut []string          `json:"left_out"`
	Passes  []CertificatePass `json:"passes"`
}

// RuleAccount is one rule with what it took out of the search. Each candidate and choice
// is counted for the first rule that is in its way.
type RuleAccount struct {
	Name    string `json:"name"`
	Place   string `json:"place,omitempty"` // file:line:col
	Expr    string `json:"expr"`
	Because string `json:"because,omitempty"`
	// Candidates are sorts of stages: pool, shape and layers.
	Candidates int `json:"candidates"`
	// OuterChoices are combinations of replicas, GPUs, micro-batches and decode groups.
	OuterChoices int `json:"outer_choices"`
}

// CertificatePass is one search: the best reachable latency alone, throughput alone, or the objective.
type CertificatePass struct {
	Purpose string        `json:"purpose"`
	Best    *float64      `json:"best,omitempty"`
	Outer   Outer         `json:"outer"`
	Choices []OuterChoice `json:"choices"`
}

// OuterChoice is one combination of what is not decided per stage, or a group of
// them that one bound settles together.
type OuterChoice struct {
	Replicas       int      `json:"replicas"`
	GPUsPerReplica []int    `json:"gpus_per_replica,omitempty"`
	Case           string   `json:"case,omitempty"`          // what rules have all stages share: "TP 4, 2 stages"
	MicroBatches   int      `json:"micro_batches,omitempty"` // 0: all of them
	DecodeGroups   int      `json:"decode_groups,omitempty"` // 0: all of them
	Choices        int      `json:"choices"`                 // how many this line stands for
	Outcome        string   `json:"outcome"`                 // solved, infeasible, pruned, open
	Value          *float64 `json:"value,omitempty"`
	Bound          *float64 `json:"bound,omitempty"`
	Why            string   `json:"why,omitempty"`
}

// RequirementResult is one requirement held against the plan. Want, Got and
// Nearest are in the unit named: s or ms, tokens/s or tokens/ms (of a GPU too),
// USD/h. Name is the requirement's kind, such as "ttft". MarginPercent is what the
// function of that name gives.
type RequirementResult struct {
	Name          string   `json:"name"`
	Unit          string   `json:"unit"`
	Want          float64  `json:"want"`
	Got           float64  `json:"got"`
	Met           bool     `json:"met"`
	MarginPercent float64  `json:"margin_percent"`
	Nearest       *float64 `json:"nearest,omitempty"` // nearest feasible value where unmet
	Place         string   `json:"place,omitempty"`   // file:line:col
}

// Comparison is one heuristic on the same costs.
type Comparison struct {
	Heuristic     string   `json:"heuristic"`
	Feasible      bool     `json:"feasible"`
	Objective     *float64 `json:"objective,omitempty"`
	GapPercent    *float64 `json:"gap_percent,omitempty"`
	WhyInfeasible string   `json:"why_infeasible,omitempty"`
	Strategy      string   `json:"strategy,omitempty"`
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
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
	Parts  int     `json:"parts"`
	GPUs   int     `json:"gpus"`
}

// Check is one line of the checklist.
type Check struct {
	Rule string `json:"rule"`
	OK   bool   `json:"ok"`
	Want string `json:"want"`
	Got  string `json:"got"`
	// Waived marks a condition that a closest plan is known to miss: reported as not
	// OK, and not counted against the verification as a whole.
	Waived bool `json:"waived,omitempty"`
}

// Statement is one statement of the condition with its use.
type Statement struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Text   string `json:"text"`
	UsedAs string `json:"used_as"`
}

// Assumption is a value nobody stated.
type Assumption struct {
	What    string `json:"what"`
	Value   string `json:"value"`
	Because string `json:"because"`
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
