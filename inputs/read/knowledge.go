package read

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/knowledge"
)

// source is a pack as something names it: a file, a folder of files, or a built-in pack.
type source struct {
	path string // relative to the working directory
	at   inputs.Place
}

// known is what packs add to the catalogue, and the rules that they state.
type known struct {
	knowledge.Applied
	key string
}

// nameKnowledge notes the packs that a file names; their paths are relative to its folder.
func (d *draft) nameKnowledge(path string, at inputs.Place) {
	if path = strings.TrimSpace(path); path == "" {
		return
	}
	if beside := filepath.Join(filepath.Dir(at.File), path); !filepath.IsAbs(path) && (d.files.exists(beside) || !isBuiltIn(path)) {
		path = beside
	}
	d.packs = append(d.packs, source{filepath.Clean(path), at})
}

// readKnowledge reads the packs that a Markdown condition names: "rules.yaml, practice".
func readKnowledge(m *markdown, s *stated) {
	for i, path := range Paths(s.value) {
		if i == 0 {
			m.used(s.number, "knowledge: read")
		}
		m.nameKnowledge(path, s.at(0))
	}
	s.mask(0, len(s.left))
}

// Paths are the paths of a text: "a.yaml", "a.yaml, b.yaml" or "[a.yaml, b.yaml]".
func Paths(text string) []string {
	if inner, opened := strings.CutPrefix(strings.TrimSpace(text), "["); opened && strings.HasSuffix(inner, "]") {
		text = strings.TrimSuffix(inner, "]")
	}
	var out []string
	for path := range strings.SplitSeq(text, ",") {
		if path = strings.TrimSpace(path); path != "" {
			out = append(out, path)
		}
	}
	return out
}

func parsePaths(s string) (any, error) {
	paths := Paths(s)
	if len(paths) == 0 {
		return nil, &inputs.QuantityError{Text: s, Want: "paths of packs, such as [rules.yaml, packs]"}
	}
	return paths, nil
}

func showPaths(v any) string {
	paths, _ := v.([]string)
	if len(paths) == 1 {
		return paths[0]
	}
	return "[" + strings.Join(paths, ", ") + "]"
}

func parseEngine(s string) (any, error) {
	e, err := knowledge.FindEngine(s)
	if err != nil {
		return nil, err
	}
	return e.Name, nil
}

func isBuiltIn(name string) bool { return slices.Contains(knowledge.BuiltInNames(), name) }

// sources are the packs that files and what is said beside them name. They add up: what
// one source names no other takes away.
func (d *draft) sources(opts Options) []source {
	out := slices.Clone(d.packs)
	for _, o := range append(ofEnvironment(opts.Env), opts.Overrides...) {
		if d.overrideKey(o.Key) != "knowledge" {
			continue
		}
		for _, path := range Paths(o.Value) {
			out = append(out, source{filepath.Clean(path), o.at()})
		}
	}
	return out
}

