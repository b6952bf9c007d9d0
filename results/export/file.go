package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File writes one file, whole or not at all; its folder must be there. Without replace
// a file that is there is left alone, and the error is fs.ErrExist.
func File(path string, data []byte, replace bool) (err error) {
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", path)
	}
	dir := filepath.Dir(path)
	passing, err := writePassing(dir, data)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	if replace {
		err = os.Rename(passing, path)
	} else {
		// A second name fails where the first one is taken, whoever took it meanwhile.
		err = os.Link(passing, path)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
			err = linkless(passing, path)
		}
	}
	if e := os.Remove(passing); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be put in place: %w", path, err)
	}
	return syncFolder(dir)
}

// linkless renames a file to a name that is free, on file systems without links.
func linkless(passing, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return os.Rename(passing, path)
}
