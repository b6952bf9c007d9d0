package read

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"partita/inputs"
)

// write puts files into a folder and returns their paths.
func write(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	paths := map[string]string{}
	for name, text := range files {
		paths[name] = filepath.Join(dir, name)
		if err := os.WriteFile(paths[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

// loadText loads one file of a given name.
func loadText(t *testing.T, name, text string, more ...Override) (*inputs.Condition, error) {
	t.Helper()
	return Load(Options{Paths: []string{write(t, map[string]string{name: text})[name]}, Overrides: more})
}

const inYAML = `name: same
cluster:
  network: 100Gb/s
  pools:
    - {name: big, accelerator: A100-80, count: 8, nodes: 1}
    - name: small
      accelerator: T4
      count: 4
      free_memory: [14GB, 10GB, 10GB, 14GB]
      usd_per_hour: 0.5
model: {catalog: Llama-3.1-8B, precision: fp16}
workload: {batch: 16, input: [128, 1024], output: 256}
goal: {objective: throughput, requirements: {ttft: 10s, tpot: none}, balance: 20%, allow_idle: true}
strategy: {tp: 8, pp: 2}
`

const inTOML = `name = "same"
[cluster]
network = "100Gb/s"
[[cluster.pools]]
name = "big"
accelerator = "A100-80"
count = 8
nodes = 1
[[cluster.pools]]
name = "small"
accelerator = "T4"
count = 4
free_memory = ["14GB", "10GB", "10GB", "14GB"]
usd_per_hour = 0.5
[model]
catalog = "Llama-3.1-8B"
precision = "fp16"
[workload]
batch = 16
input = [128, 1024]
output = 256
[goal]
objective = "throughput"
requirements = { ttft = "10s", tpot = "none" }
balance = "20%"
allow_idle = true
[strategy]
tp = 8
pp = 2
`

const inJSON = `{
	"name": "same",
	"cluster": {"network": "100Gb/s", "pools": [
		{"name": "big", "accelerator": "A100-80", "count": 8, "nodes": 1},
		{"name": "small", "accelerator": "T4", "count": 4, "free_memory": ["14GB", "10GB", "10GB", "14GB"], "usd_per_hour": 0.5}]},
	"model": {"catalog": "Llama-3.1-8B", "precision": "fp16"},
	"workload": {"batch": 16, "input": [128, 1024], "output": 256},
	"goal": {"objective": "throughput", "requirements": {"ttft": "10s", "tpot": "none"}, "balance": "20%", "allow_idle": true},
	"strategy": {"tp": 8, "pp": 2}
}`

// withoutPlaces ignores where and in which words something was said.
var withoutPlaces = cmp.Options{cmpopts.IgnoreTypes(inputs.Place{}), cmpopts.IgnoreFields(inputs.Condition{}, "Statements")}

// The three notations say the same, whatever the file is called.
func TestNotationsAgree(t *testing.T) {
	want, err := loadText(t, "c.yaml", inYAML)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Cluster.Pools) != 3 || want.Cluster.Pools[1].MemoryBytes != 14e9 || want.Cluster.Pools[2].MemoryBytes != 10e9 ||
		!reflect.DeepEqual(want.Cluster.Pools[1].Nodes, []inputs.Node{{Host: "node-1", GPUs: []string{"node-1/gpu-0", "node-1/gpu-3"}}}) {
		t.Fatalf("pools %+v", want.Cluster.Pools)
	}
	if want.Strategy == nil || want.Strategy.TP.At(0) != 8 || !want.Goal.AllowIdle || *want.Goal.Balance != .2 || want.Goal.Objective != inputs.Throughput {
		t.Fatalf("goal %+v, strategy %+v", want.Goal, want.Strategy)
	}
	for name, text := range map[string]string{"c.toml": inTOML, "c.json": inJSON, "yaml": inYAML, "toml": inTOML, "json": inJSON} {
		got, err := loadText(t, name, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, got, withoutPlaces); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if len(got.Statements) != len(want.Statements) {
			t.Errorf("%s: %d statements, want %d", name, len(got.Statements), len(want.Statements))
		}
	}
}

// Places of keys are those of the notation.
func TestStructuredPlaces(t *testing.T) {
	for name, c := range map[string]struct{ text, at string }{
		"c.yaml": {inYAML, "8:7"}, "c.toml": {inTOML, "12:1"}, "c.json": {inJSON, "5:42"},
	} {
		got, err := loadText(t, name, c.text)
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, s := range got.Statements {
			if s.Text == "cluster.pools.1.count: 4" {
				found = fmt.Sprintf("%d:%d", s.Place.Line, s.Place.Col)
			}
		}
		if found != c.at {
			t.Errorf("%s: count of the second pool at %s, want %s", name, found, c.at)
		}
	}
}

// A problem says where, what and what instead.
func TestStructuredProblems(t *testing.T) {
	base := "cluster: {gpu: H100, count: 8}\nmodel: Llama-3-8B\n"
	for _, c := range []struct{ name, text, at, part string }{
		{"c.yaml", "cluster:\n  gpu: H100\n  memmory: 3\nmodel: Llama-3-8B", "3:3", `did you mean "memory"?`},
		{"c.yaml", base + "goal:\n  ttft: 10s", "4:3", `did you mean "goal.requirements.ttft"?`},
		{"c.yaml", base + "workload:\n  batch: many", "4:10", "whole number"},
		{"c.yaml", base + "workload:\n  batch: 0", "4:10", "out of bounds"},
		{"c.yaml", base + "workload:\n  batch: 1\n  batch: 2", "5:3", "given twice"},
		{"c.yaml", base + "workload: {input: [10, 5]}", "3:19", "lower end"},
		{"c.yaml", base + "workload: {input: {a: 1}}", "3:19", "want a value"},
		{"c.yaml", base + "workload: 5", "3:11", "an object with batch"},
		{"c.yaml", "cluster: {pools: 5}\nmodel: Llama-3-8B", "1:18", "a list"},
		{"c.yaml", "cluster: {gpu: H900}\nmodel: Llama-3-8B", "1:11", "did you mean"},
		{"c.yaml", "cluster: {gpu: H100}\nmodel: Lama-3-8B-Instructed", "2:1", "not in the catalogue"},
		{"c.yaml", "cluster: {gpu: H100, count: 8 apples}\nmodel: Llama-3-8B", "1:29", "a number of GPUs"},
		{"c.yaml", "cluster: {gpu: H100, count: 8, nodes: 3}\nmodel: Llama-3-8B", "1:32", "do not make 3 equal nodes"},
		{"c.yaml", "cluster: {gpu: H100, count: 8, pools: [{accelerator: T4, count: 4}, {accelerator: L4, count: 3}]}\nmodel: Llama-3-8B", "1:22", "the number of each pool"},
		{"c.yaml", "cluster: {gpu: H100, free_memory: [1GB, 2GB], count: 3}\nmodel: Llama-3-8B", "1:22", "one figure for each GPU"},
		{"c.yaml", "cluster: {gpu: H100, free_memory: 200GB}\nmodel: Llama-3-8B", "1:22", "at most the memory"},
		{"c.yaml", "cluster: {gpu: H100}\nmodel: {catalog: Llama-3-8B, layers: 7}", "2:30", "contradicts the catalogue's Llama-3-8B (32)"},
		{"c.yaml", "cluster: {gpu: H100}\nmodel: {layers: 7, hidden: 64, heads: 4, kv_heads: 8}", "2:42", "only 4 heads"},
		{"c.yaml", "cluster: {gpu: H100}\nmodel: {layers: 7, hidden: 64, heads: 4, experts: 4, intermediate: 9, top_k: 5}", "2:71", "5 of 4 experts"},
		{"c.yaml", "cluster: {gpu: H100}\nmodel: {layers: 7, hidden: 64, heads: 4, intermediate: 9, top_k: 5}", "2:59", "no experts"},
		{"c.yaml", "cluster: {gpu: H100}\nmodel: {layers: 7, hidden: 4096, heads: 32, intermediate: 9, parameters: 1M}", "2:62", "attention and embedding alone"},
		{"c.yaml", base + "workload: {sequence: 1-100, input: 90, output: 20}", "3:12", "does not contain"},
		{"c.yaml", "cluster: [\n", "1:0", "not valid YAML"},
		{"c.yaml", "", "1:0", "empty"},
		{"c.toml", "[cluster]\ngpu = 'H100'\ncont = 8\n", "3:1", `did you mean "count"?`},
		{"c.toml", "[cluster]\ngpu = 'H100'\ncount = 'many'\n", "3:9", "a number of GPUs"},
		{"c.toml", "[cluster\n", "1:9", "not valid TOML"},
		{"c.json", "{\"cluster\": {\"gpu\": \"H100\", \"colour\": 1}, \"workload\": {}}", "1:29", "unknown key"},
	} {
		_, err := loadText(t, c.name, c.text)
		ds, _ := err.(Diagnostics)
		found := false
		for _, p := range ds {
			at := fmt.Sprintf("%d:%d", p.Place.Line, p.Place.Col)
			found = found || at == c.at && strings.Contains(p.Error(), c.part)
		}
		if !found {
			t.Errorf("%q: want %s %q, got\n%v", c.text, c.at, c.part, err)
		}
	}
}

// One bad key does not hide the other problems of its file.
func TestStructuredProblemsAllAtOnce(t *testing.T) {
	_, err := loadText(t, "c.yaml", "cluster: {gpu: H100, colour: red, mfu: 130%}\nmodel: Llama-3-8B\nworkload: {batch: many, input: {a: b}}\n")
	if ds, _ := err.(Diagnostics); len(ds) != 4 {
		t.Errorf("want four problems, got\n%v", err)
	}
}

// Flags replace the environment, the environment replaces files; what was replaced says so.
func TestWhoWins(t *testing.T) {
	path := write(t, map[string]string{"c.yaml": "cluster: {gpu: H100, count: 8}\nmodel: Llama-3-8B\nworkload: {batch: 1, input: 1}\n"})["c.yaml"]
	c, err := Load(Options{
		Paths: []string{path},
		Env:   []string{"PARTITA_WORKLOAD__BATCH=2", "PARTITA_WORKLOAD__INPUT=2", "PARTITA_COLOR=never", "HOME=/x"},
		Overrides: []Override{{Key: "workload.batch", Value: "7"}, {Key: "Workload.Batch", Value: "3"}, {Key: "goal.requirements.throughput", Value: "5000"},
			{Key: "cluster.gpus", Value: "4..16"}, {Key: "model", Value: "Llama-3.1-70B"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Workload.Batch != 3 || c.Workload.Input.Max != 2 || c.Cluster.Pools[0].Count != (inputs.Count{Min: 4, Max: 16}) || c.Model.Name != "Llama-3.1-70B" || c.Goal.Requirements[0].Value != 5000 {
		t.Errorf("%+v %+v %s", c.Workload, c.Cluster.Pools[0].Count, c.Model.Name)
	}
	replaced := 0
	for _, s := range c.Statements {
		if strings.Contains(s.UsedAs, "replaced by") {
			replaced++
		}
	}
	if replaced != 5 { // batch in the file and the environment, input, count, model
		t.Errorf("%d statements say that they were replaced, want 5: %+v", replaced, c.Statements)
	}
	for _, bad := range []Options{
		{Paths: []string{path}, Overrides: []Override{{Key: "workload.batsh", Value: "7"}}},
		{Paths: []string{path}, Overrides: []Override{{Key: "workload", Value: "7"}}},
		{Paths: []string{path}, Overrides: []Override{{Key: "cluster.pools.3.count", Value: "7"}}},
		{Paths: []string{path}, Overrides: []Override{{Key: "cluster.pools.x.count", Value: "7"}}},
		{Paths: []string{path}, Overrides: []Override{{Key: "", Value: "7"}}},
		{Paths: []string{path}, Env: []string{"PARTITA_WORKLOAD__BATCH=x"}},
		{Paths: []string{path}, Model: "no-such-model-9000B"},
		{Paths: []string{path, path}},
		{Paths: []string{"-"}},
		{Paths: []string{path + "-gone"}},
	} {
		if _, err := Load(bad); err == nil {
			t.Errorf("%+v: want a problem", bad)
		}
	}
	pool := "cluster: {pools: [{accelerator: H100, count: 8}, {accelerator: T4, count: 4}]}\nmodel: Llama-3-8B\n"
	c, err = loadText(t, "c.yaml", pool, Override{Key: "cluster.pools.1.count", Value: "2"})
	if err != nil || c.Cluster.Pools[1].Count.Max != 2 || c.Cluster.Pools[0].Count.Max != 8 {
		t.Errorf("%v", err)
	}
}

// Two files that state different values contradict each other, whatever their order.
func TestFilesContradict(t *testing.T) {
	p := write(t, map[string]string{"a.yaml": "cluster: {gpu: H100}\nworkload: {batch: 1}", "b.md": "## Input Data\n* Batch size: 2\n## Model\n* Model: Llama-3-8B\n", "same.md": "## Input Data\n* Batch size: 1\n## Model\n* Model: Llama-3-8B\n"})
	for _, paths := range [][]string{{p["a.yaml"], p["b.md"]}, {p["b.md"], p["a.yaml"]}} {
		if _, err := Load(Options{Paths: paths}); err == nil || !strings.Contains(err.Error(), "contradicts") {
			t.Errorf("want a contradiction, got %v", err)
		}
	}
	if c, err := Load(Options{Paths: []string{p["a.yaml"], p["same.md"]}}); err != nil || c.Name != "a" {
		t.Errorf("files that agree: %v", err)
	}
}

// Standard input, a config.json beside the condition, and a config.json as a flag.
func TestConfigJSON(t *testing.T) {
	config := `{"architectures": ["LlamaForCausalLM"], "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
	"intermediate_size": 8192, "vocab_size": 128256, "torch_dtype": "bfloat16", "tie_word_embeddings": true, "max_position_embeddings": 131072}`
	p := write(t, map[string]string{"config.json": config, "c.yaml": "cluster: {gpu: L4, count: 1}\nmodel: {config: config.json}\n", "hw.yaml": "cluster: {gpu: L4, count: 1}\n",
		"other.yaml": "cluster: {gpu: L4, count: 1}\nmodel: {layers: 3, hidden: 64, precision: fp8}\n"})
	for name, o := range map[string]Options{
		"by path":      {Paths: []string{p["c.yaml"]}},
		"as a file":    {Paths: []string{p["hw.yaml"], p["config.json"]}},
		"as a flag":    {Paths: []string{p["other.yaml"]}, Model: p["config.json"]},
		"through a -":  {Paths: []string{"-", p["config.json"]}, Stdin: strings.NewReader("cluster: {gpu: L4, count: 1}\n")},
		"set, by path": {Paths: []string{p["hw.yaml"]}, Overrides: []Override{{Key: "model.config", Value: p["config.json"]}}},
	} {
		c, err := Load(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(c.Model.Layers) != 16 || c.Model.Hidden != 2048 || c.Model.Kinds[0].Attention.KVHeads != 8 || !c.Model.Tied {
			t.Errorf("%s: %+v", name, c.Model)
		}
	}
	if _, err := Load(Options{Paths: []string{p["config.json"], p["other.yaml"]}}); err == nil {
		t.Error("a config.json beside other shapes is a contradiction")
	}
}

// Every leaf of the schema has a key, every key a leaf, and the document shows all of them.
func TestSchemaKeysAndDocumentAgree(t *testing.T) {
	text, err := os.ReadFile("../../docs/condition.md")
	if err != nil {
		t.Fatal(err)
	}
	table := keyTable()
	seen := map[string]bool{}
	var walk func(typ reflect.Type, path, key string)
	walk = func(typ reflect.Type, path, key string) {
		switch {
		case typ == reflect.TypeFor[leaf]():
			seen[key] = true
			if _, ok := table[key]; !ok {
				t.Errorf("%s has no key %q", path, key)
			}
			name := path[strings.LastIndex(path, ".")+1:]
			if name != "any" && !regexp.MustCompile(`\b`+name+`\b`).Match(text) {
				t.Errorf("docs/condition.md does not name %s", path)
			}
		case typ.Kind() == reflect.Slice:
			walk(typ.Elem(), path, "cluster")
		default:
			for name, f := range schemaFields(typ) {
				at := join(key, name)
				if f.key != "" {
					at = f.key
				}
				walk(f.typ, join(path, name), at)
			}
		}
	}
	walk(reflect.TypeFor[document](), "", "")
	for path := range table {
		if !seen[path] {
			t.Errorf("key %s cannot be stated in a file", path)
		}
	}
}

// The examples of the document are conditions that load.
func TestDocumentedConditionsLoad(t *testing.T) {
	text, err := os.ReadFile("../../docs/condition.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(yaml|markdown)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 2 {
		t.Fatalf("%d examples in docs/condition.md, want a YAML and a Markdown one", len(blocks))
	}
	for _, b := range blocks {
		c, err := loadText(t, "example."+map[string]string{"yaml": "yaml", "markdown": "md"}[b[1]], b[2])
		if err != nil {
			t.Errorf("%s: %v", b[1], err)
			continue
		}
		for _, s := range c.Statements {
			if s.UsedAs == "" {
				t.Errorf("%q is used as nothing", s.Text)
			}
		}
	}
}

// Conditions that the repository shows load as well.
func TestExamplesLoad(t *testing.T) {
	files, err := filepath.Glob("../../examples/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(filepath.Base(f), "batch-") {
			continue // lists conditions, and is none
		}
		if filepath.Ext(f) == "" {
			continue // a folder of packs
		}
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		d := newDraft()
		readFile(d, testLibrary(t), f, data)
		if len(d.problems) > 0 {
			t.Errorf("%s: %v", f, d.problems)
		}
	}
}
