package read

import (
	"fmt"
	"regexp"
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
		"basic performance requirement": sectionRequirements, "performance requirement": sectionRequirements, "requirement": sectionRequirements,
		"goal": sectionRequirements, "performance": sectionRequirements, "slo": sectionRequirements, "objective": sectionRequirements,
		"performance goal": sectionRequirements, "performance target": sectionRequirements, "basic requirement": sectionRequirements,
		"service level objective": sectionRequirements,
		"parallelism strategy":    sectionStrategy, "strategy": sectionStrategy, "deployment strategy": sectionStrategy,
		"parallelism configuration": sectionStrategy, "given strategy": sectionStrategy, "parallelism": sectionStrategy,
	}
}

// markdown reads one Markdown file into a draft.
type markdown struct {
	*draft
	file    string
	catalog library
	readers []reader
	titled  bool // a heading outside the known sections was taken as the title
}

// readMarkdown reads a Markdown condition. Problems end in the draft.
func readMarkdown(d *draft, lib library, file string, data []byte) {
	m := &markdown{draft: d, file: file, catalog: lib, readers: readers()}
	items := m.lines(string(data))
	hasChildren := map[string]bool{}
	for _, it := range items {
		if it.parent != "" {
			hasChildren[it.parent] = true
		}
	}
	pools := m.poolItems(items)
	for i, it := range items {
		if strings.TrimSpace(it.value) == "" && hasChildren[it.key] {
			m.used(m.say(it.keyAt, it.text), "title of the bullets nested in it")
			continue
		}
		if !pools[i] {
			m.statement(it)
		}
	}
	if len(items) == 0 {
		m.problem(inputs.Place{File: file, Line: 1, Col: 1}, "no statement found", "sections such as `## Environment Condition` with bullets", "")
	}
}

// ordinal is the number that a heading may begin with: "1. ", "(2) ", "III. ".
var ordinal = regexp.MustCompile(`^\s*[(（]?(\d+(\.\d+)*|[IVX]+|[a-z])[.)、）]\s*`)

// titleSection finds the section of a title.
func titleSection(title string) (section, bool) {
	names := sectionNames()
	for _, t := range []string{title, ordinal.ReplaceAllString(title, "")} {
		if s, ok := names[phrase(t)]; ok {
			return s, true
		}
	}
	return sectionNone, false
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
	return titleSection(m[1])
}

// heading is the section that a heading opens. The first heading that names none
// is the title of the file; another one is a problem.
func (m *markdown) heading(title string, current section, at inputs.Place) section {
	title = strings.Trim(plainText(title), " :：*_")
	if s, ok := titleSection(title); ok {
		return s
	}
	var known []string
	for name := range sectionNames() {
		known = append(known, name)
	}
	best := nearest(phrase(title), sorted(known))
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

// reader is how statements of one name are read.
type reader struct {
	section section
	title   string   // as shown in a hint
	names   []string // phrases
	read    func(m *markdown, s *stated)
	own     []string // phrases that mean this only in the own section: "Pipeline"
	strong  bool     // prose that mentions a name means this, whatever else it mentions: "optimise"
}

// takes reports whether a name means this reader, in its own section or another.
func (r reader) takes(name string, own bool) bool {
	return (contains(r.names, name) || own && contains(r.own, name))
}

// stated is a statement on its way into the draft.
type stated struct {
	item
	*prose
	number int // in draft.statements
}

// readers lists the readers of all sections.
func readers() []reader {
	var all []reader
	for _, part := range [][]reader{environmentReaders(), modelReaders(), inputReaders(), requirementReaders(), strategyReaders()} {
		all = append(all, part...)
	}
	// The tables hold names as people write them; they are looked up by meaning.
	for i := range all {
		all[i].names, all[i].own = phrases(all[i].names), phrases(all[i].own)
	}
	return all
}

func phrases(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = phrase(n)
	}
	return out
}

// statement reads one item: a known name, or prose that mentions one.
func (m *markdown) statement(it item) {
	s := &stated{item: it, prose: newProse(it.value), number: m.say(it.keyAt, it.text)}
	r, ok := m.reader(it)
	if !ok {
		m.unknown(s)
		return
	}
	before := len(m.problems)
	if strings.TrimSpace(it.value) == "" {
		m.problem(it.keyAt, fmt.Sprintf("%q has no value", it.key), "a value after the colon", "")
		return
	}
	r.read(m, s)
	if len(m.problems) > before {
		return
	}
	if rest, offset, ok := s.leftover(); !ok {
		m.problem(it.at(offset), fmt.Sprintf("%q is not understood in %q", rest, it.text), "a statement about "+r.title, "reword it or delete it")
		return
	}
	if m.statements[s.number].UsedAs == "" {
		m.problem(it.keyAt, fmt.Sprintf("nothing is understood in %q", it.text), "a statement about "+r.title, "")
	}
}

