package read

import (
	"fmt"
	"strings"
	"testing"

	"partita/inputs"
)

const workload = "model: Llama-2-13B\nworkload: {batch: 8, input: 1024, output: 256}\n"

// inventory loads hardware files beside a workload.
func inventory(t *testing.T, names []string, texts ...string) (*inputs.Condition, error) {
	t.Helper()
	files := map[string]string{"w.yaml": workload}
	for i, n := range names {
		files[n] = texts[i]
	}
	p := write(t, files)
	paths := []string{p["w.yaml"]}
	for _, n := range names {
		paths = append(paths, p[n])
	}
	return Load(Options{Paths: paths})
}

// pools prints pools as count × memory on hosts.
func pools(c *inputs.Condition) string {
	var out []string
	for _, p := range c.Cluster.Pools {
		var ids []string
		for _, n := range p.Nodes {
			ids = append(ids, n.GPUs...)
		}
		out = append(out, fmt.Sprintf("%s %d×%s: %s", p.Accelerator.Name, p.Count.Max, inputs.FormatBytes(p.MemoryBytes), strings.Join(ids, " ")))
	}
	return strings.Join(out, "\n")
}

const smi = "name, memory.total [MiB], memory.free [MiB]\n"

func TestNvidiaSMI(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		want  string
	}{
		{"unlike free memory", []string{smi + "NVIDIA A100-SXM4-80GB, 81920 MiB, 30000 MiB\nNVIDIA A100-SXM4-80GB, 81920 MiB, 50000 MiB\n"},
			"A100-SXM-80GB 1×50000 MiB: node-0/gpu-1\nA100-SXM-80GB 1×30000 MiB: node-0/gpu-0"},
		{"within one percent", []string{smi + "NVIDIA A100-SXM4-80GB, 81920 MiB, 80000 MiB\nNVIDIA A100-SXM4-80GB, 81920 MiB, 80500 MiB\n"},
			"A100-SXM-80GB 2×80000 MiB: node-0/gpu-1 node-0/gpu-0"},
		{"no header, no units", []string{"Tesla T4, 15360, 15000\n"}, "T4 1×15000 MiB: node-0/gpu-0"},
		{"index and unused columns", []string{"index, uuid, name, memory.total [MiB], memory.free [MiB]\n4, GPU-1, Tesla T4, 15360 MiB, 15000 MiB\n7, GPU-2, Tesla T4, 15360 MiB, 15000 MiB\n"},
			"T4 2×15000 MiB: node-0/gpu-4 node-0/gpu-7"},
		{"two kinds", []string{smi + "Tesla T4, 15360 MiB, 15000 MiB\nNVIDIA L4, 23034 MiB, 22000 MiB\n"},
			"T4 1×15000 MiB: node-0/gpu-0\nL4 1×22000 MiB: node-0/gpu-1"},
		{"two machines alike", []string{smi + "Tesla T4, 15360 MiB, 15000 MiB\n", smi + "Tesla T4, 15360 MiB, 14990 MiB\n"},
			"T4 2×14990 MiB: node-0/gpu-0 node-1/gpu-0"},
		{"nothing free stated", []string{"name, memory.total [MiB]\nTesla T4, 15360 MiB\n"}, "T4 1×15 GiB: node-0/gpu-0"},
	} {
		var names []string
		for i := range c.files {
			names = append(names, fmt.Sprintf("%d.csv", i))
		}
		got, err := inventory(t, names, c.files...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if pools(got) != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, pools(got), c.want)
		}
	}
}

func TestNvidiaSMIProblems(t *testing.T) {
	for _, c := range []struct{ text, at, part string }{
		{smi + "Tesla T4, 15360 MiB, 20000 MiB\n", "2:1", "free of"},
		{smi + "Tesla T4, 15360 MiB, 0 MiB\n", "2:22", "leave its line out"},
		{smi + "Tesla T4, much, 1 MiB\n", "2:11", "not understood"},
		{smi + "Tesla T4, 15360 MiB\n", "2:1", "2 values"},
		{smi + ", 15360 MiB, 15000 MiB\n", "2:1", "no name"},
		{smi, "1:0", "no GPU"},
		{"name, memory.total [MiB], colour\nTesla T4, 15360 MiB, red\n", "1:27", "unknown column"},
		{"memory.total [MiB], memory.free [MiB]\n1 MiB, 1 MiB\n", "1:1", "column name is missing"},
		{"index, name, memory.total [MiB]\n0, Tesla T4, 15360 MiB\n0, Tesla T4, 15360 MiB\n", "3:1", "twice"},
		{"Thu Jan  1 00:00:00 2026\n+-----+\n| NVIDIA-SMI 550.54.14    Driver Version: 550.54.14 |\n", "1:0", "--query-gpu=name,memory.total,memory.free --format=csv"},
		{"GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-5a)\n", "1:0", "--query-gpu="},
		{smi + "Tesla T9000, 15360 MiB, 15000 MiB\n", "2:1", "not in the catalogue"},
	} {
		_, err := inventory(t, []string{"gpus.csv"}, c.text)
		if !hasProblem(err, c.at, c.part) {
			t.Errorf("%q: want %s %q, got\n%v", c.text, c.at, c.part, err)
		}
	}
}

// hasProblem reports whether an error holds a problem at line:col with a text.
func hasProblem(err error, at, part string) bool {
	ds, _ := err.(Diagnostics)
	for _, p := range ds {
		if fmt.Sprintf("%d:%d", p.Place.Line, p.Place.Col) == at && strings.Contains(p.Error(), part) {
			return true
		}
	}
	return false
}

