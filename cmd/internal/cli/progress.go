package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"partita/formulation"
)

// drawnAfter is how long a search goes on before its progress is shown: most end sooner,
// and a line that comes and goes is a nuisance. drawnEvery is how often it is drawn anew.
const (
	drawnAfter = 400 * time.Millisecond
	drawnEvery = 100 * time.Millisecond
)

// watched runs a search; on a terminal a line of stderr says how far it is. The line is
// gone when watched returns. With -v the parts of the search are logged instead.
func watched[T any](env Environment, s *searchFlags, run func(formulation.Options) (T, error)) (T, error) {
	opts := s.options(env)
	if s.verbose || !env.draws() {
		return run(opts)
	}
	p := newSearchProgress(env)
	opts.Log = func(part string) { p.state.Store(&formulation.Progress{Part: part}) }
	opts.Watch = func(at formulation.Progress) {
		// The log says what the search is for, the search what it is doing for it.
		if now := p.state.Load(); now != nil {
			at.Part = now.Part
		}
		p.state.Store(&at)
	}
	p.begin()
	defer p.end()
	return run(opts)
}

// during does something that may take seconds; a terminal says what it is.
func during[T any](env Environment, what string, do func() (T, error)) (T, error) {
	if !env.draws() {
		return do()
	}
	p := newSearchProgress(env)
	p.state.Store(&formulation.Progress{Part: what})
	p.begin()
	defer p.end()
	return do()
}

// draws reports whether a line may be drawn on stderr and taken away again.
func (e *Environment) draws() bool { return e.Terminal && e.variable("TERM") != "dumb" }

func newSearchProgress(env Environment) *searchProgress {
	return &searchProgress{out: env.Err, now: env.Now, width: columnsOf(env.ErrColumns) - 1, started: env.Now()}
}

// searchProgress is the line of a search. The search stores where it stands, a goroutine of
// its own draws it.
type searchProgress struct {
	out     io.Writer
	now     func() time.Time
	started time.Time
	width   int
	state   atomic.Pointer[formulation.Progress]
	stop    chan struct{}
	ended   sync.WaitGroup
}

func (p *searchProgress) begin() {
	p.stop = make(chan struct{})
	p.ended.Go(func() {
		wait := time.NewTimer(drawnAfter)
		defer wait.Stop()
		drawn := false
		for {
			select {
			case <-p.stop:
				if drawn {
					fmt.Fprint(p.out, "\r\x1b[K")
				}
				return
			case <-wait.C:
				if at := p.state.Load(); at != nil {
					fmt.Fprint(p.out, "\r\x1b[K"+p.line(at, p.now().Sub(p.started)))
					drawn = true
				}
				wait.Reset(drawnEvery)
			}
		}
	})
}

// end takes the line away.
func (p *searchProgress) end() {
	close(p.stop)
	p.ended.Wait()
}

// line says what is searched, how much of it is settled, the best plan, the bound and the
// gap between them, and since when. What does not fit the width is left out, from the end.
func (p *searchProgress) line(at *formulation.Progress, since time.Duration) string {
	parts := []string{printable(at.Part), fmt.Sprintf("%.0f s", since.Seconds())}
	if at.Settled > 0 {
		parts = append(parts, numberOf(at.Settled, "choice")+" settled")
	}
	if at.Points > 0 {
		parts = append(parts, numberOf(at.Points, "point")+" so far")
	}
	if gap, ok := at.Gap(); ok {
		parts = append(parts, fmt.Sprintf("gap %.2g %%", 100*gap), fmt.Sprintf("best %.4g, bound %.4g", *at.Incumbent, *at.Bound))
	} else if at.Bound != nil {
		parts = append(parts, fmt.Sprintf("no plan yet, bound %.4g", *at.Bound))
	}
	for len(parts) > 2 && text.StringWidthWithoutEscSequences(strings.Join(parts, " · ")) > p.width {
		parts = parts[:len(parts)-1]
	}
	return text.Trim(strings.Join(parts, " · "), p.width)
}

// numberOf is "1 choice", "3 choices".
func numberOf(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
