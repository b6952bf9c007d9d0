package export

import (
	"fmt"
	"io"
	"strings"
)

// TableText prints a table for a terminal. A header that ends in "#" is of figures, which
// are set to the right.
func TableText(w io.Writer, header []string, rows [][]string, on Screen) error {
	s := newScreen(on)
	s.table(header, rows)
	_, err := io.WriteString(w, strings.TrimPrefix(s.b.String(), "\n"))
	return err
}

// PairsText prints names with what they are, one below the other, for a terminal; those
// that are nothing are left out.
func PairsText(w io.Writer, pairs [][2]string, on Screen) error {
	s := newScreen(on)
	for _, p := range pairs {
		if p[1] != "" {
			s.line(fmt.Sprintf("%-16s ", plain(p[0])), p[1])
		}
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}
