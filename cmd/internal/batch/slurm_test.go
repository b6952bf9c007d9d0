package batch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// cluster stands in for Slurm and for this program: its commands note how they were
// called: the number of words, and each ended by a zero byte.
type cluster struct {
	dir, script, program string
}

// newCluster writes a script and the commands it calls. The program's own name is a part
// of what is quoted.
func newCluster(t testing.TB, e *Engine, program string) *cluster {
	t.Helper()
	c := &cluster{dir: t.TempDir()}
	c.program = filepath.Join(c.dir, program)
	e.Program = c.program
	text, err := e.Slurm()
	if err != nil {
		t.Fatal(err)
	}
	c.script = filepath.Join(c.dir, "job.sh")
	note := func(name, then string) string {
		return fmt.Sprintf("#!/bin/bash\nprintf '%%s\\0' $# \"$@\" >>\"$CALLS/%s\"\n%s\n", name, then)
	}
	for path, data := range map[string]string{
		c.script:                         string(text),
		c.program:                        note("program", `printf %s "${PARTITA_X-}" >"$CALLS/env"; exit "${PROGRAM_EXIT:-0}"`),
		filepath.Join(c.dir, "sbatch"):   note("sbatch", `case $* in *--dependency*) cat >"$CALLS/stdin" ;; esac; echo "42;cluster"`),
		filepath.Join(c.dir, "scontrol"): note("scontrol", ""),
		filepath.Join(c.dir, "sleep"):    "#!/bin/bash\n",
	} {
		if err := os.WriteFile(path, []byte(data), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// run runs a script and returns its exit code and how each command was called.
func (c *cluster) run(t testing.TB, script string, env ...string) (int, map[string][][]string, string) {
	t.Helper()
	calls := t.TempDir()
	cmd := exec.Command("bash", script)
	cmd.Dir = calls
	cmd.Env = append([]string{"PATH=" + c.dir + ":/usr/bin:/bin", "CALLS=" + calls}, env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	got := map[string][][]string{}
	for _, name := range []string{"program", "sbatch", "scontrol"} {
		data, _ := os.ReadFile(filepath.Join(calls, name)) // absent: never called
		for words := strings.Split(string(data), "\x00"); len(words) > 1; {
			n, err := strconv.Atoi(words[0])
			if err != nil {
				t.Fatal(err)
			}
			got[name] = append(got[name], words[1:1+n])
			words = words[1+n:]
		}
	}
	stdin, _ := os.ReadFile(filepath.Join(calls, "stdin"))
	got["stdin"] = [][]string{{string(stdin)}}
	variable, _ := os.ReadFile(filepath.Join(calls, "env"))
	got["env"] = [][]string{{string(variable)}}
	return cmd.ProcessState.ExitCode(), got, string(out)
}

func bashOrSkip(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
}

func slurmEngine(name, config, output string, flags ...string) *Engine {
	return &Engine{Name: name, Config: config, Output: output, Shares: 4, CPUs: 2, Memory: "2G", Retries: 2, Flags: flags, Walltime: "1:00:00", Partition: "gpu", Account: "lab"}
}

func TestSlurmScript(t *testing.T) {
	e := slurmEngine("Llama sweep", "batch.yaml", "out")
	e.Program, e.Parallel = "partita", 2
	text, err := e.Slurm()
	if err != nil {
		t.Fatal(err)
	}
	script := string(text)
	for _, want := range []string{
		"#!/bin/bash\n", "\n#SBATCH --job-name=partita-llama-sweep\n", "\n#SBATCH --array=0-3%2\n", "\n#SBATCH --cpus-per-task=2\n", "\n#SBATCH --mem=2G\n", "\n#SBATCH --time=1:00:00\n",
		"\n#SBATCH --partition=gpu\n", "\n#SBATCH --account=lab\n", "\n#SBATCH --requeue\n", "\n#SBATCH --open-mode=append\n", "\n#SBATCH --output=partita-llama-sweep-%A_%a.log\n",
		"\npartita batch batch.yaml --shards 4 --out out --jobs 2 --failed-ok\n", "\nexec partita batch --merge out --out out --failed-ok\n",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("missing %q in\n%s", want, script)
		}
	}
	// sbatch reads its lines up to the first command.
	head, _, _ := strings.Cut(script, "\nif ")
	if strings.Count(head, "#SBATCH") != 11 {
		t.Errorf("%d directives before the first command", strings.Count(head, "#SBATCH"))
	}
}

// TestSlurmScriptDoes runs the script as a person, as Slurm, and as Slurm after failures.
func TestSlurmScriptDoes(t *testing.T) {
	bashOrSkip(t)
	e := slurmEngine("n", "batch.yaml", "out")
	c := newCluster(t, e, "program")
	code, calls, out := c.run(t, c.script)
	if code != 0 || len(calls["program"]) > 0 || len(calls["sbatch"]) != 2 || out != "array 42, then step 42\n" {
		t.Fatalf("exit %d, calls %v, %s", code, calls, out)
	}
	if got := calls["sbatch"]; !slices.Equal(got[0], []string{"--parsable", c.script}) ||
		!slices.Equal(got[1], []string{"--parsable", "--kill-on-invalid-dep=yes", "--dependency=afterok:42"}) {
		t.Errorf("sbatch was called with %q", got)
	}
	task := func(env ...string) []string {
		return append([]string{"SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_JOB_ID=42"}, env...)
	}
	for _, row := range []struct {
		exit, restarts string
		requeued       bool
	}{
		{"0", "", false}, {"1", "", true}, {"137", "1", true}, {"1", "2", false}, {"2", "", false}, {"3", "", false}, {"5", "0", true},
	} {
		code, calls, _ := c.run(t, c.script, task("PROGRAM_EXIT="+row.exit, "SLURM_RESTART_COUNT="+row.restarts)...)
		if fmt.Sprint(code) != row.exit || len(calls["sbatch"]) > 0 || len(calls["program"]) != 1 {
			t.Errorf("%+v: exit %d, calls %v", row, code, calls)
		}
		want := [][]string(nil)
		if row.requeued {
			want = [][]string{{"requeue", "42_1"}}
		}
		if got := calls["scontrol"]; len(got) != len(want) || len(got) > 0 && !slices.Equal(got[0], want[0]) {
			t.Errorf("%+v: scontrol was called with %v", row, got)
		}
	}
}

// TestSlurmCarriesAnyName: whatever paths and flags hold, the program gets them, in the
// array and in the step behind it, and no shell runs a part of them.
func TestSlurmCarriesAnyName(t *testing.T) {
	bashOrSkip(t)
	directive := regexp.MustCompile(`^#SBATCH --[a-z-]+(=[A-Za-z0-9:%_.,+-]+)?$`)
	rapid.Check(t, func(rt *rapid.T) {
		program := strings.NewReplacer("/", "_", "\x00", "_").Replace(hostile().Draw(rt, "program"))
		if program == "." || program == ".." || slices.Contains([]string{"job.sh", "sbatch", "scontrol", "sleep"}, program) {
			program = "p"
		}
		e := slurmEngine(hostile().Draw(rt, "name"), hostile().Draw(rt, "config"), hostile().Draw(rt, "output"), "--set", hostile().Draw(rt, "flag"))
		value := hostile().Draw(rt, "value")
		e.Env = []string{"PARTITA_X=" + value}
		c := newCluster(t, e, program)
		text, err := os.ReadFile(c.script)
		if err != nil {
			rt.Fatal(err)
		}
		head, _, _ := strings.Cut(string(text), "\nif ")
		for line := range strings.Lines(head) {
			if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "#SBATCH") && !directive.MatchString(line) {
				rt.Errorf("directive %q", line)
			}
		}
		if out, err := exec.Command("bash", "-n", c.script).CombinedOutput(); err != nil {
			rt.Fatalf("bash -n: %s", out)
		}
		_, calls, out := c.run(t, c.script, "SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_JOB_ID=42")
		if got := calls["program"]; len(got) != 1 || !slices.Equal(got[0], e.shareArgs()) {
			rt.Fatalf("the array calls %q, want %q\n%s", got, e.shareArgs(), out)
		}
		if got := calls["env"][0][0]; got != value {
			rt.Fatalf("the variable is %q, want %q", got, value)
		}
		_, calls, out = c.run(t, c.script)
		step := filepath.Join(t.TempDir(), "step.sh")
		if err := os.WriteFile(step, []byte(calls["stdin"][0][0]), 0o644); err != nil {
			rt.Fatal(err)
		}
		_, calls, more := c.run(t, step)
		if got := calls["program"]; len(got) != 1 || !slices.Equal(got[0], e.mergeArgs()) {
			rt.Fatalf("the step calls %q, want %q\n%s%s", got, e.mergeArgs(), out, more)
		}
	})
}

func TestSlurmRefuses(t *testing.T) {
	for want, change := range map[string]func(*Engine){
		"want a size of Slurm":          func(e *Engine) { e.Memory = "2Gi" },
		"want a time of Slurm":          func(e *Engine) { e.Walltime = "2 hours" },
		"want the name of a partition":  func(e *Engine) { e.Partition = "a\n#SBATCH --wrap=x" },
		"want the name of an account":   func(e *Engine) { e.Account = "$(id)" },
		"which no command line can car": func(e *Engine) { e.Config = "\x00" },
	} {
		e := slurmEngine("n", "c", "o")
		change(e)
		if _, err := e.Slurm(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestShellcheck has a critic of shell scripts read ours, where it is installed.
func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed")
	}
	e := slurmEngine("n", "con'fig $x.yaml", "o u t")
	e.Program = "partita"
	text, err := e.Slurm()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "job.sh")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("shellcheck", "--severity=warning", path).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}
