package results

// Evaluation is what becomes of a strategy that somebody proposes: whether it maps
// onto the GPUs and fits, its predicted figures, and how far it is from the optimum on
// the same costs. A figure that cannot be told, because the strategy cannot be priced,
// is absent.
type Evaluation struct {
	Condition string `json:"condition"`
	// Given is the strategy in the words it was given in, Source where it stands.
	Given  string `json:"given"`
	Source string `json:"source"`
	// Feasible: it maps, fits, keeps the balance and meets every requirement.
	Feasible bool      `json:"feasible"`
	Problems []Problem `json:"problems"`
	// GPUsNeeded is counted from the stages of the reading that is evaluated; GPUsGiven
	// is nil where nobody states a number.
	GPUsNeeded int  `json:"gpus_needed"`
	GPUsGiven  *int `json:"gpus_given"`
	// Readings are the ways to map the degrees onto GPUs, the one evaluated first.
	Readings []Reading `json:"readings"`
	// Mapping says in sentences how the parts lie on the GPUs.
	Mapping []string `json:"mapping"`
	// Phase is the evaluated strategy as a plan would state it; nil where it cannot be
	// priced. Fields of its own repeat it for JSON.
	Phase        *PhasePlan          `json:"-"`
	Strategy     *Strategy           `json:"strategy,omitempty"`
	Stages       []EvaluatedStage    `json:"stages"`
	Balance      *Balance            `json:"balance,omitempty"`
	Metrics      Metrics             `json:"metrics"`
	Utilisation  Utilisation         `json:"utilisation"`
	Requirements []RequirementResult `json:"requirements"`
	// Objective is the strategy's value of what is minimised, also where it is not
	// feasible, as if it were.
	Objective     *float64 `json:"objective,omitempty"`
	ObjectiveUnit string   `json:"objective_unit,omitempty"`
	// Optimum is what the search finds for the condition.
	Optimum *Optimum `json:"optimum,omitempty"`
	// OptimumGapPercent is how much worse the strategy is, in GapIn; below 0 for what
	// lies outside the space that the proof ranges over.
	OptimumGapPercent *float64 `json:"optimum_gap_percent"`
	GapIn             string   `json:"gap_in,omitempty"`
	// OutsideSearch says which parts of the strategy the search does not consider.
	OutsideSearch []string `json:"outside_search"`
	// SameGPUs is the optimum on exactly as many GPUs, where their number is ours to
	// choose and the condition's optimum has another.
	SameGPUs *Optimum `json:"same_gpus,omitempty"`
	// Changes are those single changes that help, the best first; of a strategy that is
	// not feasible those that make it so, the smallest first, or where none does those
	// that come nearer. Tried counts all.
	Changes      []Change      `json:"changes"`
	ChangesTried int           `json:"changes_tried"`
	Engines      []Engine      `json:"engines"`
	Verification *Verification `json:"verification,omitempty"`
	Assumptions  []Assumption  `json:"assumptions"`
	Warnings     []string      `json:"warnings"`
}

// Problem is one thing that keeps a strategy from being feasible. Where is a place in
// an input (file:line:col), a GPU or a stage. ShortBy is by how much, in Unit; nil
// where nothing can be measured.
type Problem struct {
	Where    string   `json:"where"`
	Sentence string   `json:"sentence"`
	ShortBy  *float64 `json:"short_by"`
	Unit     string   `json:"unit,omitempty"`
}

// Reading is one way to understand a strategy's degrees.
type Reading struct {
	How      string `json:"how"`
	Strategy string `json:"strategy"`
	GPUs     int    `json:"gpus"`
	Possible bool   `json:"possible"`
	Why      string `json:"why,omitempty"` // why it is not possible
	// Evaluated marks the reading that the figures are for.
	Evaluated bool `json:"evaluated"`
}

// EvaluatedStage is a stage of one replica, with what it uses of its GPUs.
type EvaluatedStage struct {
	Stage
	Utilisation Utilisation `json:"utilisation"`
}

// Utilisation are shares of a GPU, 0 to 1, over a step of the steady state; of a
// deployment the mean over its GPUs (docs/evaluate.md gives the formulas).
type Utilisation struct {
	// Compute is FLOP at the peak of their formats, Bandwidth bytes of memory traffic at
	// the peak bandwidth, Network the time in which the links are taken.
	Compute   *float64 `json:"compute,omitempty"`
	Memory    *float64 `json:"memory,omitempty"` // of the capacity that a plan may fill
	Bandwidth *float64 `json:"memory_bandwidth,omitempty"`
	Network   *float64 `json:"network,omitempty"`
	// Busy is the share of the step in which the GPU works at all; what is left is
	// waiting for other stages.
	Busy *float64 `json:"busy,omitempty"`
}

// Optimum is a proved plan that a strategy is held against.
type Optimum struct {
	Status    Status   `json:"status"`
	Strategy  string   `json:"strategy,omitempty"`
	GPUs      int      `json:"gpus,omitempty"`
	Objective *float64 `json:"objective,omitempty"`
	// GapPercent is how much worse the evaluated strategy is; nil where it is not
	// feasible.
	GapPercent *float64 `json:"gap_percent"`
	Metrics    Metrics  `json:"metrics"`
}

// Change is a single change of a strategy and what it brings.
type Change struct {
	Change string `json:"change"`
	// Kind is what is changed: steps (micro-batches, decode groups), layers, split
	// (degrees and replicas), balance, gpus, format, load.
	Kind string `json:"kind"`
	// Feasible tells whether nothing is left that keeps it from being so.
	Feasible bool `json:"feasible"`
	// GainPercent is by how much the objective falls; nil where the strategy is not
	// feasible, so that there is nothing to gain on.
	GainPercent *float64 `json:"gain_percent"`
	// OptimumGapPercent is the distance to the optimum after it; nil where the change is
	// to another job or to other GPUs.
	OptimumGapPercent *float64 `json:"optimum_gap_percent"`
	// OutsideSearch says why it can be better than the optimum, where it is.
	OutsideSearch string  `json:"outside_search,omitempty"`
	Strategy      string  `json:"strategy"`
	GPUs          int     `json:"gpus"`
	Metrics       Metrics `json:"metrics"`
}

// Engine says of a serving engine whether it could start the strategy.
type Engine struct {
	Engine     string `json:"engine"`
	Launchable bool   `json:"launchable"`
	Why        string `json:"why"`
}
