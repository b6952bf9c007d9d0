package solver

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// WriteLP writes the model in lp_solve's LP format. Every row has a label, so that a
// row with one variable stays a row.
func (m *Model) WriteLP(w io.Writer) error {
	t, err := m.text(lpReserved)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	m.comments(b, "/* ", " */")
	sense := "min"
	if m.objective.Sense == Max {
		sense = "max"
	}
	fmt.Fprintf(b, "%s:%s;\n", sense, t.sum(m.objective.Terms, m.objective.Constant))
	for _, r := range t.rows {
		fmt.Fprintf(b, "%s: ", r.Name)
		switch sum := strings.TrimPrefix(t.sum(r.Terms, 0), " "); {
		case r.Lo == r.Hi:
			fmt.Fprintf(b, "%s = %d;\n", sum, r.Hi)
		case r.Lo == NoLower:
			fmt.Fprintf(b, "%s <= %d;\n", sum, r.Hi)
		case r.Hi == NoUpper:
			fmt.Fprintf(b, "%s >= %d;\n", sum, r.Lo)
		default:
			fmt.Fprintf(b, "%d <= %s <= %d;\n", r.Lo, sum, r.Hi)
		}
	}
	var bin, integer []string
	for i, d := range t.domains {
		if d.IsBool() {
			bin = append(bin, t.names[i])
			continue
		}
		if !d.Implied {
			integer = append(integer, t.names[i])
		}
		switch {
		case d.Lo == d.Hi:
			fmt.Fprintf(b, "%s = %d;\n", t.names[i], d.Lo)
		case d.Lo == NoLower && d.Hi == NoUpper:
			fmt.Fprintf(b, "%s >= -1e30;\n", t.names[i])
		case d.Lo == NoLower:
			fmt.Fprintf(b, "-1e30 <= %s <= %d;\n", t.names[i], d.Hi)
		case d.Hi == NoUpper:
			fmt.Fprintf(b, "%s >= %d;\n", t.names[i], d.Lo)
		default:
			fmt.Fprintf(b, "%d <= %s <= %d;\n", d.Lo, t.names[i], d.Hi)
		}
	}
	section(b, "bin", bin)
	section(b, "int", integer)
	return b.Flush()
}

// comments writes the name of the model and its notes, each on a line of its own
// between the marks that make it a comment: names come from outside and may hold
// anything, the end of a comment included.
func (m *Model) comments(w io.Writer, begin, end string) {
	for _, line := range append([]string{m.name}, m.notes...) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return ' '
		}, line)
		fmt.Fprintf(w, "%s%s%s\n", begin, strings.ReplaceAll(line, "*/", "* /"), end)
	}
}

// WriteComments writes the name and the notes of the model as comment lines that begin
// with a mark, for text formats outside this package.
func (m *Model) WriteComments(w io.Writer, mark string) { m.comments(w, mark, "") }

func section(b *bufio.Writer, keyword string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(b, "%s %s;\n", keyword, strings.Join(names, ", "))
	}
}

// lpReserved are the words of LP format that are not names.
func lpReserved(name string) bool {
	switch strings.ToLower(name) {
	case "int", "bin", "sec", "sin", "free", "min", "max", "minimise", "minimize", "maximise", "maximize", "sos1", "sos2", "sos":
		return true
	}
	// e1 would be read as the end of a number.
	return len(name) > 1 && (name[0] == 'e' || name[0] == 'E') && name[1] >= '0' && name[1] <= '9'
}

// text is a model with names and rows as text formats want them.
type text struct {
	names   []string
	domains []Domain
	rows    []Row
	columns *namer // for a column that a format adds
}

// text makes every name unique and free of blanks and operators, splits a row whose
// bounds cross into its two ends, and gives a row without variables that cannot hold
// a Boolean of its own that it asks too much of: a column with coefficient 0 is none
// to lp_solve.
func (m *Model) text(reserved func(string) bool) (text, error) {
	if m.err != nil {
		return text{}, m.err
	}
	columns := newNamer("x", reserved)
	t := text{domains: m.domains, columns: columns}
	for _, d := range m.domains {
		t.names = append(t.names, columns.name(d.Name))
	}
	rows := newNamer("r", reserved)
	add := func(r Row, lo, hi int64) {
		r.Name, r.Lo, r.Hi = rows.name(r.Name), lo, hi
		t.rows = append(t.rows, r)
	}
	for _, r := range m.Rows() {
		if r.Lo > r.Hi {
			add(r, r.Lo, NoUpper)
			add(r, NoLower, r.Hi)
			continue
		}
		add(r, r.Lo, r.Hi)
	}
	if c, clash := m.Contradiction(); clash {
		t.names = append(t.names, columns.name("none"))
		t.domains = append(slices.Clone(t.domains), Domain{Lo: 0, Hi: 1})
		add(Row{Name: c.Name(), Terms: []Coef{{len(t.names) - 1, 1}}}, 2, NoUpper)
	}
	return t, nil
}

// sum writes the terms with a blank before each, and the constant where it is not 0.
func (t text) sum(terms []Coef, constant int64) string {
	var b strings.Builder
	for i, c := range terms {
		sign := "+"
		if i == 0 {
			sign = ""
		}
		if c.Value < 0 {
			sign = "-"
		}
		fmt.Fprintf(&b, " %s%d %s", sign, magnitude(c.Value), t.names[c.Var])
	}
	if constant != 0 {
		fmt.Fprintf(&b, " %+d", constant)
	}
	return b.String()
}

// namer hands out names of letters, digits and a few signs that all formats take.
type namer struct {
	prefix   string
	reserved func(string) bool
	used     map[string]bool
	next     int
}

func newNamer(prefix string, reserved func(string) bool) *namer {
	return &namer{prefix: prefix, reserved: reserved, used: make(map[string]bool)}
}

func (n *namer) name(want string) string {
	n.next++
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.', r == '[', r == ']':
			return r
		}
		return '_'
	}, want)
	if name == "" || name[0] >= '0' && name[0] <= '9' || name[0] == '.' || name[0] == '[' || name[0] == ']' || n.reserved(name) {
		name = n.prefix + "_" + name
	}
	for base, i := name, n.next; n.used[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	n.used[name] = true
	return name
}
