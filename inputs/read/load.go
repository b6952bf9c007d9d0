// Package read reads deployment conditions: Markdown as people write it, YAML,
// TOML and JSON, an inventory of the hardware (JSON or the CSV of nvidia-smi) and a
// Hugging Face config.json. Several files make one condition.
//
//	c, err := read.Load(read.Options{Paths: []string{"condition.md"}})
//
// Many conditions on the same files are read by one Reader, which parses each file once.
//
// Load reads every source into facts with the place of each, lets the environment
// and flags replace them, completes them by the catalogue and by defaults, and
// lists what was used as what (Condition.Statements) and what was assumed
// (Condition.Assumptions). Anything that is not understood, contradicts another
// statement or is out of bounds is a Diagnostic; all of them come as one error of
// type Diagnostics. docs/condition.md describes the forms.
package read

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"unicode/utf8"

	"partita/inputs"
	"partita/inputs/opgraph"
)

// Options says what to read. The zero value reads nothing.
type Options struct {
	// Paths are the files, "-" standing for Stdin. Their kind is told by content.
	Paths []string
	Stdin io.Reader
	// Texts are conditions that are no files, read behind Paths.
	Texts []Text
	// NvidiaSMI are files, "-" standing for Stdin, that must be the CSV of nvidia-smi.
	NvidiaSMI []string
	// Model is a name of the catalogue or the path of a config.json; it replaces the
	// model of the files. ModelPlace is where a file says so; zero: a flag.
	Model      string
	ModelPlace inputs.Place
	// Strategy replaces the strategy that the files propose: "tp=8,pp=2"; "" keeps it.
	Strategy string
	// Env is an environment, as from os.Environ. PARTITA_WORKLOAD__BATCH=64 states
	// workload.batch and replaces what a file states.
	Env []string
	// Overrides replace what files and environment state; of two for one key the
	// later counts.
	Overrides []Override
}

// Text is a condition in any form of a file. Its name stands in places for that of a
// file, and paths in it are relative to the folder of that name.
type Text struct {
	Name string
	Data []byte
}

// Override states a value by the path of its key: {"workload.batch", "64"}.
type Override struct {
	Key, Value string
	Place      inputs.Place // where a file states it; zero: a flag
	source     string       // a variable's name where it came from the environment
}

// maxFile bounds an input file. Conditions have kilobytes; an inventory of 100,000
// GPUs has 16 MB.
const maxFile = 32 << 20

// Load reads a condition. The error is of type Diagnostics where the inputs are at
// fault, with every problem that was found.
func Load(opts Options) (*inputs.Condition, error) {
	r, err := NewReader("")
	if err != nil {
		return nil, err
	}
	return r.Load(opts)
}

// readFiles reads the files of a condition into a draft.
func (d *draft) readFiles(lib library, paths []string, stdin io.Reader) {
	for i, path := range paths {
		if contains(paths[:i], path) {
			d.problem(inputs.Place{File: path}, "the file is given twice", "each file once", "")
			continue
		}
		if data, ok := d.file(path, stdin, inputs.Place{File: path}); ok {
			readFile(d, lib, path, data)
		}
	}
}

// beside adds what is said beside the files, and the config.json that they name.
func (d *draft) beside(opts Options) {
	readEnvironment(d, opts.Env)
	readStrategyOption(d, opts.Strategy)
	readOverrides(d, opts.Overrides, fromFlag)
	readModelOption(d, d.lib, opts.Model, opts.ModelPlace)
	d.readConfig()
	d.readGraph()
}

// condition adds what is said beside the files and resolves the whole.
func (d *draft) condition(opts Options) (*inputs.Condition, error) {
	d.beside(opts)
	engine, rules := d.learn()
	before := len(d.problems)
	c := d.resolve(d.lib, opts.Paths)
	c.Engine, c.Rules = engine, rules
	if before > 0 {
		// What is missing may be in a statement that was not understood: only problems
		// with a place are told beside others.
		kept := d.problems[:before]
		for _, p := range d.problems[before:] {
			if p.Place.Line > 0 {
				kept = append(kept, p)
			}
		}
		d.problems = kept
	}
	if err := d.problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// file is the content of an input, or a problem.
func (d *draft) file(path string, stdin io.Reader, at inputs.Place) ([]byte, bool) {
	if path == "-" && stdin == nil {
		d.problem(at, "nothing to read from standard input", "a file", "")
		return nil, false
	}
	data, err := d.files.read(path, stdin)
	switch {
	case err != nil:
		d.problem(at, err.Error(), "a file that can be read", "")
		return nil, false
	case len(data) > maxFile:
		d.problem(at, fmt.Sprintf("%s is larger than %s", path, inputs.FormatBytes(maxFile)), "a condition", "")
		return nil, false
	}
	return data, true
}

// readFile reads one file by its kind.
func readFile(d *draft, lib library, path string, data []byte) {
	if at, ok := notText(path, data); ok {
		hint := ""
		if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
			hint = "it is UTF-16, as a redirection in PowerShell writes it: save it as UTF-8"
		}
		d.problem(at, "the file is not text", "a condition in UTF-8", hint)
		return
	}
	switch kindOf(path, data) {
	case kindMarkdown:
		readMarkdown(d, lib, path, data)
	case kindTOML:
		readStructured(d, path, "toml", data)
	case kindYAML:
		readStructured(d, path, "yaml", data)
	case kindJSON:
		readStructured(d, path, "json", untabbed(data))
	case kindHardware:
		readHardware(d, lib, path, untabbed(data))
	case kindNvidiaSMI:
		readNvidiaSMI(d, lib, path, data)
	case kindConfig:
		d.huggingFace(path, data, fromFile)
	case kindGraph:
		d.operatorGraph(path, data, fromFile)
	}
}

