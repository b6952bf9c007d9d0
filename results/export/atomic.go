package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// disk holds the two steps that change what a reader sees; tests let them fail.
type disk struct {
	rename func(from, to string) error
	remove func(name string) error
}

var onDisk = disk{rename: os.Rename, remove: os.Remove}

// Whole is a file whose content is there.
func Whole(name string, data []byte) Stream {
	return Stream{Name: name, Write: func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
}

// Stream is a file of a set whose content is written as it is made, however long.
type Stream struct {
	// Name is a plain name in the folder of the set, or in a folder below it: launch/vllm.sh.
	Name  string
	Write func(w io.Writer) error
	// Executable files are commands.
	Executable bool
}

// WriteSet leaves all files in dir, which is made where it is missing, or leaves dir as
// it was.
func WriteSet(dir string, files []Stream) error { return onDisk.writeStreams(dir, files, nil) }

// writeStreams leaves all files in dir and removes the stale ones, or leaves dir as it
// was. Every file is complete on the disk under a passing name before the first one
// gets its own: a reader sees old or new, never half a file. What a file replaces
// is kept until the set is complete.
func (d disk) writeStreams(dir string, files []Stream, stale []string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the output folder cannot be made: %w", err)
	}
	below, err := foldersBelow(dir, files)
	if err != nil {
		return err
	}
	defer func() {
		for _, name := range below {
			if err != nil {
				_ = os.Remove(name) // only where it is empty, as it was not there before
			}
		}
	}()
	var passing []string
	defer func() {
		for _, name := range passing {
			if e := os.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) && err == nil {
				err = fmt.Errorf("a passing file is left over: %w", e)
			}
		}
	}()
	for _, f := range files {
		if info, err := os.Lstat(filepath.Join(dir, f.Name)); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a folder: move it or choose another output folder", filepath.Join(dir, f.Name))
		}
		name, err := passingFile(dir, f.Write)
		if err != nil {
			return fmt.Errorf("%s cannot be written: %w", filepath.Join(dir, f.Name), err)
		}
		passing = append(passing, name)
		if f.Executable {
			if err := os.Chmod(name, 0o755); err != nil {
				return err
			}
		}
	}

	var undo []func() error
	defer func() {
		if err == nil {
			return
		}
		for i := len(undo) - 1; i >= 0; i-- {
			if e := undo[i](); e != nil {
				err = errors.Join(err, fmt.Errorf("and what was there before could not be put back: %w", e))
			}
		}
	}()
	for i, f := range files {
		target := filepath.Join(dir, f.Name)
		kept, err := keep(dir, target)
		if err != nil {
			return err
		}
		if kept != "" {
			passing = append(passing, kept)
		}
		if err := d.rename(passing[i], target); err != nil {
			return fmt.Errorf("%s cannot be put in place: %w", target, err)
		}
		undo = append(undo, func() error {
			if kept == "" {
				return os.Remove(target)
			}
			return os.Rename(kept, target)
		})
	}
	for _, name := range stale {
		target := filepath.Join(dir, name)
		kept, err := keep(dir, target)
		if err != nil {
			return err
		}
		if kept == "" {
			continue
		}
		passing = append(passing, kept)
		if err := d.remove(target); err != nil {
			return fmt.Errorf("%s of an earlier run cannot be removed: %w", target, err)
		}
		undo = append(undo, func() error { return os.Rename(kept, target) })
	}
	return syncFolder(dir)
}

// foldersBelow makes the folders that files of a set lie in below its own, and lists those
// that were not there.
func foldersBelow(dir string, files []Stream) (made []string, err error) {
	for _, f := range files {
		if !filepath.IsLocal(f.Name) {
			return made, fmt.Errorf("%q is no name of a file in the output folder", f.Name)
		}
		folder := filepath.Join(dir, filepath.Dir(f.Name))
		err := os.Mkdir(folder, 0o755)
		switch {
		case err == nil:
			made = append(made, folder)
		case !errors.Is(err, fs.ErrExist):
			return made, fmt.Errorf("the output folder cannot be made: %w", err)
		}
	}
	return made, nil
}

// Replace writes one file anew, however long: it is there whole, or what was there
// before stays.
func Replace(path string, write func(w io.Writer) error) error {
	dir := filepath.Dir(path)
	passing, err := passingFile(dir, write)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	if err := onDisk.rename(passing, path); err != nil {
		return errors.Join(fmt.Errorf("%s cannot be put in place: %w", path, err), os.Remove(passing))
	}
	return syncFolder(dir)
}

// writePassing writes data to a new file of dir and forces it to the disk.
func writePassing(dir string, data []byte) (name string, err error) {
	return passingFile(dir, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// passingFile is writePassing of what a function writes.
func passingFile(dir string, write func(w io.Writer) error) (name string, err error) {
	f, err := os.CreateTemp(dir, ".partita-*.tmp")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644) // CreateTemp makes files for the owner alone
	}
	if err == nil {
		err = f.Sync()
	}
	return f.Name(), errors.Join(err, f.Close())
}

// keep gives what is at target a second name in dir, so that it survives being
// replaced; empty where nothing is there. Where the file system has no links the
// content is copied.
func keep(dir, target string) (string, error) {
	info, err := os.Lstat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s is a folder: move it or choose another output folder", target)
	}
	f, err := os.CreateTemp(dir, ".partita-*.old")
	if err != nil {
		return "", err
	}
	name := f.Name()
	if err := errors.Join(f.Close(), os.Remove(name)); err != nil {
		return "", err
	}
	if err := os.Link(target, name); err == nil {
		return name, nil
	}
	data, err := os.ReadFile(target)
	if err == nil {
		err = os.WriteFile(name, data, info.Mode().Perm())
	}
	if err != nil {
		return "", fmt.Errorf("%s of an earlier run cannot be kept aside: %w", target, err)
	}
	return name, nil
}

// syncFolder forces the new names to the disk. A file system that cannot sync a
// folder has written them by its own rules: not an error.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = f.Sync()
	return f.Close()
}
