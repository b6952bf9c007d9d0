package dot

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// kind is the kind of a token; punctuation is its own character.
type kind byte

const (
	endOfFile kind = iota
	word           // an ID, quoted or not
	arrow          // ->
	line           // --
	kwStrict
	kwGraph
	kwDigraph
	kwSubgraph
	kwNode
	kwEdge
)

// token is one word or sign. Its text is valid until the next one is read.
type token struct {
	kind kind
	at   Pos
	text []byte
	html bool
}

// String names a token in a message.
func (t token) String() string {
	switch t.kind {
	case endOfFile:
		return "the end of the file"
	case arrow:
		return `"->"`
	case line:
		return `"--"`
	}
	if len(t.text) > 0 || t.kind == word {
		return fmt.Sprintf("%q", clip(t.text))
	}
	return fmt.Sprintf("%q", string(rune(t.kind)))
}

func clip(b []byte) string {
	if len(b) > 40 {
		return strings.ToValidUTF8(string(b[:40]), "") + "…"
	}
	return string(b)
}

// lexer cuts a stream into tokens.
type lexer struct {
	r     io.Reader
	buf   []byte
	i, n  int
	err   error // of r, io.EOF included
	at    Pos   // of the character at i
	text  []byte
	token token
}

func newLexer(r io.Reader) *lexer {
	l := &lexer{r: r, buf: make([]byte, 1<<16), at: Pos{1, 1}}
	if string(l.ahead(3)) == "\xef\xbb\xbf" { // byte order mark
		l.i += 3
	}
	return l
}

// fill makes more of the stream available; false at its end.
func (l *lexer) fill() bool {
	if l.i > 0 {
		l.n = copy(l.buf, l.buf[l.i:l.n])
		l.i = 0
	}
	for idle := 0; l.err == nil && l.n < len(l.buf); idle++ {
		m, err := l.r.Read(l.buf[l.n:])
		l.n, l.err = l.n+m, err
		if m > 0 {
			return true
		}
		if idle == 100 && err == nil {
			l.err = io.ErrNoProgress
		}
	}
	return false
}

// peek is the character ahead; 0 at the end of the stream. A NUL in the stream is
// refused where it is taken.
func (l *lexer) peek() byte {
	if l.i == l.n && !l.fill() {
		return 0
	}
	return l.buf[l.i]
}

// ahead is the next n bytes, or what is left.
func (l *lexer) ahead(n int) []byte {
	for l.n-l.i < n && l.fill() {
	}
	return l.buf[l.i:min(l.i+n, l.n)]
}

func (l *lexer) atEnd() bool { return l.i == l.n && !l.fill() }

// take goes past the character ahead.
func (l *lexer) take() {
	c := l.buf[l.i]
	l.i++
	switch {
	case c == '\n':
		l.at.Line++
		l.at.Col = 1
	case c&0xc0 != 0x80: // not inside a UTF-8 sequence
		l.at.Col++
	}
}

func wrong(at Pos, want, format string, args ...any) error {
	return &SyntaxError{Pos: at, Wrong: fmt.Sprintf(format, args...), Want: want}
}

// next reads the next token.
func (l *lexer) next() error {
	if err := l.blanks(); err != nil {
		return err
	}
	l.token = token{at: l.at}
	l.text = l.text[:0]
	if l.atEnd() {
		if l.err != io.EOF {
			return fmt.Errorf("reading stopped at %s: %w", l.at, l.err)
		}
		return nil
	}
	switch c := l.peek(); {
	case c == '"':
		return l.quoted()
	case c == '<':
		return l.html()
	case isLetter(c):
		return l.name()
	case c == '-' || c == '.' || isDigit(c):
		return l.numeral()
	case strings.IndexByte("{}[]=;,:", c) >= 0:
		l.take()
		l.token.kind = kind(c)
		return nil
	case c == '+':
		return wrong(l.at, "quoted strings on both sides of it", `"+" puts quoted strings together`)
	default:
		return wrong(l.at, "a name, a quoted string or one of { } [ ] = ; , : -> --", "%q does not belong here", string(rune(c)))
	}
}

// blanks goes past white space, comments and preprocessor lines.
func (l *lexer) blanks() error {
	for {
		switch c := l.peek(); c {
		case 0:
			if l.atEnd() {
				return nil
			}
			return wrong(l.at, "text", "a NUL byte: the file is binary or in UTF-16")
		case ' ', '\t', '\n', '\r', '\f', '\v':
			l.take()
		case '#':
			if l.at.Col != 1 {
				return wrong(l.at, `comments as // or /* */`, `"#" starts a line that is left out only as its first character`)
			}
			l.restOfLine()
		case '/':
			switch string(l.ahead(2)) {
			case "//":
				l.restOfLine()
			case "/*":
				if err := l.comment(); err != nil {
					return err
				}
			default:
				return wrong(l.at, "// or /* */", `"/" starts no comment`)
			}
		default:
			return nil
		}
	}
}

func (l *lexer) restOfLine() {
	for !l.atEnd() && l.peek() != '\n' {
		l.take()
	}
}

func (l *lexer) comment() error {
	start := l.at
	l.take()
	l.take()
	for !l.atEnd() {
		if l.peek() == '*' && string(l.ahead(2)) == "*/" {
			l.take()
			l.take()
			return nil
		}
		l.take()
	}
	return l.unfinished(start, "comment", "*/")
}

// unfinished is the error of something that the stream ends in.
func (l *lexer) unfinished(start Pos, what, end string) error {
	if !errors.Is(l.err, io.EOF) {
		return fmt.Errorf("reading stopped at %s: %w", l.at, l.err)
	}
	return wrong(start, fmt.Sprintf("%q before the end of the file", end), "the %s that starts here never ends", what)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
