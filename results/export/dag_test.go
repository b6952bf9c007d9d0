package export

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// drawable is the sample with a deployment: a model of 80 layers, with that many experts
// in each.
func drawable(experts int) *results.Report {
	r := sampleReport()
	kind := inputs.LayerKind{Attention: inputs.Attention{Kind: inputs.GQA, Heads: 64, KVHeads: 8, HeadDim: 128}, FFN: inputs.FFN{Intermediate: 28672, Gated: true}}
	if experts > 0 {
		kind.FFN.Experts, kind.FFN.TopK = experts, 2
	}
	pools := []inputs.Pool{{Name: "A100", Accelerator: inputs.Accelerator{Name: "A100"}}, {Name: "L40S", Accelerator: inputs.Accelerator{Name: "L40S"}}}
	r.Plan.Deployment = &results.Deployment{
		Model:    inputs.Model{Name: hostile, Hidden: 8192, Vocab: 128256, Kinds: []inputs.LayerKind{kind}, Layers: make([]int, 80)},
		Cluster:  inputs.Cluster{Pools: pools},
		Workload: inputs.Workload{Phase: inputs.Mixed, Batch: 128, Input: inputs.Range{Min: 2048, Max: 2048}, Output: inputs.Range{Min: 256, Max: 256}},
	}
	return r
}

func TestWriteLeavesBothGraphs(t *testing.T) {
	dir := t.TempDir()
	m, err := Write(dir, drawable(0))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, dagName), filepath.Join(dir, foldedName), filepath.Join(dir, foldedPictureName)}
	if !slices.Equal(m.DAG, want) {
		t.Fatalf("manifest: %q, want %q", m.DAG, want)
	}
	for _, path := range want[:2] {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(data, []byte("digraph ")); n != 2 {
			t.Errorf("%s: %d graphs, want prefill and decode", path, n)
		}
	}
	// A run without a graph leaves none of the run before.
	if _, err := Write(dir, sampleReport()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); slices.Contains(got, dagName) || slices.Contains(got, foldedName) || slices.Contains(got, foldedPictureName) {
		t.Errorf("files %q: want no graph of the earlier run", got)
	}
}

func TestACompleteGraphThatIsTooLargeIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	r := drawable(1024)
	m, err := Write(dir, r)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.Join(dir, foldedName), filepath.Join(dir, foldedPictureName)}; !slices.Equal(m.DAG, want) {
		t.Errorf("manifest: %q, want %q", m.DAG, want)
	}
	const command = "partita export plan.json --to dot -o dag.dot"
	report, err := os.ReadFile(m.Report)
	if err != nil {
		t.Fatal(err)
	}
	var summary bytes.Buffer
	if err := Summary(&summary, r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"report": string(report), "summary": strings.Join(strings.Fields(summary.String()), " ")} {
		if !strings.Contains(text, command) || !strings.Contains(text, "dag.dot was not written") {
			t.Errorf("the %s does not say how to make the complete graph:\n%s", name, text)
		}
	}
	for _, target := range Targets() {
		if target.Name != "dot" {
			continue
		}
		if why := target.TooLarge(r.Plan); !strings.Contains(why, "--to dot") {
			t.Errorf("among all targets the complete graph is %q", why)
		}
		if why := target.TooLarge(drawable(0).Plan); why != "" {
			t.Errorf("a small graph is left out: %s", why)
		}
		// By its name it is made whatever its size.
		if files, err := target.Files(r.Plan); err != nil || len(files) != 1 {
			t.Errorf("files %v, error %v", files, err)
		}
	}
}

// The plan of format 1 has nothing to draw; of one that cannot be drawn a line says why, and
// the plan is there.
func TestPlansWithoutAGraph(t *testing.T) {
	if files := dagFiles(samplePlan()); files != nil {
		t.Errorf("files %v: want none", files)
	}
	broken := drawable(0)
	broken.Plan.Deployment.Model.Layers = broken.Plan.Deployment.Model.Layers[1:]
	dir := t.TempDir()
	if _, err := Write(dir, broken); err != nil {
		t.Fatal(err)
	}
	why, err := os.ReadFile(filepath.Join(dir, "dag-folded"+notDrawnSuffix))
	if err != nil || !strings.Contains(string(why), "which is a defect") || !strings.Contains(string(why), "cannot be drawn") {
		t.Errorf("%q, %v", why, err)
	}
	if _, err := os.Stat(filepath.Join(dir, planName)); err != nil {
		t.Error(err)
	}
}
