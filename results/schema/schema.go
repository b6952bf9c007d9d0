// Package schema describes the files of a run as JSON Schema: plan.json and
// manifest.json. The schemas follow from the Go types by reflection, so that a new field
// is in them by itself; descriptions are the fields' own comments and closed sets the
// constants of their types, which words.json repeats from the source (a test holds it in
// step: go test ./results/schema -update).
package schema

import (
	"fmt"
	"reflect"

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
