package read

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"partita/inputs"
)

// Sweep is a field of a condition with the values that it takes in turn.
type Sweep struct {
	Path   string
	Values []SweepValue
	// Log: values lie evenly by their ratio; else by their difference.
	Log bool
	// Unit is what follows the number of every value, "" where there is none.
	Unit   string
	whole  bool
	spaced bool // a range: there are values between
}

// SweepValue is one value: the text that states it and, of a quantity, its number in the
// unit of the sweep.
type SweepValue struct {
	Text   string
	Number float64
}

// Values of a range where their number is not stated, and at most.
const (
	sweepValues     = 9
	mostSweepValues = 1000
)

// sweepRange is LOW..HIGH with the number of values and their spacing: 25GB/s..400GB/s@9:log.
var sweepRange = regexp.MustCompile(`^(.+?)\.\.\.?([^@]+?)(?:@(\d+)?:?(log|linear|lin)?)?$`)

// amount is a number with what follows it.
var amount = regexp.MustCompile(`^\s*(\$?)([+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?\d+)?)(.*)$`)

// ParseSweep reads what --vary states: PATH=LOW..HIGH, PATH=LOW..HIGH@N, with :log or
// :linear for the spacing, or PATH=A,B,C.
func ParseSweep(text string) (*Sweep, error) {
	path, values, ok := strings.Cut(text, "=")
	path, values = strings.TrimSpace(path), strings.TrimSpace(values)
	if !ok || path == "" || values == "" {
		return nil, fmt.Errorf("want PATH=LOW..HIGH or PATH=A,B,C, such as cluster.network=25GB/s..400GB/s")
	}
	k, ok := sweepKey(path)
	if !ok {
		hint := ""
		if near := nearestPath(path); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, fmt.Errorf("unknown field %q%s", path, hint)
	}
	s := &Sweep{Path: path}
	if list := splitList(values); len(list) > 1 {
		return s, s.list(list, k)
	}
	m := sweepRange.FindStringSubmatch(values)
	if m == nil {
		return nil, fmt.Errorf("%q is one value: want a range LOW..HIGH or a list A,B,C", values)
	}
	return s, s.between(m[1], m[2], m[3], m[4], k)
}

// sweepKey is the key of a field by its path, that of a pool by any name.
func sweepKey(path string) (key, bool) {
	path = strings.ToLower(bracketed.ReplaceAllString(path, ".$1"))
	switch path {
	case "model":
		path = "model.catalog"
	case "cluster.gpus":
		path = "cluster.count"
	case "cluster.gpu":
		path = "cluster.accelerator"
	}
	table := keyTable()
	if rest, ok := strings.CutPrefix(path, poolPrefix); ok {
		// The name of a pool may have dots: the field is what a key ends in.
		for field := rest; field != ""; {
			_, after, ok := strings.Cut(field, ".")
			if !ok {
				return key{}, false
			}
			if k, known := table["cluster."+after]; known && after != "network" {
				return k, true
			}
			field = after
		}
		return key{}, false
	}
	k, ok := table[path]
	return k, ok
}

// nearestPath is the known path that one with a slip was meant to be; "" where there is none.
func nearestPath(path string) string {
	path = strings.ToLower(path)
	var all []string
	for _, k := range keys() {
		if strings.HasSuffix(k.path, "."+path) {
			return k.path
		}
		all = append(all, k.path)
	}
	return inputs.Nearest(path, all)
}

