package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestInitMeetsTheSchema: what init writes of every Markdown example, of an inventory and
// of flags is a condition by the schema too.
func TestInitMeetsTheSchema(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join(repository, "examples", "*.md"))
	if err != nil || len(examples) < 3 {
		t.Fatalf("%d Markdown examples: %v", len(examples), err)
	}
	calls := [][]string{
		{"--cluster", "8xH100 + 4xL40S", "--model", "DeepSeek-V3", "--network", "400Gb/s", "--batch", "32", "--input", "128..2048", "--ttft", "5s", "--tpot", "none"},
		{"--from-nvidia-smi", filepath.Join(repository, "examples", "13b-two-gpus-30-50gb-free.csv"), "--model", "Llama-2-13B", "--batch", "8", "--input", "1024"},
	}
	for _, example := range examples {
		calls = append(calls, []string{example})
	}
	for _, args := range calls {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if code, _, stderr := run(t.Context(), append([]string{"init", "-o", path}, args...)...); code != exitFound {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		if data, err = json.Marshal(doc); err != nil {
			t.Fatal(err)
		}
		meetsSchema(t, "condition", data)
	}
}
