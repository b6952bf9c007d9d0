package scenario

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"partita/inputs"
	"partita/inputs/read"
)

// Options says what to read.
type Options struct {
	File  string // YAML, TOML or JSON; "-" is Stdin
	Stdin io.Reader
	// Env is an environment, as from os.Environ: PARTITA_JOBS=4 replaces the setting
	// jobs, PARTITA_WORKLOAD__BATCH=64 what condition files state.
	Env []string
	// Flags replace settings, by name.
	Flags map[string]string
	// Set are overrides of every scenario; one of a field that varies is a problem.
	Set []read.Override
}

// mostScenarios bounds a batch, so that a slip in the matrix is told and not begun.
const mostScenarios = 1_000_000

// largestConfig bounds the file, in bytes.
const largestConfig = 16 << 20

// Read reads the config of a batch. All that is wrong comes as one error of type
// read.Diagnostics. What is wrong with a single scenario is not: its condition says it.
func Read(opts Options) (*Batch, error) {
	data, err := content(opts)
	if err != nil {
		return nil, read.Diagnostics{{Place: inputs.Place{File: opts.File}, Problem: err.Error(), Want: "the config of a batch"}}
	}
	source, problems := read.ParseSource(opts.File, data)
	if source == nil {
		return nil, problems
	}
	r := reader{problems: problems}
	b := r.batch(source, opts)
	if len(r.problems) > 0 {
		return nil, r.problems.Sorted()
	}
	return b, nil
}

func content(opts Options) ([]byte, error) {
	var from io.Reader = opts.Stdin
	if opts.File != "-" {
		f, err := os.Open(opts.File)
		if err != nil {
			return nil, err
		}
		defer f.Close() // read only: nothing is lost
		from = f
	}
	if from == nil {
		return nil, fmt.Errorf("nothing to read from standard input")
	}
	data, err := io.ReadAll(io.LimitReader(from, largestConfig+1))
	if err == nil && len(data) > largestConfig {
		err = fmt.Errorf("the file is larger than %s", inputs.FormatBytes(largestConfig))
	}
	return data, err
}

// reader collects the problems of a config.
type reader struct{ problems read.Diagnostics }

func (r *reader) problem(at inputs.Place, problem, want, hint string) {
	r.problems = append(r.problems, read.Diagnostic{Place: at, Problem: problem, Want: want, Hint: hint})
}

// object is the fields of an object; what is wrong with them is noted.
func (r *reader) object(v read.Value, known ...string) map[string]read.Value {
	fields, problems := v.Object(known...)
	r.problems = append(r.problems, problems...)
	return fields
}

// text is a text, "" where the value is absent or none, which is noted.
func (r *reader) text(v read.Value) string {
	if v.Empty() {
		return ""
	}
	text, ok := v.Text()
	if !ok || v.IsList() {
		r.problems = append(r.problems, v.Wrong("a text"))
	}
	return strings.TrimSpace(text)
}

// texts is a list of texts; one alone may stand without a list. nil: not stated.
func (r *reader) texts(v read.Value, what string) []string {
	if v.Empty() {
		return nil
	}
	items := []read.Value{v}
	if v.IsList() {
		items = v.Items()
	}
	list := []string{}
	for _, item := range items {
		text, ok := item.Text()
		if text = strings.TrimSpace(text); !ok || item.IsList() || text == "" {
			r.problems = append(r.problems, item.Wrong(what))
			continue
		}
		list = append(list, text)
	}
	return list
}

// files is a list of condition files.
func (r *reader) files(v read.Value) []string {
	files := r.texts(v, "the path of a condition file")
	for i, f := range files {
		if f == "-" {
			r.problem(v.ValuePlace(), "a batch does not read conditions from standard input", "the path of a condition file", "")
		}
		files[i] = filepath.ToSlash(filepath.Clean(f))
	}
	return files
}

