package knowledge

import (
	"regexp"
	"strings"

	"partita/inputs"
)

var (
	// fence opens or closes a fenced block: at most three spaces, three or more signs.
	fence = regexp.MustCompile("^ {0,3}(```+|~~~+)\\s*([A-Za-z0-9_+-]*)\\s*$")
	// frontMatter opens and closes the YAML at the head of a file.
	frontMatter = regexp.MustCompile(`^---\s*$`)
)

// markdown reads front matter and fenced YAML; every other paragraph is listed as not
// applied.
func (p *parser) markdown() {
	from := 0
	if len(p.lines) > 0 && frontMatter.MatchString(p.lines[0]) {
		for i := 1; i < len(p.lines); i++ {
			if frontMatter.MatchString(p.lines[i]) {
				p.block(1, i, "front matter")
				from = i + 1
				break
			}
		}
	}
	start := from // of a paragraph
	flush := func(end int) {
		if text := short(strings.Join(p.lines[start:end], " ")); text != "" {
			at := start
			for strings.TrimSpace(p.lines[at]) == "" {
				at++
			}
			p.say(inputs.Place{File: p.pack.File, Line: at + 1, Col: 1}, text, "not applied: prose")
		}
	}
	for i := from; i < len(p.lines); i++ {
		m := fence.FindStringSubmatch(p.lines[i])
		if m == nil {
			if strings.TrimSpace(p.lines[i]) == "" {
				flush(i)
				start = i + 1
			}
			continue
		}
		flush(i)
		end := i + 1
		for end < len(p.lines) && !closes(p.lines[end], m[1]) {
			end++
		}
		switch strings.ToLower(m[2]) {
		case "yaml", "yml":
			p.block(i+1, end, "a block of YAML")
		default:
			p.say(inputs.Place{File: p.pack.File, Line: i + 1, Col: 1}, short(strings.Join(p.lines[i:min(end+1, len(p.lines))], " ")), "not applied: no YAML")
		}
		i = end
		start = min(end+1, len(p.lines))
	}
	flush(len(p.lines))
}

// closes reports whether a line closes a fence: as many of the same signs, no more.
func closes(line, open string) bool {
	m := fence.FindStringSubmatch(line)
	return m != nil && m[2] == "" && strings.HasPrefix(m[1], open)
}

// block reads lines of YAML; what is not for this program is listed as not applied.
func (p *parser) block(from, to int, what string) {
	before := len(p.pack.Problems)
	text := strings.Join(p.lines[from:to], "\n")
	if !p.yaml([]byte(text), from, false) && len(p.pack.Problems) == before && strings.TrimSpace(text) != "" {
		p.say(inputs.Place{File: p.pack.File, Line: from + 1, Col: 1}, short(text), "not applied: "+what+" without "+strings.Join(lists(), ", "))
	}
}
