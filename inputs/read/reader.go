package read

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"partita/inputs"
	"partita/inputs/catalog"
)

// Reader reads many conditions that share files. Each file is read and parsed once,
// so that a further condition costs what its overrides cost; a file that changes
// later is not read again. It is safe for concurrent use.
type Reader struct {
	lib    *catalog.Catalog
	files  *files
	mu     sync.Mutex
	drafts map[string]*draft // what lists of files state, by the list and the packs
	packs  map[string]*known // what lists of packs add, by the list
}

// maxDrafts bounds the lists of files that a Reader keeps parsed; past it they are
// forgotten and parsed anew from the bytes.
const maxDrafts = 1024

// NewReader makes a Reader of files in a folder: relative paths start there, and places
// name files as they are given. Empty: the working directory.
func NewReader(folder string) (*Reader, error) {
	lib, err := catalog.Load()
	if err != nil {
		return nil, err
	}
	return &Reader{lib: lib, files: newFiles(folder), drafts: map[string]*draft{}, packs: map[string]*known{}}, nil
}

// Load is the package's Load.
func (r *Reader) Load(opts Options) (*inputs.Condition, error) {
	return r.draft(opts).condition(opts)
}

// draft is what the files and texts of a condition state. They are read once more where
// they name packs: names of their entries may stand anywhere.
func (r *Reader) draft(opts Options) *draft {
	d := r.draftBy(r.lib, "", opts)
	named := len(d.packs)
	if sources := d.sources(opts); len(sources) > 0 {
		k := r.known(sources)
		d = r.draftBy(k.Catalog, k.key, opts)
		d.known, d.packs = k, sources
		for _, s := range sources[named:] {
			d.used(d.say(s.at, "knowledge: "+s.path), "knowledge: read")
		}
	}
	return d
}

// draftBy reads files and texts by a catalogue; the key tells which.
func (r *Reader) draftBy(lib library, key string, opts Options) *draft {
	d := r.parsed(lib, key, opts.Paths, opts.Stdin).copied()
	d.lib = lib
	for _, text := range opts.Texts {
		readFile(d, lib, text.Name, text.Data)
	}
	for _, path := range opts.NvidiaSMI {
		if data, ok := d.file(path, opts.Stdin, inputs.Place{File: path}); ok {
			readNvidiaSMI(d, lib, path, data)
		}
	}
	return d
}

// Check reads files, and those they name, without completing them to a condition: it
// returns the problems that the files have whatever is said beside them.
func (r *Reader) Check(paths []string) Diagnostics {
	d := r.draft(Options{Paths: paths})
	d.readConfig()
	d.learn()
	return d.problems.Sorted()
}

// CheckPacks reads the packs that overrides name and returns what is wrong with them.
func (r *Reader) CheckPacks(set ...Override) Diagnostics {
	return r.known(r.files.draft().sources(Options{Overrides: set})).Problems
}

// CheckModel reads the config.json that Options.Model may name; a name of the
// catalogue reads nothing. Problems are told by Load.
func (r *Reader) CheckModel(model string) {
	readModelOption(r.files.draft(), r.lib, model, inputs.Place{})
}

// parsed is what a list of files states. The draft must be copied before it is changed.
func (r *Reader) parsed(lib library, packs string, paths []string, stdin io.Reader) *draft {
	key := strings.Join(paths, "\x00") + "\x00\x00" + packs
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, ok := r.drafts[key]; ok {
		return d
	}
	if len(r.drafts) >= maxDrafts {
		clear(r.drafts)
	}
	d := r.files.draft()
	d.readFiles(lib, paths, stdin)
	r.drafts[key] = d
	return d
}

// FileSum is a file that was read, with the SHA-256 of its content in hexadecimal.
type FileSum struct{ Path, SHA256 string }

// Sums lists the files read so far, by path.
func (r *Reader) Sums() []FileSum {
	r.files.mu.Lock()
	defer r.files.mu.Unlock()
	out := make([]FileSum, 0, len(r.files.known))
	for path, f := range r.files.known {
		sum := sha256.Sum256(f.data)
		out = append(out, FileSum{path, hex.EncodeToString(sum[:])})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

// files reads files of a folder, each once.
type files struct {
	folder string
	table  map[string]key
	mu     sync.Mutex
	known  map[string]content
}

type content struct {
	data []byte
	err  error
}

func newFiles(folder string) *files {
	return &files{folder: folder, table: keyTable(), known: map[string]content{}}
}

// draft is an empty draft over the files.
func (f *files) draft() *draft {
	return &draft{files: f, facts: map[string]fact{}, table: f.table}
}

// read is the content of a file, at most one byte more than maxFile.
func (f *files) read(path string, stdin io.Reader) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.known[path]
	if !ok {
		c.data, c.err = f.load(path, stdin)
		f.known[path] = c
	}
	return c.data, c.err
}

func (f *files) load(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(stdin, maxFile+1))
	}
	file, err := os.Open(f.at(path))
	if err != nil {
		return nil, asNamed(err, path)
	}
	defer file.Close() // read only: nothing is lost
	return io.ReadAll(io.LimitReader(file, maxFile+1))
}

// asNamed is an error of a file in the words that named it, the same wherever the folder is.
func asNamed(err error, path string) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		failed.Path = path
	}
	return err
}

// exists reports whether there is a file of this name.
func (f *files) exists(path string) bool {
	_, err := os.Stat(f.at(path))
	return err == nil
}

// at is where a path is on the disk.
func (f *files) at(path string) string {
	if f.folder == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.folder, path)
}
