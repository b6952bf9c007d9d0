package solvertest

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// Fault is how the worker process of a backend breaks down.
type Fault string

// The ways in which a process fails its parent.
const (
	Kill    Fault = "kill"    // SIGKILL, as the kernel does when memory runs out
	Exit    Fault = "exit"    // ends by itself
	Hang    Fault = "hang"    // is never heard of again
	Garbage Fault = "garbage" // writes what is no answer
	Twice   Fault = "twice"   // answers, and answers again
)

// Variables by which Break reaches the workers, which inherit the environment.
const (
	faultVariable = "PARTITA_TEST_FAULT"       // fault:write
	faultsTaken   = "PARTITA_TEST_FAULT_TAKEN" // file that holds a byte for each fault
	faultsMost    = "PARTITA_TEST_FAULT_MOST"  // number of them
)

// Break has the workers that are started from now on break down at their nth write
// (the first is the greeting), most of them altogether; 0: each of them.
func Break(t testing.TB, f Fault, nth, most int) {
	t.Helper()
	t.Setenv(faultVariable, fmt.Sprintf("%s:%d", f, nth))
	t.Setenv(faultsTaken, t.TempDir()+"/taken")
	t.Setenv(faultsMost, fmt.Sprint(most))
}

// Faults is how many workers have broken down since Break.
func Faults(t testing.TB) int {
	t.Helper()
	info, err := os.Stat(os.Getenv(faultsTaken))
	if err != nil {
		return 0
	}
	return int(info.Size())
}

// AtFault calls what is to happen once a worker has broken down, whenever the machine
// comes to it.
func AtFault(t testing.TB, then func()) {
	t.Helper()
	name := os.Getenv(faultsTaken)
	go func() {
		for t.Context().Err() == nil {
			if info, err := os.Stat(name); err == nil && info.Size() > 0 {
				then()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
}

// Breakable is the output of a worker, with the fault that Break has ordered. TestMain
// of a package whose tests break workers hands it to them.
func Breakable(out io.Writer) io.Writer {
	kind, nth, ordered := strings.Cut(os.Getenv(faultVariable), ":")
	if !ordered {
		return out
	}
	b := &breakable{out: out, fault: Fault(kind)}
	if _, err := fmt.Sscan(nth, &b.left); err != nil {
		panic(faultVariable + ": " + err.Error())
	}
	return b
}

type breakable struct {
	out   io.Writer
	fault Fault
	left  int // writes to the fault
}

func (b *breakable) Write(p []byte) (int, error) {
	if b.left--; b.left != 0 || !take() {
		return b.out.Write(p)
	}
	switch b.fault {
	case Kill:
		self, _ := os.FindProcess(os.Getpid())
		self.Kill()
		select {} // until the signal arrives
	case Exit:
		os.Exit(1)
	case Hang:
		time.Sleep(time.Hour)
	case Garbage:
		b.out.Write([]byte("Dual value of the objective: 1e+30\n\x00\xff\xfe"))
	case Twice:
		b.out.Write(p)
	}
	return b.out.Write(p)
}

// take notes a fault, unless there have been enough.
func take() bool {
	name, most := os.Getenv(faultsTaken), 0
	fmt.Sscan(os.Getenv(faultsMost), &most)
	if info, err := os.Stat(name); most > 0 && err == nil && info.Size() >= int64(most) {
		return false
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	f.Write([]byte{'.'})
	return true
}
