// Package journal keeps the results of a batch as they come, so that a run that is
// killed at any moment continues where it was, loses no result and repeats none.
//
// A journal is a file of JSON lines: a header that says of which batch the results
// are, then one entry a scenario in the order in which they ended. Each line carries a
// checksum of its content. An entry counts when its line is complete, so a write that
// was cut off (a kill, a full disk, a loss of power) leaves a tail that Open drops: the
// scenario is then done again. Each entry is handed to the operating system before
// Append returns; that survives the death of the process. What has been handed over is
// forced to the disk about once a second and on Close; a loss of power costs what
// ended within the last second, and only the time to do it again.
//
// An entry names the files that the scenario left beside the journal, with their
// checksums. They are written before the entry and are not forced to the disk:
// Verify finds those that a loss of power took, and their entries are forgotten.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Format is the version of the file that this package reads and writes.
const Format = 1

// Entry is the result of one scenario.
type Entry struct {
	Index  int             `json:"index"`
	Result json.RawMessage `json:"result"`
	Files  []File          `json:"files"`
}

// File is a file that a scenario left, by its path relative to the journal's folder.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// line is one line of the file: a header or an entry as it was encoded, and its CRC-32C.
type line struct {
	CRC    string          `json:"crc"`
	Header json.RawMessage `json:"header"`
	Entry  json.RawMessage `json:"entry"`
}

// Errors of a file that is no journal.
var (
	ErrNoJournal = errors.New("not the journal of a batch")
	ErrHeader    = errors.New("the header is damaged")
)

// syncEvery is how often what was appended is forced to the disk.
const syncEvery = time.Second

// Journal is an open journal. It is safe for concurrent use.
type Journal struct {
	path   string
	header json.RawMessage

	mu      sync.Mutex
	file    *os.File
	end     int64
	at      map[int]span // where the entry of a scenario is
	dropped int64        // bytes of a damaged tail

	synced  time.Time
	syncing bool
	failed  error // of the background: told by the next Append
	idle    sync.Cond
}

// span is a line of the file.
type span struct{ from, length int64 }

// Create makes a journal with a header, which must not be there yet. It is there whole
// or not at all.
func Create(path string, header any) (*Journal, error) {
	text, err := encode("header", header)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".partita-*.tmp")
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o644) // CreateTemp makes files for the owner alone
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails where the journal exists, as a rename does not
		if errors.Is(err, errors.ErrUnsupported) {
			err = os.Rename(f.Name(), path)
		}
	}
	if e := os.Remove(f.Name()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return nil, err
	}
	return Open(path)
}

// Open opens a journal to continue it. A tail that is damaged is cut off; entries that
// are damaged in the middle are left out.
func Open(path string) (*Journal, error) { return open(path, os.O_RDWR) }

// OpenReadOnly opens a journal to read it, and changes nothing: another process may be
// writing to it.
func OpenReadOnly(path string) (*Journal, error) { return open(path, os.O_RDONLY) }

