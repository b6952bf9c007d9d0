package read

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/profile"
)

// folderOf writes files into a folder of their own.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// loadIn loads a condition as if its folder were the working directory.
func loadIn(t *testing.T, folder string, opts Options) (*inputs.Condition, error) {
	t.Helper()
	r, err := NewReader(folder)
	if err != nil {
		t.Fatal(err)
	}
	return r.Load(opts)
}

const (
	packOfDevices = `
accelerators:
  - {name: X9, memory_gib: 96, memory_bandwidth_gb_s: 2500, tflops: {bf16: 500}, link: {kind: mesh, gb_s: 300}}
models:
  - {name: Mini, config: {architectures: [LlamaForCausalLM], hidden_size: 512, num_hidden_layers: 4, num_attention_heads: 8, intermediate_size: 1024, vocab_size: 1000}}
`
	packOfRules = `
rules:
  - {name: few, expr: tp <= 2, because: a word}
`
	yamlCondition = `
knowledge: [packs]
cluster: {gpu: X9, count: 4}
model: Mini
workload: {batch: 4}
`
	markdownCondition = `
## Environment Condition
* **GPUs**: 4 x X9
* **Knowledge**: packs
* **Serving engine**: vLLM
## Model Configuration
* **Model**: Mini
`
)

// A condition of either form can name what its packs bring, wherever it says so, and
// paths of packs start at its folder.
func TestConditionsNameWhatPacksBring(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"c/packs/b/devices.yaml": packOfDevices, "c/packs/a.yaml": packOfRules,
		"c/packs/notes.md": "# Notes\n\nNever use node 7.\n\n```yaml\nrules:\n  - {name: from prose, expr: pp == 1}\n```\n", "c/packs/README.txt": "x", "c/packs/.hidden.yaml": "x: y",
		"c/c.yaml": yamlCondition, "c/c.md": markdownCondition,
	})
	for _, path := range []string{"c/c.yaml", "c/c.md"} {
		c, err := loadIn(t, folder, Options{Paths: []string{path}})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if a := c.Cluster.Pools[0].Accelerator; a.Name != "X9" || !strings.Contains(a.Provenance, filepath.Join("c", "packs", "b", "devices.yaml")) {
			t.Errorf("%s: accelerator %+v", path, a)
		}
		if c.Model.Name != "Mini" || len(c.Model.Layers) != 4 {
			t.Errorf("%s: model %s", path, c.Model.Name)
		}
		var names []string
		for _, r := range c.Rules {
			names = append(names, r.Name)
		}
		if want := []string{"few", "from prose"}; !slices.Equal(names[:2], want) {
			t.Errorf("%s: rules %v", path, names)
		}
		if engine := map[string]string{"c/c.yaml": "", "c/c.md": "vllm"}[path]; c.Engine != engine || len(c.Rules) > 2 != (engine != "") {
			t.Errorf("%s: engine %q, rules %v", path, c.Engine, names)
		}
		said := func(text, as string) {
			t.Helper()
			if !slices.ContainsFunc(c.Statements, func(s inputs.Statement) bool {
				return strings.Contains(s.Text, text) && strings.Contains(s.UsedAs, as)
			}) {
				t.Errorf("%s: no statement %q used as %q", path, text, as)
			}
		}
		said("Never use node 7", "not applied")
		said("README.txt", "not read")
		said("accelerator X9", "catalogue: added")
		said("tp <= 2", "binding; a word")
		said("packs", "knowledge: read")
	}
}

