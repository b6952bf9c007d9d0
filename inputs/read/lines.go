package read

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"partita/inputs"
)

// item is one statement of a Markdown file: a bullet, a table row or a line of
// prose, with the lines that continue it.
type item struct {
	section section
	parent  string // key of the bullet this one is nested in, "" where none
	key     string // "" where the statement has no key
	value   string
	text    string // as written, for the report
	keyAt   inputs.Place
	pieces  []piece
	indent  int
}

// piece maps a part of a value to its place: continuation lines are joined.
type piece struct {
	offset int // in value
	at     inputs.Place
}

// at is the place of an offset of the value.
func (it item) at(offset int) inputs.Place {
	place := it.keyAt
	for _, p := range it.pieces {
		if p.offset <= offset {
			place = p.at
			if end := min(offset, len(it.value)); end > p.offset {
				place.Col += utf8.RuneCountInString(it.value[p.offset:end])
			}
		}
	}
	return place
}

// part is the item with a part of its value.
func (it item) part(from, to int) item {
	pieces := []piece{{0, it.at(from)}}
	for _, p := range it.pieces {
		if p.offset > from && p.offset < to {
			pieces = append(pieces, piece{p.offset - from, p.at})
		}
	}
	it.value, it.pieces = it.value[from:to], pieces
	return it
}

var (
	fence     = regexp.MustCompile("^\\s*(```+|~~~+)\\s*[\\w+-]*\\s*$")
	rule      = regexp.MustCompile(`^\s*([-*_]\s*){3,}$|^\s*=+\s*$`)
	heading   = regexp.MustCompile(`^\s{0,3}(#{1,6})\s*(.*?)\s*#*\s*$`)
	bullet    = regexp.MustCompile(`^(\s*)([-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(.*)$`)
	boldKey   = regexp.MustCompile(`^(?:\*\*|__)(.+?)(?:\*\*|__)\s*([:：=]?)\s*(.*)$`)
	plainKey  = regexp.MustCompile(`^([^:：=<>≤≥]{1,80}?)\s*(?:[:：=]|\s[-–—]\s)\s*(.*)$`)
	compared  = regexp.MustCompile(`^([^:：=<>≤≥]{1,80}?)\s*((?:<=|>=|[<>≤≥]).*)$`)
	tableRule = regexp.MustCompile(`^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?)?\s*$`)
	comment   = regexp.MustCompile(`(?s)<!--.*?(-->|$)`)
)

// lines splits a Markdown file into statements, section by section. Headings,
// fences, rules, comments and blank lines are structure.
func (m *markdown) lines(data string) []item {
	// Comments are blanked, so that places stay.
	data = comment.ReplaceAllStringFunc(data, func(c string) string {
		return strings.Map(func(r rune) rune {
			if r == '\n' {
				return r
			}
			return ' '
		}, c)
	})
	var items []item
	current := sectionNone
	open := false // the last item may be continued
	written, rows := strings.Split(data, "\n"), strings.Split(halfWidth(data), "\n")
	for n, raw := range rows {
		line := strings.TrimRight(strings.TrimPrefix(raw, "\ufeff"), " \t\r")
		quoted := strings.TrimPrefix(strings.TrimLeft(line, " "), "> ")
		if quoted != strings.TrimLeft(line, " ") {
			line = strings.Repeat(" ", len(line)-len(quoted)) + quoted
		}
		at := inputs.Place{File: m.file, Line: n + 1, Col: 1}
		switch {
		case strings.TrimSpace(line) == "", fence.MatchString(line), rule.MatchString(line), tableRule.MatchString(line):
			open = false
			continue
		case heading.MatchString(line):
			current, open = m.heading(heading.FindStringSubmatch(line)[2], current, at), false
			continue
		}
		if s, ok := sectionTitle(line); ok {
			current, open = s, false
			continue
		}
		if strings.Contains(line, "|") && strings.Count(line, "|") >= 2 && strings.HasPrefix(strings.TrimSpace(line), "|") {
			if n+1 < len(rows) && tableRule.MatchString(rows[n+1]) {
				continue // the header of a table
			}
			it := m.tableRow(line, current, at)
			it.text = asWritten(written[n], it.text)
			items, open = append(items, it), false
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		if b := bullet.FindStringSubmatchIndex(line); b != nil {
			it := m.item(line, b[6], current, at)
			it.indent, it.text = indent, asWritten(written[n], it.text)
			it.parent = parentOf(items, indent)
			items, open = append(items, it), true
			continue
		}
		if open && indent >= 2 {
			last := &items[len(items)-1]
			last.pieces = append(last.pieces, piece{len(last.value) + 1, inputs.Place{File: m.file, Line: n + 1, Col: indent + 1}})
			last.value += " " + plainText(line[indent:])
			last.text += " " + asWritten(written[n], line[indent:])
			continue
		}
		it := m.item(line, indent, current, at)
		it.text = asWritten(written[n], it.text)
		items, open = append(items, it), false
	}
	return items
}

// halfWidth replaces the full-width forms of letters, digits and punctuation and the
// spaces of typesetting by their ASCII forms, rune by rune, so that places stay.
func halfWidth(data string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // U+FF01 to U+FF5E repeat ASCII
			return r - '！' + '!'
		case r == '、':
			return ','
		case r != '\u0085' && r > 0x7f && (unicode.Is(unicode.Zs, r) || r == '\u200b' || r == '\u2060'):
			return ' '
		case r == '\u2212': // minus sign
			return '-'
		}
		return r
	}, data)
}

