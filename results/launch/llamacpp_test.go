package launch

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
)

// deviceOf is the device that llama.cpp puts layer il of n on (llama_model::load_tensors): the
// first whose share, added up, is above il/(n+1). Layer n is the output layer. Sums and
// quotients are 32-bit floats, as there.
func deviceOf(split []int, il, n int) int {
	sums := make([]float32, len(split))
	var sum float32
	for i, x := range split {
		sum += float32(x)
		sums[i] = sum
	}
	for i := range sums {
		sums[i] /= sum
	}
	at := float32(il) / float32(n+1)
	return sort.Search(len(sums), func(i int) bool { return sums[i] > at })
}

// layersOf counts the layers of each device, and says where the output layer is.
func layersOf(split []int, n int) (layers []int, output int) {
	layers = make([]int, len(split))
	for il := range n {
		layers[deviceOf(split, il, n)]++
	}
	return layers, deviceOf(split, n, n)
}

// TestLayerSplit: the proportions give each device the layers of the plan, whatever the sums
// of 32-bit floats come to.
func TestLayerSplit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		layers := rapid.SliceOfN(rapid.IntRange(1, 200), 1, 15).Draw(rt, "layers")
		n := 0
		for _, x := range layers {
			n += x
		}
		got, output := layersOf(layerSplit(layers), n)
		if !slices.Equal(got, layers) || output != len(layers)-1 {
			rt.Fatalf("%v become %v, the output layer on %d", layers, got, output)
		}
		// NEXTN_LAYERS: a file with more layers at the end has them on the last device.
		more := rapid.IntRange(1, 3).Draw(rt, "more")
		split, want := layerSplit(layers), slices.Clone(layers)
		split[len(split)-1] += more
		want[len(want)-1] += more
		if got, _ := layersOf(split, n+more); !slices.Equal(got, want) {
			rt.Fatalf("%v and %d more become %v", layers, more, got)
		}
	})
	// The layers alone, without one more for the output layer, are not enough.
	if got, _ := layersOf([]int{20, 20}, 40); slices.Equal(got, []int{20, 20}) {
		t.Error("the rule does not tell proportions with and without the output layer apart")
	}
}

// readLlamaCpp reads replicas back from llama-server and its rpc-servers.
func readLlamaCpp(t testing.TB, s *Serving, files []File) []started {
	t.Helper()
	want := map[string]int{}
	for _, stages := range s.Replicas {
		v, err := s.llamaServer(stages)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range v.shares {
			want[x.host]++
		}
	}
	calls := runNodes(t, s, files[0].Data, []string{"llama-server", "rpc-server"}, want)
	// What the backends would call the GPUs that a process sees.
	local := func(c hostCall) map[string]string {
		out := map[string]string{}
		if v := c.Env["CUDA_VISIBLE_DEVICES"]; v != "" {
			for i, n := range strings.Split(v, ",") {
				out[fmt.Sprintf("CUDA%d", i)] = gpuAt(c.host, n)
			}
		}
		return out
	}
	remote := map[string][]string{} // by endpoint, in the order of --device
	for _, c := range calls {
		if c.Program != "rpc-server" {
			continue
		}
		endpoint := c.host + ":" + first(c.Flag("--port"))
		if remote[endpoint] != nil {
			t.Errorf("two rpc-servers at %q", endpoint)
		}
		for _, d := range strings.Split(first(c.Flag("--device")), ",") {
			remote[endpoint] = append(remote[endpoint], local(c)[d])
		}
	}
	var out []started
	for _, c := range calls {
		if c.Program != "llama-server" {
			continue
		}
		devices := local(c)
		if rpc, given := c.Flag("--rpc"); given {
			n := 0
			for rest := rpc; rest != ""; {
				// Hostile hosts hold commas: take the endpoint that is known.
				found := ""
				for e := range remote {
					if (rest == e || strings.HasPrefix(rest, e+",")) && len(e) > len(found) {
						found = e
					}
				}
				if found == "" {
					t.Fatalf("no rpc-server at %q of %q", rest, rpc)
				}
				for _, g := range remote[found] {
					devices[fmt.Sprintf("RPC%d", n)] = g
					n++
				}
				rest = strings.TrimPrefix(strings.TrimPrefix(rest, found), ",")
			}
		}
		var gpus []string
		for _, d := range strings.Split(first(c.Flag("--device")), ",") {
			gpus = append(gpus, devices[d])
		}
		if sequences := flagNumber(t, c, "--parallel", 0); sequences > 256 || flagNumber(t, c, "--ctx-size", 0) != sequences*s.contextLength() {
			t.Errorf("%d slots, a context of %q", sequences, c.Args)
		}
		r := started{TP: 1, DP: 1, EP: 1, ETP: 1}
		switch mode, _ := c.Flag("--split-mode"); mode {
		case "tensor":
			r.TP, r.ETP, r.Layers, r.GPUs = len(gpus), len(gpus), []int{len(s.Model.Layers)}, [][]string{gpus}
		case "layer":
			layers, output := layersOf(numbers(t, first(c.Flag("--tensor-split"))), len(s.Model.Layers))
			if output != len(gpus)-1 || len(layers) > 15 {
				t.Errorf("the output layer is on device %d of %d", output, len(gpus))
			}
			r.Layers = layers
			for _, g := range gpus {
				r.GPUs = append(r.GPUs, []string{g})
			}
		}
		out = append(out, r)
	}
	return out
}

// TestUnlikeMakers: GPUs of two makers on one host are shown and called by the names of their
// backends, in the order of the stages; those of another host by that of RPC.
func TestUnlikeMakers(t *testing.T) {
	p := plain()
	onOneGPUEach(p)
	pools := &p.Deployment.Cluster.Pools
	amd := (*pools)[0]
	amd.Name, amd.Accelerator.Vendor = "amd", "AMD"
	amd.Nodes = []inputs.Node{{Host: (*pools)[0].Nodes[0].Host}, {Host: "far"}}
	for j := range 4 {
		amd.Nodes[0].GPUs = append(amd.Nodes[0].GPUs, fmt.Sprintf("%s/gpu-%d", amd.Nodes[0].Host, j+4))
		amd.Nodes[1].GPUs = append(amd.Nodes[1].GPUs, fmt.Sprintf("far/gpu-%d", j))
	}
	*pools = append(*pools, amd)
	host := (*pools)[0].Nodes[0].Host
	stage := func(i int, pool, gpu string) results.Stage {
		st := p.Phases[0].Stages[0]
		st.Index, st.FirstLayer, st.LastLayer, st.Pool, st.GPUs = i, i, i, pool, []string{gpu}
		return st
	}
	p.Deployment.Model.Layers = make([]int, 4)
	p.Phases[0].Stages = []results.Stage{stage(0, (*pools)[0].Name, host+"/gpu-2"), stage(1, "amd", host+"/gpu-5"), stage(2, "amd", "far/gpu-3"), stage(3, (*pools)[0].Name, host+"/gpu-0")}
	c, _ := calledWith(t, "llamacpp", p)
	if got := first(c.Flag("--device")); got != "CUDA0,ROCm0,RPC0,CUDA1" {
		t.Errorf("devices %s", got)
	}
	if c.Env["CUDA_VISIBLE_DEVICES"] != "2,0" || c.Env["HIP_VISIBLE_DEVICES"] != "5" {
		t.Errorf("seen are %q and %q", c.Env["CUDA_VISIBLE_DEVICES"], c.Env["HIP_VISIBLE_DEVICES"])
	}
	if got := first(c.Flag("--tensor-split")); got != "1,1,1,2" {
		t.Errorf("split %s", got)
	}
}
