package export

import (
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"partita/results"
	"partita/results/launch"
)

// Starts are the titles of the targets that the files of a run start the plan on.
func (m Manifest) Starts() []string {
	var titles []string
	for _, t := range launch.Targets() {
		refused := slices.ContainsFunc(m.Launch, func(file string) bool { return filepath.Base(file) == t.Name+refusedSuffix })
		if len(m.Launch) > 0 && !refused {
			titles = append(titles, t.Title)
		}
	}
	return titles
}

// StartsOn tells a terminal which engines the plan can be started on: the best plan may be
// one that no engine runs, and who reads the summary is to know before the machines do.
// There are kinds of plans that no engine runs, so that naming one would not help.
func StartsOn(w io.Writer, on Screen, m Manifest, p *results.Plan) error {
	if p == nil || len(m.Launch) == 0 {
		return nil
	}
	s := newScreen(on)
	titles := m.Starts()
	switch {
	case p.Deployment != nil && p.Deployment.Model.Graph != nil:
		s.line("starts on ", "no engine: they take models of layers and place no single operators")
	case slices.ContainsFunc(p.Phases, func(ph results.PhasePlan) bool { return ph.Lanes != nil }):
		s.line("starts on ", "no engine that is known: none lets machines share layers")
	case len(titles) == 0 && trainingPlan(p):
		s.line("starts on ", "no engine that is known here, as it is: "+path.Clean(launchFolder)+"/megatron"+refusedSuffix+" says why")
	case len(titles) == 0:
		s.styled(doubt, "starts on ", "no engine that is known, as it is: "+path.Clean(launchFolder)+"/ says why; --engine NAME finds the best plan that one runs")
	default:
		s.line("starts on ", strings.Join(titles, ", ")+": "+path.Clean(launchFolder)+"/")
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}
