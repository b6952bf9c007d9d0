package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"partita/inputs"
	"partita/results"
	"partita/results/journal"
)

// MergeOptions say what to join.
type MergeOptions struct {
	// Folders hold a share each, or folders shard-…-of-… that do.
	Folders []string
	// Folder of the joined results; "": partita-out/NAME of the batch.
	Folder  string
	Program string
	Fresh   bool
	Warn    func(string)
}

// Merged is what a merge came to.
type Merged struct {
	Folder string
	Name   string // of the batch
	Tally  *results.Tally
}

// part is one share with its results.
type part struct {
	folder  string
	header  Header
	journal *journal.Journal
}

func (p *part) place() inputs.Place {
	return inputs.Place{File: filepath.Join(p.folder, JournalName), Line: 1}
}

// Merge joins the shares of a batch into what one process would have written, byte for
// byte. Shares that are missing, unfinished, of another batch or given twice are
// problems of the input, all told at once; nothing is then written.
func Merge(opts MergeOptions) (merged Merged, err error) {
	folders, problems := shareFolders(opts.Folders)
	var parts []*part
	defer func() {
		for _, p := range parts {
			err = errors.Join(err, p.journal.Close())
		}
	}()
	for _, folder := range folders {
		p, problem := openPart(folder)
		if problem != nil {
			var d inputs.Diagnostics
			if !errors.As(problem, &d) {
				return merged, problem
			}
			problems = append(problems, d...)
			continue
		}
		parts = append(parts, p)
	}
	problems = append(problems, disagreements(parts, opts.Program)...)
	if len(problems) > 0 {
		return merged, problems.Sorted()
	}
	if opts.Folder == "" {
		opts.Folder = filepath.Join("partita-out", parts[0].header.Batch.Name)
	}
	for _, p := range parts {
		if same(p.folder, opts.Folder) && !p.header.share().Whole() {
			return merged, inputs.Diagnostics{{Place: inputs.Place{File: opts.Folder}, Problem: "the folder of a share cannot take the joined results", Want: "another folder", Hint: "name one with -o"}}
		}
	}
	tally, err := join(opts, parts)
	return Merged{opts.Folder, parts[0].header.Batch.Name, tally}, err
}

// shareFolders are the folders with a journal among those given, or in them.
func shareFolders(given []string) ([]string, inputs.Diagnostics) {
	var out []string
	var problems inputs.Diagnostics
	seen := map[string]bool{}
	for _, folder := range given {
		found := []string{folder}
		if _, err := os.Stat(filepath.Join(folder, JournalName)); err != nil {
			found, _ = filepath.Glob(filepath.Join(escaped(folder), "shard-*-of-*", JournalName)) // the pattern is well formed
			for i := range found {
				found[i] = filepath.Dir(found[i])
			}
		}
		if len(found) == 0 {
			problems = append(problems, inputs.Diagnostic{Place: inputs.Place{File: folder}, Problem: "no results of a batch are here", Want: "a folder with " + JournalName, Hint: "a shard writes it when it starts"})
		}
		for _, f := range found {
			if key := filepath.Clean(f); !seen[key] {
				seen[key] = true
				out = append(out, f)
			}
		}
	}
	return out, problems
}

// escaped is a folder as a pattern that only it matches.
func escaped(folder string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(folder)
}

// same reports whether two paths are one folder.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// openPart opens a share to read it.
func openPart(folder string) (*part, error) {
	path := filepath.Join(folder, JournalName)
	j, err := journal.OpenReadOnly(path)
	if err != nil {
		return nil, unusable(path, err)
	}
	p := &part{folder: folder, journal: j}
	if err := j.Header(&p.header); err != nil {
		return nil, errors.Join(unusable(path, journal.ErrNoJournal), j.Close())
	}
	return p, nil
}

