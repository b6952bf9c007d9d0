package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"partita/cmd/internal/batch"
)

// TestPlainProgress: lines at the start, every ten seconds and at the end, with counts,
// rate and the time left.
func TestPlainProgress(t *testing.T) {
	var errs bytes.Buffer
	now := time.Unix(1000, 0)
	p := newProgress(Environment{Err: &errs, Now: func() time.Time { return now }}, false)
	p.observe(batch.Progress{Total: 1000, Done: 100, Earlier: 100, Failed: 3})
	for done := 101; done <= 1000; done++ {
		now = now.Add(50 * time.Millisecond)
		p.observe(batch.Progress{Total: 1000, Done: done, Earlier: 100, Failed: 3, Scenario: "s"})
	}
	p.close()
	want := `100 of 1000 scenarios, 3 without a plan; 100 done by an earlier run
300 of 1000 scenarios, 3 without a plan; 100 done by an earlier run; 20 a second, about 35s left
500 of 1000 scenarios, 3 without a plan; 100 done by an earlier run; 20 a second, about 25s left
700 of 1000 scenarios, 3 without a plan; 100 done by an earlier run; 20 a second, about 15s left
900 of 1000 scenarios, 3 without a plan; 100 done by an earlier run; 20 a second, about 5s left
1000 of 1000 scenarios, 3 without a plan; 100 done by an earlier run; 20 a second
`
	if errs.String() != want {
		t.Errorf("got\n%s", errs.String())
	}
}

func TestVerboseProgressNamesScenarios(t *testing.T) {
	var errs bytes.Buffer
	p := newProgress(Environment{Err: &errs, Now: time.Now}, true)
	p.observe(batch.Progress{Total: 2})
	p.observe(batch.Progress{Total: 2, Done: 1, Failed: 1, Scenario: "batch-1", Exit: 4})
	if !strings.Contains(errs.String(), "\nbatch-1: exit 4\n") {
		t.Errorf("%s", errs.String())
	}
}

// guardedBuffer is a buffer that the bar writes to from a goroutine of its own.
type guardedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (g *guardedBuffer) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *guardedBuffer) text() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

// TestTerminalProgress: a bar with counts, rate and time left, gone quiet at the end.
func TestTerminalProgress(t *testing.T) {
	var errs guardedBuffer
	p := newProgress(Environment{Err: &errs, Now: time.Now, Terminal: true}, false)
	p.observe(batch.Progress{Total: 400})
	p.observe(batch.Progress{Total: 400, Done: 4, Failed: 1, Scenario: "s"})
	for !strings.Contains(errs.text(), "4 of 400") { // drawn when the machine comes to it
		time.Sleep(barEvery / 10)
	}
	p.observe(batch.Progress{Total: 400, Done: 400, Failed: 1, Scenario: "s"})
	p.close()
	out := errs.text()
	for _, want := range []string{"4 of 400 scenarios, 1 without a plan", "[", "/s", "ETA", "400 of 400 scenarios, 1 without a plan"} {
		if !strings.Contains(out, want) {
			t.Errorf("missing %q in %q", want, out)
		}
	}
}
