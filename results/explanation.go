package results

// Explanation says why no plan meets a condition, or where one does, what binds.
//
// A conflict is a set of demands that no plan meets together, while any proper part of
// it can be met, everything else left out. Demands are what a condition asks: its
// requirements, the number of GPUs and that all of them work, the memory of a GPU, the
// size of nodes, heads that divide, sequences in flight, prompt length, balance, rules.
type Explanation struct {
	Feasible bool `json:"feasible"` // a plan meets everything
	// Unknown: time ran out before it was decided whether a plan exists.
	Unknown bool `json:"unknown,omitempty"`
	// Minimal: every demand of every conflict was left out in turn, and a plan found that
	// meets the others of its conflict.
	Minimal bool `json:"minimal"`
	// Conflict is the first conflict found, empty where a plan exists.
	Conflict []Clash `json:"conflict"`
	// Nearest holds, for each demand of the conflict, the nearest value for which a plan
	// exists; where a plan exists already, how far each demand could be tightened.
	Nearest []Nearest `json:"nearest"`
	// Further lists conflicts that share no demand with the ones before them: they are
	// still there when those are resolved.
	Further []Conflict `json:"further,omitempty"`
	// Binding says, where a plan exists, what holds it back.
	Binding []string `json:"binding,omitempty"`
	// Scope says how far demands were relaxed, and what was not looked at.
	Scope []string `json:"scope,omitempty"`
}

// Conflict is one minimal set of clashing demands with the way out by each of them.
type Conflict struct {
	Conflict []Clash   `json:"conflict"`
	Nearest  []Nearest `json:"nearest"`
}

// Clash is one demand of a conflict.
type Clash struct {
	// Requirement names the demand: the kind of a requirement ("ttft"), or gpus, all_gpus,
	// memory, nodes, heads, batch, input, balance, "rule NAME"; with several pools
	// "memory of POOL".
	Requirement string `json:"requirement"`
	// File and Line say where it is stated; absent where nobody states it.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Sentence says what is asked and what there can be instead.
	Sentence string `json:"sentence"`
}

// Nearest is the value of one demand for which a plan exists.
type Nearest struct {
	Requirement string `json:"requirement"`    // demand as in Clash
	Unit        string `json:"unit,omitempty"` // of want and nearest
	// Want is what is asked and Nearest what can be had, in the unit; absent where the
	// demand has no amount (a rule), Nearest also where no value was found.
	Want    *float64 `json:"want,omitempty"`
	Nearest *float64 `json:"nearest,omitempty"`
	// Instead is what can be had where it is not a number: another number format.
	Instead string `json:"instead,omitempty"`
	// Strategy is the plan that has it, on one line.
	Strategy string `json:"strategy"`
	// AlsoRelaxed names the other demands that are left out for it, because they clash
	// among themselves.
	AlsoRelaxed []string `json:"also_relaxed,omitempty"`
	// Proved: a plan exists for Nearest, and none for a value closer to Want.
	Proved bool `json:"proved"`
	// Sentence says the same for a person.
	Sentence string `json:"sentence"`
}
