package results

// Calibration is what partita calibrate found: constants fitted from timings of operators,
// and those that the timings do not tell.
type Calibration struct {
	Tables  []CalibrationTable `json:"tables"`
	Devices []CalibratedDevice `json:"devices"`
	Skipped []CalibrationSkip  `json:"skipped"` // rows that nothing was fitted from
	Pack    string             `json:"pack,omitempty"`
}

// CalibrationTable is one file that was read.
type CalibrationTable struct {
	File    string `json:"file"` // as it was given
	Kind    string `json:"kind"` // of table
	Rows    int    `json:"rows"`
	Samples int    `json:"samples"` // timings that it holds
}

// CalibrationSkip counts rows that were left out for one reason.
type CalibrationSkip struct {
	Rows   int    `json:"rows"`
	Reason string `json:"reason"`
}

// CalibratedDevice is what was found of one device.
type CalibratedDevice struct {
	Device     string          `json:"device"`     // as the catalogue calls it
	Generation string          `json:"generation"` // of the constants that are built in for it
	Laws       []CalibratedLaw `json:"laws"`
}

// CalibratedLaw is the price of some operators with its constants.
type CalibratedLaw struct {
	Path  string   `json:"path"`  // of the constants: operators.gemm16
	Ops   []string `json:"ops"`   // operators whose timings it was held against
	Files []string `json:"files"` // that they are from, without folders
	// Frameworks whose kernels were timed, where tables say it. Those of several are fitted as one.
	Frameworks []string `json:"frameworks,omitempty"`
	Rows       int      `json:"rows"`
	Shapes     int      `json:"shapes"`   // different sizes among them
	Outliers   int      `json:"outliers"` // shapes whose time is far from the fitted one; they count little
	// Impossible rows are faster than the datasheet's peaks by half; they are left out.
	Impossible int                  `json:"impossible"`
	Constants  []CalibratedConstant `json:"constants"`
	// Errors of predicted times in percent of the measured ones: of the built-in constants, of
	// the fitted ones on what they were fitted on, and of constants fitted without a shape's
	// fold on that shape. The last two are absent where nothing was fitted.
	BuiltIn  CalibrationError  `json:"built_in"`
	InSample *CalibrationError `json:"in_sample,omitempty"`
	HeldOut  *CalibrationError `json:"held_out,omitempty"`
	Refused  string            `json:"refused,omitempty"` // why all constants stay built in
}

// CalibratedConstant is one constant of a law.
type CalibratedConstant struct {
	Path    string  `json:"path"`     // in the profile
	BuiltIn float64 `json:"built_in"` // seconds, or a share
	// Fitted is absent where the built-in value stays; Refused then says why.
	Fitted         *float64 `json:"fitted,omitempty"`
	UncertaintyPct float64  `json:"uncertainty_pct,omitempty"` // standard error of the fitted value
	Refused        string   `json:"refused,omitempty"`
}

// CalibrationError is the size of relative errors over shapes, in percent.
type CalibrationError struct {
	MedianPct float64 `json:"median_pct"`
	P90Pct    float64 `json:"p90_pct"`
}

// Fitted reports whether any constant was.
func (c *Calibration) Fitted() bool {
	for _, d := range c.Devices {
		for _, l := range d.Laws {
			for _, x := range l.Constants {
				if x.Fitted != nil {
					return true
				}
			}
		}
	}
	return false
}
