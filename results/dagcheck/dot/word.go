package dot

import "bytes"

// add takes the character ahead into the text of the token.
func (l *lexer) add() error {
	if len(l.text) == longestWord {
		return wrong(l.token.at, "at most 32 MiB", "a word that is longer than any label")
	}
	l.text = append(l.text, l.buf[l.i])
	l.take()
	return nil
}

// quoted reads a string in double quotes, and those that follow after a +. In it \" is a
// quote and a backslash before the end of a line goes on in the next; every other
// backslash stays, as it is for the label that the string may be.
func (l *lexer) quoted() error {
	l.token.kind = word
	for {
		start := l.at
		l.take()
		for {
			if l.atEnd() {
				return l.unfinished(start, "string", `"`)
			}
			c := l.peek()
			if c == '"' {
				break
			}
			if c == 0 {
				return wrong(l.at, "text", "a NUL byte in a string")
			}
			if c == '\\' {
				switch two := string(l.ahead(3)); {
				case len(two) > 1 && two[1] == '"':
					l.take()
				case len(two) > 1 && two[1] == '\n':
					l.take()
					l.take()
					continue
				case two == "\\\r\n":
					l.take()
					l.take()
					l.take()
					continue
				case len(two) > 1 && two[1] == '\\':
					// Both stay: the second one escapes nothing.
					if err := l.add(); err != nil {
						return err
					}
				}
			}
			if err := l.add(); err != nil {
				return err
			}
		}
		l.take()
		if err := l.blanks(); err != nil {
			return err
		}
		if l.peek() != '+' {
			l.token.text = l.text
			return nil
		}
		l.take()
		if err := l.blanks(); err != nil {
			return err
		}
		if l.peek() != '"' {
			return wrong(l.at, "a quoted string", `nothing to put together after "+"`)
		}
	}
}

// html reads a string in angle brackets, which may hold others.
func (l *lexer) html() error {
	l.token.kind, l.token.html = word, true
	start := l.at
	l.take()
	for depth := 1; ; {
		if l.atEnd() {
			return l.unfinished(start, "HTML string", ">")
		}
		switch l.peek() {
		case '<':
			depth++
		case '>':
			depth--
			if depth == 0 {
				l.take()
				l.token.text = l.text
				return nil
			}
		case 0:
			return wrong(l.at, "text", "a NUL byte in a string")
		}
		if err := l.add(); err != nil {
			return err
		}
	}
}

// name reads an unquoted name, or a keyword, in small letters or capitals.
func (l *lexer) name() error {
	for c := l.peek(); isLetter(c) || isDigit(c); c = l.peek() {
		if err := l.add(); err != nil {
			return err
		}
	}
	l.token.text, l.token.kind = l.text, word
	if k, ok := keywords[len(l.text)]; ok {
		for _, one := range k {
			if bytes.EqualFold(l.text, one.name) {
				l.token.kind = one.kind
			}
		}
	}
	return nil
}

type keyword struct {
	name []byte
	kind kind
}

// keywords by length: most names have none of these lengths, or one to compare with.
var keywords = map[int][]keyword{
	4: {{[]byte("node"), kwNode}, {[]byte("edge"), kwEdge}},
	5: {{[]byte("graph"), kwGraph}},
	6: {{[]byte("strict"), kwStrict}},
	7: {{[]byte("digraph"), kwDigraph}},
	8: {{[]byte("subgraph"), kwSubgraph}},
}

// numeral reads a number, or the sign of an edge that starts like one.
func (l *lexer) numeral() error {
	switch string(l.ahead(2)) {
	case "->":
		l.take()
		l.take()
		l.token.kind = arrow
		return nil
	case "--":
		l.take()
		l.take()
		l.token.kind = line
		return nil
	}
	digits, dots := 0, 0
	for first := true; ; first = false {
		c := l.peek()
		switch {
		case c == '-' && first:
		case c == '.' && dots == 0:
			dots++
		case isDigit(c):
			digits++
		case isLetter(c) || c == '.' || digits == 0:
			return wrong(l.token.at, "a number, or quotes around a name that starts like one", "%q is no number", clip(l.text)+string(rune(c)))
		default:
			l.token.text, l.token.kind = l.text, word
			return nil
		}
		if err := l.add(); err != nil {
			return err
		}
	}
}
