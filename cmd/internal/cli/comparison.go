package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// comparison is a condition on a figure: ">=80GB", "<3TB/s", "80GB" or "40GB..80GB".
// A figure is compared as it is printed on a box: what lies within the leeway of the
// value is the value, neither above nor below it.
type comparison struct {
	text string
	op   string // one of comparisonSigns, ".." for a range
	low  span
	high span // the upper end of a range
}

// span is a value with its leeway.
type span struct{ from, to float64 }

// comparisonSigns are the signs that a comparison may begin with, longer ones first.
var comparisonSigns = []string{">=", "<=", "≥", "≤", ">", "<", "="}

// leeway gives the span of a value: a share of it to either side.
func leeway(share float64) func(float64) span {
	return func(v float64) span { return span{v * (1 - share), v * (1 + share)} }
}

// parseComparison reads a comparison; value reads what stands behind the sign.
func parseComparison(text string, value func(string) (span, error)) (comparison, error) {
	c := comparison{text: text, op: "="}
	rest := strings.TrimSpace(text)
	for _, sign := range comparisonSigns {
		if after, found := strings.CutPrefix(rest, sign); found {
			c.op, rest = sign, strings.TrimSpace(after)
			break
		}
	}
	var err error
	if low, high, ranged := strings.Cut(rest, ".."); ranged && c.op == "=" {
		c.op = ".."
		var wrong error
		c.low, err = value(strings.TrimSpace(low))
		c.high, wrong = value(strings.TrimSpace(high))
		err = errors.Join(err, wrong)
		if err == nil && c.low.from > c.high.to {
			err = fmt.Errorf("%q: the range ends before it begins", text)
		}
		return c, err
	}
	c.low, err = value(rest)
	return c, err
}

// holds compares a figure; one that is not known (0) fails every comparison.
func (c *comparison) holds(v float64) bool {
	if c.text == "" {
		return true
	}
	if v == 0 {
		return false
	}
	switch c.op {
	case ">=", "≥":
		return v >= c.low.from
	case "<=", "≤":
		return v <= c.low.to
	case ">":
		return v > c.low.to
	case "<":
		return v < c.low.from
	case "..":
		return v >= c.low.from && v <= c.high.to
	}
	return v >= c.low.from && v <= c.low.to
}

// comparisonFlag is a flag that holds a comparison.
type comparisonFlag struct {
	comparison
	value func(string) (span, error)
}

func (f *comparisonFlag) String() string { return f.text }
func (f *comparisonFlag) Type() string   { return "comparison" }

func (f *comparisonFlag) Set(v string) (err error) {
	f.comparison, err = parseComparison(v, f.value)
	if err != nil {
		return fmt.Errorf("%w; write it as >=V, <=V, >V, <V, V or V..W, in quotes", err)
	}
	return nil
}

// namesFlag is a flag that holds some of a set of names: nvidia,amd; case does not
// matter. known lists them when the flag is held against something.
type namesFlag struct{ names []string }

func (f *namesFlag) String() string { return strings.Join(f.names, ",") }
func (f *namesFlag) Type() string   { return "names" }

func (f *namesFlag) Set(v string) error {
	for name := range strings.SplitSeq(v, ",") {
		if name = strings.TrimSpace(name); name != "" {
			f.names = append(f.names, name)
		}
	}
	if len(f.names) == 0 {
		return errors.New("want a name")
	}
	return nil
}

// holds reports whether one of the names is meant by the given one.
func (f *namesFlag) holds(name string) bool {
	return len(f.names) == 0 || slices.ContainsFunc(f.names, func(want string) bool { return strings.EqualFold(want, name) })
}

// check refuses a name that is none of those known.
func (f *namesFlag) check(flag string, known []string) error {
	var wrong []error
	for _, name := range f.names {
		if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			continue
		}
		text := fmt.Sprintf("--%s %q: want one of %s", flag, name, strings.Join(known, ", "))
		if near := nearestName(strings.ToLower(name), lowered(known)); near != "" {
			text += fmt.Sprintf("; did you mean %s?", near)
		}
		wrong = append(wrong, errors.New(text))
	}
	return errors.Join(wrong...)
}

func lowered(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(n)
	}
	return out
}

// distinctNames are the names of a list, each once, sorted.
func distinctNames[T any](list []T, name func(T) string) []string {
	var out []string
	for _, x := range list {
		out = append(out, name(x))
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}
