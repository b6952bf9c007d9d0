package read

import (
	"errors"
	"testing"

	"partita/inputs"
)

func TestDiagnosticText(t *testing.T) {
	full := Diagnostic{Place: inputs.Place{File: "a.md", Line: 3, Col: 7}, Problem: `"x" is not a size`, Want: "64GB", Hint: "add a unit"}
	for _, c := range []struct {
		d    Diagnostic
		want string
	}{
		{full, `a.md:3:7: "x" is not a size, want 64GB; add a unit`},
		{Diagnostic{Place: inputs.Place{File: "a.md", Line: 3}, Problem: "p"}, "a.md:3: p"},
		{Diagnostic{Place: inputs.Place{File: "PARTITA_NAME"}, Problem: "p", Hint: "h"}, "PARTITA_NAME: p; h"},
		{Diagnostic{Problem: "p", Want: "w"}, "p, want w"},
	} {
		if got := c.d.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestDiagnosticsAreSortedByPlace(t *testing.T) {
	at := func(f string, l, c int) Diagnostic {
		return Diagnostic{Place: inputs.Place{File: f, Line: l, Col: c}, Problem: "p"}
	}
	ds := Diagnostics{at("b", 1, 1), at("a", 2, 1), at("a", 1, 9), at("a", 1, 2)}
	want := "a:1:2: p\na:1:9: p\na:2:1: p\nb:1:1: p"
	if got := ds.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var as Diagnostics
	if err := ds.Err(); !errors.As(err, &as) || len(as) != 4 || as[0].Place.Col != 2 {
		t.Errorf("Err() = %v", ds.Err())
	}
	if Diagnostics(nil).Err() != nil {
		t.Error("no problems must be a nil error")
	}
}
