package results

// Placed is the answer to a published placement instance, one JSON line of `partita
// instance`.
type Placed struct {
	Name string `json:"name"`
	// Objective is the value of Solution, recomputed from it in the instance's own
	// numbers; absent where nothing was found.
	Objective *float64 `json:"objective"`
	// Status says why the search ended: optimal, infeasible, time limit, interrupted;
	// unknown: by itself, without a proof.
	Status string `json:"status"`
	// BestBound: nothing better than it exists. Absent where none is known.
	BestBound *float64 `json:"best_bound"`
	// Gap is |objective − best_bound| / |objective|; absent where one of them is.
	Gap      *float64        `json:"gap"`
	Backend  string          `json:"backend"`
	WallMS   int64           `json:"wall_ms"` // rounded up
	Solution *PlacedSolution `json:"solution"`

	Goal  string `json:"goal"`  // series, lanes, throughput, usd-per-million, contiguous, noncontiguous, latency
	Sense string `json:"sense"` // minimize or maximize
	Unit  string `json:"unit"`  // tokens/s, USD per million tokens, ms
	// BudgetUSDPerHour is what may be spent, where the goal has a budget.
	BudgetUSDPerHour *float64 `json:"budget_usd_per_hour,omitempty"`
	AgreedBy         []string `json:"agreed_by,omitempty"`
	// Because says in a few words what proves the bound.
	Because  string          `json:"because,omitempty"`
	Recorded *PlacedRecorded `json:"recorded,omitempty"`
	// KnownOptimum is what the instance's file says to be the exact optimum.
	KnownOptimum *float64 `json:"known_optimum,omitempty"`
	// Verified: an evaluator that shares no code with the search found the solution to
	// keep every rule of the instance and to be worth Objective.
	Verified bool `json:"verified"`
}

// PlacedRecorded is what the instance's file says that others reached.
type PlacedRecorded struct {
	Value float64 `json:"value"`
	Note  string  `json:"note,omitempty"`
}

// PlacedSolution is where the layers or nodes of an instance go. One of its lists is set.
type PlacedSolution struct {
	Stages     []PlacedStage  `json:"stages,omitempty"`  // of a chain
	Routes     []PlacedRoute  `json:"routes,omitempty"`  // beside Stages, where machines share layers: who hands over to whom
	Devices    []PlacedDevice `json:"devices,omitempty"` // of a graph
	Rented     []PlacedRental `json:"rented,omitempty"`  // beside Stages: the instances paid for
	USDPerHour float64        `json:"usd_per_hour,omitempty"`
}

// PlacedStage is a range of layers on one machine.
type PlacedStage struct {
	FirstLayer int     `json:"first_layer"` // 0-based, inclusive
	LastLayer  int     `json:"last_layer"`
	Machine    string  `json:"machine"`      // its type
	Index      int     `json:"index"`        // which of its type, from 0
	TP         int     `json:"tp,omitempty"` // GPUs of the group, of a rental
	TokensPerS float64 `json:"tokens_per_s"` // what it passes
}

// PlacedRoute is what goes from one machine of a solution to another.
type PlacedRoute struct {
	From       int     `json:"from"` // index of the stage; -1: enters at the first layer
	To         int     `json:"to"`   // index of the stage; -1: leaves after the last layer
	TokensPerS float64 `json:"tokens_per_s"`
}

// PlacedDevice is one device of a graph with its nodes.
type PlacedDevice struct {
	Device string  `json:"device"` // accelerator-0 …, cpu-0 …
	Nodes  []int   `json:"nodes"`  // ids as in the file, ascending
	LoadMS float64 `json:"load_ms"`
	Bytes  int64   `json:"bytes"`
}

// PlacedRental counts instances of a type.
type PlacedRental struct {
	Type  string `json:"type"`
	Count int    `json:"count"`
}
