package read

import (
	"regexp"
	"strings"
)

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

// readers lists the readers of all sections.
func readers() []reader {
	var all []reader
	for _, part := range [][]reader{environmentReaders(), modelReaders(), inputReaders(), trainingReaders(), requirementReaders(), strategyReaders()} {
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

// parenthesis is an abbreviation or unit behind a name: "token(TTFT)".
var parenthesis = regexp.MustCompile(`[(（\[]([^)）\]]*)[)）\]]`)

// joined is a statement behind another on one line: "…, inter-node: 400Gbps".
var joined = regexp.MustCompile(`[,;，；]\s*([^,;:：，；]{2,40}?)\s*[:：]\s*`)

// apart splits lines that hold several statements. Only a name that is known begins
// a statement of its own.
func (m *markdown) apart(items []item) []item {
	var out []item
	for _, it := range items {
		from := 0
		first := it
		for _, j := range joined.FindAllStringSubmatchIndex(it.value, -1) {
			name := it
			name.key, name.parent = it.value[j[2]:j[3]], ""
			if _, ok := m.reader(name); !ok || it.key == "" {
				continue
			}
			head := it.part(from, j[0])
			head.key, head.keyAt, head.text = first.key, first.keyAt, strings.TrimSpace(first.key+": "+head.value)
			out = append(out, head)
			first.key, first.keyAt = name.key, it.at(j[2])
			from = j[1]
		}
		if from > 0 {
			tail := it.part(from, len(it.value))
			tail.key, tail.keyAt, tail.text = first.key, first.keyAt, strings.TrimSpace(first.key+": "+tail.value)
			it = tail
		}
		out = append(out, it)
	}
	return out
}

// bareName is a name without the punctuation around it.
func bareName(s string) string { return strings.Trim(strings.TrimSpace(s), ".。;\"'") }

// numbered is the number or letter of one of several: "GPU pool 2", "Group B".
var numbered = regexp.MustCompile(` (\d+|[a-z])$`)

// reader finds the reader of an item: by its name in its own section, then in the
// others, then by the name in its parenthesis, then by a name its prose mentions.
func (m *markdown) reader(it item) (reader, bool) {
	all := m.readers
	var keys []string
	if it.key != "" {
		keys = append(keys, phrase(it.key), phrase(parenthesis.ReplaceAllString(it.key, "")), phrase(statistic.ReplaceAllString(it.key, "")))
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
		if _, known := m.catalog.Model(bareName(it.value)); known && it.section == sectionModel {
			return reader{section: sectionModel, title: "Model", read: readModelName}, true
		}
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
