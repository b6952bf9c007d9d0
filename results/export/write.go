// Package export writes what comes out of a solve: plan.json for programs, report.md
// and report.html for people, the graph of operators, what starts the plan on engines,
// manifest.json with the absolute paths of them all, and a summary for a terminal. One
// exporter a file.
//
// A run's files are written as a set: all of them are there afterwards, or the
// folder is as it was before. Names and texts of a condition are foreign to every
// format here and pass through an escape of that format.
package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

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
// report.md, report.html, the graphs with their pictures, launch/ and manifest.json. A
// plan without a verification that holds is refused. Files of an earlier run that would contradict this one are removed.
// Same report, same bytes.
func Write(dir string, r *results.Report) (Manifest, error) {
	if r == nil {
		return Manifest{}, ErrNoReport
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Manifest{}, fmt.Errorf("folder %q has no absolute path: %w", dir, err)
	}
	set := &fileSet{dir: absolute}
	if r.Plan != nil {
		if err := set.plan(r); err != nil {
			return Manifest{}, err
		}
	}
	set.manifest.Report = set.add(Whole(reportName, Report(r)))
	notes, err := notesOf(set.files)
	if err != nil {
		return Manifest{}, err
	}
	page, err := HTML(r, notes)
	if err != nil {
		return Manifest{}, err
	}
	set.manifest.ReportHTML = set.add(Whole(htmlName, page))
	manifest, err := set.manifest.JSON()
	if err != nil {
		return Manifest{}, err
	}
	stale := append(set.earlier(), planName, closestName)
	set.add(Whole(manifestName, manifest))
	stale = slices.DeleteFunc(stale, func(name string) bool {
		return slices.ContainsFunc(set.files, func(f Stream) bool { return f.Name == name })
	})
	if err := onDisk.writeStreams(absolute, set.files, stale); err != nil {
		return Manifest{}, err
	}
	return set.manifest, nil
}

// fileSet collects the files of a run.
type fileSet struct {
	dir      string
	files    []Stream
	manifest Manifest
}

// add takes a file into the set and returns its absolute path.
func (s *fileSet) add(f Stream) string {
	s.files = append(s.files, f)
	return filepath.Join(s.dir, f.Name)
}

// plan adds what a report with a plan has.
func (s *fileSet) plan(r *results.Report) error {
	name, data, err := PlanFile(r)
	if err != nil {
		return err
	}
	path := s.add(Whole(name, data))
	if r.Feasible {
		s.manifest.Plan = path
	} else {
		s.manifest.ClosestPlan = path
	}
	for _, f := range dagFiles(r.Plan) {
		s.manifest.DAG = append(s.manifest.DAG, s.add(f))
	}
	for _, f := range launchFiles(r.Plan) {
		s.manifest.Launch = append(s.manifest.Launch, s.add(f))
	}
	return nil
}

// earlier lists the files that an earlier run left in the folder, by its manifest. One
// that cannot be read names none.
func (s *fileSet) earlier() []string {
	data, err := os.ReadFile(filepath.Join(s.dir, manifestName))
	if err != nil {
		return nil
	}
	var m Manifest
	if json.Unmarshal(data, &m) != nil {
		return nil
	}
	var names []string
	for _, path := range m.Files() {
		// Paths of another place are of a folder that was copied or moved: left alone.
		if name, err := filepath.Rel(s.dir, path); err == nil && filepath.IsLocal(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
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
	data, err = PlanJSON(r.WithOutcome()) // the name and what the plan says of itself agree
	return name, data, err
}