// Packs that files, environment and flags name add up; the last of several entries of a
// name counts, and a file that two name counts once.
func TestPacksAddUp(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"a.yaml": packOfRules, "b.yaml": strings.ReplaceAll(packOfRules, "few", "fewer"),
		"h100.yaml": "accelerators:\n  - {name: H100, memory_gib: 90, memory_bandwidth_gb_s: 3000, tflops: {bf16: 900}, link: {kind: nvlink, gb_s: 400}}\n",
		"c.yaml":    "knowledge: a.yaml\ncluster: {gpu: H100, count: 4}\nmodel: Llama-3.1-8B\n",
	})
	c, err := loadIn(t, folder, Options{
		Paths: []string{"c.yaml"}, Env: []string{"PARTITA_KNOWLEDGE=b.yaml", "PARTITA_ENGINE=sglang"},
		Overrides: []Override{{Key: "knowledge", Value: "h100.yaml"}, {Key: "knowledge", Value: "./a.yaml, practice"}, {Key: "engine", Value: "LLaMA.cpp"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var few, fewer int
	for _, r := range c.Rules {
		few += map[bool]int{true: 1}[r.Name == "few"]
		fewer += map[bool]int{true: 1}[r.Name == "fewer"]
	}
	if few != 1 || fewer != 1 || c.Engine != "llamacpp" {
		t.Errorf("few %d, fewer %d, engine %q", few, fewer, c.Engine)
	}
	if got := c.Cluster.Pools[0].Accelerator.MemoryBytes; got != 90<<30 {
		t.Errorf("the pack's H100 has %d bytes", got)
	}
	for _, want := range []string{"accelerator H100: catalogue: added; H100 meant H100-SXM-80GB before", "knowledge: h100.yaml: knowledge: read"} {
		if !slices.ContainsFunc(c.Statements, func(s inputs.Statement) bool { return strings.Contains(s.Text+": "+s.UsedAs, want) }) {
			t.Errorf("no statement %q in %v", want, c.Statements)
		}
	}
	for _, file := range []string{"[built in] practice", "llamacpp", "b.yaml"} {
		if !slices.ContainsFunc(c.Rules, func(r inputs.Rule) bool {
			return strings.Contains(r.Place.File, strings.TrimPrefix(file, "[built in] "))
		}) {
			t.Errorf("no rule of %s", file)
		}
	}
}

// What is wrong with packs and engines is told with its place, all at once.
func TestProblemsOfPacks(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"typo.yaml": "rules:\n  - {name: a, expr: tpp <= 4}\n  - {name: b, expr: tp}\n", "same.yaml": "rules:\n  - {name: 'vLLM: one tensor degree', expr: tp == 1}\n",
		"c.yaml": "knowledge: typo.yaml\ncluster: {gpu: H200, count: 4}\nmodel: Llama-3.1-8B\n", "empty/.keep": "",
		"e.yaml": "engine: vlm\ncluster: {gpu: H200, count: 4}\nmodel: Llama-3.1-8B\n",
	})
	for _, row := range []struct {
		file, pack string
		want       []string
	}{
		{"c.yaml", "missing.yaml", []string{
			`typo.yaml:2:21: rule "a": "tpp" is not known, want a variable of rules; did you mean "tp"?`, `typo.yaml:3:21: rule "b"`,
			"--set knowledge: stat missing.yaml: no such file or directory, want a file or folder of knowledge, or a built-in pack; built in are",
		}},
		{"c.yaml", "practise", []string{`did you mean the built-in pack "practice"?`}},
		{"c.yaml", "empty", []string{"the folder empty holds no knowledge"}},
		{"e.yaml", "practice", []string{"e.yaml:1:9:", `did you mean "vllm"?`}},
		{"c.yaml", "same.yaml, vllm", []string{`rule "vLLM: one tensor degree"`, "a name of its own"}},
	} {
		_, err := loadIn(t, folder, Options{Paths: []string{row.file}, Overrides: []Override{{Key: "knowledge", Value: row.pack}}})
		for _, want := range row.want {
			if got := errorText(err); !strings.Contains(got, want) {
				t.Errorf("%s and %s:\n got %s\nwant %s", row.file, row.pack, got, want)
			}
		}
		if got := strings.ReplaceAll(errorText(err), "\n", " "); strings.Contains(got, folder) {
			t.Errorf("%s: the folder is told: %s", row.file, got)
		}
	}
	// An engine's own pack beside the engine is no second one; a rule of its name is.
	opts := Options{Paths: []string{"../../examples/llama-3.1-8b-one-24gb.yaml"}}
	alone, err := Load(Options{Paths: opts.Paths, Overrides: []Override{{Key: "engine", Value: "vllm"}}})
	if err != nil {
		t.Fatal(err)
	}
	both, err := Load(Options{Paths: opts.Paths, Overrides: []Override{{Key: "knowledge", Value: "vllm"}, {Key: "engine", Value: "vllm"}}})
	if err != nil || len(both.Rules) != len(alone.Rules) || len(alone.Rules) < 5 {
		t.Errorf("%v: %d rules, %d alone", err, len(both.Rules), len(alone.Rules))
	}
	opts.Overrides = []Override{{Key: "knowledge", Value: filepath.Join(folder, "same.yaml")}, {Key: "engine", Value: "vllm"}}
	if _, err = Load(opts); !strings.Contains(errorText(err), "has the name of one of the engine's") {
		t.Errorf("a rule with the name of the engine's: %v", err)
	}
}

// The sums of what was read hold the packs, so that a batch sees when one changes; a
// catalogue is had by packs alone.
func TestSumsHoldPacks(t *testing.T) {
	folder := folderOf(t, map[string]string{"packs/a.yaml": packOfRules, "packs/b/devices.yaml": packOfDevices})
	r, err := NewReader(folder)
	if err != nil {
		t.Fatal(err)
	}
	if problems := r.CheckPacks(Override{Key: "knowledge", Value: "packs"}); len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, s := range r.Sums() {
		got = append(got, filepath.ToSlash(s.Path))
	}
	if want := []string{"packs/a.yaml", "packs/b/devices.yaml"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	known, err := Catalog([]Override{{Key: "knowledge", Value: filepath.Join(folder, "packs") + ",practice"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := known.Accelerator("X9"); !ok {
		t.Error("the pack's accelerator is not in the catalogue")
	}
	if _, err := Catalog([]Override{{Key: "knowledge", Value: "no such", Place: inputs.Place{File: "--knowledge"}}}); err == nil || !strings.HasPrefix(err.Error(), "--knowledge: ") {
		t.Errorf("a missing pack: %v", err)
	}
}

// What a profile's constants have no part in is said: a training step has shares of its own
// for products and attention.
func TestProfilesTellWhatTheyCountFor(t *testing.T) {
	folder := folderOf(t, map[string]string{
		"serving.yaml":  "knowledge: [lab.yaml]\ncluster: {gpu: H100, count: 8}\nmodel: llama-3.1-8b\n",
		"training.yaml": "knowledge: [lab.yaml]\ncluster: {gpu: H100, count: 8}\nmodel: llama-3.1-8b\nworkload: {phase: training, global_batch: 64, input: 4096}\n",
		"products.yaml": "knowledge: [less.yaml]\ncluster: {gpu: H100, count: 8}\nmodel: llama-3.1-8b\nworkload: {phase: training, global_batch: 64, input: 4096}\n",
		"stated.yaml":   "knowledge: [link.yaml]\ncluster: {gpu: H100, count: 8, mfu: 0.5, bandwidth_utilization: 0.8}\nmodel: llama-3.1-8b\n",
		"link.yaml":     "profiles:\n  - {name: link, generation: hopper, constants: {operators.gemm16.compute: 0.5, operators.stream.bandwidth: 0.7, links.nvlink.ring_share_8: 0.4}}\n",
		"lab.yaml":      "profiles:\n  - {name: lab, generation: hopper, constants: {operators.gemm16.compute: 0.5, operators.stream.bandwidth: 0.7, training.attention: 0.4}}\n",
		"less.yaml":     "profiles:\n  - {name: less, generation: hopper, constants: {operators.gemm16.compute: 0.5}}\n",
	})
	for path, want := range map[string][3]string{
		"serving.yaml":  {"operators.gemm16.compute 0.5, operators.stream.bandwidth 0.7", "not in the price of a step of serving: training.attention", "all others are built in"},
		"training.yaml": {"operators.stream.bandwidth 0.7, training.attention 0.4", "not in the price of a training step, whose products and attention have constants of their own: operators.gemm16.compute", "all others are built in"},
		"stated.yaml":   {"links.nvlink.ring_share_8 0.4", "not in the price of a step whose utilisation is stated: operators.gemm16.compute, operators.stream.bandwidth", "all others are stated or built in"},
		"products.yaml": {"none of the profile's", "not in the price of a training step, whose products and attention have constants of their own: operators.gemm16.compute", ""},
	} {
		c, err := loadIn(t, folder, Options{Paths: []string{path}})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		i := slices.IndexFunc(c.Assumptions, func(a inputs.Assumption) bool { return strings.HasPrefix(a.What, profile.Assumed) })
		if i < 0 {
			t.Errorf("%s: %+v", path, c.Assumptions)
			continue
		}
		if a := c.Assumptions[i]; a.Value != want[0] || !strings.Contains(a.Because, want[1]) || !strings.Contains(a.Because, want[2]) {
			t.Errorf("%s: %+v", path, a)
		}
	}
}
