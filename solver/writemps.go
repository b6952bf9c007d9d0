package solver

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteMPS writes the model in free MPS with integer markers. Bounds are written for
// every column, since readers differ in what an integer column without bounds is; the
// NAME line says FREE, without which CBC misreads the bounds section. A constant in
// the objective is a column fixed at 1: readers disagree about the sign of an RHS entry
// for it when maximising.
func (m *Model) WriteMPS(w io.Writer) error {
	t, err := m.text(func(string) bool { return false })
	if err != nil {
		return err
	}
	const objective = "COST"
	rowNames := newNamer("r", func(name string) bool { return name == objective || name == "RHS" })
	columns := make([][]string, len(t.names))
	for _, c := range m.objective.Terms {
		columns[c.Var] = append(columns[c.Var], fmt.Sprintf("%s %d", objective, c.Value))
	}
	if c := m.objective.Constant; c != 0 {
		t.names = append(t.names, t.columns.name("constant"))
		t.domains = append(t.domains[:len(t.domains):len(t.domains)], Domain{Lo: 1, Hi: 1})
		columns = append(columns, []string{fmt.Sprintf("%s %d", objective, c)})
	}
	b := bufio.NewWriter(w)
	if len(m.notes) > 0 {
		m.comments(b, "* ", "")
	}
	fmt.Fprintf(b, "NAME %s FREE\n", newNamer("model", func(string) bool { return false }).name(m.name))
	if m.objective.Sense == Max {
		fmt.Fprint(b, "OBJSENSE\n    MAX\n")
	}
	fmt.Fprintf(b, "ROWS\n N %s\n", objective)
	for i, r := range t.rows {
		t.rows[i].Name = rowNames.name(r.Name)
		kind := "L" // a row with two ends is an L row with a range
		switch {
		case r.Lo == r.Hi:
			kind = "E"
		case r.Hi == NoUpper:
			kind = "G"
		}
		fmt.Fprintf(b, " %s %s\n", kind, t.rows[i].Name)
		for _, c := range r.Terms {
			columns[c.Var] = append(columns[c.Var], fmt.Sprintf("%s %d", t.rows[i].Name, c.Value))
		}
	}
	fmt.Fprint(b, "COLUMNS\n")
	whole := false
	for i, entries := range columns {
		if whole == t.domains[i].Implied {
			whole = !whole
			marker(b, whole)
		}
		if len(entries) == 0 {
			entries = []string{objective + " 0"} // a column exists by being mentioned
		}
		for j := 0; j < len(entries); j += 2 { // a line holds two
			fmt.Fprintf(b, "    %s %s\n", t.names[i], strings.Join(entries[j:min(j+2, len(entries))], " "))
		}
	}
	if whole {
		marker(b, false)
	}
	fmt.Fprint(b, "RHS\n")
	for _, r := range t.rows {
		side := r.Hi
		if side == NoUpper {
			side = r.Lo
		}
		if side != 0 {
			fmt.Fprintf(b, "    RHS %s %d\n", r.Name, side)
		}
	}
	m.writeRanges(b, t)
	fmt.Fprint(b, "BOUNDS\n")
	for i, d := range t.domains {
		writeBounds(b, t.names[i], d)
	}
	fmt.Fprint(b, "ENDATA\n")
	return b.Flush()
}

// marker begins or ends a run of integer columns.
func marker(b *bufio.Writer, begin bool) {
	kind := "INTEND"
	if begin {
		kind = "INTORG"
	}
	fmt.Fprintf(b, "    MARKER 'MARKER' '%s'\n", kind)
}

func (m *Model) writeRanges(b *bufio.Writer, t text) {
	head := "RANGES\n"
	for _, r := range t.rows {
		if r.Lo == NoLower || r.Hi == NoUpper || r.Lo == r.Hi {
			continue
		}
		fmt.Fprintf(b, "%s    RGS %s %d\n", head, r.Name, uint64(r.Hi)-uint64(r.Lo))
		head = ""
	}
}

func writeBounds(b *bufio.Writer, name string, d Domain) {
	switch {
	case d.IsBool():
		fmt.Fprintf(b, " BV BND %s\n", name)
		return
	case d.Lo == d.Hi:
		fmt.Fprintf(b, " FX BND %s %d\n", name, d.Lo)
		return
	case d.Lo == NoLower && d.Hi == NoUpper:
		fmt.Fprintf(b, " FR BND %s\n", name)
		return
	case d.Lo == NoLower:
		fmt.Fprintf(b, " MI BND %s\n", name)
	default:
		fmt.Fprintf(b, " LO BND %s %d\n", name, d.Lo)
	}
	if d.Hi == NoUpper {
		fmt.Fprintf(b, " PL BND %s\n", name)
		return
	}
	fmt.Fprintf(b, " UP BND %s %d\n", name, d.Hi)
}
