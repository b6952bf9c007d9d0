package read

import (
	"fmt"
	"strings"

	"partita/inputs"
)

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
	items := m.apart(m.lines(string(data)))
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

// stated is a statement on its way into the draft.
type stated struct {
	item
	*prose
	number int // in draft.statements
}

// statement reads one item: a known name, or prose that mentions one.
func (m *markdown) statement(it item) {
	if strings.TrimSpace(it.value) == "" && !strings.ContainsAny(it.text, ":：=|") {
		it.key, it.value, it.pieces = "", it.key, []piece{{0, it.keyAt}} // a bold sentence
	}
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
	if best := inputs.Nearest(phrase(s.key), append(own, others...)); best != "" {
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
