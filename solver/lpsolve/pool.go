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
)

// pool keeps workers that wait for work. Each runs one program at a time.
type pool struct {
	mu   sync.Mutex
	idle []*worker
}

// worker is one process and its two pipes.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	enc *gob.Encoder
	dec *gob.Decoder
	// greeted: the process has said that it is a worker.
	greeted bool
}

// run solves a program on an idle worker or a new one. A worker whose call did not
// end well is killed, never reused.
func (p *pool) run(ctx context.Context, prog program) (answer, error) {
	w, err := p.take()
	if err != nil {
		return answer{}, err
	}
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
			w.kill()
			return answer{}, fmt.Errorf("lp_solve's worker process ended in the middle of a solve: %w", r.err)
		}
		p.put(w)
		return r.a, nil
	}
}

func (p *pool) take() (*worker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return w, nil
	}
	return startWorker()
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
		return nil, fmt.Errorf("lp_solve's worker process: %w", err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), workerVariable+"="+protocol)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("lp_solve's worker process: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("lp_solve's worker process: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("lp_solve's worker process: %w", err)
	}
	return &worker{cmd: cmd, in: in, enc: gob.NewEncoder(in), dec: gob.NewDecoder(out)}, nil
}

// call sends one program and waits for its answer. The first call of a worker also
// reads its greeting, which a program that is no worker does not give.
func (w *worker) call(prog program) (answer, error) {
	if !w.greeted {
		var word string
		if err := w.dec.Decode(&word); err != nil {
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
	if err := w.dec.Decode(&a); err != nil {
		return answer{}, err
	}
	return a, nil
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
