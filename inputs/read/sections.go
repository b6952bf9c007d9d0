package read

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"partita/inputs"
)

// section is a part of a Markdown condition.
type section int

const (
	sectionNone section = iota
	sectionEnvironment
	sectionModel
	sectionInput
	sectionRequirements
	sectionStrategy
)

// sectionNames are the titles of sections, as phrases. Device words are folded:
// "GPU" stands for NPU, XPU, card and accelerator.
func sectionNames() map[string]section {
	return map[string]section{
		"environment condition": sectionEnvironment, "environment": sectionEnvironment, "deployment environment": sectionEnvironment,
		"environment configuration": sectionEnvironment, "hardware": sectionEnvironment, "hardware environment": sectionEnvironment,
		"hardware configuration": sectionEnvironment, "hardware condition": sectionEnvironment, "cluster": sectionEnvironment,
		"cluster configuration": sectionEnvironment, "environmental condition": sectionEnvironment,
		"model configuration": sectionModel, "model": sectionModel, "model structure": sectionModel, "model parameter": sectionModel,
		"model architecture": sectionModel, "model information": sectionModel,
		"input data": sectionInput, "input": sectionInput, "workload": sectionInput, "data": sectionInput, "input configuration": sectionInput,
		"input condition": sectionInput, "request": sectionInput, "traffic": sectionInput,
		"training": sectionInput, "training configuration": sectionInput, "training data": sectionInput, "training setup": sectionInput,
		"training task": sectionInput, "training workload": sectionInput, "hyperparameter": sectionInput, "training hyperparameter": sectionInput,
		"basic performance requirement": sectionRequirements, "performance requirement": sectionRequirements, "requirement": sectionRequirements,
		"goal": sectionRequirements, "performance": sectionRequirements, "slo": sectionRequirements, "objective": sectionRequirements,
		"performance goal": sectionRequirements, "performance target": sectionRequirements, "basic requirement": sectionRequirements,
		"service level objective": sectionRequirements,
		"parallelism strategy":    sectionStrategy, "strategy": sectionStrategy, "deployment strategy": sectionStrategy,
		"parallelism configuration": sectionStrategy, "given strategy": sectionStrategy, "parallelism": sectionStrategy,
	}
}

// ordinal is the number that a heading may begin with: "1. ", "(2) ", "III. ".
var ordinal = regexp.MustCompile(`^\s*[(（]?(\d+(\.\d+)*|[IVX]+|[a-z])[.)、）]\s*`)

// titleSection finds the section of a title. A marked title may say more than the
// name ("Existing Parallelism Strategy"); the longest name in it counts.
func titleSection(title string, marked bool) (section, bool) {
	names := sectionNames()
	for _, t := range []string{title, ordinal.ReplaceAllString(title, "")} {
		if s, ok := names[phrase(t)]; ok {
			return s, true
		}
	}
	found, longest := sectionNone, 0
	text := " " + phrase(title) + " "
	for _, name := range sorted(slices.Collect(maps.Keys(names))) {
		if marked && strings.Contains(name, " ") && len(name) > longest && strings.Contains(text, " "+name+" ") {
			found, longest = names[name], len(name)
		}
	}
	return found, longest > 0
}

// titleLine is a line of its own that may be a title: bold, or ending in a colon, or bare.
var titleLine = regexp.MustCompile(`^\s{0,3}(?:\*\*|__)?([\pL\d(][^*_:：|]*?)(?:[:：]\s*)?(?:\*\*|__)?\s*[:：]?$`)

// sectionTitle reports whether a line without # is the title of a section. A word
// that can also be a statement ("GPUs") is none.
func sectionTitle(line string) (section, bool) {
	m := titleLine.FindStringSubmatch(line)
	if m == nil {
		return sectionNone, false
	}
	bold := strings.HasPrefix(strings.TrimSpace(line), "**") || strings.HasPrefix(strings.TrimSpace(line), "__")
	return titleSection(m[1], bold)
}

// heading is the section that a heading opens. The first heading that names none
// is the title of the file; another one is a problem.
func (m *markdown) heading(title string, current section, at inputs.Place) section {
	title = strings.Trim(plainText(title), " :：*_")
	if s, ok := titleSection(title, true); ok {
		return s
	}
	best := inputs.Nearest(phrase(title), sorted(slices.Collect(maps.Keys(sectionNames()))))
	if current == sectionNone && !m.titled && best == "" {
		m.titled = true
		m.used(m.say(at, title), "title of the file, no effect")
		return current
	}
	hint := "the sections are Environment Condition, Model Configuration, Input Data, Basic Performance Requirements, Parallelism Strategy"
	if best != "" {
		hint = fmt.Sprintf("did you mean %q?", best)
	}
	m.problem(at, fmt.Sprintf("unknown section %q", title), "a known section", hint)
	return sectionNone
}
