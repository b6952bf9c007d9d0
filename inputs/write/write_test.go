package write_test

import (
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"partita/inputs/read"
	"partita/inputs/write"
)

const examples = "../../examples/"

// sources are conditions of every form.
func sources(t *testing.T) map[string]read.Options {
	t.Helper()
	all := map[string]read.Options{}
	files, err := filepath.Glob(examples + "*.*") // folders hold packs
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasPrefix(filepath.Base(path), "batch-") {
			continue // lists conditions, and is none
		}
		opts := read.Options{Paths: []string{path}}
		switch filepath.Base(path) {
		case "13b-two-gpus-30-50gb-free.csv":
			opts.Paths = append(opts.Paths, examples+"13b-workload.yaml")
		case "two-hosts-of-four-a100.json":
			opts.Paths = append(opts.Paths, examples+"qwen2.5-72b-workload.yaml")
		case "13b-workload.yaml", "qwen2.5-72b-workload.yaml":
			opts.Texts = []read.Text{{Name: "gpus.md", Data: []byte("## Environment Condition\n* **GPUs**: 2 nodes of 8 x H100\n")}}
		}
		all[filepath.Base(path)] = opts
	}
	shared, err := filepath.Glob("../../../shared/conditions/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range shared {
		opts := read.Options{Paths: []string{path}}
		if filepath.Ext(path) == ".json" {
			opts.Model = "DeepSeek-V3"
		}
		all[filepath.Base(path)] = opts
	}
	all["flags"] = read.Options{
		Paths: []string{examples + "llama-3.1-70b-2x8-h100.yaml"}, Model: "Qwen3-235B-A22B",
		Overrides: []read.Override{{Key: "cluster.count", Value: "4..16"}, {Key: "name", Value: "a: \"b\" #c"}, {Key: "goal.balance", Value: "0.1"},
			{Key: "goal.requirements.tpot", Value: "20 tokens/s per user"}, {Key: "cluster.usd_per_hour", Value: "2.49"}},
	}
	all["environment"] = read.Options{
		Paths: []string{examples + "three-pools-llama-70b-fp16.yaml"},
		Env:   []string{"PARTITA_CLUSTER__MEMORY_UTILIZATION=0.8", "PARTITA_GOAL__ALLOW_IDLE=true", "PARTITA_WORKLOAD__INPUT=[128, 10240]"},
	}
	all["config.json"] = read.Options{
		Paths: []string{"testdata/config.json"}, // its layers alternate: no list of shapes says that
		Texts: []read.Text{{Name: "gpus.md", Data: []byte("## Environment Condition\n* **GPUs**: 8xA100-80GB + 8 x L40S + 16 x T4\n* **Network**: 100Gb/s per node\n")}},
	}
	return all
}

func look(t *testing.T, opts read.Options) *read.Survey {
	t.Helper()
	r, err := read.NewReader("")
	if err != nil {
		t.Fatal(err)
	}
	survey, err := r.Look(opts)
	if err != nil {
		t.Fatal(err)
	}
	return survey
}

// TestRoundTrip: what is written means what was read.
func TestRoundTrip(t *testing.T) {
	for name, opts := range sources(t) {
		survey := look(t, opts)
		for _, form := range []write.Form{write.YAML, write.TOML} {
			text, err := write.Condition(survey.Fields, form)
			if err != nil {
				t.Fatal(err)
			}
			back, err := read.Load(read.Options{Texts: []read.Text{{Name: "written" + form.Extension(), Data: text}}})
			if err != nil {
				t.Errorf("%s in %s: %v\n%s", name, form, err, text)
				continue
			}
			if d := read.Difference(survey.Condition, back); d != "" {
				t.Errorf("%s in %s: %s\n%s", name, form, d, text)
			}
		}
	}
}

// unsaid is a line that is not stated.
var unsaid = regexp.MustCompile(`^(\s*)#([a-z].*)$`)

