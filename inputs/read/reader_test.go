package read

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/inputs"
)

func newDraft() *draft { return newFiles("").draft() }

// TestReaderReadsAsLoadDoes holds what a Reader says the tenth time against what Load
// says, over all examples and overrides that change a condition in many ways.
func TestReaderReadsAsLoadDoes(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	sets := [][]Override{
		nil,
		{{Key: "workload.batch", Value: "7"}, {Key: "workload.input", Value: "128..4096"}},
		{{Key: "goal.requirements.ttft", Value: "2s"}, {Key: "model.top_k", Value: "3"}},
		{{Key: "workload.batch", Value: "none"}},
		{{Key: "cluster.pools.0.memory", Value: "40GB"}, {Key: "goal.objective", Value: "latency"}},
	}
	r, err := NewReader("")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		for j, set := range sets {
			opts := Options{Paths: []string{file}, Overrides: set, Model: []string{"", "Mixtral-8x7B", "no such model"}[(i+j)%3]}
			want, wantErr := Load(opts)
			for range 2 {
				got, gotErr := r.Load(opts)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %v: Load → Reader\n%s", file, set, diff)
				}
				if diff := cmp.Diff(errorText(wantErr), errorText(gotErr)); diff != "" {
					t.Errorf("%s %v: Load → Reader\n%s", file, set, diff)
				}
			}
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestReaderKeepsWhatItRead: a file that changes while a batch runs changes nothing,
// and the sums are those of what was read.
func TestReaderKeepsWhatItRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", "cluster: {gpu: H100, gpus: 8}\nmodel: Llama-3.1-8B\nworkload: {batch: 3}\n")
	r, err := NewReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	read := func() *inputs.Condition {
		t.Helper()
		c, err := r.Load(Options{Paths: []string{"a.yaml"}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got := read(); got.Workload.Batch != 3 || got.Name != "a" || got.Statements[0].Place.File != "a.yaml" {
		t.Errorf("batch %d, name %q, place %v", got.Workload.Batch, got.Name, got.Statements[0].Place)
	}
	before := r.Sums()
	write("a.yaml", "nonsense")
	if got := read(); got.Workload.Batch != 3 {
		t.Errorf("batch %d after the file changed", got.Workload.Batch)
	}
	if diff := cmp.Diff(before, r.Sums()); diff != "" || len(before) != 1 || before[0].Path != "a.yaml" {
		t.Errorf("sums %v: %s", before, diff)
	}
	other, err := NewReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	if problems := other.Check([]string{"a.yaml", "absent.yaml"}); len(problems) < 2 {
		t.Errorf("problems %v", problems)
	}
	if other.Sums()[0].SHA256 == before[0].SHA256 {
		t.Error("other content, same sum")
	}
}

// TestOverrideSaysWhereItIsStated: a problem of a value, and a statement, name the
// place in the file that states the override.
func TestOverrideSaysWhereItIsStated(t *testing.T) {
	r, err := NewReader("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	at := inputs.Place{File: "batch.yaml", Line: 12, Col: 5}
	load := func(key, value, model string) (*inputs.Condition, error) {
		return r.Load(Options{Paths: []string{"llama-3.1-70b-2x8-h100.yaml"}, Model: model, ModelPlace: at,
			Overrides: []Override{{Key: key, Value: value, Place: at}}})
	}
	for _, row := range []struct{ key, value, model, want string }{
		{"workload.batch", "many", "", `batch.yaml:12:5: workload.batch: "many" is not understood`},
		{"workload.bacth", "3", "", `batch.yaml:12:5: unknown key "workload.bacth", want one of batch, global_batch, input, output, phase, prefix_cache_hit, sequence, speculative, training; did you mean "batch"?`},
		{"cluster.pools.3.count", "3", "", "batch.yaml:12:5: pool 3 of 1"},
		{"workload.batch", "3", "Lama-3.1-8B", `batch.yaml:12:5: model "Lama-3.1-8B" is neither in the catalogue nor a file`},
	} {
		_, err := load(row.key, row.value, row.model)
		if err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s=%s: got %v, want %s", row.key, row.value, err, row.want)
		}
	}
	c, err := load("cluster.pools.0.memory", "40GB", "")
	if err != nil {
		t.Fatal(err)
	}
	if last := c.Statements[len(c.Statements)-1]; last.Place != at || last.Text != "cluster.pools.0.memory: 40GB" {
		t.Errorf("statement %+v", last)
	}
}

func BenchmarkReader(b *testing.B) {
	r, err := NewReader("../../examples")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Load(Options{Paths: []string{"llama-3.1-70b-2x8-h100.yaml"},
			Overrides: []Override{{Key: "workload.batch", Value: "64"}, {Key: "workload.input", Value: "1024"}}}); err != nil {
			b.Fatal(err)
		}
	}
}