// splitList splits at commas outside brackets.
func splitList(text string) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range text {
		switch {
		case r == '[' || r == '(':
			depth++
		case r == ']' || r == ')':
			depth--
		case r == ',' && depth == 0:
			out = append(out, strings.TrimSpace(text[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(text[from:]))
}

// list takes the values as they are written, with numbers where all have one unit.
func (s *Sweep) list(texts []string, k key) error {
	seen := map[string]bool{}
	numbers := true
	for _, text := range texts {
		v, err := k.parse(text)
		switch {
		case text == "":
			return fmt.Errorf("%s: an empty value in the list", s.Path)
		case err != nil:
			return fmt.Errorf("%s: %q is not understood, want %s", s.Path, text, wantOf(err))
		case seen[text]:
			return fmt.Errorf("%s: %s is listed twice", s.Path, text)
		}
		seen[text] = true
		_, _, counts := magnitude(v)
		numbers = numbers && counts
		s.Values = append(s.Values, SweepValue{Text: text})
	}
	for i := range s.Values {
		m := amount.FindStringSubmatch(s.Values[i].Text)
		if m == nil || i > 0 && m[3] != s.Unit {
			numbers = false
		}
		if numbers {
			s.Unit = m[3]
			s.Values[i].Number, _ = strconv.ParseFloat(m[2], 64)
		}
	}
	if !numbers {
		s.Unit = ""
		for i := range s.Values {
			s.Values[i].Number = float64(i)
		}
	}
	return nil
}

// magnitude is the size of a value, and whether only whole numbers are; false for what
// has no size, such as a name.
func magnitude(v any) (size float64, whole, ok bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true, true
	case inputs.Count:
		return float64(v.Max), true, v.Stated()
	case inputs.Range:
		return float64(v.Max), true, v.Min == v.Max
	case int64:
		return float64(v), false, true
	case float64:
		return v, false, true
	case bound:
		return v.Value, false, !v.None
	case wire:
		return v.BytesPerSecond, false, v.BytesPerSecond > 0
	case []int64:
		if len(v) == 1 {
			return float64(v[0]), false, true
		}
	}
	return 0, false, false
}

// between spaces values from low to high, both included.
func (s *Sweep) between(low, high, number, spacing string, k key) error {
	low, high = strings.TrimSpace(low), strings.TrimSpace(high)
	last := amount.FindStringSubmatch(high)
	if last == nil {
		return fmt.Errorf("%s: %q is no number with a unit; list names as A,B,C", s.Path, high)
	}
	if m := amount.FindStringSubmatch(low); m != nil && m[3] == "" {
		low += last[3] // 25..400GB/s
	}
	var ends [2]float64
	for i, text := range []string{low, high} {
		v, err := k.parse(text)
		if err != nil {
			return fmt.Errorf("%s: %q is not understood, want %s", s.Path, text, wantOf(err))
		}
		var ok bool
		if ends[i], s.whole, ok = magnitude(v); !ok {
			return fmt.Errorf("%s: %q is no single quantity; list values as A,B,C", s.Path, text)
		}
	}
	if !(ends[0] < ends[1]) {
		return fmt.Errorf("%s: %s..%s does not go upwards", s.Path, low, high)
	}
	// Numbers are told in the unit of the high end.
	top, err := strconv.ParseFloat(last[2], 64)
	if err != nil || top <= 0 {
		return fmt.Errorf("%s: %q is no number above 0", s.Path, high)
	}
	s.Unit, s.spaced = last[3], true
	if s.whole {
		s.Unit, top = "", ends[1] // 16k is 16384
	}
	from := ends[0] / (ends[1] / top)
	return s.space(from, top, number, spacing)
}

// logRatio is from which ratio of the ends on values are spaced by their ratio.
const logRatio = 4

func (s *Sweep) space(from, to float64, number, spacing string) error {
	s.Log = from > 0 && to/from >= logRatio
	switch spacing {
	case "log":
		if s.Log = true; from <= 0 {
			return fmt.Errorf("%s: values by their ratio cannot start at %g", s.Path, from)
		}
	case "linear", "lin":
		s.Log = false
	}
	n := sweepValues
	if number != "" {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 2 || n > mostSweepValues {
			return fmt.Errorf("%s: %s values: want 2 to %d", s.Path, number, mostSweepValues)
		}
	} else if doublings := math.Log2(to / from); s.whole && s.Log && doublings == math.Trunc(doublings) && doublings < 2*sweepValues {
		n = int(doublings) + 1 // 16, 32, 64, … as people count
	}
	for i := range n {
		share := float64(i) / float64(n-1)
		v := from + share*(to-from)
		if s.Log {
			v = from * math.Pow(to/from, share)
		}
		x := s.value(v, rangeDigits)
		if i == 0 || i == n-1 || x.Number <= s.Values[len(s.Values)-1].Number || x.Number >= to {
			x = s.value(v, betweenDigits) // the ends as they are stated, and nothing beyond them
		}
		if len(s.Values) == 0 || x.Number > s.Values[len(s.Values)-1].Number {
			s.Values = append(s.Values, x)
		}
	}
	return nil
}

// Digits of the values of a range: as many as people write, and of those between as many
// as tell them apart at any resolution.
const (
	rangeDigits   = 3
	betweenDigits = 5
)

// value is a number as it is stated, rounded to so many digits.
func (s *Sweep) value(v float64, digits int) SweepValue {
	if s.whole {
		v = math.Round(v)
		return SweepValue{Text: strconv.FormatFloat(v, 'f', -1, 64), Number: v}
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	return SweepValue{Text: strconv.FormatFloat(v, 'f', -1, 64) + s.Unit, Number: v}
}

// Between is the value in the middle of two, false where they are neighbours: whole
// numbers with none between, names, or closer than the resolution, a share of the larger.
func (s *Sweep) Between(a, b SweepValue, resolution float64) (SweepValue, bool) {
	if !s.spaced || b.Number-a.Number <= resolution*math.Abs(b.Number) {
		return SweepValue{}, false
	}
	mid := (a.Number + b.Number) / 2
	if s.Log {
		mid = math.Sqrt(a.Number * b.Number)
	}
	v := s.value(mid, betweenDigits)
	if v.Number <= a.Number || v.Number >= b.Number {
		if !s.whole || b.Number-a.Number <= 1 {
			return SweepValue{}, false
		}
		v = s.value(a.Number+1, betweenDigits)
	}
	return v, true
}

// Quantity reports whether values lie on a line; false: they are names.
func (s *Sweep) Quantity() bool {
	if s.spaced || s.Unit != "" {
		return true
	}
	for i, v := range s.Values {
		if m := amount.FindStringSubmatch(v.Text); m == nil || m[3] != "" || i > 0 && v.Number <= s.Values[i-1].Number {
			return false
		}
	}
	return true
}
