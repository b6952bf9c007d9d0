package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"partita/results/launch/launchtest"
)

// hostileCondition has names that mean something to shells, YAML, DOT and HTML wherever a
// condition may name something.
const hostileCondition = `name: "\"; rm -rf ~; <script>"
cluster:
  pools:
    - name: "$(touch pwned)"
      accelerator: H100
      hosts: ["$(touch${IFS}pwned)/0..3", "b'` + "`id`" + `;x/0..3"]
  network: 50 GB/s
model: {name: "\"; rm -rf ~; <script>", layers: 32, hidden: 4096, heads: 32, kv_heads: 8, intermediate: 11008, vocab: 64000}
workload: {batch: 8, input: 128, output: 64}
`

// TestHostileNamesStartNothing solves a condition of hostile names and runs every script that
// it leaves, on every node, with stubs in the place of programs: none calls anything else,
// none changes a file, and what serves the model is told its name as it is.
func TestHostileNamesStartNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "condition.yaml")
	if err := os.WriteFile(path, []byte(hostileCondition), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if code, _, stderr := run(context.Background(), "solve", path, "-o", out, "--backend", "labels"); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	scripts, err := filepath.Glob(filepath.Join(out, "launch", "*.sh"))
	if err != nil || len(scripts) < 5 {
		t.Fatalf("scripts %q, %v", scripts, err)
	}
	named := map[string]bool{}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(script)
		launchtest.Lint(t, text)
		for _, node := range []string{"0", "1"} {
			r := launchtest.Run(t, text, launchtest.Options{
				Stubs: []string{"vllm", "ray", "python3", "trtllm-serve", "mpirun", "torchrun", "llama-server", "rpc-server", "sleep"},
				Args:  []string{node}, Env: []string{"MODEL=m", "MEGATRON=m", "CHECKPOINT=c", "TOKENIZER=t"},
			})
			if r.Exit != 0 && len(r.Calls) == 0 {
				t.Errorf("%s %s: exit %d, %s", name, node, r.Exit, r.Stderr)
			}
			for _, c := range r.Calls {
				served, given := c.Flag("--served-model-name")
				named[name] = named[name] || given
				if given && !strings.Contains(served, "rm -rf ~") {
					t.Errorf("%s serves the model as %q", name, served)
				}
			}
		}
	}
	if !named["vllm.sh"] || !named["sglang.sh"] {
		t.Errorf("scripts that name the model: %v", named)
	}

	manifests, err := filepath.Glob(filepath.Join(out, "launch", "*.yaml"))
	if err != nil || len(manifests) < 2 {
		t.Fatalf("manifests %q, %v", manifests, err)
	}
	for _, m := range manifests {
		text, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range strings.Split(string(text), "\n---\n") {
			var v map[string]any
			if err := yaml.Unmarshal([]byte(document), &v); err != nil || len(v) == 0 {
				t.Errorf("%s: %v\n%s", m, err, document)
			}
		}
	}
}