// TestEveryLineReads: a field that is not stated reads when its sign is deleted. Where
// the file shows what holds without it nothing changes by that; an example may clash
// with what else is stated, but is understood.
func TestEveryLineReads(t *testing.T) {
	for name, opts := range sources(t) {
		survey := look(t, opts)
		marked, origin := slices.Clone(survey.Fields), map[string]read.Origin{}
		for i, f := range marked {
			marked[i].About, origin[f.Path] = "@"+f.Path, f.Origin
		}
		for _, form := range []write.Form{write.YAML, write.TOML} {
			if form == write.TOML && name != "environment" && name != "config.json" {
				continue // what a field means is the same in both
			}
			text, err := write.Condition(marked, form)
			if err != nil {
				t.Fatal(err)
			}
			reader := newReader(t)
			load := func(lines []string) error {
				back, err := reader.Load(read.Options{Texts: []read.Text{{Name: "written" + form.Extension(), Data: []byte(strings.Join(lines, "\n"))}}})
				if err == nil {
					if d := read.Difference(survey.Condition, back); d != "" {
						err = errors.New("it changes the condition: " + d)
					}
				}
				return err
			}
			lines, all := strings.Split(string(text), "\n"), []string(nil)
			path, assumed := "", 0
			for i, line := range lines {
				if mark := regexp.MustCompile(`# @(\S+)`).FindStringSubmatch(line); mark != nil {
					path = mark[1]
				}
				stated := unsaid.ReplaceAllString(line, "$1$2")
				if all = append(all, stated); stated == line {
					continue
				}
				one := slices.Clone(lines)
				one[i] = stated
				err := load(one)
				if origin[path] == read.Assumed {
					assumed++
				} else if err == nil || clashes(err) {
					continue
				}
				if err != nil {
					t.Errorf("%s in %s: %s: %v", name, form, stated, err)
				}
			}
			if assumed < 25 {
				t.Errorf("%s in %s: %d lines show what holds without them, want most", name, form, assumed)
			}
			if err := load(all); err != nil && !clashes(err) {
				t.Errorf("%s in %s, all stated: %v", name, form, err)
			}
		}
	}
}

// clashes reports whether all problems are between statements that are each understood.
func clashes(err error) bool {
	var problems read.Diagnostics
	if !errors.As(err, &problems) {
		return true // it is understood and means another thing
	}
	return !slices.ContainsFunc(problems, func(d read.Diagnostic) bool {
		return strings.Contains(d.Problem, "not understood") || strings.Contains(d.Problem, "unknown") || strings.Contains(d.Problem, "not valid") ||
			strings.Contains(d.Problem, "out of bounds") || strings.Contains(d.Problem, "twice")
	})
}

// TestEveryFieldIsThere: each field is in the file, within 80 columns but for values
// that are longer by themselves.
func TestEveryFieldIsThere(t *testing.T) {
	for name, opts := range sources(t) {
		survey := look(t, opts)
		for _, form := range write.Forms() {
			text, err := write.Condition(survey.Fields, form)
			if err != nil {
				continue // TestMarkdown says which cannot be
			}
			for _, f := range survey.Fields {
				if field := f.Path[strings.LastIndex(f.Path, ".")+1:]; form != write.Markdown && !regexp.MustCompile(`(?m)^[ #-]*`+field+`( =|:) `).Match(text) {
					t.Errorf("%s in %s: %s is not there", name, form, f.Path)
				}
			}
			for line := range strings.Lines(string(text)) {
				if utf8.RuneCountInString(strings.TrimSpace(line)) > 80 && form != write.Markdown {
					t.Errorf("%s in %s: longer than 80 columns: %s", name, form, line)
				}
			}
		}
	}
}

// TestHostileNames: a name comes back as it was whatever signs it holds.
func TestHostileNames(t *testing.T) {
	reader := newReader(t)
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]rune("ab0 -:#'\"\\\n\t{}[],&*!|>%@`=~.é\u2028\u0085\x1b中"))
		name := strings.TrimSpace(string(rapid.SliceOfN(letters, 1, 12).Draw(t, "name")))
		if name == "" {
			return
		}
		opts := read.Options{Paths: []string{examples + "gpus-5.yaml"}, Overrides: []read.Override{
			{Key: "name", Value: name}, {Key: "cluster.pools.0.name", Value: name}, {Key: "model.name", Value: name},
		}}
		survey, err := reader.Look(opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []write.Form{write.YAML, write.TOML} {
			text, err := write.Condition(survey.Fields, form)
			if err != nil {
				t.Fatal(err)
			}
			back, err := reader.Load(read.Options{Texts: []read.Text{{Name: "written" + form.Extension(), Data: text}}})
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if d := read.Difference(survey.Condition, back); d != "" || back.Name != name {
				t.Fatalf("%s: %q became %q\n%s", form, name, back.Name, text)
			}
		}
	})
}

