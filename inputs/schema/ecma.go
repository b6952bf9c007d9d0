package schema

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// Pattern turns a regular expression as Go writes it into one that a whole text must
// match, as JSON Schema wants it: ECMA-262 with the u flag, which has no (?i). Anchors are
// added.
func Pattern(expr string) (string, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", fmt.Errorf("pattern %q: %w", expr, err)
	}
	var b strings.Builder
	if err := ecma(&b, re); err != nil {
		return "", fmt.Errorf("pattern %q: %w", expr, err)
	}
	return "^(?:" + b.String() + ")$", nil
}

// ecma writes one node of an expression.
func ecma(b *strings.Builder, re *syntax.Regexp) error {
	switch re.Op {
	case syntax.OpEmptyMatch:
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			folded := []rune{r}
			if re.Flags&syntax.FoldCase != 0 {
				folded = folds(r)
			}
			if len(folded) == 1 {
				b.WriteString(outside(r))
				continue
			}
			b.WriteByte('[')
			for _, f := range folded {
				b.WriteString(quoted(f))
			}
			b.WriteByte(']')
		}
	case syntax.OpCharClass:
		writeClass(b, re.Rune)
	case syntax.OpAnyChar:
		writeClass(b, []rune{0, unicode.MaxRune})
	case syntax.OpAnyCharNotNL:
		b.WriteByte('.')
	case syntax.OpWordBoundary:
		b.WriteString(`\b`)
	case syntax.OpBeginText, syntax.OpEndText: // the whole text is matched anyway
	case syntax.OpCapture:
		return group(b, re.Sub[0], "")
	case syntax.OpStar:
		return group(b, re.Sub[0], "*")
	case syntax.OpPlus:
		return group(b, re.Sub[0], "+")
	case syntax.OpQuest:
		return group(b, re.Sub[0], "?")
	case syntax.OpRepeat:
		times := fmt.Sprintf("{%d,%d}", re.Min, re.Max)
		if re.Max < 0 {
			times = fmt.Sprintf("{%d,}", re.Min)
		}
		return group(b, re.Sub[0], times)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpAlternate {
				if err := group(b, sub, ""); err != nil {
					return err
				}
				continue
			}
			if err := ecma(b, sub); err != nil {
				return err
			}
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				b.WriteByte('|')
			}
			if err := ecma(b, sub); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%v has no counterpart", re.Op)
	}
	return nil
}

// group writes a node with what follows it, in brackets unless it is one character.
func group(b *strings.Builder, re *syntax.Regexp, times string) error {
	single := re.Op == syntax.OpCharClass || re.Op == syntax.OpAnyCharNotNL ||
		re.Op == syntax.OpLiteral && len(re.Rune) == 1
	if !single {
		b.WriteString("(?:")
	}
	if err := ecma(b, re); err != nil {
		return err
	}
	if !single {
		b.WriteByte(')')
	}
	b.WriteString(times)
	return nil
}

// folds are a letter in its cases, in order; those outside of ASCII of an ASCII letter
// (the Kelvin sign) are left out.
func folds(r rune) []rune {
	out := []rune{r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if r > unicode.MaxASCII || f <= unicode.MaxASCII {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return out
}

// letters are the classes that are written by their name.
func letters() [][]rune {
	var out [][]rune
	for _, expr := range []string{`\pL`, `(?i)\pL`} {
		if re, err := syntax.Parse(expr, syntax.Perl); err == nil {
			out = append(out, re.Rune)
		}
	}
	return out
}

// writeClass writes a class by its ranges.
func writeClass(b *strings.Builder, ranges []rune) {
	for _, l := range letters() {
		if slices.Equal(l, ranges) {
			b.WriteString(`\p{L}`)
			return
		}
	}
	if len(ranges) == 2 && ranges[0] == 0 && ranges[1] == unicode.MaxRune {
		b.WriteString(`[\s\S]`)
		return
	}
	except := ""
	if ranges[0] == 0 && ranges[len(ranges)-1] == unicode.MaxRune { // as what it leaves out
		except = "^"
		var rest []rune
		for i := 1; i+1 < len(ranges); i += 2 {
			rest = append(rest, ranges[i]+1, ranges[i+1]-1)
		}
		ranges = rest
	}
	b.WriteString("[" + except)
	for i := 0; i+1 < len(ranges); i += 2 {
		low, high := ranges[i], ranges[i+1]
		if except == "" && low > unicode.MaxASCII && (low == 0x17f || low == 0x212a) && low == high {
			continue // the long s and the Kelvin sign, cases of s and k
		}
		b.WriteString(quoted(low))
		if high > low+1 {
			b.WriteByte('-')
		}
		if high > low {
			b.WriteString(quoted(high))
		}
	}
	b.WriteByte(']')
}

// outside is a character as it stands for itself outside of a class, where the u flag
// forbids an escaped hyphen.
func outside(r rune) string {
	if r == '-' {
		return "-"
	}
	return quoted(r)
}

// quoted is a character as it stands for itself in a class.
func quoted(r rune) string {
	switch {
	case strings.ContainsRune(`\^$.|?*+()[]{}/-`, r):
		return `\` + string(r)
	case r == '\t':
		return `\t`
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\f':
		return `\f`
	case r < 0x20 || r == 0x7f:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return string(r)
}
