package export

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partita/results"
	"partita/results/dag"
	"partita/results/dagsvg"
)

// short is the drawable sample with few layers, whose complete graph is small.
func short() *results.Report {
	r := drawable(0)
	layers := 0
	for i := range r.Plan.Phases[0].Stages {
		s := &r.Plan.Phases[0].Stages[i]
		if s.Index == 0 {
			layers = 0
		}
		s.FirstLayer, s.LastLayer = layers, layers
		layers++
	}
	r.Plan.Deployment.Model.Layers = r.Plan.Deployment.Model.Layers[:layers]
	return r
}

func TestPicturesByTheSizeOfTheGraph(t *testing.T) {
	for _, row := range []struct {
		r    *results.Report
		want []string
		says string
	}{
		{short(), []string{dagName, dagPictureName, foldedName, foldedPictureName}, "Both are pictures too: dag.svg and dag-folded.svg."},
		{drawable(0), []string{dagName, foldedName, foldedPictureName}, "dag-folded.svg is its picture; the complete graph has more than the 1,200 nodes up to which it is drawn."},
	} {
		dir := t.TempDir()
		m, err := Write(dir, row.r)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, path := range m.DAG {
			got = append(got, filepath.Base(path))
		}
		if fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("graphs %v, want %v", got, row.want)
		}
		if text, err := os.ReadFile(m.Report); err != nil || !strings.Contains(strings.Join(strings.Fields(string(text)), " "), row.says) {
			t.Errorf("%v: the report does not say %q", err, row.says)
		}
		size, _, _ := graphsOf(row.r.Plan)
		for _, target := range Targets() {
			switch target.Name {
			case "svg-full":
				if left := target.TooLarge(row.r.Plan) != ""; left == size.wholeDrawn() {
					t.Errorf("%d nodes: left out = %v", size.whole, left)
				}
			case "svg":
				files, err := target.Files(row.r.Plan)
				var b bytes.Buffer
				if err != nil || len(files) != 1 || files[0].Write(&b) != nil {
					t.Fatalf("%v, %v", files, err)
				}
				written, err := os.ReadFile(filepath.Join(dir, foldedPictureName))
				if err != nil || !bytes.Equal(written, b.Bytes()) {
					t.Errorf("export makes another picture than Write (%v)", err)
				}
			}
		}
	}
}

// A graph that is not drawn leaves a line that says why, and the plan is written.
func TestAGraphThatIsNotDrawn(t *testing.T) {
	f := drawnOrWhy(drawable(64).Plan, dagPictureName, dag.Options{})
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if f.Name != "dag-not-drawn.txt" || b.String() != dagsvg.ErrTooLarge.Error()+"\n" {
		t.Errorf("%s: %q", f.Name, b.String())
	}
	if _, err := graphPicture(drawable(64).Plan, dag.Options{}); !errors.Is(err, dagsvg.ErrTooLarge) {
		t.Errorf("asked for by name: %v", err)
	}
	large := graphs{whole: 5000, folded: 4000}
	if large.foldedDrawn() || !strings.Contains(large.pictures(), "so there is no dag-folded.svg") {
		t.Errorf("%q", large.pictures())
	}
}
