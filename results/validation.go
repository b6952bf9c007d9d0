package results

// Validation is what `partita validate` finds: predictions of the cost model held
// against measurements. Errors and regrets are in percent.
type Validation struct {
	Rows   int `json:"rows"`   // of the table: scored + skipped
	Scored int `json:"scored"` // rows that a prediction was held against
	// Prediction is by family and metric, Totals by what is measured over all families.
	Prediction []PredictionScore `json:"prediction"`
	Totals     []PredictionScore `json:"totals"`
	// Choice is by family and metric, ChoiceTotals by what is measured and over all.
	Choice       []ChoiceScore `json:"choice"`
	ChoiceTotals []ChoiceScore `json:"choice_totals"`
	Memory       MemoryScore   `json:"memory"`
	// Claims is how often a requirement that is met by a margin would have been kept.
	Claims  []ClaimScore `json:"claims"`
	Skipped []Skipped    `json:"skipped"`
	// Each is what became of every row, where it was asked for.
	Each []ValidatedRow `json:"each,omitempty"`
}

// ValidatedRow is a row with its prediction, or why it has none.
type ValidatedRow struct {
	Line      int      `json:"line"` // in the table
	ID        string   `json:"id,omitempty"`
	Family    string   `json:"family"`
	Metric    string   `json:"metric"`
	Measured  float64  `json:"measured"`
	Predicted *float64 `json:"predicted,omitempty"`
	ErrorPct  *float64 `json:"error_pct,omitempty"`
	// HeldOut is what constants predict that were fitted without the family; absent where it
	// had no part in any.
	HeldOut *float64 `json:"held_out,omitempty"`
	Fits    *bool    `json:"predicted_fit,omitempty"` // of a row that says what did not fit
	Skipped string   `json:"skipped,omitempty"`
}

// PredictionScore is how far predictions of one metric lie from what was measured, where
// an error is predicted/measured − 1.
type PredictionScore struct {
	Family       string  `json:"family"` // "" in Totals
	Metric       string  `json:"metric"`
	N            int     `json:"n"` // rows
	MedianAbsPct float64 `json:"median_abs_pct"`
	P90AbsPct    float64 `json:"p90_abs_pct"`
	BiasPct      float64 `json:"bias_pct"` // median of the errors with their sign
	// HeldOut is the same with constants that were fitted without the family; absent where
	// the family had no part in any constant, so that the figures above are of this kind.
	HeldOut *ErrorFigures `json:"held_out,omitempty"`
	// ByRun counts a run once whose rows tell the same in several units, by HeldOut's
	// constants where there are any: the first of its rows. Of Totals alone, where there are
	// such runs.
	ByRun *RunFigures `json:"by_run,omitempty"`
	// Inside is the share of runs that the interval held which the other families make.
	Inside *float64 `json:"inside,omitempty"`
}

// RunFigures are errors of runs.
type RunFigures struct {
	N int `json:"n"` // runs
	ErrorFigures
}

// ErrorFigures are errors in percent.
type ErrorFigures struct {
	MedianAbsPct float64 `json:"median_abs_pct"`
	P90AbsPct    float64 `json:"p90_abs_pct"`
	BiasPct      float64 `json:"bias_pct"`
}

// ClaimScore is how often a requirement that a prediction meets by just a margin would have
// been kept: of a time t, one of t/(1 − margin); of a rate r, one of r·(1 − margin).
type ClaimScore struct {
	Metric        string  `json:"metric"`         // what is measured
	MarginPercent float64 `json:"margin_percent"` // by which the prediction meets it
	N             int     `json:"n"`              // runs
	Held          int     `json:"held"`           // that keep it
}

// ChoiceScore is what comes of choosing among measured layouts by prediction. The figures
// are over the groups that were answered.
type ChoiceScore struct {
	Family string `json:"family"` // "" in ChoiceTotals
	Metric string `json:"metric"` // what is measured in ChoiceTotals, all for everything
	Groups int    `json:"groups"` // questions
	ChoiceFigures
	// NoAnswer counts the groups in which no layout is predicted to fit.
	NoAnswer int `json:"no_answer"`
	// Rule is the rule of thumb that does best on the same groups, chosen in hindsight.
	Rule RuleScore `json:"rule"`
	// Rules are all rules of thumb.
	Rules []RuleScore `json:"rules"`
}

// ChoiceFigures are shares and regrets: how much better the best measured layout is than
// the chosen one.
type ChoiceFigures struct {
	Top1          float64 `json:"top1"` // share of groups with a regret of at most 3 %
	MeanRegretPct float64 `json:"mean_regret_pct"`
	P90RegretPct  float64 `json:"p90_regret_pct"`
}

// RuleScore is what a rule of thumb comes to. It is asked in the groups that were
// answered.
type RuleScore struct {
	Name string `json:"name"`
	ChoiceFigures
}

// MemoryScore holds what is predicted to fit against what ran and what did not.
type MemoryScore struct {
	Confusion
	Families []FamilyConfusion `json:"families"`
}

// Confusion counts runs by what happened and by what is predicted.
type Confusion struct {
	RanFits      int `json:"ran_predicted_fit"`
	RanOOM       int `json:"ran_predicted_oom"`
	OOMFits      int `json:"oom_predicted_fit"`
	OOMPredicted int `json:"oom_predicted_oom"`
}

// FamilyConfusion is the Confusion of one family.
type FamilyConfusion struct {
	Family string `json:"family"`
	Confusion
}

// Skipped counts rows that no prediction was held against, by why.
type Skipped struct {
	Reason string `json:"reason"`
	Rows   int    `json:"rows"`
}
