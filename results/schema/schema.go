// Package schema describes the files of a run as JSON Schema: plan.json and
// manifest.json. The schemas follow from the Go types by reflection, so that a new field
// is in them by itself; descriptions are the fields' own comments and closed sets the
// constants of their types, which words.json repeats from the source (a test holds it in
// step: go test ./results/schema -update).
package schema

import (
	"fmt"
	"reflect"

	"partita/inputs/read"
	js "partita/inputs/schema"
	"partita/results"
	"partita/results/export"
)

// Plan is the schema of plan.json and closest-plan.json in the format that this program
// writes. Earlier formats, which it reads, are not described.
func Plan() (*js.Schema, error) {
	w, err := newWalk()
	if err != nil {
		return nil, err
	}
	s, err := w.file(reflect.TypeFor[results.Plan]())
	if err != nil {
		return nil, err
	}
	s.ID, s.Title = fmt.Sprintf("urn:partita:plan:%d", results.FormatVersion), "Deployment plan of partita (plan.json, closest-plan.json)"
	return s, nil
}

// Manifest is the schema of manifest.json.
func Manifest() (*js.Schema, error) {
	w, err := newWalk()
	if err != nil {
		return nil, err
	}
	s, err := w.file(reflect.TypeFor[export.Manifest]())
	if err != nil {
		return nil, err
	}
	s.ID, s.Title = "urn:partita:manifest", "Files of a run of partita (manifest.json)"
	return s, nil
}

// Kind is a sort of file that there is a schema of.
type Kind struct {
	Name  string // as partita schema takes it, and of docs/schema/NAME.json
	About string
	Make  func() (*js.Schema, error)
}

// Kinds lists the files that there are schemas of, in the order of the documents.
func Kinds() []Kind {
	return []Kind{
		{"condition", "a condition in YAML, TOML or JSON", read.ConditionSchema},
		{"plan", "plan.json and closest-plan.json", Plan},
		{"manifest", "manifest.json", Manifest},
	}
}