// disagreements are what keeps shares from being joined.
func disagreements(parts []*part, program string) inputs.Diagnostics {
	if len(parts) == 0 {
		return nil
	}
	var problems inputs.Diagnostics
	add := func(p *part, problem, want, hint string) {
		problems = append(problems, inputs.Diagnostic{Place: p.place(), Problem: problem, Want: want, Hint: hint})
	}
	first := parts[0]
	count := first.header.share().Count
	owner := map[int]*part{}
	for _, p := range parts {
		alike := p.header
		alike.Share = first.header.Share
		if d := first.header.differences(&alike); len(d) > 0 {
			add(p, "the share is of another batch than "+first.folder+": "+strings.Join(d, "; "), "shares of one batch", "run the shards again with one config")
			continue
		}
		s := p.header.share()
		if s.Count != count {
			add(p, fmt.Sprintf("the batch is cut into %d here and into %d in %s", max(1, s.Count), max(1, count), first.folder), "shares of one cut", "")
			continue
		}
		if other, taken := owner[s.Index]; taken {
			add(p, fmt.Sprintf("shard %v is here and in %s", s, other.folder), "each share once", "")
			continue
		}
		owner[s.Index] = p
		if done, size := len(p.journal.Indexes()), s.size(p.header.Batch.Count); done < size {
			add(p, fmt.Sprintf("shard %v has %d of its %d results", s, done, size), "all of them", "start the shard again: it continues")
		}
	}
	if first.header.Program != program {
		add(first, fmt.Sprintf("version %s of the program wrote the shares, this is %s", first.header.Program, program), "one version", "join them with the version that wrote them")
	}
	var missing []string
	for i := range max(1, count) {
		if owner[i] == nil {
			missing = append(missing, Share{i, count}.String())
		}
	}
	if len(missing) > 0 && len(problems) == 0 {
		add(first, "missing: shard "+strings.Join(shortList(missing), ", "), fmt.Sprintf("all %d shares", max(1, count)), "run what is missing, or name its folder")
	}
	return problems
}

// shortList is the start of a list that may be long.
func shortList(list []string) []string {
	const most = 8
	if len(list) <= most {
		return list
	}
	return append(list[:most:most], fmt.Sprintf("… (%d in all)", len(list)))
}

// join copies the results and the files of all shares into one folder.
func join(opts MergeOptions, parts []*part) (tally *results.Tally, err error) {
	release, err := lock(opts.Folder, opts.Warn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	header := parts[0].header
	header.Share = nil
	j, err := openJournal(opts.Folder, &header, opts.Fresh, opts.Warn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := sweep(opts.Folder); err != nil {
		return nil, err
	}
	if _, err := j.Verify(opts.Folder); err != nil {
		return nil, err
	}
	sort.Slice(parts, func(i, k int) bool { return parts[i].header.share().Index < parts[k].header.share().Index })
	for i := range header.Batch.Count {
		if j.Has(i) {
			continue
		}
		p := parts[i%len(parts)]
		if err := p.copyTo(j, opts.Folder, i); err != nil {
			return nil, err
		}
	}
	return finish(opts.Folder, j, &header)
}

// copyTo adds a scenario of the share to another journal, its files first.
func (p *part) copyTo(j *journal.Journal, folder string, index int) error {
	e, err := p.journal.Entry(index)
	if err != nil {
		return err
	}
	var contents []Content
	name := ""
	for _, f := range e.Files {
		path := filepath.Join(p.folder, filepath.FromSlash(f.Path))
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || journal.Sum(data) != f.SHA256 {
			return inputs.Diagnostics{{Place: inputs.Place{File: path}, Problem: "the file is gone or not as it was written", Want: "the file of the shard", Hint: "start the shard again: it makes the file anew"}}
		}
		parts := strings.Split(f.Path, "/")
		if len(parts) != 3 || !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return unusable(filepath.Join(p.folder, JournalName), journal.ErrNoJournal)
		}
		name = parts[1]
		contents = append(contents, Content{parts[2], data})
	}
	if name != "" {
		if e.Files, err = leave(folder, name, contents); err != nil {
			return err
		}
	}
	return j.Append(e)
}
