package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"partita/inputs"
	"partita/inputs/scenario"
	"partita/results/journal"
)

// Names in the folder of a run.
const (
	JournalName     = "journal.jsonl"
	ResultsName     = "results.jsonl"
	CSVName         = "summary.csv"
	MarkdownName    = "summary.md"
	scenariosFolder = "scenarios"
	lockName        = ".lock"
)

// Header says of which batch, and which share of it, a journal holds the results.
type Header struct {
	Format  int                  `json:"format"`
	Program string               `json:"program"` // the version that wrote it
	Batch   scenario.Fingerprint `json:"batch"`
	Axes    []string             `json:"axes"`
	Share   *Share               `json:"share,omitempty"`
}

func (h *Header) share() Share {
	if h.Share == nil {
		return Share{}
	}
	return *h.Share
}

// differences says how the batch of another header differs, share and all.
func (h *Header) differences(other *Header) []string {
	var out []string
	if h.Format != other.Format {
		return []string{fmt.Sprintf("it has format %d, this program writes %d", h.Format, other.Format)}
	}
	if h.Program != other.Program {
		out = append(out, fmt.Sprintf("version %s of the program wrote it, this is %s", h.Program, other.Program))
	}
	out = append(out, h.Batch.Differences(other.Batch)...)
	switch a, b := h.share(), other.share(); {
	case a == b:
	case a.Whole():
		out = append(out, fmt.Sprintf("it holds the whole batch, this is shard %v", b))
	case b.Whole():
		out = append(out, fmt.Sprintf("it holds shard %v, this is the whole batch", a))
	default:
		out = append(out, fmt.Sprintf("it holds shard %v, this is shard %v", a, b))
	}
	return out
}

// lock keeps other processes from writing to a folder; release gives it up. A process
// that dies gives it up too. Where the file system knows no locks there is none, and
// warn says so.
func lock(folder string, warn func(string)) (release func() error, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("the output folder cannot be made: %w", err)
	}
	l := flock.New(filepath.Join(folder, lockName))
	held, err := l.TryLock()
	switch {
	case err != nil && errors.Is(err, fs.ErrPermission):
		return nil, err
	case err != nil:
		warn(fmt.Sprintf("%s cannot be locked (%v): see to it that no other process writes there", folder, err))
		return func() error { return nil }, nil
	case !held:
		return nil, fmt.Errorf("%s: another process is writing there; wait for it, or choose another folder with -o", folder)
	}
	return l.Unlock, nil
}

// openJournal opens the journal of a folder to continue it, or makes it. The journal of
// another batch is a problem of the input, for its results would not be told apart.
func openJournal(folder string, want *Header, fresh bool, warn func(string)) (*journal.Journal, error) {
	path := filepath.Join(folder, JournalName)
	if fresh {
		if err := clearFolder(folder); err != nil {
			return nil, err
		}
	}
	j, err := journal.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return journal.Create(path, want)
	}
	if err != nil {
		return nil, unusable(path, err)
	}
	var have Header
	if err := j.Header(&have); err != nil {
		return nil, errors.Join(unusable(path, journal.ErrNoJournal), j.Close())
	}
	if d := have.differences(want); len(d) > 0 {
		problem := inputs.Diagnostics{{
			Place: inputs.Place{File: path, Line: 1}, Problem: "the folder holds results of another batch: " + strings.Join(d, "; "),
			Want: "the batch that they are of", Hint: "--fresh discards them and starts anew, -o names another folder",
		}}
		if err := j.Close(); err != nil {
			return nil, err
		}
		return nil, problem
	}
	if n := j.Dropped(); n > 0 {
		warn(fmt.Sprintf("%s: the last %d bytes were cut off in the middle of a write and are dropped; what they held is done again", path, n))
	}
	return j, nil
}

// unusable is the error of a journal that cannot be read.
func unusable(path string, err error) error {
	if !errors.Is(err, journal.ErrNoJournal) && !errors.Is(err, journal.ErrHeader) {
		return err
	}
	return inputs.Diagnostics{{
		Place: inputs.Place{File: path, Line: 1}, Problem: err.Error(), Want: "the journal of a batch",
		Hint: "--fresh discards it and starts anew, -o names another folder",
	}}
}

// clearFolder removes what an earlier run left. Without a journal nothing is known to be
// of a run, and nothing is removed.
func clearFolder(folder string) error {
	if _, err := os.Lstat(filepath.Join(folder, JournalName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var errs []error
	for _, name := range []string{ResultsName, CSVName, MarkdownName, scenariosFolder, JournalName} { // the journal last
		errs = append(errs, os.RemoveAll(filepath.Join(folder, name)))
	}
	return errors.Join(errs...)
}

// sweep removes the passing files of a run that was killed.
func sweep(folder string) error {
	left, err := filepath.Glob(filepath.Join(folder, ".partita-*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range left {
		errs = append(errs, os.Remove(name))
	}
	return errors.Join(errs...)
}

// Content is a file that a scenario leaves.
type Content struct {
	Name string
	Data []byte
}

// leave writes the files of a scenario into its folder, in place of what a run that was
// killed may have left there. They are not forced to the disk: the journal's checksums
// tell after a loss of power which are whole.
func leave(folder, name string, contents []Content) ([]journal.File, error) {
	dir := filepath.Join(folder, scenariosFolder, name)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if len(contents) == 0 {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var files []journal.File
	for _, c := range contents {
		passing, target := filepath.Join(dir, "."+c.Name+".tmp"), filepath.Join(dir, c.Name)
		if err := os.WriteFile(passing, c.Data, 0o644); err != nil {
			return nil, err
		}
		if err := os.Rename(passing, target); err != nil {
			return nil, err
		}
		files = append(files, journal.File{Path: PathOf(name, c.Name), SHA256: journal.Sum(c.Data)})
	}
	return files, nil
}

// PathOf is the path of a file of a scenario, relative to the folder of the results.
func PathOf(scenario, file string) string { return scenariosFolder + "/" + scenario + "/" + file }
