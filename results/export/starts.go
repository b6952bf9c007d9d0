package export

import (
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

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
// one that no engine runs, and who reads the summary is to know before the machines do. No
// engine runs that of an operator graph.
func StartsOn(w io.Writer, on Screen, m Manifest, graph bool) error {
	if len(m.Launch) == 0 {
		return nil
	}
	s := newScreen(on)
	titles := m.Starts()
	switch {
	case graph:
		s.line("starts on ", "no engine: they take models of layers and place no single operators")
	case len(titles) == 0:
		s.styled(doubt, "starts on ", "no engine that is known, as it is: "+path.Clean(launchFolder)+"/ says why; --engine NAME finds the best plan that one runs")
	default:
		s.line("starts on ", strings.Join(titles, ", ")+": "+path.Clean(launchFolder)+"/")
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}