// batch reads the whole config.
func (r *reader) batch(source *read.Source, opts Options) *Batch {
	b := &Batch{File: opts.File, Folder: filepath.Dir(opts.File), combos: 0}
	fields := r.object(source.Root(), append([]string{"base", "set", "matrix", "include", "exclude", "scenarios"}, settingNames()...)...)
	if fields == nil {
		return b
	}
	var env []string
	b.Settings, env = r.settings(source, fields, opts)
	b.Name = b.Settings.Name
	if b.Name == "" {
		base := filepath.Base(opts.File)
		b.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if b.Name = safeName(b.Name); b.Name == "" {
		b.Name = "batch"
	}
	b.env = env
	b.start = spec{base: r.files(fields["base"]), set: r.overrides(fields["set"])}
	r.matrix(b, fields["matrix"])
	r.scenarios(b, fields["scenarios"])
	r.commandLine(b, opts.Set)
	r.distinct(b)
	if len(r.problems) == 0 {
		r.filters(b, fields["include"], fields["exclude"])
	}
	if len(r.problems) == 0 {
		r.complete(b)
	}
	return b
}

// commandLine adds the overrides of the command line behind those of the whole batch.
// One of a field that varies would make scenarios of different names the same.
func (r *reader) commandLine(b *Batch, set []read.Override) {
	varies := map[string]inputs.Place{}
	note := func(s spec) {
		for _, o := range s.set {
			varies[read.Path(o.Key)] = o.Place
		}
	}
	for _, a := range b.axes {
		for _, v := range a.values {
			note(v.spec)
		}
	}
	for _, n := range b.named {
		note(n.spec)
	}
	for _, o := range set {
		if at, ok := varies[read.Path(o.Key)]; ok {
			r.problem(inputs.Place{File: "--set " + o.Key}, "the batch varies this field itself", "a field that no axis and no scenario sets", "it does at "+at.String())
			continue
		}
		b.start.set = append(b.start.set, o)
	}
	r.problems = append(r.problems, read.CheckValues(set)...)
}

// complete checks that there is something to do and something to do it on.
func (r *reader) complete(b *Batch) {
	top := inputs.Place{File: b.File, Line: 1, Col: 1}
	if b.Len() == 0 {
		if b.combos > 0 {
			r.problem(top, "the filters leave no scenario", "at least one", "")
			return
		}
		r.problem(top, "no scenario is stated", "a matrix, or scenarios", "docs/batch.md shows both")
		return
	}
	if len(b.start.base) > 0 {
		return
	}
	for i := range b.Len() {
		s := b.Scenario(i)
		if len(s.Files) == 0 && s.Model == "" && len(s.Set) == 0 {
			r.problem(top, fmt.Sprintf("scenario %s states nothing", s.Name), "base, the condition files to start from", "")
			return
		}
	}
}

// scenarios reads the named scenarios.
func (r *reader) scenarios(b *Batch, v read.Value) {
	if v.Empty() {
		return
	}
	if !v.IsList() {
		r.problems = append(r.problems, v.Wrong("a list of scenarios"))
		return
	}
	for _, item := range v.Items() {
		fields := r.object(item, "name", "base", "add", "set")
		if fields == nil {
			continue
		}
		written := r.text(fields["name"])
		n := named{name: safeName(written), at: item.Place(), spec: r.spec(fields)}
		if fields["name"].Present() {
			n.at = fields["name"].ValuePlace()
		}
		if n.name == "" {
			r.problem(n.at, fmt.Sprintf("a scenario is named %q", written), "a name with a letter or digit, for it names a folder", "")
		}
		b.named = append(b.named, n)
	}
}

// spec reads what a value of an axis and a named scenario have in common.
func (r *reader) spec(fields map[string]read.Value) spec {
	return spec{base: r.files(fields["base"]), add: r.files(fields["add"]), set: r.overrides(fields["set"])}
}

// distinct refuses two scenarios of one name, case apart: on some file systems their
// folders would be one.
func (r *reader) distinct(b *Batch) {
	if len(b.named) == 0 {
		return
	}
	seen := map[string]string{}
	if len(r.problems) == 0 {
		for i := range b.combos {
			seen[strings.ToLower(b.comboName(b.combo(i)))] = "a scenario of the matrix"
		}
	}
	for _, n := range b.named {
		key := strings.ToLower(n.name)
		if first, ok := seen[key]; ok && n.name != "" {
			r.problem(n.at, fmt.Sprintf("scenario %s has the name of another", n.name), "one scenario a name, letters like A and a being the same", "the other is "+first)
			continue
		}
		seen[key] = "at " + n.at.String()
	}
}

// overrides reads an object of fields: their paths as keys ("workload.batch: 64"),
// objects in objects (workload: {batch: 64}), or both.
func (r *reader) overrides(v read.Value) []read.Override {
	if v.Empty() {
		return nil
	}
	if !v.IsObject() {
		r.problems = append(r.problems, v.Wrong("an object of fields and values, such as workload.batch: 64"))
		return nil
	}
	var set []read.Override
	r.flatten(v, "", &set)
	r.checkPaths(set)
	return set
}

func (r *reader) checkPaths(set []read.Override) {
	r.once(set)
	for _, o := range set {
		r.problems = append(r.problems, read.CheckOverrides([]read.Override{o})...)
	}
}

// once refuses a field that is set twice.
func (r *reader) once(set []read.Override) {
	seen := map[string]inputs.Place{}
	for _, o := range set {
		path := read.Path(o.Key)
		if first, twice := seen[path]; twice {
			r.problem(o.Place, fmt.Sprintf("field %q is set twice", o.Key), "one value", "the first is at "+first.String())
		}
		seen[path] = o.Place
	}
}

// flatten walks objects and lists of objects down to values.
func (r *reader) flatten(v read.Value, path string, into *[]read.Override) {
	for i, f := range append(v.Fields(), v.Items()...) {
		name := f.Key()
		if v.IsList() {
			name = fmt.Sprint(i)
		}
		if path != "" {
			name = path + "." + name
		}
		text, ok := f.Text()
		switch {
		case f.IsObject():
			r.flatten(f, name, into)
		case ok:
			*into = append(*into, read.Override{Key: name, Value: text, Place: f.ValuePlace()})
		case f.IsList():
			r.flatten(f, name, into)
		default:
			r.problems = append(r.problems, f.Wrong("a value for "+name))
		}
	}
}
