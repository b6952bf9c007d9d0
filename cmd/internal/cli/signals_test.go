package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// waiting makes the test binary a program that waits for its context, so that
// signals can be sent to it.
const waiting = "PARTITA_TEST_WAIT_FOR_SIGNAL"

func waitForSignal() {
	ctx := Interruptible(context.Background())
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("interrupted")
	select {} // as a search that does not heed its context
}

// TestSignals: the first interrupt ends the context, the second the program.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send an interrupt to another on Windows")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), waiting+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"ready", "interrupted"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("the program said %q, want %q", lines.Text(), want)
		}
		if err := child.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	// The default is restored a moment after the context ended: a signal sent
	// inside that moment is swallowed, as an impatient third Ctrl-C would show.
	done := make(chan error, 1)
	go func() { done <- child.Wait() }()
	for {
		select {
		case err := <-done:
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("the program ended with %v, want it killed", err)
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
				t.Fatalf("the program ended with %v, want it killed by the interrupt", err)
			}
			return
		case <-time.After(10 * time.Millisecond):
			_ = child.Process.Signal(os.Interrupt) // it may have ended just now
		}
	}
}
