package lpsolve

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// pool keeps workers that wait for work. Each runs one program at a time.
type pool struct {
	mu      sync.Mutex
	idle    []*worker
	last    uint64 // ID of the last program
	started bool   // a worker has been had before
	// start makes a worker; nil: startWorker.
	start func() (*worker, error)
}

// crash is a worker that broke down, or could not be replaced.
type crash struct{ cause error }

func (c crash) Error() string { return "lp_solve's worker process " + c.cause.Error() }
func (c crash) Unwrap() error { return c.cause }

// worker is one process and its two pipes.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	enc *gob.Encoder
	out io.Reader
	// greeted: the process has said that it is a worker.
	greeted bool
}

// attempts is how many workers may break down over one program. One killed from
// outside costs a repetition; a program on which three die is too much for lp_solve.
const attempts = 3

// run solves a program; one whose worker breaks down is given to another. The error is
// a crash where no worker has survived it, the end of the context, or says that there
// are no workers to be had.
func (p *pool) run(ctx context.Context, prog program) (a answer, err error) {
	for range attempts {
		a, err = p.try(ctx, prog)
		if broken := (crash{}); !errors.As(err, &broken) || ctx.Err() != nil {
			return a, err
		}
	}
	return a, err
}

// try solves a program on an idle worker or a new one. A worker whose call did not
// end well is killed, never reused.
func (p *pool) try(ctx context.Context, prog program) (answer, error) {
	w, id, err := p.take()
	if err != nil {
		return answer{}, err
	}
	prog.ID = id
	type reply struct {
		a   answer
		err error
	}
	replies := make(chan reply, 1)
	go func() {
		a, err := w.call(prog)
		replies <- reply{a, err}
	}()
	select {
	case <-ctx.Done():
		w.kill()
		return answer{}, ctx.Err()
	case r := <-replies:
		if r.err != nil {
			return answer{}, crash{fmt.Errorf("broke off in the middle of a solve: %w (%s)", r.err, w.bury())}
		}
		p.put(w)
		return r.a, nil
	}
}

// take is a worker, and the ID of the program that it will get.
func (p *pool) take() (*worker, uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return w, p.last, nil
	}
	start := p.start
	if start == nil {
		start = startWorker
	}
	w, err := start()
	switch {
	case err == nil:
		p.started = true
	case p.started: // the program's file is gone, or there is no process to be had
		return nil, 0, crash{fmt.Errorf("cannot be started again: %w", err)}
	default:
		return nil, 0, fmt.Errorf("lp_solve's worker process: %w", err)
	}
	return w, p.last, nil
}

func (p *pool) put(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, w)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.idle {
		w.kill()
	}
	p.idle = nil
}

func startWorker() (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), workerVariable+"="+protocol)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &worker{cmd: cmd, in: in, enc: gob.NewEncoder(in), out: out}, nil
}

// call sends one program and waits for its answer. The first call of a worker also
// reads its greeting, which a program that is no worker does not give.
func (w *worker) call(prog program) (answer, error) {
	if !w.greeted {
		var word string
		if err := readFrame(w.out, &word); err != nil {
			return answer{}, err
		}
		if word != protocol {
			return answer{}, errors.New("it does not speak the protocol")
		}
		w.greeted = true
	}
	if err := w.enc.Encode(prog); err != nil {
		return answer{}, err
	}
	var a answer
	if err := readFrame(w.out, &a); err != nil {
		return answer{}, err
	}
	if a.ID != prog.ID {
		return answer{}, errors.New("it answered what it was not asked")
	}
	return a, nil
}

// bury ends a process that is of no more use and says how it ended: by itself, if it
// has broken down; otherwise it is killed.
func (w *worker) bury() string {
	const patience = 20 * time.Millisecond // one that has closed its pipe is as good as gone
	w.in.Close()
	killer := time.AfterFunc(patience, func() { w.cmd.Process.Kill() })
	defer killer.Stop()
	w.cmd.Wait()
	return w.cmd.ProcessState.String()
}

// kill ends the process without waiting for it; a goroutine collects it.
func (w *worker) kill() {
	w.in.Close()
	w.cmd.Process.Kill()
	go w.cmd.Wait()
}

// runHere solves in this process, for programs without the hook. When the context
// ends the solve is left to itself.
func runHere(ctx context.Context, p program) (answer, error) {
	answers := make(chan answer, 1)
	go func() { answers <- runSafely(p) }()
	select {
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case a := <-answers:
		return a, nil
	}
}
