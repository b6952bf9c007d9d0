package launch

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/launch/launchtest"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew; read them before they are kept")

// examples are those of the repository that are conditions, with the files that complete them.
func examples(t testing.TB) [][]string {
	t.Helper()
	files, err := filepath.Glob("../../examples/*")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	beside := map[string]string{"13b-two-gpus-30-50gb-free.csv": "13b-workload.yaml", "two-hosts-of-four-a100.json": "qwen2.5-72b-workload.yaml"}
	var out [][]string
	for _, f := range files {
		name := filepath.Base(f)
		switch {
		case strings.HasPrefix(name, "batch-"), strings.HasSuffix(name, "workload.yaml"), !strings.Contains(name, "."):
			continue
		}
		paths := []string{f}
		if more := beside[name]; more != "" {
			paths = append(paths, "../../examples/"+more)
		}
		out = append(out, paths)
	}
	return out
}

// solved is the optimal plan of a condition for an engine, "" for any; nil where there is none
// under the engine's rules.
func solved(t testing.TB, paths []string, engine string) *results.Plan {
	t.Helper()
	var over []read.Override
	if engine != "" {
		over = append(over, read.Override{Key: "engine", Value: engine})
	}
	return solvedWith(t, paths, over)
}

// solvedWith is the optimal plan of a condition with overrides.
func solvedWith(t testing.TB, paths []string, over []read.Override) *results.Plan {
	t.Helper()
	c, err := read.Load(read.Options{Paths: paths, Overrides: over})
	if err != nil {
		t.Fatal(err)
	}
	r, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	return r.Plan
}

// manyGPUs is more than a test starts under stubs, node by node.
const manyGPUs = 100

// TestExamplesStart: of every example, the optimum of solve --engine is one that the engine's
// writer takes, and its commands are that plan; the optimum without an engine is written, or
// refused for what the rules of the engine say.
func TestExamplesStart(t *testing.T) {
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			started := 0
			for _, paths := range examples(t) {
				if e.name == "llamacpp" && strings.Contains(paths[0], "16384") {
					continue // half a minute of search for replicas of 15 GPUs
				}
				if strings.HasPrefix(filepath.Base(paths[0]), "training-") {
					continue // TestTrainingExamples: the other engines serve, and a condition may not name them
				}
				p := solved(t, paths, e.name)
				if p == nil {
					continue // the engine can run no plan of it: FP8 weights, say
				}
				if p.Phases[0].GPUs.Used > manyGPUs {
					files, err := Files(e.name, p)
					if err != nil {
						t.Errorf("%s: %v", paths[0], err)
					} else if n := len(files[0].Data); n > 1<<20 {
						t.Errorf("%s: a script of %d bytes", paths[0], n)
					}
					continue
				}
				if holdsPlan(t, e, p) {
					_, err := Files(e.name, p)
					t.Errorf("%s: solve --engine %s finds a plan, and %v", paths[0], e.name, err)
					continue
				}
				started++
			}
			t.Logf("%d examples started", started)
			if started < 8 {
				t.Errorf("%d examples started", started)
			}
		})
	}
}

// TestFreeExamples holds the plans that no engine bounds against every engine.
func TestFreeExamples(t *testing.T) {
	t.Parallel()
	written := map[string]int{}
	for _, paths := range examples(t) {
		p := solved(t, paths, "")
		if p == nil || p.Phases[0].GPUs.Used > manyGPUs || p.Phases[0].Phase == inputs.Training {
			continue
		}
		for _, e := range engines() {
			if !holdsPlan(t, e, p) {
				written[e.name]++
			}
		}
	}
	for _, e := range engines() {
		if written[e.name] < 4 {
			t.Errorf("%s starts %d of the examples", e.name, written[e.name])
		}
	}
}

// TestGolden shows whole files of the hard examples: experts and attention data parallelism on
// four nodes, three unlike pools, seven GPUs.
func TestGolden(t *testing.T) {
	for _, row := range []struct{ example, engine string }{
		{"deepseek-v3-fp8-4x8-h200.yaml", "sglang"},
		{"deepseek-v3-fp8-4x8-h200.yaml", "trtllm"},
		{"three-pools-llama-70b-fp16.yaml", "megatron"},
		{"three-pools-llama-70b-fp16.yaml", "llamacpp"},
		{"deepseek-v3-fp8-4x8-h200.yaml", "vllm"},
		{"deepseek-v3-fp8-4x8-h200.yaml", "k8s"},
		{"three-pools-llama-70b-fp16.yaml", "ray"},
	} {
		engine := row.engine
		if engine == "k8s" || engine == "ray" { // ways to start vLLM
			engine = "vllm"
		}
		p := solved(t, []string{"../../examples/" + row.example}, engine)
		files, err := Files(row.engine, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Name == "ray_serve.py" {
				continue // the same for every plan
			}
			path := filepath.Join("testdata", strings.TrimSuffix(row.example, ".yaml"), f.Name)
			if f.Executable {
				launchtest.Lint(t, f.Data)
			}
			if *updateGolden {
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Data, want) {
				t.Errorf("%s (-want +got), go test -update where meant:\n%s", path, cmp.Diff(string(want), string(f.Data)))
			}
		}
	}
}