// parenthesis is an abbreviation or unit behind a name: "token(TTFT)".
var parenthesis = regexp.MustCompile(`[(（\[]([^)）\]]*)[)）\]]`)

// numbered is the number or letter of one of several: "GPU pool 2", "Group B".
var numbered = regexp.MustCompile(` (\d+|[a-z])$`)

// reader finds the reader of an item: by its name in its own section, then in the
// others, then by the name in its parenthesis, then by a name its prose mentions.
func (m *markdown) reader(it item) (reader, bool) {
	all := m.readers
	var keys []string
	if it.key != "" {
		keys = append(keys, phrase(it.key), phrase(parenthesis.ReplaceAllString(it.key, "")))
		for _, p := range parenthesis.FindAllStringSubmatch(it.key, -1) {
			keys = append(keys, phrase(p[1]))
		}
		if it.parent != "" {
			keys = append([]string{phrase(it.parent + " " + it.key)}, keys...)
		}
		keys = append(keys, numbered.ReplaceAllString(phrase(it.key), "")) // "Pool 2"
	} else if it.parent != "" {
		keys = append(keys, phrase(it.parent))
	}
	for _, own := range []bool{true, false} {
		for _, k := range keys {
			for _, r := range all {
				if (r.section == it.section) == own && k != "" && r.takes(k, own) {
					return r, true
				}
			}
		}
	}
	if it.key == "" {
		return mentioned(all, it)
	}
	return reader{}, false
}

// mentioned finds the reader whose name is mentioned in prose without a key: of
// the own section first, the longest name wins. A section's first reader takes
// what mentions none, such as "16 x H100" in the environment.
func mentioned(all []reader, it item) (reader, bool) {
	text := " " + phrase(it.value) + " "
	var best reader
	bestScore := 0
	for _, r := range all {
		for _, name := range r.names {
			score := len(name)
			if r.section == it.section {
				score += 100
			}
			if r.strong {
				score += 50
			}
			if strings.Contains(text, " "+name+" ") && score > bestScore {
				best, bestScore = r, score
			}
		}
	}
	if bestScore > 0 {
		return best, true
	}
	for _, r := range all {
		if r.section == it.section && it.section != sectionNone && it.section != sectionInput {
			return r, true
		}
	}
	return reader{}, false
}

// unknown reports a statement that no reader takes.
func (m *markdown) unknown(s *stated) {
	if s.key == "" {
		m.problem(s.keyAt, fmt.Sprintf("%q is not understood", s.text), "a statement such as `**Batch size**: 128`", "")
		return
	}
	var own, others []string
	titles := map[string]string{}
	for _, r := range m.readers {
		for _, n := range r.names {
			titles[n] = r.title
			if r.section == s.section {
				own = append(own, n)
			} else {
				others = append(others, n)
			}
		}
	}
	hint := ""
	if best := nearest(phrase(s.key), append(own, others...)); best != "" {
		hint = fmt.Sprintf("did you mean %q?", titles[best])
	} else if len(own) > 0 {
		var known []string
		for _, r := range m.readers {
			if r.section == s.section && !contains(known, r.title) {
				known = append(known, r.title)
			}
		}
		hint = "this section knows " + strings.Join(known, ", ")
	}
	m.problem(s.keyAt, fmt.Sprintf("unknown statement %q in %q", s.key, s.text), "a known name", hint)
}

// one reads the single quantity of a statement into a key.
func (m *markdown) one(s *stated, path string) {
	k, _ := m.keyOf(path)
	all := findAll(s.prose, k.parse)
	switch len(all) {
	case 1:
		f := all[0]
		s.mask(f.start, f.end)
		m.set(s.number, path, f.value, s.at(f.start), fromFile)
	case 0:
		_, err := k.parse(strings.TrimSpace(s.value))
		m.problem(s.at(0), fmt.Sprintf("no %s found in %q", k.noun(), s.text), wantOf2(err), "")
	default:
		m.problem(s.at(all[1].start), fmt.Sprintf("more than one %s in %q", k.noun(), s.text), "one value", "")
	}
}

// whole reads the whole value of a statement into a key.
func (m *markdown) whole(s *stated, path string) {
	text := strings.Trim(strings.TrimSpace(s.value), ".。;")
	if m.setText(s.number, path, text, s.at(0), fromFile) {
		s.mask(0, len(s.left))
	}
}

// single is a reader of one quantity.
func single(sec section, title, path string, names ...string) reader {
	return reader{section: sec, title: title, names: names, read: func(m *markdown, s *stated) { m.one(s, path) }}
}

// entire is a reader that takes the whole value.
func entire(sec section, title, path string, names ...string) reader {
	return reader{section: sec, title: title, names: names, read: func(m *markdown, s *stated) { m.whole(s, path) }}
}

// wantOf2 is what a parser wanted, "" where it wanted nothing.
func wantOf2(err error) string {
	if err == nil {
		return ""
	}
	return wantOf(err)
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
