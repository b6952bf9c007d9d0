package inputs

import (
	"errors"
	"fmt"
	"os"
)

// largestTable bounds a file that ReadTable reads, in bytes: far above every published
// table, small enough that a wrong file does not fill the memory.
const largestTable = 1 << 28

// ReadTable reads a file of at most 256 MiB whole. The error says what is wrong, without
// the path.
func ReadTable(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, ErrFolder
	case err == nil && info.Size() > largestTable:
		return nil, fmt.Errorf("the file is larger than %s", FormatBytes(largestTable))
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	var at *os.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return data, err
}

// ErrFolder is ReadTable's error for the path of a folder.
var ErrFolder = errors.New("this is a folder")
