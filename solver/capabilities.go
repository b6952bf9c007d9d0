package solver

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Capabilities says what a backend takes and what its word is worth. Plain data, so
// that documents print it.
type Capabilities struct {
	Integers  bool // bounded integer variables besides Booleans
	Unbounded bool // variables without bounds, and Unbounded as an answer
	Optimises bool // a raw call looks for the best point, not for any
	Exact     bool // Infeasible is exact reasoning, not floating point
	Stateful  bool // keeps what it learned between the calls of one solve
	Conflicts bool // names minimal conflicts
	Needs     string
	GoodAt    string
}

// Described is a backend's row of the capability table.
type Described struct {
	Name string
	Capabilities
}

// WriteCapabilities prints the capability table in Markdown, sorted by name.
func WriteCapabilities(w io.Writer, backends []Described) error {
	rows := slices.Clone(backends)
	slices.SortFunc(rows, func(a, b Described) int { return strings.Compare(a.Name, b.Name) })
	var b strings.Builder
	b.WriteString("| backend | integers | unbounded | optimises | exact refutation | keeps state | conflicts | needs | good at |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Name, yes(r.Integers), yes(r.Unbounded),
			yes(r.Optimises), yes(r.Exact), yes(r.Stateful), yes(r.Conflicts), r.Needs, r.GoodAt)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "–"
}
