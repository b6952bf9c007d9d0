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
	// Every figure of a family can be made again from the rows.
	type group struct{ family, metric string }
	all, unseen := map[group][]float64{}, map[group][]float64{}
	for _, x := range v.Each {
		if x.Predicted == nil {
			continue
		}
		k, blind := group{x.Family, x.Metric}, x.Predicted
		if x.HeldOut != nil {
			blind = x.HeldOut
		}
		all[k], unseen[k] = append(all[k], *x.Predicted/x.Measured-1), append(unseen[k], *blind/x.Measured-1)
	}
	for _, p := range v.Prediction {
		k := group{p.Family, p.Metric}
		if median, p90, bias := ErrorsOf(all[k]); p.N != len(all[k]) || p.MedianAbsPct != median || p.P90AbsPct != p90 || p.BiasPct != bias {
			t.Errorf("%+v, of the rows %d: %g %g %g", p, len(all[k]), median, p90, bias)
		}
		if h := p.HeldOut; h != nil {
			if median, p90, bias := ErrorsOf(unseen[k]); h.MedianAbsPct != median || h.P90AbsPct != p90 || h.BiasPct != bias {
				t.Errorf("%+v left out, of the rows %g %g %g", p, median, p90, bias)
			}
		}
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
