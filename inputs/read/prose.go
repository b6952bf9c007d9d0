package read

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// prose is a text from which quantities and words are taken one by one. What was
// taken is masked; what is left must be filler, so that nothing is dropped unseen.
type prose struct {
	source string
	left   []byte // text with what was taken replaced by taken
}

// taken masks a byte that was understood. It is no letter, digit or separator.
const taken = 0x01

func newProse(s string) *prose {
	s = strings.ReplaceAll(s, string(rune(taken)), " ")
	return &prose{source: s, left: []byte(s)}
}

// mask marks a span as understood.
func (p *prose) mask(start, end int) {
	for i := start; i < end; i++ {
		p.left[i] = taken
	}
}

// take masks the first match of a pattern and reports whether there was one.
func (p *prose) take(re *regexp.Regexp) bool {
	m := re.FindIndex(p.left)
	if m != nil {
		p.mask(m[0], m[1])
	}
	return m != nil
}

// capture masks the first match of a pattern and returns its first group that
// took part, with its offset.
func (p *prose) capture(re *regexp.Regexp) (text string, offset int, ok bool) {
	m := re.FindSubmatchIndex(p.left)
	if m == nil {
		return "", 0, false
	}
	for i := 2; i+1 < len(m); i += 2 {
		if m[i] >= 0 {
			text, offset = p.source[m[i]:m[i+1]], m[i]
			break
		}
	}
	p.mask(m[0], m[1])
	return text, offset, true
}

// found is a quantity in a text.
type found[T any] struct {
	start, end int
	value      T
}

// quantityStart is where a quantity may begin: a bracket, a currency or a digit
// that is not part of a word ("H100", "top-8").
var quantityStart = regexp.MustCompile(`(^|[^\pL\d.,_])((?:[\[$]\s?)?[-+]?\d)`)

// unitWords is the longest unit in words: "tokens per second per GPU" and a range
// "128 to 10240 tokens" have five.
const unitWords = 5

// findAll lists the quantities that a parser finds in what is left of a text. At
// each number the longest text that parses wins.
func findAll[T any](p *prose, parse func(string) (T, error)) []found[T] {
	var all []found[T]
	for from := 0; from < len(p.left); {
		m := quantityStart.FindSubmatchIndex(p.left[from:])
		if m == nil {
			break
		}
		start := from + m[4]
		if f, ok := longest(string(p.left[start:]), parse); ok {
			f.start, f.end = f.start+start, f.end+start
			all = append(all, f)
			from = max(f.end, start+1)
			continue
		}
		// Skip the number that did not parse, and the dash of a range behind it: what
		// follows is no negative number.
		from = start + 1
		for from < len(p.left) && (p.left[from] >= '0' && p.left[from] <= '9' || p.left[from] == '.' || p.left[from] == '-') {
			from++
		}
	}
	return all
}

// stops are the ends that a quantity can have.
var stops = regexp.MustCompile(`[\s\])]|[,;.。；，)](\s|$)|$`)

// longest tries the texts from the start of s to the next few word ends, longest first.
func longest[T any](s string, parse func(string) (T, error)) (best found[T], ok bool) {
	at := 0
	for range unitWords + 3 {
		m := stops.FindStringIndex(s[at:])
		if m == nil {
			break
		}
		end := at + m[0]
		if end < len(s) && s[end] == ']' {
			end++
		}
		if text := s[:end]; !strings.ContainsRune(text, taken) {
			if v, err := parse(text); err == nil {
				best, ok = found[T]{0, end, v}, true
			}
		}
		at += max(m[1], m[0]+1)
		if at >= len(s) {
			break
		}
	}
	return best, ok
}

// clauses separate what is said in one text.
var clauses = regexp.MustCompile(`[,;:.!。；，：](\s|$)|[()（）\[\]]|\band\b|\s\+\s|\n`)

// meaningful words change what a number means; they must not be left over.
var meaningful = regexp.MustCompile(`(?i)\b(not|without|except|unless|excluding|excludes|half|double|doubled|twice|triple|plus|minus|but|if|when|while|otherwise|depending|or|only|least|most|more|less|fewer|approximately|about|roughly)\b`)

// filler words say nothing by themselves. A clause from which nothing was taken
// must consist of them.
var filler = regexp.MustCompile(`(?i)^(a|an|the|of|for|in|on|to|is|are|be|it|its|this|that|each|every|per|all|with|from|we|our|has|have|by|which|these|there|where|as|etc|` +
	`batch|batches|sequence|sequences|length|lengths|token|tokens|variable|varies|vary|varying|ranging|range|ranges|total|size|number|count|value|dimension|hidden|width|` +
	`layer|layers|model|models|gpus?|npus?|xpus?|cards?|devices?|accelerators?|resources?|node|nodes|server|servers|machine|machines|consists?|contains?|includes?|including|uses?|used|using|` +
	`single|one|way|memory|video|capacity|request|requests|same|identical|homogeneous|respectively|time|available|dense|peak|theoretical|type|kind|format|stored|storage|` +
	`weights?|parameters?|experts?|heads?|attention|transformer|decoder|block|blocks|structure|network|link|bandwidth|interconnect|rate|speed|requirement|requirements|target|must|should|shall|will|can|` +
	`bridge|fabric|full|mesh|connected|joined|between|inside|across|within|over|via|per-gpu|gpu-to-gpu)$`)

// leftover is the first part of a text that was not understood, with its offset. ok
// is true where there is none: no digit and no word that changes a meaning is
// left, and every clause was either taken from or is filler.
func (p *prose) leftover() (text string, offset int, ok bool) {
	at := 0
	for at <= len(p.left) {
		end, next := len(p.left), len(p.left)+1
		if m := clauses.FindIndex(p.left[at:]); m != nil && m[1] > 0 {
			end, next = at+m[0], at+m[1]
		}
		if text, off, bad := clauseLeftover(p.left[at:end]); bad {
			return text, at + off, false
		}
		at = next
	}
	return "", 0, true
}

// tokens are the words and numbers of a clause.
var tokens = regexp.MustCompile(`[\pL\d][\pL\d'’_-]*`)

func clauseLeftover(clause []byte) (text string, offset int, bad bool) {
	touched := strings.IndexByte(string(clause), taken) >= 0
	for _, m := range tokens.FindAllIndex(clause, -1) {
		w := string(clause[m[0]:m[1]])
		switch {
		case strings.ContainsAny(w, "0123456789"), meaningful.MatchString(w):
		case !touched && !filler.MatchString(w):
		default:
			continue
		}
		// The whole clause is shown, from the word that was not understood.
		rest := strings.TrimSpace(strings.ReplaceAll(string(clause[m[0]:]), string(rune(taken)), ""))
		if !utf8.ValidString(rest) {
			rest = strings.ToValidUTF8(rest, "?")
		}
		return rest, m[0], true
	}
	return "", 0, false
}
