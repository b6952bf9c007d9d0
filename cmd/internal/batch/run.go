package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"partita/inputs/scenario"
	"partita/results"
	"partita/results/journal"
)

// Solver makes the outcome of a scenario. A condition that is wrong, that nothing
// meets, or that the program fails on is an outcome; an error stops the batch. A Solver
// serves one worker.
type Solver func(ctx context.Context, s *scenario.Scenario) (Outcome, error)

// Outcome is the result of a scenario and the files it leaves in its folder.
type Outcome struct {
	Result results.ScenarioResult
	Files  []Content
}

// Job is a batch, or a share of one, to run.
type Job struct {
	Batch       *scenario.Batch
	Fingerprint scenario.Fingerprint
	Program     string // version
	Share       Share
	Folder      string // of the results
	Workers     int
	Fresh       bool // discards the results of an earlier run
	NewSolver   func() Solver
	// Observe is told the state at the start and whenever a scenario ends; Line gets
	// each line of results.jsonl in order, as soon as all before it are known; Warn
	// what somebody should know. None is called twice at a time.
	Observe func(Progress)
	Line    func(line []byte) error
	Warn    func(string)
}

// Progress is how far a run is.
type Progress struct {
	Total    int
	Done     int // those of earlier runs included
	Earlier  int // done by earlier runs
	Failed   int // without a plan, those of earlier runs included
	Scenario string
	Exit     int // of that scenario
}

// Interrupted is the error of a run that was told to stop. The same command continues.
type Interrupted struct{ Done, Total int }

func (e *Interrupted) Error() string {
	return fmt.Sprintf("stopped with %d of %d scenarios done; the same command continues", e.Done, e.Total)
}

// Run does what is left of a job and writes the final files. It returns the tally of
// all its results. The context ends it: what is being done is given up and done again
// by the next run.
func Run(ctx context.Context, job Job) (tally *results.Tally, err error) {
	release, err := lock(job.Folder, job.Warn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	header := job.header()
	j, err := openJournal(job.Folder, header, job.Fresh, job.Warn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := sweep(job.Folder); err != nil {
		return nil, err
	}
	lost, err := j.Verify(job.Folder)
	if err != nil {
		return nil, err
	}
	if len(lost) > 0 {
		job.Warn(fmt.Sprintf("%s: the files of %d scenarios are gone or not as they were written; these are done again", job.Folder, len(lost)))
	}
	r := &run{Job: job, journal: j}
	if err := r.work(ctx); err != nil {
		return nil, err
	}
	return finish(job.Folder, j, header)
}

func (j *Job) header() *Header {
	h := &Header{Format: journal.Format, Program: j.Program, Batch: j.Fingerprint, Axes: j.Batch.Axes()}
	if !j.Share.Whole() {
		share := j.Share
		h.Share = &share
	}
	return h
}

// run is a job at work.
type run struct {
	Job
	journal *journal.Journal

	mu       sync.Mutex
	live     *os.File // results.jsonl while it grows, in the order of the ends
	progress Progress
	next     int // the scenario whose line is to be told next
	failure  error
}

// work does the scenarios that have no entry yet.
func (r *run) work(ctx context.Context) error {
	if err := r.start(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	indexes := make(chan int)
	var workers sync.WaitGroup
	for range max(1, r.Workers) {
		workers.Go(func() {
			solve := r.NewSolver()
			for i := range indexes {
				if err := r.do(ctx, solve, i); err != nil {
					r.fail(err)
					cancel()
				}
			}
		})
	}
	for i := r.Share.Index; i < r.Batch.Len() && ctx.Err() == nil; i += max(1, r.Share.Count) {
		if r.journal.Has(i) {
			continue
		}
		select {
		case indexes <- i:
		case <-ctx.Done():
		}
	}
	close(indexes)
	workers.Wait()
	err := r.failure
	if r.live != nil {
		err = errors.Join(err, r.live.Close())
	}
	if err == nil && r.progress.Done < r.progress.Total {
		return &Interrupted{r.progress.Done, r.progress.Total}
	}
	return err
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure == nil {
		r.failure = err
	}
}

// start tells what earlier runs did and, where something is left to do, begins
// results.jsonl with it.
func (r *run) start() error {
	done := r.journal.Indexes()
	r.progress = Progress{Total: r.Share.size(r.Batch.Len()), Done: len(done), Earlier: len(done)}
	r.next = r.Share.Index
	if len(done) < r.progress.Total {
		f, err := os.Create(filepath.Join(r.Folder, ResultsName))
		if err != nil {
			return err
		}
		r.live = f
	}
	for _, i := range done {
		e, err := r.journal.Entry(i)
		if err != nil {
			return err
		}
		var result results.ScenarioResult
		if err := json.Unmarshal(e.Result, &result); err != nil {
			return fmt.Errorf("the result of scenario %d cannot be read: %w", i, err)
		}
		if result.Exit != 0 {
			r.progress.Failed++
		}
		if r.live != nil {
			if _, err := r.live.Write(append(e.Result, '\n')); err != nil {
				return err
			}
		}
	}
	r.Observe(r.progress)
	return r.tell()
}

// do makes the outcome of a scenario and records it. Nothing is recorded once the
// context has ended: the outcome may have been cut short by it.
func (r *run) do(ctx context.Context, solve Solver, index int) error {
	if ctx.Err() != nil {
		return nil
	}
	s := r.Batch.Scenario(index)
	out, err := solve(ctx, &s)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	files, err := leave(r.Folder, s.Name, out.Files)
	if err != nil {
		return fmt.Errorf("scenario %s: its files cannot be written: %w", s.Name, err)
	}
	line, err := resultLine(&out.Result)
	if err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	if err := r.journal.Append(journal.Entry{Index: index, Result: line[:len(line)-1], Files: files}); err != nil {
		return fmt.Errorf("the result of scenario %s cannot be recorded: %w", s.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Done++
	r.progress.Scenario, r.progress.Exit = s.Name, out.Result.Exit
	if out.Result.Exit != 0 {
		r.progress.Failed++
	}
	if _, err := r.live.Write(line); err != nil {
		return err
	}
	r.Observe(r.progress)
	return r.tell()
}

// tell hands on the lines of all scenarios up to the first that is not known yet.
func (r *run) tell() error {
	if r.Line == nil {
		return nil
	}
	for r.next < r.Batch.Len() && r.journal.Has(r.next) {
		e, err := r.journal.Entry(r.next)
		if err != nil {
			return err
		}
		if err := r.Line(append(e.Result, '\n')); err != nil {
			return err
		}
		r.next += max(1, r.Share.Count)
	}
	return nil
}

// resultLine is a line of results.jsonl. Lists and objects are never null.
func resultLine(result *results.ScenarioResult) ([]byte, error) {
	if result.Values == nil {
		result.Values = map[string]string{}
	}
	if result.Comparison == nil {
		result.Comparison = []results.Comparison{}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(result)
	return b.Bytes(), err
}
