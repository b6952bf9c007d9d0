package export

import (
	"regexp"
	"strings"
	"unicode"
)

// plain makes foreign text fit one line of anything: white space becomes single
// spaces, control and formatting characters (escape sequences, changes of writing
// direction) become �.
func plain(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// inline makes foreign text literal inside a line of Markdown, such as a table
// cell: nothing in it is a cell border, markup, a link, HTML or mathematics.
func inline(s string) string {
	var b strings.Builder
	text := []rune(plain(s))
	for i, r := range text {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '_':
			if !(i > 0 && i+1 < len(text) && wordy(text[i-1]) && wordy(text[i+1])) {
				b.WriteByte('\\') // inside a word it marks nothing
			}
			b.WriteRune(r)
		case '\\', '`', '*', '[', ']', '|', '~', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// blockStart matches what would start a heading, a rule or a list.
var blockStart = regexp.MustCompile(`^(?:[#+=-]|[0-9]+[.)](?: |$))`)

// paragraph is inline for text that starts a line: it is no heading and no list.
func paragraph(s string) string {
	literal := inline(s)
	start := blockStart.FindString(literal)
	if start == "" {
		return literal
	}
	mark := len(strings.TrimLeft(start, "0123456789")) // the mark and what follows
	cut := len(start) - mark
	return literal[:cut] + `\` + literal[cut:]
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
