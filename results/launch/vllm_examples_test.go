package launch

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// onVLLM are the examples by what of vLLM's three forms cannot run their best plan for it.
var onVLLM = map[string]string{
	"13b-two-gpus-30-50gb-free.csv":   "ray k8s",  // unlike GPUs of one host
	"deepseek-v3-fp8-4x8-h200.yaml":   "ray",      // attention data parallelism
	"three-pools-llama-70b-fp16.yaml": "vllm k8s", // nodes of eight and of four GPUs
}

// TestExamplesOnVLLM reads the best plan that vLLM can run, of every example, back from each
// form of its launch files.
func TestExamplesOnVLLM(t *testing.T) {
	t.Parallel()
	schema := leaderWorkerSetSchema(t)
	written := map[string]int{}
	for _, paths := range examples(t) {
		name := filepath.Base(paths[0])
		if strings.HasPrefix(name, "training-") {
			continue // vLLM serves
		}
		p := solved(t, paths, "vllm")
		if p == nil {
			continue // three GPUs cannot be even under one tensor degree
		}
		s, err := Of(p)
		if err != nil {
			t.Fatal(err)
		}
		// Of thousands of nodes the first, one amid and the last.
		var nodes []int
		if n := len(s.Hosts()); n > 64 {
			nodes = []int{0, n / 2, n - 1}
		}
		for _, target := range []string{"vllm", "ray", "k8s"} {
			files, err := Files(target, p)
			var no *Refusal
			cannot := strings.Contains(onVLLM[name], target)
			if errors.As(err, &no) != cannot {
				t.Errorf("%s on %s: %v", name, target, err)
			}
			if err != nil {
				continue
			}
			written[target]++
			switch target {
			case "vllm":
				calls := runVLLM(t, p, files[0].Data, nodes...)
				if nodes == nil {
					checkCommands(t, p, calls)
					checkMeaning(t, p, calls)
				}
			case "ray":
				checkRay(t, p, rayFiles(t, p), nodes...)
			case "k8s":
				checkCommands(t, p, decode(t, files[0].Data, schema).calls)
			}
			if t.Failed() {
				t.Fatalf("%s on %s", name, target)
			}
		}
	}
	if written["vllm"] < 15 || written["ray"] < 15 || written["k8s"] < 15 {
		t.Errorf("written: %v", written)
	}
}
