package read

import (
	"partita/inputs"
	"partita/inputs/catalog"
)

// HuggingFaceModel is a model read from a config.json, with what the report says
// of it besides the statements.
type HuggingFaceModel struct {
	Model       inputs.Model
	Statements  []inputs.Statement // every field, and what it was used as
	Assumptions []inputs.Assumption
	Warnings    []string
}

// HuggingFaceConfig reads the config.json of a Hugging Face checkpoint. The file
// name goes into places and is not opened. Every problem is a diagnostic, all at
// once; the model is meaningful only where there are none. Its name is the
// architecture's: a configuration does not say what the model is called.
func HuggingFaceConfig(file string, data []byte) (HuggingFaceModel, Diagnostics) {
	r := catalog.ParseConfig(data)
	out := HuggingFaceModel{Model: r.Model, Assumptions: r.Assumptions}
	out.Model.Provenance = file
	for _, n := range r.Notes {
		out.Statements = append(out.Statements, inputs.Statement{
			Place:  inputs.Place{File: file, Line: n.Line, Col: n.Col},
			Text:   n.Text,
			UsedAs: n.UsedAs,
		})
	}
	for _, w := range r.Warnings {
		out.Warnings = append(out.Warnings, file+": "+w)
	}
	var problems Diagnostics
	for _, p := range r.Problems {
		problems = append(problems, Diagnostic{
			Place:   inputs.Place{File: file, Line: p.Line, Col: p.Col},
			Problem: p.Text,
			Want:    p.Want,
			Hint:    p.Hint,
		})
	}
	return out, problems
}

// HuggingFace is HuggingFaceConfig without assumptions and warnings.
func HuggingFace(file string, data []byte) (inputs.Model, []inputs.Statement, Diagnostics) {
	m, problems := HuggingFaceConfig(file, data)
	return m.Model, m.Statements, problems
}
