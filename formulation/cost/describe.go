package cost

// OperatorEfficiency says what one kind of operator reaches on a device and where
// that figure comes from.
type OperatorEfficiency struct {
	Operator     string
	FloorSeconds float64 // of one launch
	Compute      float64 // share of the peak FLOP/s
	Bandwidth    float64 // share of the peak memory bandwidth
	Source       string
}

// Efficiencies describes what the pool's operators reach, for reports.
func (c *Calculator) Efficiencies(pool int) []OperatorEfficiency {
	return append([]OperatorEfficiency(nil), c.devices[pool].notes...)
}
