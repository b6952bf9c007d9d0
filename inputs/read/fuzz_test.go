package read

import (
	"os"
	"path/filepath"
	"testing"

	"partita/inputs"
	"partita/inputs/catalog"
)

// library for tests: the catalogue, read once a test.
func testLibrary(t testing.TB) library {
	t.Helper()
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// check holds what every outcome must keep: a condition is complete, a failure
// tells at least one problem, and every statement says what it was used as.
func check(t *testing.T, d *draft, lib library) {
	t.Helper()
	before := len(d.problems)
	c := d.resolve(lib, []string{"fuzz"})
	if before > 0 || len(d.problems) > 0 {
		for _, p := range d.problems {
			if p.Problem == "" {
				t.Fatalf("a problem without text: %+v", p)
			}
		}
		return
	}
	for _, s := range c.Statements {
		if s.UsedAs == "" {
			t.Fatalf("%q is used as nothing", s.Text)
		}
	}
	if len(c.Cluster.Pools) == 0 || len(c.Model.Layers) == 0 || c.Workload.Batch < 1 || c.Workload.Input.Max < 1 {
		t.Fatalf("incomplete without a problem: %+v %+v", c.Cluster, c.Workload)
	}
	seen := map[string]bool{}
	for _, p := range c.Cluster.Pools {
		total := 0
		for _, n := range p.Nodes {
			total += len(n.GPUs)
			for _, id := range n.GPUs {
				if seen[id] {
					t.Fatalf("GPU %s is named twice", id)
				}
				seen[id] = true
			}
		}
		if p.Count.Stated() && total != p.Count.Max || p.MemoryBytes <= 0 || p.GPUsPerNode < 1 || p.Intra.BytesPerSecond <= 0 {
			t.Fatalf("pool %+v", p)
		}
	}
	for _, k := range c.Model.Kinds {
		if k.Attention.Heads < 1 || k.Attention.HeadDim < 1 || k.FFN.TopK > k.FFN.Experts {
			t.Fatalf("layer %+v", k)
		}
	}
}

// fuzz runs a reader on a text beside what it leaves open.
func fuzz(t *testing.T, lib library, read func(d *draft)) {
	d := newDraft()
	read(d)
	if d.model == nil && !d.has("model.catalog") && !d.has("model.layers") && !d.has("model.hidden") && !d.has("model.name") {
		readOverrides(d, []Override{{Key: "model.catalog", Value: "Llama-3-8B"}}, fromFlag)
	}
	if d.pools == 0 && !d.has("cluster.accelerator") && !d.has("cluster.flops") {
		readOverrides(d, []Override{{Key: "cluster.gpu", Value: "H100"}}, fromFlag)
	}
	check(t, d, lib)
}

func seeds(f *testing.F, patterns ...string) {
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	seeds(f, "testdata/*.md", "../../examples/*.md")
	for _, s := range []string{"## Environment Condition\n* **GPUs**: 8 x H100, 2 nodes\n", "| a | b |\n|---|---|\n| GPUs | 4..8 |", "```\n- TTFT ≤ 2 s\n", "- GPUs: 8×A100-80 + 8×L40S + 16×T4",
		"- Layers: 3-layer, top-2 of 4 experts\n- Hidden size: 12\n- weights: 3B\n- Hidden size of MOE: 7", "<!-- x", "1. Strategy\n- TP8 PP2\n"} {
		f.Add([]byte(s))
	}
	lib := testLibrary(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzz(t, lib, func(d *draft) { readMarkdown(d, lib, "fuzz", data) })
	})
}

func FuzzStructured(f *testing.F) {
	add := func(format uint8, s string) { f.Add(format, []byte(s)) }
	add(0, "cluster: {gpu: H100, count: 8}\nmodel: Llama-3-8B\nworkload: {batch: 4, input: [1, 2]}")
	add(0, "cluster:\n  pools:\n  - {accelerator: T4, count: 4, free_memory: [14GB, 10GB, 10GB, 14GB]}\n  - {flops: {fp16: 1TFLOPS}, memory: 1GB, memory_bandwidth: 1GB/s, count: 4..8}")
	add(0, "a: &a [*a]\nb: {<<: *a}")
	add(1, "name='x'\n[[cluster.pools]]\naccelerator='L40S'\ncount=8\n[workload]\nbatch=16\ninput=[1,2]\n")
	add(1, "cluster.pools = [{accelerator='T4', flops={fp16='1TFLOPS'}}]\nstrategy.tp = 8")
	add(2, `{"cluster": {"gpu": "H100", "count": "unlimited"}, "model": {"layers": 2, "hidden": 64}, "goal": {"requirements": {"ttft": null}}}`)
	lib := testLibrary(f)
	f.Fuzz(func(t *testing.T, format uint8, data []byte) {
		fuzz(t, lib, func(d *draft) { readStructured(d, "fuzz", []string{"yaml", "toml", "json"}[format%3], data) })
	})
}

func FuzzHardware(f *testing.F) {
	seeds(f, "testdata/*.json", "../../examples/*.json")
	lib := testLibrary(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzz(t, lib, func(d *draft) { readHardware(d, lib, "fuzz", data) })
	})
}

func FuzzNvidiaSMI(f *testing.F) {
	seeds(f, "../../examples/*.csv")
	f.Add([]byte("index, name, memory.total [MiB], memory.free [MiB]\n0, Tesla T4, 15360 MiB, 15000 MiB\n1, NVIDIA L4, 23034, 100\n"))
	f.Add([]byte("NVIDIA A100-SXM4-80GB, 81920, 81000"))
	lib := testLibrary(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzz(t, lib, func(d *draft) { readNvidiaSMI(d, lib, "fuzz", data) })
	})
}

// FuzzQuantities: whatever a key reads, it can show.
func FuzzQuantities(f *testing.F) {
	for _, s := range []string{"64GB", "[128, 10240]", "≤ 10s", "4..16", "NVLink 450GB/s", "latency 0.7", "8-way", "none"} {
		f.Add(s)
	}
	all := keys()
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range all {
			v, err := k.parse(s)
			if err != nil {
				continue
			}
			if k.show(v) == "" {
				t.Fatalf("%s reads %q as %v and shows nothing", k.path, s, v)
			}
			if r, ok := v.(inputs.Range); ok && r.Min > r.Max {
				t.Fatalf("%s reads %q as %v", k.path, s, r)
			}
		}
	})
}
