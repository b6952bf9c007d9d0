package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"partita/formulation"
)

func TestProgressLine(t *testing.T) {
	value := func(v float64) *float64 { return &v }
	for _, tc := range []struct {
		width int
		at    formulation.Progress
		want  string
	}{
		{79, formulation.Progress{Part: "second proof by ilp"}, "second proof by ilp · 12 s"},
		{79, formulation.Progress{Part: "objective", Settled: 1}, "objective · 12 s · 1 choice settled"},
		{79, formulation.Progress{Part: "objective", Settled: 279505, Incumbent: value(2.0141), Bound: value(1.98)},
			"objective · 12 s · 279505 choices settled · gap 1.7 % · best 2.014, bound 1.98"},
		{59, formulation.Progress{Part: "objective", Settled: 279505, Incumbent: value(2.0141), Bound: value(1.98)},
			"objective · 12 s · 279505 choices settled · gap 1.7 %"},
		{79, formulation.Progress{Part: "the trade-off", Settled: 30, Points: 3}, "the trade-off · 12 s · 30 choices settled · 3 points so far"},
		{79, formulation.Progress{Part: "objective", Settled: 3, Bound: value(1.98)}, "objective · 12 s · 3 choices settled · no plan yet, bound 1.98"},
		{79, formulation.Progress{Part: "objective", Settled: 3, Incumbent: value(2), Bound: value(2.5)}, "objective · 12 s · 3 choices settled · gap 0 % · best 2, bound 2.5"},
	} {
		p := searchProgress{width: tc.width}
		if got := p.line(&tc.at, 12*time.Second); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
	p := searchProgress{width: 59}
	for _, part := range []string{strings.Repeat("long ", 40), strings.Repeat("長い", 40), "\x1b[31mred"} {
		line := p.line(&formulation.Progress{Part: part}, time.Hour)
		if n := text.StringWidthWithoutEscSequences(line); n > 59 || strings.ContainsRune(line, 0x1b) {
			t.Errorf("%q takes %d columns", line, n)
		}
	}
}

// TestProgressIsForTerminals: elsewhere nothing is drawn, and -v logs lines.
func TestProgressIsForTerminals(t *testing.T) {
	for _, tc := range []struct {
		terminal, verbose bool
		term              string
		draws, logs       bool
	}{
		{terminal: true, draws: true},
		{terminal: true, term: "dumb"},
		{terminal: true, verbose: true, logs: true},
		{verbose: true, logs: true},
		{},
	} {
		var errs strings.Builder
		env := Environment{Err: &errs, Now: time.Now, Terminal: tc.terminal, Environ: []string{"TERM=" + tc.term}}
		_, err := watched(env, &searchFlags{backend: auto, verbose: tc.verbose}, func(opts formulation.Options) (int, error) {
			if (opts.Watch != nil) != tc.draws {
				t.Errorf("%+v: watched %t", tc, opts.Watch != nil)
			}
			if opts.Log != nil {
				opts.Log("objective")
			}
			return 0, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if logged := errs.String() == "objective\n"; logged != tc.logs {
			t.Errorf("%+v: stderr is %q", tc, errs.String())
		}
	}
}