// TestFlagsBecomeLines: flags and variables over the files of any form are in the
// written file as if it had stated them itself. Left out is what only a flag can say:
// another shape of a model that has a name, and a memory that a file would mean the
// catalogue's by.
func TestFlagsBecomeLines(t *testing.T) {
	values := map[string][]string{
		"cluster.count": {"8", "16", "4..16", "unlimited"}, "cluster.nodes": {"1", "2"}, "cluster.gpus_per_node": {"4", "8"},
		"cluster.memory_utilization": {"0.8", "95%"}, "cluster.mfu": {"55%"}, "cluster.bandwidth_utilization": {"0.7"},
		"cluster.intra_link": {"PCIe 32GB/s", "PCIe P2P 32GB/s", "NVLink 900 GB/s bidirectional"}, "cluster.network": {"100Gb/s per node", "InfiniBand 50GB/s"},
		"cluster.usd_per_hour": {"2.49"}, "cluster.free_memory": {"20GB"}, "cluster.accelerator": {"H200", "L40S"}, "cluster.flops.bf16": {"500TFLOPS"},
		"cluster.pools.0.count": {"4", "8"}, "cluster.pools.0.memory_utilization": {"0.7"}, "cluster.pools.0.name": {"first"},
		"model.precision": {"fp8", "bf16"}, "model.kv_precision": {"fp8"}, "model.max_context": {"4096"}, "model.parameters": {"70B"},
		"workload.phase": {"prefill", "decode", "mixed"}, "workload.batch": {"1", "100"}, "workload.input": {"[1, 99]", "500"}, "workload.output": {"7", "1..9"},
		"workload.sequence": {"128..10240"}, "goal.objective": {"latency", "cost", "gpus"}, "goal.weights.latency": {"0.1"}, "goal.balance": {"0.3"},
		"goal.allow_idle": {"true"}, "goal.margin": {"0"}, "goal.requirements.tpot": {"20 tokens/s per user", "none"}, "goal.requirements.ttft": {"1500 ms"},
		"strategy.tp": {"4", "[8, 4]"}, "strategy.pp": {"2"}, "name": {"other"},
	}
	paths := slices.Sorted(maps.Keys(values))
	names, all := []string(nil), sources(t)
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	reader, written := newReader(t), 0
	rapid.Check(t, func(t *rapid.T) {
		opts := all[rapid.SampledFrom(names).Draw(t, "condition")]
		for _, path := range rapid.SliceOfNDistinct(rapid.SampledFrom(paths), 1, 4, rapid.ID).Draw(t, "paths") {
			value := rapid.SampledFrom(values[path]).Draw(t, path)
			if rapid.Bool().Draw(t, "by a variable") {
				opts.Env = append(slices.Clone(opts.Env), "PARTITA_"+strings.ToUpper(strings.ReplaceAll(path, ".", "__"))+"="+value)
			} else {
				opts.Overrides = append(slices.Clone(opts.Overrides), read.Override{Key: path, Value: value})
			}
		}
		survey, err := reader.Look(opts)
		if err != nil {
			return // they clash
		}
		written++
		for _, form := range []write.Form{write.YAML, write.TOML} {
			text, err := write.Condition(survey.Fields, form)
			if err != nil {
				t.Fatal(err)
			}
			back, err := reader.Load(read.Options{Texts: []read.Text{{Name: "written" + form.Extension(), Data: text}}})
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if d := read.Difference(survey.Condition, back); d != "" {
				t.Fatalf("%s\n%s", d, text)
			}
		}
	})
	if written < 20 {
		t.Errorf("%d conditions were written, the others clashed", written)
	}
}

func newReader(t *testing.T) *read.Reader {
	t.Helper()
	r, err := read.NewReader("")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMarkdown: what Markdown can say comes back, and the rest is refused by name.
func TestMarkdown(t *testing.T) {
	refused := map[string]string{}
	for name, opts := range sources(t) {
		survey := look(t, opts)
		text, err := write.Condition(survey.Fields, write.Markdown)
		if err != nil {
			refused[name] = err.Error()
			continue
		}
		back, err := read.Load(read.Options{Texts: []read.Text{{Name: "written.md", Data: text}}})
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		back.Name = survey.Condition.Name // that of the file
		if d := read.Difference(survey.Condition, back); d != "" {
			t.Errorf("%s: %s\n%s", name, d, text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		if !strings.Contains(refused[name], "cluster.pools.") && !strings.Contains(refused[name], "model.config") {
			t.Errorf("%s: %s", name, refused[name])
		}
	}
}
