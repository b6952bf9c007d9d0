package batch

import (
	"encoding/json"
	"errors"
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
	replace := func(name string, write func(w io.Writer) error) error {
		return export.Replace(filepath.Join(folder, name), write)
	}
	var summary *export.BatchSummary
	err := replace(CSVName, func(table io.Writer) (err error) {
		if summary, err = export.NewBatchSummary(header.Batch.Name, header.Axes, table); err != nil {
			return err
		}
		return errors.Join(replace(ResultsName, func(lines io.Writer) error {
			return eachResult(j, func(line []byte, r *results.ScenarioResult) error {
				if _, err := lines.Write(append(line, '\n')); err != nil {
					return err
				}
				return summary.Add(r)
			})
		}), summary.Close())
	})
	if err == nil {
		err = replace(MarkdownName, summary.Markdown)
	}
	if err == nil {
		err = replace(JournalName, func(w io.Writer) error { return j.WriteOrdered(w, header) })
	}
	if err != nil {
		return nil, err
	}
	return summary.Tally, nil
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
