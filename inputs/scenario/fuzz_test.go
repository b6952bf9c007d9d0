package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRead reads any text as a config in any of the formats: it is a batch whose
// scenarios can be listed, each by a name of its own, or its problems are told.
func FuzzRead(f *testing.F) {
	for i, text := range []string{sweep, sweepTOML, sweepJSON} {
		f.Add(byte(i), []byte(text))
	}
	for _, name := range []string{"batch-llama-70b.yaml", "batch-clusters.toml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "examples", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(len(name)), data)
	}
	for _, text := range []string{"", "- a", "matrix: [{values: [[1, 2], ~]}]", "set: {a: {a: {a: {}}}}", "include: {}", "scenarios: [{name: é}]", "a: &a [*a]", "base: [[]]"} {
		f.Add(byte(0), []byte(text))
	}
	f.Fuzz(func(t *testing.T, format byte, data []byte) {
		path := filepath.Join(t.TempDir(), []string{"b.yaml", "b.toml", "b.json"}[format%3])
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := Read(Options{File: path})
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("a problem without text")
			}
			return
		}
		if b.Len() == 0 || b.Len() > 10_000 {
			return
		}
		seen := map[string]bool{}
		for i := range b.Len() {
			s := b.Scenario(i)
			if key := strings.ToLower(s.Name); seen[key] || !safe.MatchString(s.Name) {
				t.Fatalf("name %q", s.Name)
			} else {
				seen[key] = true
			}
		}
	})
}
