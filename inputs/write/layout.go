package write

import (
	"strings"
	"unicode/utf8"
)

const (
	width = 80 // columns of a line
	notes = 34 // column where explanations begin
)

// layout puts lines of keys and values beside their explanations.
type layout struct{ strings.Builder }

// line writes text with an explanation beside it; where the text is too long for that
// the explanation goes above.
func (l *layout) line(indent, text, note string) {
	first := indent + text
	length := utf8.RuneCountInString(first)
	switch {
	case note == "":
		l.WriteString(first + "\n")
	case strings.Contains(text, "\n") || length > notes-2:
		l.comment(strings.ReplaceAll(indent, "-", " "), note)
		l.WriteString(first + "\n")
	default:
		for i, part := range wrapped(note, width-notes-2) {
			if i > 0 {
				first, length = "", 0
			}
			l.WriteString(first + strings.Repeat(" ", notes-length) + "# " + part + "\n")
		}
	}
}

// comment writes an explanation on lines of its own.
func (l *layout) comment(indent, note string) {
	for _, part := range wrapped(note, width-utf8.RuneCountInString(indent)-2) {
		l.WriteString(indent + "# " + part + "\n")
	}
}

// wrapped breaks a text into lines of at most so many columns.
func wrapped(text string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// listed writes the elements of a list between brackets, over several lines where one
// does not hold them.
func listed(elements []string, indent string, taken int) string {
	one := "[" + strings.Join(elements, ", ") + "]"
	if taken+utf8.RuneCountInString(one) <= width {
		return one
	}
	return "[\n" + indent + "  " + strings.Join(wrapped(strings.Join(elements, ", "), width-len(indent)-2), "\n"+indent+"  ") + "\n" + indent + "]"
}
