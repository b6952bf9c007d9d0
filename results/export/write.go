// Package export writes what comes out of a solve: plan.json for programs,
// report.md for people, manifest.json with the absolute paths of both, and a
// summary for a terminal. One exporter a file.
//
// A run's files are written as a set: all of them are there afterwards, or the
// folder is as it was before. Names and texts of a condition are foreign to every
// format here and pass through an escape of that format.
package export

import (
	"errors"
	"fmt"
	"path/filepath"

	"partita/results"
)

// Names of the files that a run leaves.
const (
	planName     = "plan.json"
	closestName  = "closest-plan.json"
	reportName   = "report.md"
	manifestName = "manifest.json"
)

// Errors of a report that must not be written.
var (
	ErrNoReport   = errors.New("there is no report to write: solve first")
	ErrUnverified = errors.New("the plan was not verified, or failed: run the verification and look at its failed checks; nothing was written")
)

// Write leaves the artifacts of a report in dir, which is made where it is
// missing: plan.json (closest-plan.json where the requirements cannot all be met),
// report.md and manifest.json. A plan without a verification that holds is
// refused. Files of an earlier run that would contradict this one are removed.
// Same report, same bytes.
func Write(dir string, r *results.Report) (Manifest, error) {
	if r == nil {
		return Manifest{}, ErrNoReport
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Manifest{}, fmt.Errorf("folder %q has no absolute path: %w", dir, err)
	}
	m := Manifest{Report: filepath.Join(absolute, reportName)}
	stale := []string{planName, closestName}
	var files []artifact
	if r.Plan != nil {
		name, data, err := PlanFile(r)
		if err != nil {
			return Manifest{}, err
		}
		if r.Feasible {
			m.Plan = filepath.Join(absolute, name)
			stale = []string{closestName}
		} else {
			m.ClosestPlan = filepath.Join(absolute, name)
			stale = []string{planName}
		}
		files = append(files, artifact{name, data})
	}
	manifest, err := m.JSON()
	if err != nil {
		return Manifest{}, err
	}
	files = append(files, artifact{reportName, Report(r)}, artifact{manifestName, manifest})
	if err := onDisk.writeSet(absolute, files, stale); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// PlanFile is the name and the content of a report's plan, which it must have: that of
// a plan that misses requirements is never plan.json. A plan without a verification
// that holds is refused.
func PlanFile(r *results.Report) (name string, data []byte, err error) {
	if r.Plan.Verification == nil || !r.Plan.Verification.OK {
		return "", nil, ErrUnverified
	}
	name = closestName
	if r.Feasible {
		name = planName
	}
	data, err = PlanJSON(r.Plan)
	return name, data, err
}