// asWritten is the end of a row that a text was read from, before halfWidth.
func asWritten(row, text string) string {
	runes := []rune(strings.TrimRightFunc(row, func(r rune) bool { return r == '\r' || unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' }))
	if from := len(runes) - utf8.RuneCountInString(text); from >= 0 {
		return string(runes[from:])
	}
	return text
}

// parentOf is the key of the nearest bullet with less indentation that has no value of its own.
func parentOf(items []item, indent int) string {
	for i := len(items) - 1; i >= 0 && indent > 0; i-- {
		if items[i].indent < indent {
			if items[i].value == "" {
				return items[i].key
			}
			return ""
		}
	}
	return ""
}

// item splits a line, from an offset on, into key and value.
func (m *markdown) item(line string, from int, s section, at inputs.Place) item {
	text := line[from:]
	it := item{section: s, text: text}
	col := func(offset int) inputs.Place {
		p := at
		p.Col = utf8.RuneCountInString(line[:from+offset]) + 1
		return p
	}
	it.keyAt = col(0)
	valueAt := 0
	if b := boldKey.FindStringSubmatchIndex(text); b != nil && (b[4] < b[5] || b[6] == b[7] || strings.ContainsAny(text[b[2]:b[3]], ":：")) {
		inner := text[b[2]:b[3]]
		it.key, valueAt = inner, b[6]
		// "**key: value**" and "**key:** value" carry the colon inside.
		if i := strings.IndexAny(inner, ":："); i >= 0 {
			it.key = inner[:i]
			if rest := strings.TrimLeft(inner[i:], ":： "); rest != "" {
				valueAt = b[2] + len(inner) - len(rest)
			}
		}
	} else if c := compared.FindStringSubmatchIndex(text); c != nil {
		it.key, valueAt = text[c[2]:c[3]], c[4]
	} else if k := plainKey.FindStringSubmatchIndex(text); k != nil {
		it.key, valueAt = text[k[2]:k[3]], k[4]
	}
	it.key = strings.TrimSpace(strings.Trim(plainText(it.key), " *_`"))
	it.value = plainText(text[valueAt:])
	it.pieces = []piece{{0, col(valueAt)}}
	return it
}

// tableRow is a row of two cells: key and value.
func (m *markdown) tableRow(line string, s section, at inputs.Place) item {
	first := strings.Index(line, "|") + 1
	cells := strings.SplitN(strings.TrimSuffix(strings.TrimSpace(line[first:]), "|"), "|", 2)
	it := item{section: s, text: strings.TrimSpace(line), keyAt: at}
	it.key = strings.TrimSpace(strings.Trim(plainText(strings.TrimSpace(cells[0])), " *_`"))
	if len(cells) == 2 {
		value := strings.TrimLeft(cells[1], " ")
		at.Col = utf8.RuneCountInString(line[:max(strings.LastIndex(line, value), 0)]) + 1
		it.value = plainText(value)
	}
	it.pieces = []piece{{0, at}}
	return it
}

// emphasis is what makes text bold, italic or code.
var emphasis = regexp.MustCompile("\\*\\*|__|`|\\B\\*(\\S)|(\\S)\\*\\B")

// plainText blanks emphasis, keeping every offset.
func plainText(s string) string {
	b := []byte(s)
	for _, m := range emphasis.FindAllStringIndex(s, -1) {
		for i := m[0]; i < m[1]; i++ {
			if b[i] == '*' || b[i] == '`' || s[m[0]:m[1]] == "__" {
				b[i] = ' '
			}
		}
	}
	return string(b)
}
