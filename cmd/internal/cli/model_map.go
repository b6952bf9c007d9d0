package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"partita/formulation"
	"partita/results"
	"partita/results/export"
)

// modelHead is what all files about a model begin with.
type modelHead struct {
	FormatVersion int            `json:"format_version"`
	Condition     string         `json:"condition"`
	Format        string         `json:"format"`
	Status        results.Status `json:"status"` // of the condition
	// Optimum of the condition in ticks and in the unit of the objective; absent where
	// there is no plan.
	Optimum       *int64   `json:"optimum,omitempty"`
	OptimumValue  *float64 `json:"optimum_value,omitempty"`
	Objective     string   `json:"objective"`
	ObjectiveUnit string   `json:"objective_unit"`
}

// modelFile is one text of a model.
type modelFile struct {
	File string `json:"file"`
	// AtMost is the bound on the objective that it has, in ticks; absent where it has none.
	AtMost *int64 `json:"at_most,omitempty"`
}

func (f modelFile) note() string {
	if f.AtMost == nil {
		return ""
	}
	return fmt.Sprintf("  (J ≤ %d)", *f.AtMost)
}

// modelEntry is one model of an index.
type modelEntry struct {
	Files []modelFile `json:"files"`
	Map   string      `json:"map"`
	Outer string      `json:"outer_choice"`
	// Level is the number of GPUs or the price that is tried, where that is decided
	// first, and Rank the number of levels before it.
	Level string `json:"level,omitempty"`
	Rank  int    `json:"rank"`
	// Floor is a bound that none of its plans beats, in the unit of the objective.
	Floor *float64 `json:"floor,omitempty"`
	// ModelOptimum is the best value of its own plans in ticks, where the search knows it.
	ModelOptimum *int64    `json:"model_optimum,omitempty"`
	Proved       bool      `json:"proved"`
	Final        bool      `json:"final"` // the best plan of the condition is one of its plans
	Size         modelSize `json:"size"`
	formulation.Spec
}

// modelIndex is the account of all outer choices of a condition.
type modelIndex struct {
	modelHead
	GPUCount string                `json:"gpu_count"`
	Models   []*modelEntry         `json:"models"`
	LeftOut  []results.OuterChoice `json:"left_out"`
}

// modelMap says what the variables of a model mean, and what the model follows from.
type modelMap struct {
	modelHead
	Files      []modelFile      `json:"files"`
	Outer      string           `json:"outer_choice"`
	Optimum    *int64           `json:"model_optimum,omitempty"`
	Proved     bool             `json:"proved"`
	Spec       formulation.Spec `json:"spec"`
	Candidates []mapCandidate   `json:"candidates"`
}

// mapCandidate is a stage candidate; Number stands for it in cnf and opb.
type mapCandidate struct {
	formulation.Candidate
	Number int `json:"number,omitempty"`
}

func (s *modelSet) head() modelHead {
	h := modelHead{
		FormatVersion: results.FormatVersion, Condition: s.condition.Name, Format: s.flags.format, Status: s.f.Status,
		Objective: s.f.Formula(), ObjectiveUnit: s.f.Unit(),
	}
	if ticks, value, ok := s.f.Optimum(); ok {
		h.Optimum, h.OptimumValue = &ticks, &value
	}
	return h
}

func (s *modelSet) newIndex(leftOut []results.OuterChoice) *modelIndex {
	return &modelIndex{modelHead: s.head(), GPUCount: s.f.GPUCount(), Models: []*modelEntry{}, LeftOut: append([]results.OuterChoice{}, leftOut...)}
}

// entryOf is the entry of a model whose first text gets the given name; the text below
// the optimum gets it with "below" before the ending.
func entryOf(outer *formulation.OuterModel, texts []*modelText, name string) *modelEntry {
	e := &modelEntry{
		Outer: outer.Outer(), Level: outer.Level, Rank: outer.Rank, ModelOptimum: outer.Optimum, Proved: outer.Proved, Final: outer.Final, Spec: outer.Spec,
	}
	if outer.Floor > 0 {
		e.Floor = &outer.Floor
	}
	ending := filepath.Ext(name)
	for i, t := range texts {
		if i > 0 {
			name = strings.TrimSuffix(name, ending) + ".below" + ending
		}
		e.Files = append(e.Files, modelFile{File: name, AtMost: t.atMost})
	}
	if texts[0].model != nil {
		e.Size = texts[0].size()
	}
	return e
}

// mapStream is the map of a model; first is the name of its first text.
func (s *modelSet) mapStream(name string, texts []*modelText, first string) export.Stream {
	return export.Stream{Name: name, Write: func(w io.Writer) error {
		t := texts[0]
		if err := t.build(context.Background()); err != nil {
			return err
		}
		numbers, err := t.numbers()
		if err != nil {
			return err
		}
		m := modelMap{
			modelHead: s.head(), Files: []modelFile{}, Outer: t.outer.Outer(), Optimum: t.outer.Optimum, Proved: t.outer.Proved, Spec: t.outer.Spec,
			Candidates: make([]mapCandidate, len(t.candidates)),
		}
		if first != "" {
			m.Files = entryOf(t.outer, texts, first).Files
		}
		for i, c := range t.candidates {
			m.Candidates[i].Candidate = c
			if numbers != nil {
				m.Candidates[i].Number = numbers[i]
			}
		}
		return writeMap(w, &m)
	}}
}

// writeMap writes the head of a map in lines and each candidate on one: there are tens
// of thousands.
func writeMap(w io.Writer, m *modelMap) error {
	head := *m
	head.Candidates = nil
	data, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return err
	}
	text, found := strings.CutSuffix(string(data), "\"candidates\": null\n}")
	if !found {
		return fmt.Errorf("the candidates are not the last field of a map")
	}
	if _, err := io.WriteString(w, text+"\"candidates\": ["); err != nil {
		return err
	}
	for i, c := range m.Candidates {
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		separator := ",\n    "
		if i == 0 {
			separator = "\n    "
		}
		if _, err := fmt.Fprintf(w, "%s%s", separator, line); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "\n  ]\n}\n")
	return err
}
