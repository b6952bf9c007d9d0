package export

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"strings"
)

// FileNote is a file beside a report, with what is to be said of it. Picture is its content
// where the report shows it.
type FileNote struct {
	Name, Note string
	Picture    []byte
}

// shownPicture is how large a picture may be that a report shows, in bytes.
const shownPicture = 400 << 10

// refusedSuffix ends the names of the files that say in a line why an engine cannot run
// a plan.
const refusedSuffix = "-cannot-run.txt"

// notesOf lists the files of a run for its report: the reason of those that give one, and
// the picture of the folded graph where it is small.
func notesOf(files []Stream) ([]FileNote, error) {
	var notes []FileNote
	for _, f := range files {
		n := FileNote{Name: f.Name, Note: aboutFile(f.Name)}
		if strings.HasSuffix(f.Name, refusedSuffix) || strings.HasSuffix(f.Name, notDrawnSuffix) {
			var b bytes.Buffer
			if err := f.Write(&b); err != nil {
				return nil, err
			}
			n.Note = b.String()
		}
		if f.Name == foldedPictureName {
			var b bytes.Buffer
			if err := f.Write(&b); err != nil {
				return nil, err
			}
			if b.Len() <= shownPicture {
				n.Picture = b.Bytes()
			}
		}
		notes = append(notes, n)
	}
	return notes, nil
}

func aboutFile(name string) string {
	switch name {
	case planName:
		return "the plan, for programs"
	case closestName:
		return "the closest plan, for programs"
	case reportName:
		return "this report as text"
	case dagName:
		return "every operator on every GPU, for Graphviz"
	case dagPictureName:
		return "the picture of that graph"
	case foldedName:
		return "the graph with what is alike drawn once, for Graphviz"
	case foldedPictureName:
		return "its picture: open it in a browser"
	}
	return ""
}

// link is a file that a page leads to.
type link struct{ Name, Link, About string }

// htmlBeside lists the files that lie beside the report.
func htmlBeside(w *webpage, files []FileNote) {
	if len(files) == 0 {
		return
	}
	w.heading(2, "Files beside this report")
	links := make([]link, len(files))
	for i, f := range files {
		links[i] = link{plain(f.Name), "./" + f.Name, plain(f.Note)}
	}
	w.part("files", links)
	for _, f := range files {
		if len(f.Picture) > 0 {
			w.fold("The graph of operators, what is alike drawn once", func() {
				w.part("picture", template.URL("data:image/svg+xml;base64,"+base64.StdEncoding.EncodeToString(f.Picture)))
			})
		}
	}
}
