package validate

import (
	"testing"

	"partita/inputs/catalog"
	"partita/inputs/evidence"
	"partita/results"
)

// cases is a table of rows with a run each, all off by one factor a family.
func (x *table) runs(family, metric string, n int, predicted, measuredValue float64) {
	for i := range n {
		o := x.add("", metric, tp(1), measuredValue, predicted)
		o.accelerator, o.deployment.model = "H100-SXM-80GB", "Llama-3.1-8B"
		r := &x.rows[len(x.rows)-1]
		r.Family, r.Run = family, family+metric+string(rune('a'+i))
	}
}

func scored(t *testing.T, x *table) *results.Validation {
	t.Helper()
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return score(lib, x.rows, x.found)
}

// An interval is made without the family that it is held against.
func TestIntervalsAreOfOtherFamilies(t *testing.T) {
	var x table
	x.runs("one", "tpot_ms", 20, 10, 11)
	x.runs("two", "tpot_ms", 20, 10, 11)
	x.runs("odd", "tpot_ms", 20, 10, 30)
	v := scored(t, &x)
	want := map[string]float64{"one": 1, "two": 1, "odd": 0}
	for _, p := range v.Prediction {
		if p.Inside == nil || *p.Inside != want[p.Family] {
			t.Errorf("%s: %v inside, want %g", p.Family, p.Inside, want[p.Family])
		}
	}
	if total := v.Totals[0]; total.Inside == nil || !near(*total.Inside, 2.0/3) {
		t.Errorf("%+v", total)
	}
}

// A row whose family had a part in the constants counts by those that it had none in.
func TestCasesAreOfConstantsThatDidNotSeeThem(t *testing.T) {
	var x table
	x.runs("seen", "tpot_ms", 1, 10, 12)
	x.found[0].heldOut = 6
	x.runs("unseen", "tpot_ms", 1, 10, 12)
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := evidentRows(lib, x.rows, x.found)
	if len(all) != 2 || all[0].Ratio != 2 || all[1].Ratio != 1.2 || all[0].Generation != "hopper" || all[0].Model != evidence.Dense || all[0].Metric != evidence.TPOT {
		t.Errorf("%+v", all)
	}
	x.rows[0].Group, x.rows[1].Group = "g", "g"
	if all := choices(x.rows, x.found); len(all) != 0 { // one layout a family
		t.Errorf("%+v", all)
	}
	x.rows[1].Family, x.found[1].layout = "seen", tp(2)
	if all := choices(x.rows, x.found); len(all) != 1 || all[0].options[0].predicted != 6 || all[0].options[1].predicted != 10 {
		t.Errorf("%+v", all)
	}
	x.rows[1].Family = "unseen"
	v := scored(t, &x)
	for _, p := range v.Prediction {
		switch fitted := p.Family == "seen"; {
		case fitted != (p.HeldOut != nil):
			t.Errorf("%+v", p)
		case fitted && (!near(p.BiasPct, -100.0/6) || !near(p.HeldOut.BiasPct, -50)):
			t.Errorf("%+v, %+v", p, p.HeldOut)
		}
	}
	if h := v.Totals[0].HeldOut; h == nil || !near(h.BiasPct, (-50-100.0/6)/2) {
		t.Errorf("%+v", h)
	}
}

// One run counts once, whatever it was measured by.
func TestARunIsOneCase(t *testing.T) {
	var x table
	x.runs("f", "output_tok_s", 1, 10, 12)
	x.runs("f", "total_tok_s", 1, 10, 13)
	x.rows[1].Run = x.rows[0].Run
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	if all := evidentRows(lib, x.rows, x.found); len(all) != 1 || all[0].Ratio != 1.2 {
		t.Errorf("%+v", all)
	}
}

// A time of 10 meets 10/(1 − m) by the margin m, a rate of 10 meets 10·(1 − m).
func TestClaims(t *testing.T) {
	var x table
	x.runs("f", "tpot_ms", 1, 10, 11)      // keeps 11.1, not 10
	x.runs("f", "output_tok_s", 1, 10, 8)  // keeps 8, not 9
	x.runs("f", "output_tok_s", 1, 10, 10) // the same run again
	v := scored(t, &x)
	got := map[string][]int{}
	for _, c := range v.Claims {
		if c.N != 1 {
			t.Errorf("%+v", c)
		}
		got[c.Metric] = append(got[c.Metric], c.Held)
	}
	for metric, want := range map[string][4]int{"time per output token": {0, 1, 1, 1}, "tokens or requests per second": {0, 0, 1, 1}} {
		if len(got[metric]) != 4 || [4]int(got[metric]) != want {
			t.Errorf("%s: %v, want %v", metric, got[metric], want)
		}
	}
}

// Of published runs, intervals hold what they say of tables that they are not made from.
func TestIntervalsHoldPublishedRuns(t *testing.T) {
	rows := publishedRows(t)
	v, err := Run(t.Context(), rows, Options{})
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, p := range v.Totals {
		if p.Inside == nil {
			continue
		}
		held++
		t.Logf("%s: %.0f %% of %d inside", p.Metric, 100**p.Inside, p.N)
		if *p.Inside < 0.8 {
			t.Errorf("%s: %.0f %% inside", p.Metric, 100**p.Inside)
		}
	}
	if held < 4 {
		t.Errorf("intervals of %d metrics only", held)
	}
}

// Runs of a generation tell about the devices that they are of and those like them, not about
// cards that share its name.
func TestDevicesThatRunsTellAbout(t *testing.T) {
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	for tells, names := range map[bool][]string{
		true:  {"A100-SXM-40GB", "A100-SXM-80GB", "H100-96GB-HBM2e", "H100-SXM-80GB", "H100-NVL-94GB", "H200-NVL-141GB", "H200-SXM-141GB", "H100-PCIe-80GB", "B200-180GB", "GB200-186GB"},
		false: {"A10", "A40", "RTX-A6000", "RTX-3090", "RTX-5090", "RTX-PRO-6000-Blackwell"},
	} {
		for _, name := range names {
			a, ok := lib.Accelerator(name)
			if !ok || evidence.Tells(a.Generation, a.MemoryBandwidth) != tells {
				t.Errorf("%s (known: %v): its generation's runs tell about it is not %v", name, ok, tells)
			}
		}
	}
}
