package batch

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"partita/results"
	"partita/results/export"
	"partita/results/journal"
)

// finish writes the final files from the journal: results.jsonl, summary.csv and
// summary.md in the order of the scenarios, and the journal itself in that order. Each
// is there whole or as it was. The header may be another than the journal's.
func finish(folder string, j *journal.Journal, header *Header) (*results.Tally, error) {
	tally := results.NewTally()
	rows := func(visit func(*results.ScenarioResult) error) error {
		return eachResult(j, func(_ []byte, r *results.ScenarioResult) error { return visit(r) })
	}
	summary := &export.Batch{Name: header.Batch.Name, Axes: header.Axes, Tally: tally, Rows: rows}
	for _, f := range []struct {
		name  string
		write func(w io.Writer) error
	}{
		{ResultsName, func(w io.Writer) error {
			return eachResult(j, func(line []byte, r *results.ScenarioResult) error {
				tally.Add(r)
				_, err := w.Write(append(line, '\n'))
				return err
			})
		}},
		{CSVName, summary.CSV},
		{MarkdownName, summary.Markdown},
		{JournalName, func(w io.Writer) error { return j.WriteOrdered(w, header) }},
	} {
		if err := export.Replace(filepath.Join(folder, f.name), f.write); err != nil {
			return nil, err
		}
	}
	return tally, nil
}

// eachResult visits the results of a journal in the order of the scenarios.
func eachResult(j *journal.Journal, visit func(line []byte, r *results.ScenarioResult) error) error {
	for _, i := range j.Indexes() {
		e, err := j.Entry(i)
		if err != nil {
			return err
		}
		var r results.ScenarioResult
		if err := json.Unmarshal(e.Result, &r); err != nil {
			return fmt.Errorf("the result of scenario %d cannot be read: %w", i, err)
		}
		if err := visit(e.Result, &r); err != nil {
			return err
		}
	}
	return nil
}
