package launch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"partita/results/launch/launchtest"
)

// readTensorRT reads replicas back from trtllm-serve, or from mpirun's parts, by the rules of
// TensorRT-LLM's mapping: stage r/tp of rank r, on GPU r % gpus_per_node of those it sees.
func readTensorRT(t testing.TB, s *Serving, files []File) []started {
	t.Helper()
	all, err := s.nodes()
	if err != nil {
		t.Fatal(err)
	}
	var options struct {
		AttentionDP bool  `yaml:"enable_attention_dp"`
		Partition   []int `yaml:"pp_partition"`
	}
	if err := yaml.Unmarshal(files[1].Data, &options); err != nil {
		t.Fatalf("trtllm.yaml: %v", err)
	}
	calls := runNodes(t, s, files[0].Data, []string{"trtllm-serve", "mpirun"}, byHost(all, func(n node) bool { return n.Rank == 0 }))
	names := map[string]string{} // hosts by what the shell makes of them
	for _, h := range s.Hosts() {
		names[h.Name] = h.Name
	}
	ports := map[string]bool{}
	var out []started
	for _, c := range calls {
		type context struct {
			host, gpus string
			ranks      int
		}
		var world []context
		serve := c
		if c.Program == "mpirun" {
			for i, words := range split(c.Args, ":") {
				if len(words) < 8 || words[0] != "-n" || words[2] != "--host" || words[4] != "env" || words[6] != "trtllm-llmapi-launch" || words[7] != "trtllm-serve" {
					t.Fatalf("part %d of mpirun is %q", i, words)
				}
				at := strings.LastIndex(words[3], ":")
				host, known := names[words[3][:at]]
				if len(s.Hosts()) == 1 {
					host, known = s.Hosts()[0].Name, words[3][:at] == "127.0.0.1"
				}
				gpus, set := strings.CutPrefix(words[5], "CUDA_VISIBLE_DEVICES=")
				ranks := numbers(t, words[1])[0]
				if !known || !set || numbers(t, words[3][at+1:])[0] < ranks {
					t.Fatalf("part %d of mpirun is %q", i, words)
				}
				world = append(world, context{host, gpus, ranks})
				serve.Args = words[8:]
			}
			if world[0].host != c.host {
				t.Errorf("the server is on %q, and %q starts it", world[0].host, c.host)
			}
		} else {
			world = []context{{c.host, c.Env["CUDA_VISIBLE_DEVICES"], strings.Count(c.Env["CUDA_VISIBLE_DEVICES"], ",") + 1}}
			serve.Args = c.Args
		}
		if serve.Args[0] != "/models/a*b" || !strings.HasSuffix(first(serve.Flag("--extra_llm_api_options")), "/trtllm.yaml") {
			t.Errorf("trtllm-serve gets %q", serve.Args)
		}
		port, _ := serve.Flag("--port")
		if ports[c.host+" "+port] {
			t.Errorf("two servers of %q answer on port %s", c.host, port)
		}
		ports[c.host+" "+port] = true
		tp, pp, ep := flagNumber(t, serve, "--tp_size", 1), flagNumber(t, serve, "--pp_size", 1), flagNumber(t, serve, "--ep_size", 1)
		r := started{TP: tp, DP: 1, EP: ep, ETP: tp / ep, Layers: options.Partition, GPUs: make([][]string, pp)}
		if options.AttentionDP {
			r.TP, r.DP = 1, tp
		}
		if pp == 1 {
			r.Layers = []int{len(s.Model.Layers)}
		}
		rank := 0
		for _, x := range world {
			seen := numbers(t, x.gpus)
			each := flagNumber(t, serve, "--gpus_per_node", len(seen))
			if x.ranks != len(seen) || each != len(seen) {
				t.Fatalf("%d ranks, %d GPUs a node, %d seen", x.ranks, each, len(seen))
			}
			for range x.ranks {
				r.GPUs[rank/tp] = append(r.GPUs[rank/tp], gpuAt(x.host, fmt.Sprint(seen[rank%each])))
				rank++
			}
		}
		if rank != tp*pp {
			t.Fatalf("%d ranks for TP %d and PP %d", rank, tp, pp)
		}
		out = append(out, r)
	}
	return out
}

func split(words []string, mark string) [][]string {
	var out [][]string
	for {
		i := slices.Index(words, mark)
		if i < 0 {
			return append(out, words)
		}
		out, words = append(out, words[:i]), words[i+1:]
	}
}

// TestSpacesInAWorld: what trtllm-llmapi-launch would split is refused before it starts.
func TestSpacesInAWorld(t *testing.T) {
	files, err := Files("trtllm", plain())
	if err != nil {
		t.Fatal(err)
	}
	r := launchtest.Run(t, files[0].Data, launchtest.Options{Stubs: programs(), Args: []string{"0"}, Env: []string{"MODEL=/models/a b"}})
	if r.Exit != 2 || len(r.Calls) > 0 || !strings.Contains(r.Stderr, "without spaces") {
		t.Errorf("exit %d, %q, %s", r.Exit, r.Calls, r.Stderr)
	}
}