func open(path string, mode int) (*Journal, error) {
	f, err := os.OpenFile(path, mode, 0)
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path, file: f, at: map[int]span{}, synced: time.Now()}
	j.idle.L = &j.mu
	err = j.recover()
	if err == nil && j.dropped > 0 && mode == os.O_RDWR {
		err = f.Truncate(j.end)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// recover finds the header and the entries.
func (j *Journal) recover() error {
	r := bufio.NewReaderSize(j.file, 1<<20)
	var from, size int64
	for number := 0; ; number++ {
		text, err := r.ReadBytes('\n')
		size += int64(len(text))
		if err != nil && err != io.EOF {
			return err
		}
		whole := err == nil
		header, entry, ok := decode(text)
		switch {
		case !whole || !ok:
			if number == 0 {
				return noHeader(text)
			}
		case number == 0 && header == nil:
			return ErrNoJournal
		case number == 0:
			j.header, j.end = header, size
		case entry != nil:
			j.at[entry.Index] = span{from, int64(len(text))}
			j.end = size
		}
		from = size
		if !whole {
			break
		}
	}
	j.dropped = size - j.end
	return nil
}

func noHeader(text []byte) error {
	if bytes.HasPrefix(text, []byte(`{"crc":`)) || len(text) == 0 {
		return ErrHeader
	}
	return ErrNoJournal
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode is a value as a line of the file: its kind, "header" or "entry", and the
// checksum of its content. Angle brackets stay as they are.
func encode(kind string, v any) ([]byte, error) {
	var content bytes.Buffer
	e := json.NewEncoder(&content)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("a line of the journal cannot be encoded: %w", err)
	}
	text := bytes.TrimSuffix(content.Bytes(), []byte("\n"))
	return fmt.Appendf(nil, "{\"crc\":\"%08x\",\"%s\":%s}\n", crc32.Checksum(text, castagnoli), kind, text), nil
}

// decode is what a line says; false where it is damaged.
func decode(text []byte) (header json.RawMessage, entry *Entry, ok bool) {
	var l line
	if json.Unmarshal(text, &l) != nil || (l.Header == nil) == (l.Entry == nil) {
		return nil, nil, false
	}
	content := l.Header
	if content == nil {
		content = l.Entry
	}
	if fmt.Sprintf("%08x", crc32.Checksum(content, castagnoli)) != l.CRC {
		return nil, nil, false
	}
	if l.Header != nil {
		return l.Header, nil, true
	}
	entry = &Entry{}
	if json.Unmarshal(l.Entry, entry) != nil || entry.Index < 0 {
		return nil, nil, false
	}
	return nil, entry, true
}

// Header decodes the header.
func (j *Journal) Header(into any) error { return json.Unmarshal(j.header, into) }

// Dropped is the number of bytes of a damaged tail, which Open cut off.
func (j *Journal) Dropped() int64 { return j.dropped }

// Has reports whether a scenario has an entry.
func (j *Journal) Has(index int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, ok := j.at[index]
	return ok
}

// Indexes are the scenarios that have an entry, in order.
func (j *Journal) Indexes() []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]int, 0, len(j.at))
	for i := range j.at {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// Append adds an entry and hands it to the operating system.
func (j *Journal) Append(e Entry) error {
	if e.Files == nil {
		e.Files = []File{}
	}
	text, err := encode("entry", e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	if _, err := j.file.WriteAt(text, j.end); err != nil {
		return err // what was written of it is a damaged tail
	}
	j.at[e.Index] = span{j.end, int64(len(text))}
	j.end += int64(len(text))
	j.syncSometimes()
	return nil
}

// syncSometimes forces what was appended to the disk in the background, once a period.
func (j *Journal) syncSometimes() {
	if j.syncing || time.Since(j.synced) < syncEvery {
		return
	}
	j.syncing = true
	go func() {
		err := j.file.Sync()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.syncing, j.synced = false, time.Now()
		j.failed = errors.Join(j.failed, err)
		j.idle.Broadcast()
	}()
}

// Forget drops the entry of a scenario whose files are gone: it is to be done again.
func (j *Journal) Forget(index int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.at, index)
}

// Entry reads the entry of a scenario, which it must have.
func (j *Journal) Entry(index int) (Entry, error) {
	_, e, err := j.read(index)
	return e, err
}

func (j *Journal) read(index int) ([]byte, Entry, error) {
	j.mu.Lock()
	s, ok := j.at[index]
	j.mu.Unlock()
	if !ok {
		return nil, Entry{}, fmt.Errorf("scenario %d has no entry", index)
	}
	text := make([]byte, s.length)
	if _, err := j.file.ReadAt(text, s.from); err != nil {
		return nil, Entry{}, err
	}
	_, e, ok := decode(text)
	if !ok || e == nil {
		return nil, Entry{}, fmt.Errorf("the entry of scenario %d was damaged while the batch ran", index)
	}
	return text, *e, nil
}

// WriteOrdered writes the journal anew, its entries in the order of the scenarios: of
// one batch the same bytes, however it ran. The header may be replaced (nil: it is not).
func (j *Journal) WriteOrdered(w io.Writer, header any) error {
	if header == nil {
		header = j.header
	}
	text, err := encode("header", header)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, i := range j.Indexes() {
		text, _, err := j.read(i)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// Close forces everything to the disk and closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	for j.syncing {
		j.idle.Wait()
	}
	defer j.mu.Unlock()
	return errors.Join(j.failed, j.file.Sync(), j.file.Close())
}
