// Package launchtest holds what tests of launch files share: it runs a script with stubs
// in the place of every program, and tells what the script called, with which arguments
// and in which environment.
//
//	got := launchtest.Run(t, file.Data, launchtest.Options{Stubs: []string{"vllm"}})
//	got.Calls[0].Args // the words that vllm was given, whatever they hold
//
// Nothing else is on the PATH of the script: any other command counts as a stray one, and
// a test of a hostile name that fails leaves its trace there or as a file in the folder.
package launchtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Options say how a script is run.
type Options struct {
	// Stubs are the programs that the script may call. Each records its call and succeeds.
	Stubs []string
	// Does is what a stub runs in bash after it was recorded, by the program's name; what
	// it prints is what the script sees: {"hostname": "echo node-1"}.
	Does map[string]string
	// Together is how many calls have to begin before any of them ends: servers that a script
	// starts side by side all run until then.
	Together int
	// Args follow the script's name.
	Args []string
	// Env is all of the script's environment besides PATH, HOME and PWD: "MODEL=a b".
	Env []string
	// Limit is how long the script may run; 30 s where it is 0.
	Limit time.Duration
}

// Call is one run of a stub.
type Call struct {
	Program string
	Args    []string
	Env     map[string]string
}

// Flag is the word behind a flag: "8" of "--tensor-parallel-size 8" or
// "--tensor-parallel-size=8". The second result is false where the flag is not given.
func (c Call) Flag(name string) (string, bool) {
	for i, a := range c.Args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v, true
		}
		if a == name && i+1 < len(c.Args) {
			return c.Args[i+1], true
		}
	}
	return "", false
}

// Has reports whether a flag without a value is given.
func (c Call) Has(name string) bool { return slices.Contains(c.Args, name) }

// Result is what a script did.
type Result struct {
	// Calls of stubs, in the order in which they began.
	Calls []Call
	// Stray are the calls of programs that are no stubs, a line each.
	Stray []string
	// Left are the files that the script left in its folder or home.
	Left   []string
	Exit   int
	Stdout string
	Stderr string
}

// Of are the calls of one program.
func (r *Result) Of(program string) []Call {
	var out []Call
	for _, c := range r.Calls {
		if c.Program == program {
			out = append(out, c)
		}
	}
	return out
}

// precious is a file in the home of every script: what "rm -rf ~" would take.
const precious = "precious"

// Run runs a script under bash with nothing but stubs on its PATH. A script that calls
// something else, or changes a file, fails the test: use Try to look at that.
func Run(t testing.TB, script []byte, o Options) *Result {
	t.Helper()
	r := Try(t, script, o)
	for _, s := range r.Stray {
		t.Errorf("the script called %s", s)
	}
	for _, name := range r.Left {
		t.Errorf("the script left or took the file %s", name)
	}
	return r
}

// Try is Run without its judgement.
func Try(t testing.TB, script []byte, o Options) *Result {
	t.Helper()
	for range 20 {
		// A test beside this one that starts a program in the moment in which a stub is written
		// holds its file open for an instant, and Linux then refuses to run it.
		if r := try(t, script, o); !strings.Contains(r.Stderr, "Text file busy") {
			return r
		}
	}
	t.Fatal("the stubs are busy")
	return nil
}

func try(t testing.TB, script []byte, o Options) *Result {
	t.Helper()
	bash := Tool(t, "bash")
	env, mv := Tool(t, "env"), Tool(t, "mv")
	dir, err := os.MkdirTemp("", "launch")
	must(t, err)
	defer os.RemoveAll(dir)
	bin, log, home, work := filepath.Join(dir, "bin"), filepath.Join(dir, "log"), filepath.Join(dir, "home"), filepath.Join(dir, "work")
	for _, d := range []string{bin, log, home, work} {
		must(t, os.Mkdir(d, 0o755))
	}
	must(t, os.WriteFile(filepath.Join(home, precious), nil, 0o644))
	path := filepath.Join(dir, "script.sh")
	must(t, os.WriteFile(path, script, 0o755))
	wait := ""
	if o.Together > 1 {
		wait = fmt.Sprintf("while c=('%s'/call-*); [ ${#c[@]} -lt %d ]; do '%s' 0.02; done\n", log, o.Together, Tool(t, "sleep"))
	}
	for _, name := range o.Stubs {
		must(t, os.WriteFile(filepath.Join(bin, name), []byte(stub(bash, env, mv, log, name, wait+o.Does[name])), 0o755))
	}

	limit := o.Limit
	if limit == 0 {
		limit = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, append([]string{path}, o.Args...)...)
	cmd.Dir = work
	cmd.WaitDelay = time.Second
	// What is not found on the PATH is recorded by the shell itself.
	cmd.Env = append([]string{"PATH=" + bin, "HOME=" + home,
		"BASH_FUNC_command_not_found_handle%%=() { printf '%s\\n' \"$*\" >>'" + log + "/stray'; return 127; }"}, o.Env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	r := &Result{}
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || ctx.Err() != nil {
			t.Fatalf("the script did not end: %v\n%s", errors.Join(err, ctx.Err()), stderr.String())
		}
		r.Exit = exit.ExitCode()
	}
	r.Stdout, r.Stderr = stdout.String(), stderr.String()
	r.Calls = calls(t, log)
	if data, err := os.ReadFile(filepath.Join(log, "stray")); err == nil {
		r.Stray = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	}
	r.Left = changed(t, work, home)
	return r
}

// stub is a program that records its arguments and its environment, each ended by a NUL,
// which neither can hold. A record has its name once it is whole; names sort by time.
func stub(bash, env, mv, log, name, does string) string {
	return fmt.Sprintf(`#!%s
record=$EPOCHREALTIME-$BASHPID
{ printf '%%s\0' %s "$#" "$@"; %s -0; } >'%s'/"part-$record"
'%s' '%s'/{part,call}-"$record"
%s
`, bash, name, env, log, mv, log, does)
}

// calls reads the records of the stubs.
func calls(t testing.TB, log string) []Call {
	t.Helper()
	records, err := filepath.Glob(filepath.Join(log, "call-*"))
	must(t, err)
	sort.Strings(records)
	var out []Call
	for _, name := range records {
		data, err := os.ReadFile(name)
		must(t, err)
		words := strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
		if len(words) < 2 {
			t.Fatalf("the record %q has no count of arguments", data)
		}
		n, err := strconv.Atoi(words[1])
		must(t, err)
		if len(words) < 2+n {
			t.Fatalf("the record %q ends in the middle", data)
		}
		c := Call{Program: words[0], Args: words[2 : 2+n], Env: map[string]string{}}
		for _, w := range words[2+n:] {
			if k, v, _ := strings.Cut(w, "="); !strings.HasPrefix(k, "BASH_FUNC_") {
				c.Env[k] = v
			}
		}
		out = append(out, c)
	}
	return out
}

// changed lists what a script left in its folder or took from its home.
func changed(t testing.TB, work, home string) []string {
	t.Helper()
	var out []string
	for _, dir := range []string{work, home} {
		entries, err := os.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			if dir == work || e.Name() != precious {
				out = append(out, e.Name())
			}
		}
	}
	if _, err := os.Stat(filepath.Join(home, precious)); err != nil {
		out = append(out, precious)
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
