package launch

import (
	"strings"
	"unicode"
)

// Word is a text as one word of a POSIX shell, whatever it holds.
func Word(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Command is a command line, each word quoted.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Word(w)
	}
	return strings.Join(quoted, " ")
}

// Comment is a foreign text as a part of one comment line, in any format where a comment
// ends with its line: white space becomes single spaces, and what no reader sees, such as
// control characters and changes of writing direction, becomes \ufffd. The longest part that a
// line shows has 80 characters.
func Comment(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > 80 {
		runes = append(runes[:79], '…')
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = unicode.ReplacementChar
		}
	}
	return string(runes)
}
