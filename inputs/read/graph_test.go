package read

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partita/inputs"
)

// graphFiles writes a condition and graphs into a folder.
func graphFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const oneNode = `{"name": "net", "nodes": [{"id": 1, "fpgaLatency": 2}], "edges": []}`

// A graph is found from the folder of the file that names it, and makes a condition without
// workload and for throughput.
func TestGraphOfACondition(t *testing.T) {
	dir := graphFiles(t, map[string]string{"net.json": oneNode, "c.yaml": "cluster:\n  pools: [{accelerator: L4, count: 2}, {accelerator: T4, count: 2}]\nmodel: {graph: net.json}\ngoal: {requirements: {samples_per_s: '>= 30 samples/s'}}\n"})
	c, err := Load(Options{Paths: []string{filepath.Join(dir, "c.yaml")}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Model.Graph == nil || len(c.Model.Graph.Nodes) != 1 || c.Model.Name != "net" || c.Workload != (inputs.Workload{Phase: inputs.Inference}) || c.Goal.Objective != inputs.Throughput {
		t.Errorf("got %+v, %+v, %+v", c.Model, c.Workload, c.Goal)
	}
	if q := c.Goal.Requirements; len(q) != 1 || q[0].Kind != inputs.SamplesPerS || q[0].Value != 30 {
		t.Errorf("requirements %+v", q)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "does not say on which accelerator") {
		t.Errorf("unlike GPUs with one time: warnings %q", c.Warnings)
	}
	for _, s := range c.Statements {
		if s.UsedAs == "" {
			t.Errorf("%s is not accounted for", s.Text)
		}
	}
}

// A graph on the command line or by a flag replaces the model of a file; two of one rank,
// or a graph beside shapes, contradict each other.
func TestGraphAndOtherModels(t *testing.T) {
	dir := graphFiles(t, map[string]string{
		"net.json": oneNode, "two.json": strings.Replace(oneNode, "net", "two", 1),
		"back.json": `{"nodes": [{"id": 1, "fpgaLatency": 2, "isBackwardNode": 1}], "edges": []}`,
		"c.yaml":    "cluster: {gpu: L4, count: 2}\nmodel: {graph: net.json}\n", "llama.yaml": "cluster: {gpu: L4, count: 2}\nmodel: Llama-3.1-8B\n",
		"gpus.yaml": "cluster: {gpu: L4, count: 2}\n",
		"by.json":   `{"nodes": [{"id": 1, "name": "a", "times": {"T4": 2}}], "edges": []}`,
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, row := range []struct {
		opts Options
		want string // the model's name, or part of the error
	}{
		{Options{Paths: []string{at("gpus.yaml"), at("two.json")}}, "two"},
		{Options{Paths: []string{at("c.yaml")}, Model: at("two.json")}, "two"},
		{Options{Paths: []string{at("llama.yaml")}, Model: at("two.json")}, "two"},
		{Options{Paths: []string{at("c.yaml")}, Overrides: []Override{{Key: "model.graph", Value: at("two.json")}}}, "two"},
		{Options{Paths: []string{at("c.yaml")}, Model: "Llama-3.1-8B"}, "Llama-3.1-8B"},
		{Options{Paths: []string{at("gpus.yaml"), at("back.json")}}, "back"},
		{Options{Paths: []string{at("c.yaml"), at("two.json")}}, "an operator graph is given here and by"},
		{Options{Paths: []string{at("llama.yaml"), at("two.json")}}, "model.catalog beside an operator graph"},
		{Options{Paths: []string{at("gpus.yaml"), at("by.json")}}, `by.json:1:12: node 1 (a) has no time on "L4"`},
		{Options{Paths: []string{at("gpus.yaml")}, Overrides: []Override{{Key: "model.graph", Value: at("none.json")}}}, "none.json"},
	} {
		c, err := Load(row.opts)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = c.Model.Name
		}
		if !strings.Contains(got, row.want) {
			t.Errorf("%v, model %q: %q, want %q", row.opts.Paths, row.opts.Model, got, row.want)
		}
		if err == nil && row.want == "back" && c.Workload.Phase != inputs.Training {
			t.Errorf("a backward pass is of the phase %s", c.Workload.Phase)
		}
	}
}
