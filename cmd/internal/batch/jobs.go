package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Engine is a Job that an engine of batch jobs runs, one task a share.
type Engine struct {
	Name    string // of the batch
	Program string // the command of this program on the engine's machines
	Config  string // path of the config, as the tasks find it
	Output  string // folder of the results, as the tasks find it
	Shares  int
	// Parallel bounds the tasks at a time; 0: as many as the engine likes.
	Parallel int
	CPUs     int    // cores a task
	Memory   string // of a task, in the engine's words: 2Gi, 4G
	Retries  int    // times a task that dies is started again
	Flags    []string
	Env      []string // variables that the tasks need, "NAME=value"

	// Kubernetes.
	Image, Claim, Mount string
	// Slurm; empty: the engine's default.
	Walltime, Partition, Account string
}

// shareArgs are the arguments of a task. The environment of the engine says which share
// it is. Scenarios without a plan are results: only a task that does not come to its end
// has failed.
func (e *Engine) shareArgs() []string {
	args := []string{"batch", positional(e.Config), "--shards", strconv.Itoa(e.Shares), "--out", e.Output, "--jobs", strconv.Itoa(e.CPUs), "--failed-ok"}
	return append(args, e.Flags...)
}

// mergeArgs are the arguments of the step behind the tasks.
func (e *Engine) mergeArgs() []string {
	return []string{"batch", "--merge", positional(e.Output), "--out", e.Output, "--failed-ok"}
}

// positional is a path that is not taken for a flag.
func positional(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}

// jobName is the name of the batch in letters that engines allow in a name (RFC 1123:
// lower case, digits and dashes), at most so many of them.
func jobName(name string, most int) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	plain := strings.Trim(b.String(), "-")
	if plain == "" {
		plain = "batch"
	}
	plain = "partita-" + plain
	if len(plain) > most {
		sum := sha256.Sum256([]byte(name))
		tail := "-" + hex.EncodeToString(sum[:4])
		plain = strings.TrimRight(plain[:most-len(tail)], "-") + tail
	}
	return plain
}

// check refuses what no shell and no YAML can carry.
func (e *Engine) check() error {
	for _, word := range append(append(e.shareArgs(), e.Program, e.Image, e.Claim, e.Mount), e.Env...) {
		if strings.ContainsRune(word, 0) {
			return fmt.Errorf("%q holds a zero byte, which no command line can carry", word)
		}
	}
	return nil
}
