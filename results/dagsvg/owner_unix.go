//go:build unix

package dagsvg

import (
	"io/fs"
	"os"
	"syscall"
)

// own reports whether a file belongs to the user that runs the program.
func own(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
