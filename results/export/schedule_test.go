package export

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/results"
)

// drawnStep is the time of a step as its picture has it, for tests that solve examples.
func drawnStep(ph *results.PhasePlan) float64 {
	st := &ph.Strategy
	exchange, optimizer := stepBesides(&ph.Metrics)
	return scheduleEnd(schedule(replicaClasses(ph)[0].stages, st.PP, st.VirtualStages, st.MicroBatches)) + exchange + optimizer
}

// DrawnStep is drawnStep for the tests outside of the package.
var DrawnStep = drawnStep

// Every micro-batch takes each stage forward and backward once, after the stage before it; a
// rank does one thing at a time; and a pipeline of equal stages ends when the formula says.
func TestSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ranks, virtual := rapid.IntRange(1, 6).Draw(t, "ranks"), 1
		micros := rapid.IntRange(1, 14).Draw(t, "micro-batches")
		if ranks > 1 && rapid.Bool().Draw(t, "interleaved") {
			virtual, micros = rapid.IntRange(2, 4).Draw(t, "virtual"), ranks*rapid.IntRange(1, 3).Draw(t, "groups")
		}
		alike := rapid.Bool().Draw(t, "alike")
		stages := make([]*results.Stage, ranks*virtual)
		ms := rapid.Float64Range(0.1, 20)
		for k := range stages {
			if stages[k] = (&results.Stage{ForwardMS: 1, BackwardMS: 2, SendMS: 0.5}); !alike {
				*stages[k] = results.Stage{ForwardMS: ms.Draw(t, "forward"), BackwardMS: ms.Draw(t, "backward"), SendMS: ms.Draw(t, "send")}
			}
		}
		passes := schedule(stages, ranks, virtual, micros)
		if len(passes) != 2*len(stages)*micros {
			t.Fatalf("%d passes", len(passes))
		}
		type place struct {
			backward     bool
			stage, micro int
		}
		at, free := map[place]pass{}, make([]float64, ranks)
		work := 0.0
		for _, p := range passes { // of a rank in the order in which it works
			if p.From < free[p.Rank]-1e-9 || p.Rank != p.Stage%ranks {
				t.Fatalf("%+v begins before %v", p, free[p.Rank])
			}
			free[p.Rank], at[place{p.Backward, p.Stage, p.Micro}] = p.To, p
			work += p.To - p.From
		}
		want := 0.0
		for k, s := range stages {
			want += float64(micros) * (s.ForwardMS + s.BackwardMS + s.SendMS)
			for i := range micros {
				f, fits := at[place{false, k, i}]
				b, also := at[place{true, k, i}]
				if !fits || !also || b.From < f.To-1e-9 || k > 0 && (f.From < at[place{false, k - 1, i}].To-1e-9 || at[place{true, k - 1, i}].From < b.To-1e-9) {
					t.Fatalf("micro-batch %d on stage %d: %+v, %+v", i, k, f, b)
				}
			}
		}
		if math.Abs(work-want) > 1e-6*want {
			t.Fatalf("%v of work, want %v", work, want)
		}
		if tau := 3.5 * float64(virtual); alike {
			if got, want := scheduleEnd(passes), float64(micros)*tau+float64(ranks-1)*tau/float64(virtual); math.Abs(got-want) > 1e-9*want {
				t.Fatalf("%d ranks of %d stages, %d micro-batches: ends at %v, want %v", ranks, virtual, micros, got, want)
			}
		}
	})
	if schedule(make([]*results.Stage, 4), 2, 2, 3) != nil {
		t.Error("three micro-batches are interleaved over two ranks")
	}
}

// A small step is drawn whole, and ends with exchange and optimizer at its time; of a large
// one both ends are, with no more bars than a page takes.
func TestSchedulePicture(t *testing.T) {
	p := stepPlan()
	ph := &p.Phases[0]
	*ph.Metrics.StepMS = 4*60 + 30 + 37 // m·τ + τ/v, exchange, optimizer
	page := func(p *results.Plan) (string, map[string]bands) {
		data, err := HTML(&results.Report{Plan: p, Feasible: true, Status: results.StatusOptimal, Condition: "step"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(data), `id="data">`)
		data2, _, _ := strings.Cut(rest, "</script>")
		var charts map[string]bands
		if err := json.Unmarshal([]byte(data2), &charts); err != nil {
			t.Fatal(err)
		}
		return string(data), charts
	}
	text, charts := page(p)
	c := charts["chart-a-step"]
	if len(c.Bars) != 2*4*4+2 || math.Abs(c.End-*ph.Metrics.StepMS) > 1e-9 || len(c.Rows) != 2 || c.Bars[0].Colour != "c0" || c.Bars[0].Row != 0 || c.Bars[0].To != 11 {
		t.Errorf("%d bars on %v until %v, the first %+v", len(c.Bars), c.Rows, c.End, c.Bars[0])
	}
	if !strings.Contains(text, "The schedule takes as long, pass by pass") || !strings.Contains(text, "(the bubble)") {
		t.Error("the page does not say what the schedule takes")
	}
	ph.Strategy.MicroBatches = 400
	text, charts = page(p)
	first, last := charts["chart-begin-of-a-step"], charts["chart-end-of-a-step"]
	if len(first.Bars) < 500 || len(first.Bars) > drawnEnds || len(last.Bars) < 500 || len(last.Bars) > drawnEnds+2 {
		t.Errorf("%d bars at the begin, %d at the end", len(first.Bars), len(last.Bars))
	}
	for _, c := range []bands{first, last} {
		for _, b := range c.Bars {
			if b.From < 0 || b.To > c.End+1e-9 || b.To <= b.From {
				t.Fatalf("bar %+v of a chart until %v", b, c.End)
			}
		}
	}
	if !strings.Contains(text, "What lies between is left out") || !strings.Contains(text, "longer") {
		t.Error("the page does not say what is left out, or that the schedule takes longer")
	}
	ph.Strategy.PP, ph.Strategy.VirtualStages = 1, 4
	if text, _ = page(p); !strings.Contains(text, "There is no pipeline") {
		t.Error("one rank has a pipeline")
	}
}
