package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

// ModelEntry is a model with what the catalogue knows besides.
type ModelEntry struct {
	inputs.Model
	Aliases     []string
	HuggingFace string  // identifier on the Hugging Face hub
	Family      string  // such as "Llama 3"
	Published   float64 // parameters, as the publisher counts them
	Notes       string  // what a plan should know; may be empty
}

// copied shares no memory with the catalogue.
func (e ModelEntry) copied() ModelEntry {
	e.Aliases = slices.Clone(e.Aliases)
	e.Kinds = slices.Clone(e.Kinds)
	e.Layers = slices.Clone(e.Layers)
	return e
}

// modelRecord is an entry of models.yaml; the file's header explains the fields.
type modelRecord struct {
	Name    string
	HF      string `yaml:"hf"`
	Family  string
	Aliases []string
	Params  float64
	Count   string // source of params
	Seen    string // "yes" where the published config.json was read
	Notes   string
	Config  yaml.Node
}

// entry builds a record's model the way a user's config.json is read.
func (r modelRecord) entry() (ModelEntry, error) {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("model %q: "+format, append([]any{r.Name}, args...)...))
	}
	if r.Name == "" || r.Family == "" || r.Count == "" {
		wrong("name, family and count are needed")
	}
	if r.HF == "" && r.Notes == "" {
		wrong("hf is needed, or notes where no checkpoint was published")
	}
	if r.Params <= 0 {
		wrong("params must be positive")
	}
	config := &r.Config
	if config.Kind == yaml.AliasNode { // two models of one shape
		config = config.Alias
	}
	read := readConfig(config)
	for _, p := range read.Problems {
		wrong("line %d: %s, want %s", p.Line, p.Text, p.Want)
	}
	for _, n := range read.Notes {
		if strings.HasPrefix(n.UsedAs, "not used: no cost") {
			wrong("line %d: %s is of no use", n.Line, n.Text)
		}
	}
	m := read.Model
	m.Name = r.Name
	m.DeclaredParams = r.Params
	how := "from memory, held against the parameter count"
	if r.Seen == "yes" {
		how = "as published"
	}
	from := "config.json of " + r.HF
	if r.HF == "" {
		from = "sizes as a configuration"
	}
	m.Provenance = fmt.Sprintf("%s, %s; parameters: %s", from, how, r.Count)
	if r.Notes != "" {
		m.Provenance += "; " + r.Notes
	}
	return ModelEntry{
		Model:       m,
		Aliases:     r.Aliases,
		HuggingFace: r.HF,
		Family:      r.Family,
		Published:   r.Params,
		Notes:       r.Notes,
	}, errors.Join(problems...)
}
