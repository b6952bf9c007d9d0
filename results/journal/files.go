package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
)

// Sum is the SHA-256 of data in hexadecimal.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Verify forgets the entries whose files are not all in the folder as they were
// written, and returns the scenarios that have to be done again.
func (j *Journal) Verify(folder string) ([]int, error) {
	var lost []int
	for _, i := range j.Indexes() {
		e, err := j.Entry(i)
		if err != nil {
			return nil, err
		}
		for _, f := range e.Files {
			if sum, err := fileSum(filepath.Join(folder, filepath.FromSlash(f.Path))); err != nil || sum != f.SHA256 {
				lost = append(lost, i)
				j.Forget(i)
				break
			}
		}
	}
	return lost, nil
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // read only: nothing is lost
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
