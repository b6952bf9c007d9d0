package export

import (
	"errors"
	"fmt"
	"strings"

	"partita/results"
	"partita/results/launch"
)

// Target is one form that a saved plan can be exported in.
type Target struct {
	Name  string // as --to takes it
	About string
	// Files are what the plan becomes. The error is a *launch.Refusal where the plan is
	// nothing that the target can run.
	Files func(p *results.Plan) ([]Stream, error)
	// TooLarge says why a plan's files are made only where the target is asked for by its
	// name, not among all; nil and "" mean that they are made.
	TooLarge func(p *results.Plan) string
}

// Targets lists the forms in the order of the documents.
func Targets() []Target {
	list := []Target{
		{Name: "plan", About: "plan.json itself, in the present format", Files: func(p *results.Plan) ([]Stream, error) {
			r := results.ReportOf(p)
			name, data, err := PlanFile(r)
			return []Stream{Whole(name, data)}, err
		}},
		{Name: "report", About: "report.md", Files: func(p *results.Plan) ([]Stream, error) {
			return []Stream{Whole(reportName, Report(results.ReportOf(p)))}, nil
		}},
		{Name: "html", About: "report.html, the report with pictures for a browser", Files: func(p *results.Plan) ([]Stream, error) {
			page, err := HTML(results.ReportOf(p), nil)
			return []Stream{Whole(htmlName, page)}, err
		}},
	}
	list = append(list, dagTargets()...)
	for _, t := range launch.Targets() {
		list = append(list, Target{Name: t.Name, About: "start the plan on " + t.Title, Files: func(p *results.Plan) ([]Stream, error) {
			files, err := launch.Files(t.Name, p)
			return launchStreams(files), err
		}})
	}
	return list
}

func launchStreams(files []launch.File) []Stream {
	var out []Stream
	for _, f := range files {
		s := Whole(f.Name, f.Data)
		s.Executable = f.Executable
		out = append(out, s)
	}
	return out
}

// launchFolder holds what starts a plan, below the output folder.
const launchFolder = "launch/"

// launchFiles are the files of launch/: what starts the plan on each target, or one line
// that says why the target cannot run it.
func launchFiles(p *results.Plan) []Stream {
	var out []Stream
	for _, t := range launch.Targets() {
		files, err := launch.Files(t.Name, p)
		if errors.Is(err, launch.ErrNoDeployment) {
			return nil
		}
		if err != nil {
			var refusal *launch.Refusal
			if !errors.As(err, &refusal) { // a plan that was found and verified is written whatever becomes of this
				err = fmt.Errorf("the files for %s could not be made, which is a defect; please report it with the plan: %w", t.Title, err)
			}
			line := strings.Join(strings.Fields(plain(err.Error())), " ")
			files = []launch.File{{Name: t.Name + refusedSuffix, Data: []byte(line + "\n")}}
		}
		for _, f := range launchStreams(files) {
			f.Name = launchFolder + f.Name
			out = append(out, f)
		}
	}
	return out
}
