package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"partita/inputs"
)

// Recomputes is the recompute of each stage: a word in JSON where all stages have the same,
// a list with one entry a stage where they differ.
type Recomputes []inputs.Recompute

// Uniform reports the common recompute, false where stages differ or there are none.
func (r Recomputes) Uniform() (inputs.Recompute, bool) {
	if len(r) == 0 {
		return "", false
	}
	for _, x := range r {
		if x != r[0] {
			return "", false
		}
	}
	return r[0], true
}

// At is the recompute of stage i.
func (r Recomputes) At(i int) inputs.Recompute {
	if len(r) == 1 {
		return r[0]
	}
	return r[i]
}

// Words are the recomputes of the stages for people: one word, or runs of alike ones.
func (r Recomputes) Words() string {
	if one, ok := r.Uniform(); ok {
		return string(one)
	}
	var out []string
	for i := 0; i < len(r); {
		j := i
		for j < len(r) && r[j] == r[i] {
			j++
		}
		stages := "stages"
		if j == i+1 {
			stages = "stage"
		}
		out = append(out, fmt.Sprintf("%s on %d %s", r[i], j-i, stages))
		i = j
	}
	return strings.Join(out, ", ")
}

// MarshalJSON writes a word where the stages agree and a list otherwise.
func (r Recomputes) MarshalJSON() ([]byte, error) {
	if x, ok := r.Uniform(); ok {
		return json.Marshal(x)
	}
	return json.Marshal([]inputs.Recompute(r))
}

// UnmarshalJSON reads a word or a list.
func (r *Recomputes) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		var list []inputs.Recompute
		if err := json.Unmarshal(data, &list); err != nil {
			return fmt.Errorf("recompute per stage: %w", err)
		}
		*r = list
		return nil
	}
	var x inputs.Recompute
	if err := json.Unmarshal(data, &x); err != nil {
		return fmt.Errorf("recompute: want a word or a list with one entry a stage: %w", err)
	}
	*r = Recomputes{x}
	return nil
}
