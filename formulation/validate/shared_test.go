package validate

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"runtime"
	"testing"

	"partita/inputs/measured"
	"partita/results"
)

// publishedRows are the rows of the table of published measurements.
func publishedRows(tb testing.TB) []measured.Row {
	tb.Helper()
	const path = "../../../shared/measured/measured.csv"
	if _, err := os.Stat(path); err != nil {
		tb.Skip("the table of published measurements is not here: ", err)
	}
	rows, err := measured.Load(path)
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

// Of the whole table every row is scored or skipped with a reason, and the tables agree
// with the rows.
func TestPublishedTable(t *testing.T) {
	rows := publishedRows(t)
	v, err := Run(t.Context(), rows, Options{Each: true})
	if err != nil {
		t.Fatal(err)
	}
	skipped, scored := 0, v.Memory.OOMFits+v.Memory.OOMPredicted
	for _, s := range v.Skipped {
		if s.Reason == "" {
			t.Error("rows skipped for no reason")
		}
		skipped += s.Rows
	}
	for _, p := range v.Prediction {
		scored += p.N
	}
	if v.Rows != len(rows) || v.Scored+skipped != v.Rows || scored != v.Scored {
		t.Errorf("%d rows: %d scored, %d in the tables, %d skipped", len(rows), v.Scored, scored, skipped)
	}
	if v.Scored < 3000 || len(v.Choice) < 10 || v.Memory.OOMPredicted+v.Memory.OOMFits == 0 {
		t.Errorf("%d rows scored, %d tables of choices, memory %+v", v.Scored, len(v.Choice), v.Memory.Confusion)
	}
	sum := func(scores []results.ChoiceScore) (n int) {
		for _, c := range scores {
			n += c.Groups
		}
		return n
	}
	if a, b := sum(v.Choice), sum(v.ChoiceTotals); b != 2*a { // by what is measured, and all
		t.Errorf("%d groups by family, %d in the totals", a, b)
	}
	for i := range rows {
		if x := &v.Each[i]; (x.Skipped == "") == (x.Predicted == nil && x.Fits == nil) {
			t.Fatalf("%+v", x)
		}
		if rows[i].Unseen && v.Each[i].Skipped == "" {
			t.Errorf("line %d is from memory and scored", v.Each[i].Line)
		}
	}
}

// The result is the same on one processor and on several.
func TestSameOnOneProcessor(t *testing.T) {
	rows, err := measured.Load("../../examples/measured/sample.csv")
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]byte
	for _, n := range []int{1, 4} {
		before := runtime.GOMAXPROCS(n)
		v, err := Run(t.Context(), rows, Options{Each: true})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Errorf("%s\n%s", texts[0], texts[1])
	}
}

func TestRunIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rows, err := measured.Load("../../examples/measured/sample.csv")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := Run(ctx, rows, Options{}); err == nil || v != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func BenchmarkPublishedTable(b *testing.B) {
	rows := publishedRows(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Run(b.Context(), rows, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