// machine is a node of an inventory with n like GPUs.
func machine(id, n int, name string, memory, pcie, nvlink float64) string {
	var gpus []string
	for i := range n {
		gpus = append(gpus, fmt.Sprintf(`{"device_id": %d, "gpu_memory_gb": %v, "gpu_name": %q, "pcie_bw_gbps": %v, "nvlink_bw_gbps": %v}`, i, memory, name, pcie, nvlink))
	}
	return fmt.Sprintf(`{"node_id": %d, "gpu_devices": [%s], "node_memory_gb": 512, "node_cpu_cores": 64, "intra_node_bw_gbps": 300, "inter_node_bw_gbps": 100}`, id, strings.Join(gpus, ",\n"))
}

func hardwareJSON(nodes ...string) string {
	return "{\"nodes\": [" + strings.Join(nodes, ",\n") + "]}"
}

// The catalogue tells what a rate called gbps means.
func TestHardwareUnits(t *testing.T) {
	for _, c := range []struct {
		name                  string
		nvlink                float64
		intra, network, total float64 // GB/s
	}{
		{"bytes, both directions", 900, 450, 12.5, 16},
		{"bytes, one direction", 450, 450, 12.5, 16},
		{"bits, one direction", 3600, 450, 12.5 / 8, 16},
		{"bits, both directions", 7200, 450, 12.5 / 8, 16},
	} {
		got, err := inventory(t, []string{"hw.json"}, hardwareJSON(machine(0, 8, "NVIDIA_H100", 80, 64, c.nvlink), machine(1, 8, "NVIDIA_H100", 80, 64, c.nvlink)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p := got.Cluster.Pools
		if len(p) != 1 || float64(p[0].Count.Max) != c.total || len(p[0].Nodes) != 2 || p[0].Intra.BytesPerSecond != c.intra*1e9 || got.Cluster.Network.BytesPerSecond != c.network*1e9 {
			t.Errorf("%s: %+v %+v", c.name, p, got.Cluster.Network)
		}
		listed := strings.Join(assumed(got), "\n")
		if !strings.Contains(listed, "nvlink_bw_gbps") || !strings.Contains(listed, "inter_node_bw_gbps") {
			t.Errorf("%s: the units are not listed as assumptions: %s", c.name, listed)
		}
	}
}

func assumed(c *inputs.Condition) []string {
	var out []string
	for _, a := range c.Assumptions {
		out = append(out, a.What+" = "+a.Value)
	}
	return out
}

func TestHardwareMixed(t *testing.T) {
	got, err := inventory(t, []string{"hw.json"}, hardwareJSON(machine(0, 2, "NVIDIA_A100", 80, 32, 600), machine(1, 3, "Tesla T4", 16, 16, 0)))
	if err != nil {
		t.Fatal(err)
	}
	want := "A100-SXM-80GB 2×80 GiB: node-0/gpu-0 node-0/gpu-1\nT4 3×15 GiB: node-1/gpu-0 node-1/gpu-1 node-1/gpu-2"
	if pools(got) != want || got.Cluster.Pools[1].Intra.Kind != inputs.LinkPCIe {
		t.Errorf("got\n%s\n%+v\nwant\n%s", pools(got), got.Cluster.Pools[1].Intra, want)
	}
}

func TestHardwareProblems(t *testing.T) {
	for _, c := range []struct{ text, at, part string }{
		{`{"nodes": []}`, "1:1", "no GPU"},
		{`{"nodes": 5}`, "1:11", "a list"},
		{`{"nodes": [{"gpu_devices": [{"gpu_memory_gb": 80}]}]}`, "1:29", "no gpu_name"},
		{`{"nodes": [{"gpu_devices": [{"gpu_nam": "H100"}]}]}`, "1:30", `did you mean "gpu_name"?`},
		{`{"nodes": [{"gpu_devices": [{"gpu_name": "H100", "nvlink_bw_gbps": -3}]}]}`, "1:68", "0 or more"},
		{`{"nodes": [{"gpu_devices": [{"gpu_name": "H100", "device_id": 0}, {"gpu_name": "H100", "device_id": 0}]}]}`, "1:67", "twice"},
		{`{"nodes": [{"gpu_devices": [{"gpu_name": "H100"}]}], "cluster": {"total_gpus": 2}}`, "1:80", "1 GPUs are listed"},
		{`{"nodes": [{"gpu_devices": [{"gpu_name": "H100"}]}], "cluster": {"gpu_type": "A100"}}`, "1:78", "types that agree"},
		{`{"nodes": [{"gpu_devices": [{"gpu_name": "H900"}]}]}`, "1:29", "not in the catalogue"},
		{`{"nodes": [{"gpu_devices": [`, "1:0", "not valid"},
	} {
		_, err := inventory(t, []string{"hw.json"}, c.text)
		if !hasProblem(err, c.at, c.part) {
			t.Errorf("%s: want %s %q, got\n%v", c.text, c.at, c.part, err)
		}
	}
	if _, err := inventory(t, []string{"hw.json", "c.yaml"}, hardwareJSON(machine(0, 1, "H100", 80, 64, 900)), "cluster: {pools: [{accelerator: T4, count: 1}]}"); err == nil || !strings.Contains(err.Error(), "listed here and in") {
		t.Errorf("two lists of pools: %v", err)
	}
}
