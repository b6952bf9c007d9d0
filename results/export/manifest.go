package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Manifest lists the files of a run by absolute path; a file that the run did not
// make is absent. A run has a plan or a closest plan, never both.
type Manifest struct {
	Plan        string `json:"plan,omitempty"`         // plan.json: the plan, where one meets the condition
	ClosestPlan string `json:"closest_plan,omitempty"` // closest-plan.json: the plan that misses the requirements by least
	Report      string `json:"report"`                 // report.md, for people
	ReportHTML  string `json:"report_html"`            // report.html: the same with pictures, for a browser
	// DAG are the graphs of the plan: the complete one, where it is not too large, and the
	// folded one.
	DAG []string `json:"dag,omitempty"`
	// Launch are the files that start the plan, and a line each for what cannot run it.
	Launch []string `json:"launch,omitempty"`
}

// Files lists every file of the manifest.
func (m Manifest) Files() []string {
	var out []string
	for _, path := range slices.Concat([]string{m.Plan, m.ClosestPlan, m.Report, m.ReportHTML}, m.DAG, m.Launch) {
		if path != "" {
			out = append(out, path)
		}
	}
	return out
}

// JSON is the content of manifest.json.
func (m Manifest) JSON() ([]byte, error) { return indented(m, manifestName) }

// indented is a value as JSON that a person can read too, with a final newline.
// Angle brackets stay as they are: the files are read as JSON, not as HTML.
func indented(v any, name string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("%s cannot be written as JSON (a figure that is not a number must be absent): %w", name, err)
	}
	return b.Bytes(), nil
}