// known reads packs, each list of them once.
func (r *Reader) known(sources []source) *known {
	var key strings.Builder
	for _, s := range sources {
		fmt.Fprintf(&key, "%s\x00%v\x00", s.path, s.at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.packs[key.String()]; ok {
		return k
	}
	if len(r.packs) >= maxDrafts {
		clear(r.packs)
	}
	k := &known{key: key.String()}
	var packs []knowledge.Pack
	var problems Diagnostics
	seen := map[string]bool{}
	for _, s := range sources {
		list, wrong := r.files.packsOf(s)
		problems = append(problems, wrong...)
		for _, p := range list {
			if !seen[p.File] { // a file that two name counts once
				seen[p.File] = true
				packs = append(packs, p)
			}
		}
	}
	k.Applied = knowledge.Apply(r.lib, packs)
	k.Problems = append(problems, k.Problems...)
	r.packs[k.key] = k
	return k
}

// packsOf reads a file, the files of a folder in the order of their paths, or a built-in
// pack where there is no file of the name.
func (f *files) packsOf(s source) ([]knowledge.Pack, Diagnostics) {
	wrong := func(text, want, hint string) Diagnostics {
		return Diagnostics{{Place: s.at, Problem: text, Want: want, Hint: hint}}
	}
	info, err := os.Stat(f.at(s.path))
	switch {
	case err != nil && isBuiltIn(s.path):
		p, err := knowledge.BuiltIn(s.path)
		if err != nil {
			return nil, wrong(err.Error(), "", "")
		}
		return []knowledge.Pack{p}, nil
	case err != nil:
		hint := "built in are " + strings.Join(knowledge.BuiltInNames(), ", ")
		if best := inputs.Nearest(s.path, knowledge.BuiltInNames()); best != "" {
			hint = fmt.Sprintf("did you mean the built-in pack %q?", best)
		}
		return nil, wrong(asNamed(err, s.path).Error(), "a file or folder of knowledge, or a built-in pack", hint)
	case !info.IsDir():
		p, problems := f.pack(s.path, s.at)
		return []knowledge.Pack{p}, problems
	}
	var out []knowledge.Pack
	var problems Diagnostics
	err = filepath.WalkDir(f.at(s.path), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(f.at(s.path), path)
		if err != nil {
			return err
		}
		if hidden := strings.HasPrefix(e.Name(), "."); hidden && relative != "." && e.IsDir() {
			return filepath.SkipDir
		} else if hidden || e.IsDir() {
			return nil
		}
		name := filepath.Join(s.path, relative)
		switch strings.ToLower(filepath.Ext(path)) {
		case ".yaml", ".yml", ".json", ".md", ".markdown":
			p, wrong := f.pack(name, s.at)
			out, problems = append(out, p), append(problems, wrong...)
		default:
			out = append(out, knowledge.Pack{File: name, Statements: []inputs.Statement{{Place: inputs.Place{File: name}, Text: name, UsedAs: "not read: neither YAML nor Markdown"}}})
		}
		return nil
	})
	switch {
	case err != nil:
		problems = append(problems, wrong(asNamed(err, s.path).Error(), "a folder that can be read", "")...)
	case len(out) == 0:
		problems = append(problems, wrong(fmt.Sprintf("the folder %s holds no knowledge", s.path), "files in YAML or Markdown", "")...)
	}
	return out, problems
}

// pack reads one file.
func (f *files) pack(path string, at inputs.Place) (knowledge.Pack, Diagnostics) {
	data, err := f.read(path, nil)
	switch {
	case err != nil:
		return knowledge.Pack{File: path}, Diagnostics{{Place: at, Problem: err.Error(), Want: "a file that can be read"}}
	case len(data) > maxFile:
		return knowledge.Pack{File: path}, Diagnostics{{Place: at, Problem: fmt.Sprintf("%s is larger than %s", path, inputs.FormatBytes(maxFile)), Want: "a pack"}}
	}
	return knowledge.Parse(path, data), nil
}

// learn takes over what packs say, and the limits of the engine that is named. The rules
// are returned for the condition.
func (d *draft) learn() (engine string, rules []inputs.Rule) {
	if d.known != nil {
		d.statements = append(d.statements, d.known.Statements...)
		d.problems = append(d.problems, d.known.Problems...)
		rules = slices.Clone(d.known.Rules)
	}
	engine, named := get[string](d, "engine")
	if !named {
		return "", rules
	}
	p, err := knowledge.BuiltIn(engine)
	if err != nil {
		d.problem(d.place("engine"), err.Error(), "", "")
		return engine, rules
	}
	for _, x := range p.Rules {
		if i := slices.IndexFunc(rules, func(r inputs.Rule) bool { return r.Name == x.Name }); i >= 0 {
			if rules[i] != x { // not the engine's own pack, named beside it
				d.problem(rules[i].Place, fmt.Sprintf("rule %q has the name of one of the engine's", x.Name), "a name of its own", "")
			}
			continue
		}
		rules = append(rules, x)
	}
	if d.known == nil || !slices.ContainsFunc(d.known.Statements, func(s inputs.Statement) bool { return s.Place.File == p.File }) {
		d.statements = append(d.statements, p.Statements...)
	}
	return engine, rules
}

// Catalog is the catalogue with the packs that overrides name. What is wrong with them is
// an error of type Diagnostics.
func Catalog(set []Override) (*catalog.Catalog, error) {
	r, err := NewReader("")
	if err != nil {
		return nil, err
	}
	k := r.known(r.files.draft().sources(Options{Overrides: set}))
	return k.Catalog, k.Problems.Err()
}
