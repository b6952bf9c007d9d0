package read

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
)

// kind is the form of an input file.
type kind int

const (
	kindMarkdown kind = iota
	kindYAML
	kindTOML
	kindJSON
	kindHardware
	kindNvidiaSMI
	kindConfig
	kindGraph
)

var (
	// smiLine is a line of nvidia-smi's CSV without a header.
	smiLine = regexp.MustCompile(`^[^,|]+,\s*\d+( MiB)?\s*,\s*\d+( MiB)?\s*$`)
	// smiForPeople begins what nvidia-smi prints without --query-gpu, a table or a list.
	smiForPeople = regexp.MustCompile(`^(.{0,40}\n)?[+|][-+|\s]+NVIDIA-SMI |^GPU \d+: .*\(UUID: `)
	// markdownLine opens a Markdown condition: a heading, a fence, a bullet with text, bold.
	markdownLine = regexp.MustCompile("^\\s*(#{1,6}\\s*\\**\\s*\\pL.*[^:]$|```|~~~|\\*\\*|[*+•]\\s|-\\s+\\*\\*|\\|)")
	tomlLine     = regexp.MustCompile(`^\s*(\[\[?[\w."-]+\]?\]\s*(#.*)?$|[\w."-]+\s*=)`)
	yamlLine2    = regexp.MustCompile(`^(---\s*$|[a-z_"']+:(\s|$))`)
)

// kindOf tells the form of a file by its content; the extension decides only
// between forms that share it.
func kindOf(path string, data []byte) kind {
	text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if bytes.HasPrefix(text, []byte("{")) {
		return jsonKind(text)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	first = strings.TrimSpace(first)
	if smiForPeople.Match(text) || strings.Contains(first, "memory.total") || strings.Contains(first, "memory.free") || smiLine.MatchString(first) {
		return kindNvidiaSMI
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".md", ".markdown":
		return kindMarkdown
	case ".yaml", ".yml":
		return kindYAML
	case ".toml":
		return kindTOML
	case ".json":
		return kindJSON
	case ".csv":
		return kindNvidiaSMI
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "##"):
		case tomlLine.MatchString(line):
			return kindTOML
		case markdownLine.MatchString(line):
			return kindMarkdown
		case yamlLine2.MatchString(line):
			return kindYAML
		default:
			return kindMarkdown
		}
	}
	return kindMarkdown
}

// jsonKind tells an operator graph, an inventory, a config.json and a condition apart by their keys.
func jsonKind(text []byte) kind {
	var top map[string]json.RawMessage
	if json.Unmarshal(text, &top) != nil {
		// Not valid: a guess by the text decides who reports the error.
		switch {
		case bytes.Contains(text, []byte(`"gpu_devices"`)):
			return kindHardware
		case bytes.Contains(text, []byte(`"hidden_size"`)):
			return kindConfig
		}
		return kindJSON
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := top[n]; ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("nodes") && has("edges"):
		return kindGraph
	case has("nodes", "gpu_devices"):
		return kindHardware
	case has("workload", "goal"):
		return kindJSON
	case has("architectures", "hidden_size", "num_hidden_layers", "text_config", "model_type", "n_layer", "d_model"):
		return kindConfig
	}
	return kindJSON
}

// untabbed replaces tabs, which YAML's parser refuses between tokens; JSON strings hold none.
func untabbed(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\t"), []byte(" ")) }
