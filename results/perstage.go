package results

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// PerStage is a degree of parallelism: a plain number in JSON where every stage
// has the same, a list with one entry a stage where they differ.
type PerStage []int

// Uniform reports the common degree, false where stages differ.
func (p PerStage) Uniform() (int, bool) {
	if len(p) == 0 {
		return 0, false
	}
	for _, v := range p {
		if v != p[0] {
			return 0, false
		}
	}
	return p[0], true
}

// MarshalJSON writes a number where the stages agree and a list otherwise.
func (p PerStage) MarshalJSON() ([]byte, error) {
	if v, ok := p.Uniform(); ok {
		return json.Marshal(v)
	}
	return json.Marshal([]int(p))
}

// UnmarshalJSON reads a number or a list.
func (p *PerStage) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		var list []int
		if err := json.Unmarshal(data, &list); err != nil {
			return fmt.Errorf("degree per stage: %w", err)
		}
		*p = list
		return nil
	}
	var v int
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("degree: want a number or a list with one entry a stage: %w", err)
	}
	*p = PerStage{v}
	return nil
}

// At is the degree of stage i.
func (p PerStage) At(i int) int {
	if len(p) == 1 {
		return p[0]
	}
	return p[i]
}
