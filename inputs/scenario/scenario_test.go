package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/inputs"
	"partita/inputs/read"
)

// condition is a base that fits one small GPU.
const condition = `cluster: {gpu: H100-SXM-80GB, gpus: 8}
model: Llama-3.1-8B
workload: {batch: 8, input: 512, output: 64}
`

// batchOf reads a config beside a base.yaml.
func batchOf(t testing.TB, name, text string, more ...func(*Options)) (*Batch, error) {
	t.Helper()
	dir := t.TempDir()
	for file, data := range map[string]string{"base.yaml": condition, name: text} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	opts := Options{File: filepath.Join(dir, name)}
	for _, m := range more {
		m(&opts)
	}
	return Read(opts)
}

func must(t testing.TB, text string, more ...func(*Options)) *Batch {
	t.Helper()
	b, err := batchOf(t, "batch.yaml", text, more...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func names(b *Batch) []string {
	var out []string
	for i := range b.Len() {
		out = append(out, b.Scenario(i).Name)
	}
	return out
}

const sweep = `
name: Sweep of loads
base: base.yaml
set: {goal.objective: latency}
matrix:
  - field: workload.batch
    values: [8, 16, {label: many, value: 64}]
  - axis: use
    values:
      - label: chat
        set: {workload.input: 512, workload.output: 256}
      - {label: long / deep, set: {workload: {input: 8192, output: 1024}}}
  - axis: model
    values: [{set: {model: Llama-3.1-8B}}]
exclude: {batch: many, use: chat}
scenarios:
  - name: night_shift
    set: {workload.batch: 1, goal.requirements.ttft: 2s}
time_limit: 90 s
jobs: 3
`

const sweepTOML = `
name = "Sweep of loads"
base = ["base.yaml"]
time_limit = "1m30s"
jobs = 3
set.goal.objective = "latency"
[exclude]
batch = ["many"]
workload.input = 512
[[matrix]]
field = "workload.batch"
values = [8, 16, {label = "many", value = 64}]
[[matrix]]
axis = "use"
[[matrix.values]]
label = "chat"
set = {workload.input = 512, workload.output = 256}
[[matrix.values]]
label = "long / deep"
set = {"workload.input" = 8192, "workload.output" = 1024}
[[matrix]]
axis = "model"
values = [{set = {model = "Llama-3.1-8B"}}]
[[scenarios]]
name = "night_shift"
set = {workload.batch = 1, goal.requirements.ttft = "2s"}
`

const sweepJSON = `{
	"name": "Sweep of loads", "base": "base.yaml", "set": {"goal": {"objective": "latency"}},
	"matrix": [
		{"field": "workload.batch", "values": [8, 16, {"label": "many", "value": 64}]},
		{"axis": "use", "values": [
			{"label": "chat", "set": {"workload.input": 512, "workload.output": 256}},
			{"label": "long / deep", "set": {"workload.input": 8192, "workload.output": 1024}}]},
		{"axis": "model", "values": [{"set": {"model": "Llama-3.1-8B"}}]}],
	"exclude": [{"BATCH": "64", "workload.output": [256]}],
	"scenarios": [{"name": "night_shift", "set": {"workload.batch": 1, "goal.requirements.ttft": "2s"}}],
	"time_limit": "90s", "jobs": 3
}`

// TestFormatsSayTheSame reads one batch in three formats.
func TestFormatsSayTheSame(t *testing.T) {
	want := []string{
		"batch-8_use-chat_model-Llama-3.1-8B", "batch-8_use-long-deep_model-Llama-3.1-8B",
		"batch-16_use-chat_model-Llama-3.1-8B", "batch-16_use-long-deep_model-Llama-3.1-8B",
		"batch-many_use-long-deep_model-Llama-3.1-8B", "night_shift",
	}
	for name, text := range map[string]string{"batch.yaml": sweep, "batch.toml": sweepTOML, "batch.json": sweepJSON} {
		b, err := batchOf(t, name, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, names(b)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if b.Name != "Sweep-of-loads" || b.Settings.Jobs != 3 || b.Settings.TimeLimit != 90*time.Second {
			t.Errorf("%s: name %q, settings %+v", name, b.Name, b.Settings)
		}
		r, err := read.NewReader(b.Folder)
		if err != nil {
			t.Fatal(err)
		}
		s := b.Scenario(4)
		c, err := s.Condition(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Name != s.Name || c.Workload.Batch != 64 || c.Workload.Input.Max != 8192 || c.Workload.Output.Max != 1024 || c.Goal.Objective != inputs.Latency {
			t.Errorf("%s: %+v %+v", name, c.Workload, c.Goal)
		}
		night := b.Scenario(5)
		if c, err = night.Condition(r); err != nil || c.Workload.Batch != 1 || len(c.Goal.Requirements) != 1 || c.Goal.Requirements[0].Value != 2 {
			t.Errorf("%s: %v %+v", name, err, c)
		}
	}
}

// TestFilesOfScenarios: base replaces, add joins, in order.
func TestFilesOfScenarios(t *testing.T) {
	b := must(t, `
base: [base.yaml, ./load.yaml]
matrix:
  - axis: cluster
    values:
      - {add: h100.yaml}
      - {label: own, base: ../other/all.md, add: [x.yaml, y.yaml]}
scenarios:
  - {name: plain}
  - {name: else, base: z.yaml}
`)
	want := [][]string{
		{"base.yaml", "load.yaml", "h100.yaml"}, {"../other/all.md", "x.yaml", "y.yaml"}, {"base.yaml", "load.yaml"}, {"z.yaml"},
	}
	for i, files := range want {
		if diff := cmp.Diff(files, b.Scenario(i).Files); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{"cluster-h100", "cluster-own", "plain", "else"}, names(b)); diff != "" {
		t.Error(diff)
	}
}

// TestPlacesOfOverrides: a statement of a result names the line of the config, which is
// called by its base name.
func TestPlacesOfOverrides(t *testing.T) {
	b := must(t, sweep)
	s := b.Scenario(0)
	for key, want := range map[string]inputs.Place{
		"goal.objective": {File: "batch.yaml", Line: 4, Col: 23},
		"workload.batch": {File: "batch.yaml", Line: 7, Col: 14},
		"workload.input": {File: "batch.yaml", Line: 11, Col: 31},
	} {
		found := false
		for _, o := range s.Set {
			if o.Key == key {
				found = true
				if o.Place != want {
					t.Errorf("%s at %v, want %v", key, o.Place, want)
				}
			}
		}
		if !found {
			t.Errorf("%s is not set: %v", key, s.Set)
		}
	}
}

// TestEverythingWrongIsTold: all problems of a config at once, each with its place.
func TestEverythingWrongIsTold(t *testing.T) {
	_, err := batchOf(t, "batch.yaml", `
bse: base.yaml
jobs: many
plans: some
set: {workload.bacth: 3, workload: {input: 3}, workload.input: 4}
matrix:
  - field: workload.batch
    values: [1, 1, {lable: x}, {value: {a: 1}}, ~]
  - axis: batch
    values: [{set: {workload.batch: 3}}, {label: empty}]
  - values: [3]
  - field: cluster.pools[0].coumt
    values: []
  - {field: goal.objective, value: [1]}
scenarios:
  - {name: "//"}
  - {name: a b, base: "-"}
  - {name: A-B}
  - just text
`)
	var problems read.Diagnostics
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	text := err.Error()
	for _, want := range []string{
		`:2:1: unknown key "bse", want one of base, set, matrix`, `did you mean "base"?`,
		`:3:7: jobs: "many", want a whole number`,
		`:4:8: plans: "some", want one of all, found, none`,
		`:5:23: unknown key "workload.bacth"`, `did you mean "batch"?`,
		`:5:64: field "workload.input" is set twice`,
		`:8:17: axis batch has "1" twice`,
		`:8:21: unknown key "matrix.0.values.2.lable", want one of label, value, base, add, set; did you mean "label"?`,
		`:8:40: matrix.0.values.3.value: an object, want a value`,
		`:9:5: two axes are named batch`,
		`:10:37: axes batch and batch both set workload.batch`,
		`:11:5: an axis is named ""`, `:11:14: "3" is a value of no field`,
		`:12:12: unknown key "cluster.pools.0.coumt"`,
		`:13:13: an axis has an empty list of values`,
		`:14:29: unknown key "matrix.4.value"`, `:14:5: an axis has no values`,
		`:16:12: a scenario is named "//"`,
		`:17:23: a batch does not read conditions from standard input`,
		`:18:12: scenario A-B has the name of another`,
		`:19:5: scenarios.3: "just text", want an object with name, base, add, set`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestConfigsThatLeaveNothing(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", "the file is empty"},
		{"base: base.yaml", ":1:1: no scenario is stated"},
		{"matrix: [{field: workload.batch, values: [1]}]\nbase: base.yaml\nexclude: {batch: 1}", "the filters leave no scenario"},
		{"matrix: [{field: workload.batch, values: [1, 2]}]\nbase: base.yaml\nexclude: {batch: 3}", ":3:10: the filter fits no combination"},
		{"matrix: [{field: workload.batch, values: [1, 2]}]\nbase: base.yaml\ninclude: [{bacth: 2}]", `:3:12: "bacth" is neither an axis nor a field that one sets, want an axis (batch)`},
		{"scenarios: [{name: a}]", "scenario a states nothing"},
		{"base: base.yaml\nscenarios: [{name: batch-1}]\nmatrix: [{field: workload.batch, values: [1]}]", "has the name of another"},
		{"base: base.yaml\nmatrix: {field: workload.batch}", ":2:9: matrix: an object, want a list of axes"},
		{"base: [base.yaml", "not valid"},
		{"base: \xff", "not text"},
	} {
		_, err := batchOf(t, "batch.yaml", row.text)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: got %v, want %s", row.text, err, row.want)
		}
	}
	var b strings.Builder
	b.WriteString("base: base.yaml\nmatrix:\n")
	for _, a := range []string{"batch", "input", "output"} {
		b.WriteString("  - {field: workload." + a + ", values: [1")
		for n := 2; n <= 101; n++ {
			b.WriteString(", " + strings.Repeat("1", n))
		}
		b.WriteString("]}\n")
	}
	if _, err := batchOf(t, "batch.yaml", b.String()); err == nil || !strings.Contains(err.Error(), "more than 1000000 combinations") {
		t.Errorf("a million and more: %v", err)
	}
}

// TestSettingsByPrecedence: a flag counts before a variable, a variable before the config.
func TestSettingsByPrecedence(t *testing.T) {
	text := "base: base.yaml\njobs: 2\noutput: here\ntime_limit: 5s\nscenarios: [{name: a}]\n"
	b := must(t, text, func(o *Options) {
		o.Env = []string{"PARTITA_JOBS=3", "PARTITA_OUTPUT=there", "PARTITA_CONFIRM=true", "PARTITA_WORKLOAD__BATCH=5", "PARTITA_SERVICE_HOST=10.0.0.1", "HOME=/"}
		o.Flags = map[string]string{"jobs": "4", "shards": "7"}
	})
	want := Settings{Output: "there", Jobs: 4, TimeLimit: 5 * time.Second, Backend: Auto, Confirm: true, ConfirmLimit: DefaultConfirmLimit, Plans: PlansAll, Shards: 7}
	if diff := cmp.Diff(want, b.Settings); diff != "" {
		t.Error(diff)
	}
	r, err := read.NewReader(b.Folder)
	if err != nil {
		t.Fatal(err)
	}
	s := b.Scenario(0)
	c, err := s.Condition(r)
	if err != nil || c.Workload.Batch != 5 || c.Name != "a" {
		t.Errorf("%v, %+v", err, c)
	}
	for env, want := range map[string]string{
		"PARTITA_JOBS=x":       "PARTITA_JOBS: jobs: \"x\", want a whole number",
		"PARTITA_TIME_LIMIT=x": "PARTITA_TIME_LIMIT: time_limit: \"x\", want a duration",
	} {
		if _, err := batchOf(t, "batch.yaml", text, func(o *Options) { o.Env = []string{env} }); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", env, err)
		}
	}
}

func TestVariables(t *testing.T) {
	got := Variables([]string{"HOME=/", "PARTITA_WORKLOAD__BATCH=a=b", "PARTITA_JOBS=3", "PARTITA_SERVICE_HOST=::1", "PARTITA_MODEL=x", "PARTITA_CLUSTER_COUNT=3", "PARTITA="})
	if diff := cmp.Diff([]string{"PARTITA_CLUSTER_COUNT=3", "PARTITA_JOBS=3", "PARTITA_MODEL=x", "PARTITA_WORKLOAD__BATCH=a=b"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestCommandLineOverrides reach every scenario, but not a field that the batch varies.
func TestCommandLineOverrides(t *testing.T) {
	set := func(key, value string) func(*Options) {
		return func(o *Options) { o.Set = []read.Override{{Key: key, Value: value}} }
	}
	text := "base: base.yaml\nset: {workload.output: 3}\nmatrix: [{field: workload.batch, values: [1, 2]}]\nscenarios: [{name: a, set: {workload.input: 3}}]\n"
	b := must(t, text, set("workload.output", "77"))
	r, err := read.NewReader(b.Folder)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Len() {
		s := b.Scenario(i)
		if c, err := s.Condition(r); err != nil || c.Workload.Output.Max != 77 {
			t.Errorf("%s: %v, %+v", s.Name, err, c)
		}
	}
	for key, want := range map[string]string{"workload.otput": "did you mean", "workload.output": `--set workload.output: "three" is not understood`} {
		if _, err := batchOf(t, "batch.yaml", text, set(key, "three")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", key, err, want)
		}
	}
	for _, key := range []string{"Workload.Batch", "workload.input"} {
		if _, err := batchOf(t, "batch.yaml", text, set(key, "3")); err == nil || !strings.Contains(err.Error(), "varies this field itself") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

var safe = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_-]{0,118}[A-Za-z0-9+]?$`)

// TestNamesAreUniqueAndSafe draws labels of any letters.
func TestNamesAreUniqueAndSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &Batch{combos: 1}
		for k := range rapid.IntRange(1, 3).Draw(t, "axes") {
			a := axis{name: []string{"a", "b c", "d/é"}[k]}
			labels := rapid.SliceOfNDistinct(rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-bA-B /_.-]{0,3}`), rapid.StringMatching(`[a-z_]{50,200}`)), 1, 5, rapid.ID[string])
			for _, label := range labels.Draw(t, "labels") {
				a.values = append(a.values, axisValue{label: label})
			}
			nameValues(a.values)
			b.axes = append(b.axes, a)
			b.combos *= len(a.values)
		}
		seen := map[string]bool{}
		for _, name := range names(b) {
			if !safe.MatchString(name) || strings.Contains(name, "..") && name[0] == '.' {
				t.Errorf("%q is not safe", name)
			}
			if key := strings.ToLower(name); seen[key] {
				t.Errorf("%q is given twice", name)
			} else {
				seen[key] = true
			}
		}
	})
}
