package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sort"

	"partita/cmd/internal/batch"
	"partita/inputs/read"
	"partita/inputs/scenario"
	"partita/results"
	"partita/results/export"
)

// run does a batch, or a share of it, and prints how it went.
func (f *batchFlags) run(ctx context.Context, env Environment, b *scenario.Batch) error {
	folder, share, err := f.folder(env, b)
	if err != nil {
		return withCode(exitUsage, err)
	}
	reader, err := read.NewReader(b.Folder)
	if err != nil {
		return err
	}
	fingerprint, err := b.Fingerprint(reader)
	if err != nil {
		return err
	}
	progress := newProgress(env, f.verbose)
	job := batch.Job{
		Batch: b, Fingerprint: fingerprint, Program: env.Version, Share: share, Folder: folder,
		Workers: workers(&b.Settings), Fresh: f.fresh,
		NewSolver: func() batch.Solver { return newScenarioSolver(env, b, reader).solve },
		Observe:   progress.observe,
		Warn:      func(line string) { fmt.Fprintln(env.Err, "partita: "+printable(line)) },
	}
	if f.json {
		job.Line = func(line []byte) error {
			if _, err := env.Out.Write(line); err != nil {
				return fmt.Errorf("writing to stdout: %w", err)
			}
			return nil
		}
	}
	tally, err := batch.Run(ctx, job)
	progress.close()
	if err != nil {
		return ofBatch(err)
	}
	return f.finish(env, folder, tally)
}

// ofBatch gives the errors of a batch their exit codes.
func ofBatch(err error) error {
	var stopped *batch.Interrupted
	if errors.As(err, &stopped) {
		return withCode(exitNothingFound, err)
	}
	return err
}

// join merges the folders of shards.
func (f *batchFlags) join(env Environment, folders []string) error {
	merged, err := batch.Merge(batch.MergeOptions{
		Folders: folders, Folder: f.settings["output"], Program: env.Version, Fresh: f.fresh,
		Warn: func(line string) { fmt.Fprintln(env.Err, "partita: "+printable(line)) },
	})
	if err != nil {
		return err
	}
	return f.finish(env, merged.Folder, merged.Tally)
}

// finish prints what a batch came to; the exit code is that of its worst result.
func (f *batchFlags) finish(env Environment, folder string, tally *results.Tally) error {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	code := batchCode(tally)
	if f.json {
		err = batchJSON(env.Out, absolute, tally, code)
	} else {
		err = batchText(env.Out, absolute, tally, env.screen())
	}
	if err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	if f.failedOK {
		return nil
	}
	return endWith(code)
}

// batchCode is the exit code of a batch: that of its worst result, program failures
// first, then what only a person can put right, then what time or hardware would.
func batchCode(t *results.Tally) int {
	for _, code := range []int{exitInternal, exitUnverified, exitInvalidInput, exitNothingFound, exitInfeasible, exitNotOptimal} {
		if t.ByExit[code] > 0 {
			return code
		}
	}
	return exitFound
}

// batchText prints the counts, the comparison with heuristics and where the results are.
func batchText(w io.Writer, folder string, tally *results.Tally, on export.Screen) error {
	if err := export.TableText(w, []string{"ended", "scenarios#", "share#", "meaning"}, export.StatusRows(tally), on); err != nil {
		return err
	}
	if rows := export.HeuristicRows(tally); len(rows) > 0 {
		fmt.Fprintln(w)
		header := []string{"compared with", "feasible#", "optimal#", "mean gap#", "median#", "largest#"}
		if err := export.TableText(w, header, rows, on); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nresults in %s\n", printable(folder))
	return err
}

// batchSummary is the last line of batch --json.
type batchSummary struct {
	Results    string                   `json:"results"`
	CSV        string                   `json:"summary_csv"`
	Markdown   string                   `json:"summary"`
	Scenarios  int                      `json:"scenarios"`
	ByStatus   map[results.Status]int   `json:"by_status"`
	Heuristics []results.HeuristicTally `json:"heuristics"`
	Exit       int                      `json:"exit"`
}

func batchJSON(w io.Writer, folder string, tally *results.Tally, code int) error {
	return json.NewEncoder(w).Encode(batchSummary{
		Results: filepath.Join(folder, batch.ResultsName), CSV: filepath.Join(folder, batch.CSVName), Markdown: filepath.Join(folder, batch.MarkdownName),
		Scenarios: tally.Scenarios, ByStatus: tally.ByStatus, Heuristics: tally.Heuristics(), Exit: code,
	})
}

// listScenarios prints the scenarios without solving them: a name a line with what each
// sets, or a JSON line each.
func listScenarios(w io.Writer, b *scenario.Batch, asJSON bool) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for i := range b.Len() {
		s := b.Scenario(i)
		line := listed{Name: s.Name, Files: s.Files, Model: s.Model, Values: map[string]string{}, Set: map[string]string{}}
		if s.Files == nil {
			line.Files = []string{}
		}
		for _, v := range s.Values {
			line.Values[v.Axis] = v.Label
		}
		for _, o := range s.Set {
			line.Set[o.Key] = o.Value
		}
		var err error
		if asJSON {
			err = e.Encode(line)
		} else {
			_, err = fmt.Fprintln(w, printable(line.text()))
		}
		if err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
	}
	return nil
}

// listed is a line of batch --list --json.
type listed struct {
	Name   string            `json:"name"`
	Values map[string]string `json:"values"`
	Files  []string          `json:"files"`
	Model  string            `json:"model,omitempty"`
	Set    map[string]string `json:"set"`
}

func (l *listed) text() string {
	line := l.Name
	for _, f := range l.Files {
		line += " " + f
	}
	if l.Model != "" {
		line += " model=" + l.Model
	}
	keys := make([]string, 0, len(l.Set))
	for k := range l.Set {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		line += " " + k + "=" + l.Set[k]
	}
	return line
}
