package lpsolve

import (
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// workerVariable marks a process as a worker. It is a matter between two copies of
// one executable, not for users to set.
const workerVariable = "PARTITA_LPSOLVE_WORKER"

// protocol is the value of workerVariable and the worker's first word. It changes
// with the encoding of program and answer.
const protocol = "partita-lpsolve-2"

// hooked remembers that this executable asked IsWorker, hence that starting it again
// yields a worker and not a second run of somebody's program. It is a fact about the
// process, which is why it lives outside any Backend.
var hooked atomic.Bool

// IsWorker reports whether this process was started to be a worker; if so main must
// do nothing but os.Exit(RunWorker(os.Stdin, os.Stdout)). Asking also tells the
// package that workers can be had. Call it before New.
func IsWorker() bool {
	hooked.Store(true)
	return os.Getenv(workerVariable) == protocol
}

// RunWorker solves the programs that come in until the stream ends, and returns the
// exit code. It reads ahead while lp_solve works, so that a worker whose parent is
// gone stops at once and not after its solve.
func RunWorker(in io.Reader, out io.Writer) int {
	const (
		done   = 0
		broken = 3 // the streams do not speak the protocol
	)
	if err := writeFrame(out, protocol); err != nil {
		return broken
	}
	programs := make(chan program)
	ended := make(chan error, 1)
	go func() {
		dec := gob.NewDecoder(in)
		for {
			var p program
			if err := dec.Decode(&p); err != nil {
				ended <- err
				return
			}
			programs <- p
		}
	}()
	answers := make(chan answer, 1)
	for {
		select {
		case p := <-programs:
			go func() { answers <- runSafely(p) }()
		case a := <-answers:
			if err := writeFrame(out, a); err != nil {
				return broken
			}
		case err := <-ended:
			if err == io.EOF {
				return done
			}
			fmt.Fprintln(os.Stderr, "lpsolve worker:", err)
			return broken
		}
	}
}

// runSafely turns a Go panic of the binding into a fault of one call. A fault in C
// ends the process; that is what the process is for.
func runSafely(p program) (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a = answer{ID: p.ID, Fault: fmt.Sprintf("golp: %v", cause)}
		}
	}()
	a = run(p)
	a.ID = p.ID
	return a
}
