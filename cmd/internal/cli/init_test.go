package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"partita/inputs/read"
)

// asked runs init with answers as if typed, in a folder of its own.
func asked(t *testing.T, answers string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = Main(t.Context(), append([]string{"init"}, args...), Environment{
		In: strings.NewReader(answers), Out: &out, Err: &errs, Now: time.Now, Version: "test", Terminal: true, Asks: true,
	})
	return code, out.String(), errs.String()
}

// loads is what a written file says, by fields that are stated.
func loads(t *testing.T, path string) map[string]string {
	t.Helper()
	reader, err := read.NewReader("")
	if err != nil {
		t.Fatal(err)
	}
	survey, err := reader.Look(read.Options{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	stated := map[string]string{}
	for _, f := range survey.Fields {
		if f.Origin == read.Stated {
			stated[f.Path] = f.Text
		}
	}
	return stated
}

// TestInitAsks: answers become statements, Enter leaves the default to the reader, and
// what is not understood is asked again with what is wanted.
func TestInitAsks(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, row := range []struct {
		name    string
		answers []string
		args    []string
		want    map[string]string
		said    []string
	}{
		{name: "defaults.yaml", answers: []string{"", "", "", "", "", "", "", "", "", "", "", "defaults.yaml"},
			want: map[string]string{"name": "defaults", "cluster.count": "8", "cluster.accelerator": "H100", "model.catalog": "Llama-3.1-8B", "workload.output": "512"}},
		{name: "all.toml", answers: []string{"2 nodes of 8x H100", "400Gb/s", "llama 3.1 70b", "fp8", "128", "128..4096", "256", "2s", "20 tokens/s", "5000", "2.5", "cost", "all.toml"},
			want: map[string]string{"name": "all", "cluster.count": "16", "cluster.nodes": "2", "cluster.gpus_per_node": "8", "cluster.accelerator": "H100", "cluster.network": "50 GB/s",
				"model.catalog": "llama 3.1 70b", "model.precision": "fp8", "workload.batch": "128", "workload.input": "128-4096", "workload.output": "256",
				"goal.requirements.ttft": "2 s", "goal.requirements.tpot": "50 ms", "goal.requirements.throughput": "5000 tokens/s", "cluster.usd_per_hour": "2.5", "goal.objective": "cost"}},
		{name: "again.yaml", answers: []string{"?", "8 x H1000", "8 x H100", "?", "Lama-3.1-8B", "Llama-3.1-8B", "fp7", "", "0", "-3", "", "", "many", "", "", "", "", "", "cost", "", "again.txt", "defaults.yaml", "again.yaml"},
			want: map[string]string{"name": "again", "cluster.count": "8", "cluster.accelerator": "H100", "model.catalog": "Llama-3.1-8B", "workload.output": "512"},
			said: []string{"did you mean H100", "did you mean Llama-3.1-8B", "RTX-4090", "DeepSeek-V3", "FP32", `"many" is not understood`, "0 is out of bounds", "the price of pool", ".yaml, .toml or .md", "defaults.yaml is there already"}},
		{name: "model.yaml", args: []string{"--model", "Qwen2.5-7B", "-o", "model.yaml"}, answers: []string{"2 x L40S", "", "", "", "", "", "", "", "", ""},
			want: map[string]string{"name": "model", "cluster.count": "2", "cluster.accelerator": "L40S", "model.catalog": "Qwen2.5-7B", "workload.output": "512"}},
		{name: "rest.yaml", args: []string{"--ask", "--cluster", "4 x L40S", "--batch", "8", "--phase", "prefill", "-o", "rest.yaml"}, answers: []string{"Qwen2.5-7B", "", "", "", "", "", "", ""},
			want: map[string]string{"name": "rest", "cluster.count": "4", "cluster.accelerator": "L40S", "model.catalog": "Qwen2.5-7B", "workload.batch": "8", "workload.phase": "prefill"}},
		{name: "step.yaml", args: []string{"--ask", "--phase", "training", "-o", "step.yaml"}, answers: []string{"2 nodes of 8x H100", "400Gb/s", "Llama-3.1-8B", "", "4M tokens", "", "10s", "", "", ""},
			want: map[string]string{"name": "step", "cluster.count": "16", "cluster.nodes": "2", "cluster.gpus_per_node": "8", "cluster.accelerator": "H100", "cluster.network": "50 GB/s", "model.catalog": "Llama-3.1-8B",
				"workload.phase": "training", "workload.global_batch": "4M tokens", "workload.sequence": "4096", "goal.requirements.step_time": "10 s"}},
	} {
		code, stdout, stderr := asked(t, strings.Join(row.answers, "\n")+"\n", row.args...)
		if code != exitFound {
			t.Errorf("%s: exit code %d\n%s", row.name, code, stderr)
			continue
		}
		if !strings.Contains(stdout, "partita solve "+row.name) {
			t.Errorf("%s: stdout %q", row.name, stdout)
		}
		got := loads(t, row.name)
		for path, text := range row.want {
			if got[path] != text {
				t.Errorf("%s: %s is %q, want %q", row.name, path, got[path], text)
			}
		}
		if len(got) != len(row.want) {
			t.Errorf("%s: %v is stated, want %v", row.name, got, row.want)
		}
		for _, text := range row.said {
			if !strings.Contains(stderr, text) {
				t.Errorf("%s: stderr does not say %q:\n%s", row.name, text, stderr)
			}
		}
	}
}

// TestInitEndsEarly: where the answers end or the run is interrupted nothing is left.
func TestInitEndsEarly(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	code, stdout, stderr := asked(t, "8 x H100\n")
	if code != exitInternal || stdout != "" || !strings.Contains(stderr, "nothing is written") {
		t.Errorf("answers that end: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in, feed := io.Pipe()
	defer feed.Close()
	var out, errs strings.Builder
	done := make(chan int)
	go func() {
		done <- Main(ctx, []string{"init"}, Environment{In: in, Out: &out, Err: &errs, Asks: true})
	}()
	if _, err := io.WriteString(feed, "8 x H100\n"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if code := <-done; code != exitInternal || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("interrupted: exit code %d, stderr %q", code, errs.String())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v is left behind (%v)", entries, err)
	}
}

// TestInitOnATerminal: the program itself asks where stdin and stderr are a terminal,
// and leaves nothing where Ctrl-C is pressed.
func TestInitOnATerminal(t *testing.T) {
	dir := t.TempDir()
	session := func(typed ...string) (string, error) {
		binary, err := exec.LookPath("partita")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), binary, "init")
		cmd.Dir = dir
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Skipf("no pseudo-terminal here: %v", err)
		}
		defer terminal.Close()
		var seen strings.Builder
		buffer := make([]byte, 4096)
		for _, line := range typed {
			for asked := seen.Len(); !strings.Contains(seen.String()[asked:], "]: "); {
				n, err := terminal.Read(buffer)
				seen.Write(buffer[:n])
				if err != nil {
					return seen.String(), cmd.Wait()
				}
			}
			if _, err := io.WriteString(terminal, line); err != nil {
				t.Fatal(err)
			}
		}
		rest, _ := io.ReadAll(terminal) // a terminal ends with an error
		seen.Write(rest)
		return seen.String(), cmd.Wait()
	}
	if seen, err := session("8 x L40S\n", "Llama-3.1-8B\n", "\x03"); err == nil || !strings.Contains(seen, "nothing is written") {
		t.Errorf("Ctrl-C: %v\n%s", err, seen)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("Ctrl-C: %v is left behind (%v)", entries, err)
	}
	if seen, err := session("8 x L40S\n", "Llama-3.1-8B\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n"); err != nil || !strings.Contains(seen, "wrote condition.yaml") {
		t.Errorf("%v\n%s", err, seen)
	}
	if got := loads(t, filepath.Join(dir, "condition.yaml")); got["cluster.accelerator"] != "L40S" || got["model.catalog"] != "Llama-3.1-8B" {
		t.Errorf("the file states %v", got)
	}
}

// TestInitSolves: what init writes from each source, solve proves.
func TestInitSolves(t *testing.T) {
	from := func(name string) string { return filepath.Join(repository, "examples", name) }
	for _, args := range [][]string{
		{"--cluster", "2 x H100", "--model", "Llama-3.1-8B"},
		{"--cluster", "1 node of 2xA100 + 2 x L40S", "--model", "Llama-3.1-8B", "--ttft", "20s", "--format", "toml"},
		{"--from-nvidia-smi", from("13b-two-gpus-30-50gb-free.csv"), "--model", repository + "/inputs/write/testdata/config.json"},
		{from("two-hosts-of-four-a100.json"), from("qwen2.5-72b-workload.yaml")},
		{from("qwen3-235b-unlimited-64gb.md"), "--format", "markdown", "--gpus", "16"},
	} {
		dir := t.TempDir()
		code, stdout, stderr := run(t.Context(), append([]string{"init", "--json", "-o", filepath.Join(dir, "c"+extensionOf(args))}, args...)...)
		if code != exitFound {
			t.Errorf("%v: exit code %d\n%s", args, code, stderr)
			continue
		}
		var wrote struct{ Condition, Format, Name string }
		if err := json.Unmarshal([]byte(stdout), &wrote); err != nil || !filepath.IsAbs(wrote.Condition) || wrote.Format == "" || wrote.Name == "" {
			t.Errorf("%v: stdout %q (%v)", args, stdout, err)
		}
		code, stdout, stderr = run(t.Context(), "solve", wrote.Condition, "-o", filepath.Join(dir, "out"), "--json", "--backend", "labels")
		if code != exitFound {
			t.Errorf("%v: solve ends with %d\n%s", args, code, stderr)
			continue
		}
		checkPlan(t, planOf(t, stdout), true)
	}
}

func extensionOf(args []string) string {
	for i, a := range args {
		if a == "--format" {
			return map[string]string{"toml": ".toml", "markdown": ".md"}[args[i+1]]
		}
	}
	return ".yaml"
}
