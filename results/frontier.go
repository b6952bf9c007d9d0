package results

// FrontierFormat is the version of a frontier's JSON.
const FrontierFormat = 1

// Frontier is the trade-off of a condition: every plan that no other plan beats in
// one axis without losing in another. Points come by latency.
type Frontier struct {
	FormatVersion int    `json:"format_version"`
	Condition     string `json:"condition"`
	// Status: optimal (complete: no plan is missing, none is beaten), feasible (not
	// settled: points may be missing or beaten, each says whether it is proved),
	// infeasible (proved: there is no plan), unknown.
	Status Status `json:"status"`
	// Axes are the fields of a point that are held against each other: latency_ms and
	// tokens_per_s, and usd_per_hour where every GPU has a price.
	Axes []string `json:"axes"`
	// ThroughputOf says what tokens_per_s counts: "deployment", or "gpu" where the
	// number of GPUs is open: the deployment's divided by the GPUs used.
	ThroughputOf string `json:"throughput_of"`
	// Requirements says whether the condition's bind: "hold", "left out", or "none".
	Requirements string              `json:"requirements"`
	Points       []FrontierPoint     `json:"points"`
	Heuristics   []FrontierHeuristic `json:"heuristics"`
	Certificate  FrontierCertificate `json:"certificate"`
	// Reasons say what is short where there is no plan.
	Reasons  []string `json:"reasons"`
	Warnings []string `json:"warnings"`
}

// FrontierFigures are what a plan is judged by on a frontier.
type FrontierFigures struct {
	// LatencyMS is the time of a whole request (prefill alone: to the first token).
	LatencyMS         float64     `json:"latency_ms"`
	LatencyInterval   *[2]float64 `json:"latency_ms_interval,omitempty"`
	TokensPerS        float64     `json:"tokens_per_s"` // of what Frontier.ThroughputOf says
	TokensInterval    *[2]float64 `json:"tokens_per_s_interval,omitempty"`
	USDPerHour        *float64    `json:"usd_per_hour,omitempty"`
	TTFTMS            *float64    `json:"ttft_ms,omitempty"`
	TPOTMS            *float64    `json:"tpot_ms,omitempty"`
	DeploymentTokens  float64     `json:"deployment_tokens_per_s"`
	TokensPerSEachGPU float64     `json:"tokens_per_s_per_gpu"`
	GPUs              int         `json:"gpus"`
}

// FrontierPoint is one plan of a frontier.
type FrontierPoint struct {
	FrontierFigures
	Strategy Strategy `json:"strategy"`
	// Summary is the strategy in one line.
	Summary string `json:"summary"`
	// Status: optimal where it is proved that no plan beats the point, else feasible.
	Status string `json:"status"`
	// ChosenBy lists the objectives (balanced, latency, throughput) whose best the point is.
	ChosenBy []string `json:"chosen_by"`
	// Plan is the whole plan, for verification and export.
	Plan *Plan `json:"-"`
}

// FrontierHeuristic is what a rule of thumb comes to on the same axes. Figures are
// absent where its plan cannot be placed at all.
type FrontierHeuristic struct {
	Heuristic string           `json:"heuristic"`
	Strategy  string           `json:"strategy,omitempty"`
	Feasible  bool             `json:"feasible"` // every condition kept, balance and requirements included
	Why       string           `json:"why_infeasible,omitempty"`
	Figures   *FrontierFigures `json:"figures,omitempty"`
}

// FrontierCertificate is the account of the proof.
type FrontierCertificate struct {
	// Dominance says in words what beats what, and how fine points are told apart.
	Dominance string `json:"dominance"`
	// Quantisation is the length of one tick by phase, in seconds.
	Quantisation map[string]float64 `json:"quantisation_seconds"`
	Balance      string             `json:"balance"`
	GPUCount     string             `json:"gpu_count"`
	LeftOut      []string           `json:"left_out"`
	Backend      string             `json:"backend"`
	Outer        Outer              `json:"outer"`
	Choices      []FrontierChoice   `json:"choices"`
}

// FrontierChoice is what became of one outer choice, or of several that share a fate.
// Bounds are in the units of the axes; no plan of the choices is better in that axis.
type FrontierChoice struct {
	Replicas       int      `json:"replicas"`
	GPUsPerReplica []int    `json:"gpus_per_replica,omitempty"`
	MicroBatches   int      `json:"micro_batches,omitempty"`
	DecodeGroups   int      `json:"decode_groups,omitempty"`
	Choices        int      `json:"choices"`
	Outcome        string   `json:"outcome"` // solved, infeasible, pruned, open
	Points         int      `json:"points,omitempty"`
	LatencyBound   *float64 `json:"latency_ms_bound,omitempty"`
	TokensBound    *float64 `json:"tokens_per_s_bound,omitempty"`
	Why            string   `json:"why,omitempty"`
}
