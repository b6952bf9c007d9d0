package cli

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"partita/cmd/internal/batch"
)

// plainEvery is how often a batch tells how far it is where stderr is no terminal.
const plainEvery = 10 * time.Second

// barEvery is how often the bar of a terminal is drawn.
const barEvery = 200 * time.Millisecond

// batchProgress shows how far a batch is: a bar with counts, rate and the time left on a
// terminal, plain lines elsewhere. It is told by one goroutine at a time.
type batchProgress struct {
	env     Environment
	verbose bool
	started time.Time
	told    time.Time
	last    batch.Progress

	writer  progress.Writer // nil without a terminal
	tracker *progress.Tracker
	ended   chan struct{}
}

func newProgress(env Environment, verbose bool) *batchProgress {
	return &batchProgress{env: env, verbose: verbose}
}

// observe is told the state at the start and at the end of every scenario.
func (p *batchProgress) observe(now batch.Progress) {
	first := p.last.Total == 0
	p.last = now
	if first {
		p.begin()
	}
	if p.verbose && now.Scenario != "" {
		line := fmt.Sprintf("%s: exit %d", now.Scenario, now.Exit)
		if p.writer != nil {
			p.writer.Log("%s", line)
		} else {
			fmt.Fprintln(p.env.Err, line)
		}
	}
	if p.tracker != nil {
		p.tracker.UpdateMessage(message(now)) // first: the bar of the last value is drawn no more
		p.tracker.SetValue(int64(now.Done - now.Earlier))
		return
	}
	at := p.env.Now()
	if now.Done == now.Total || at.Sub(p.told) >= plainEvery {
		p.told = at
		fmt.Fprintln(p.env.Err, p.line(at))
	}
}

// begin starts the bar, or says what there is to do.
func (p *batchProgress) begin() {
	p.started = p.env.Now()
	p.told = p.started
	if !p.env.Terminal {
		if p.last.Done < p.last.Total {
			fmt.Fprintln(p.env.Err, p.line(p.started))
		}
		return
	}
	p.writer = progress.NewWriter()
	p.writer.SetOutputWriter(p.env.Err)
	p.writer.SetTrackerLength(10)
	p.writer.SetTrackerPosition(progress.PositionRight)
	p.writer.SetUpdateFrequency(barEvery)
	style := progress.StyleDefault
	style.Visibility.ETA, style.Visibility.Speed = true, true
	// The message holds the counts; all of it fits 80 columns.
	style.Visibility.Value, style.Visibility.Percentage = false, false
	style.Options.TimeInProgressPrecision, style.Options.TimeDonePrecision = time.Second, time.Second
	style.Visibility.ETAOverall = false
	p.writer.SetStyle(style)
	p.tracker = &progress.Tracker{Message: message(p.last), Total: int64(p.last.Total - p.last.Earlier)}
	p.writer.AppendTracker(p.tracker)
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		p.writer.Render()
	}()
}

func message(p batch.Progress) string {
	return fmt.Sprintf("%d of %d scenarios, %d without a plan", p.Done, p.Total, p.Failed)
}

// line is the state in words.
func (p *batchProgress) line(at time.Time) string {
	text := message(p.last)
	if p.last.Earlier > 0 {
		text += fmt.Sprintf("; %d done by an earlier run", p.last.Earlier)
	}
	done, elapsed := p.last.Done-p.last.Earlier, at.Sub(p.started).Seconds()
	if done == 0 || elapsed <= 0 {
		return text
	}
	rate := float64(done) / elapsed
	text += fmt.Sprintf("; %.3g a second", rate)
	if left := p.last.Total - p.last.Done; left > 0 {
		text += fmt.Sprintf(", about %v left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	return text
}

// close ends the bar.
func (p *batchProgress) close() {
	if p.writer == nil {
		return
	}
	p.tracker.MarkAsDone()
	p.writer.Stop()
	<-p.ended
}