// notText finds the first byte that no text in UTF-8 has.
func notText(path string, data []byte) (inputs.Place, bool) {
	bad := bytes.IndexByte(data, 0)
	for i := 0; i < len(data) && (bad < 0 || i < bad); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			bad = i
			break
		}
		i += size
	}
	if bad < 0 {
		return inputs.Place{}, false
	}
	before := data[:bad]
	line := bytes.LastIndexByte(before, '\n') + 1
	return inputs.Place{File: path, Line: bytes.Count(before, []byte("\n")) + 1, Col: utf8.RuneCount(before[line:]) + 1}, true
}

// readModelOption reads the model that is named beside the files.
func readModelOption(d *draft, lib library, model string, at inputs.Place) {
	if model == "" {
		return
	}
	if at == (inputs.Place{}) {
		at.File = "--model"
	}
	if _, ok := lib.Model(model); ok {
		d.replaceModel(at)
		d.setText(d.say(at, "model: "+model), "model.catalog", model, at, fromFlag)
		return
	}
	if !d.files.exists(model) {
		d.problem(at, fmt.Sprintf("model %q is neither in the catalogue nor a file", model), "a known model or the path of a config.json or an operator graph", suggestedModel(lib, model))
		return
	}
	d.replaceModel(at)
	data, ok := d.file(model, nil, at)
	switch {
	case !ok:
	case opgraph.Is(data):
		d.operatorGraph(model, data, fromFlag)
	default:
		d.huggingFace(model, data, fromFlag)
	}
}

// replaceModel drops the shapes that files state: the model comes from a flag. The
// number formats and the declared count of a file's model go too, unless the
// environment or a flag states them; precision says how this deployment stores it.
func (d *draft) replaceModel(at inputs.Place) {
	for _, k := range keys() {
		f, ok := d.facts[k.path]
		if !ok || f.rank != fromFile {
			continue
		}
		switch k.path {
		case "model.precision", "model.activation_precision", "model.kv_precision":
			continue
		}
		if len(k.path) > len("model.") && k.path[:len("model.")] == "model." {
			d.used(f.statement, "replaced by "+at.String())
			delete(d.facts, k.path)
		}
	}
	if d.config.path != "" && d.config.rank == fromFile {
		d.config = configFile{}
	}
	if d.graphRank == fromFile {
		d.graphFile, d.graph = configFile{}, nil
	}
}

// readConfig reads the config.json that a condition names; its path is relative to
// the file that names it.
func (d *draft) readConfig() {
	if path, data, ok := d.named(d.config); ok {
		d.huggingFace(path, data, d.config.rank)
	}
}

// named reads a file that a condition names, by a path relative to its own; nothing where
// it names none.
func (d *draft) named(c configFile) (path string, data []byte, ok bool) {
	if c.path == "" {
		return "", nil, false
	}
	path = c.path
	if !filepath.IsAbs(path) && c.rank == fromFile {
		path = filepath.Join(filepath.Dir(c.at.File), path)
	}
	data, ok = d.file(path, nil, c.at)
	return path, data, ok
}

// huggingFace reads a config.json. One of a higher rank replaces another.
func (d *draft) huggingFace(file string, data []byte, r rank) {
	read, problems := HuggingFaceConfig(file, data)
	if d.model != nil && d.modelRank == r {
		d.problem(inputs.Place{File: file}, "the model is given here and by "+d.modelSource, "one model", "keep one of them")
		return
	}
	d.problems = append(d.problems, problems...)
	if d.model != nil && d.modelRank > r {
		return
	}
	d.statements = append(d.statements, read.Statements...)
	if len(problems) > 0 {
		return
	}
	d.assumptions = append(d.assumptions, read.Assumptions...)
	d.warnings = append(d.warnings, read.Warnings...)
	d.model, d.modelSource, d.modelRank = &read.Model, file, r
}
