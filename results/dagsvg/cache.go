package dagsvg

import (
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
)

// machineCode keeps what the module was compiled to in the user's own cache folder
// (~/.cache/partita on Linux, 6 MB): the next picture is drawn at once. Machine code is
// taken from no folder that anybody else can write to; nil where there is no such folder,
// and the module is then compiled each time.
func machineCode() wazero.CompilationCache {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	dir := filepath.Join(base, "partita")
	if os.MkdirAll(dir, 0o700) != nil || !private(base) || !private(dir) {
		return nil
	}
	kept, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil
	}
	return kept
}

// private reports whether a folder belongs to the user that runs the program, and nobody
// else can write to it.
func private(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && info.Mode().Perm()&0o022 == 0 && own(info)
}
