package launch

import (
	"fmt"
	"testing"
)

// readSGLang reads replicas back from the calls of SGLang, by its own rule of which node has
// which ranks (entrypoints/engine.py, _calculate_rank_ranges and the number of a rank's GPU).
func readSGLang(t testing.TB, s *Serving, files []File) []started {
	t.Helper()
	all, err := s.nodes()
	if err != nil {
		t.Fatal(err)
	}
	calls := runNodes(t, s, files[0].Data, []string{"python3"}, byHost(all, func(node) bool { return true }))
	ports := map[string]bool{}
	for _, c := range calls {
		port, _ := c.Flag("--port")
		if ports[c.host+" "+port] {
			t.Errorf("two processes of %q answer on port %s", c.host, port)
		}
		ports[c.host+" "+port] = true
		if model, _ := c.Flag("--model-path"); model != "/models/a b" {
			t.Errorf("the model is %q", model)
		}
	}
	place := func(c hostCall) string { v, _ := c.Flag("--dist-init-addr"); return v }
	var out []started
	for _, group := range replicaCalls(t, calls, place, "--node-rank") {
		c := group[0]
		tp, pp := flagNumber(t, c, "--tp-size", 1), flagNumber(t, c, "--pp-size", 1)
		dp, ep := flagNumber(t, c, "--dp-size", 1), flagNumber(t, c, "--ep-size", 1)
		if dp > 1 != c.Has("--enable-dp-attention") {
			t.Errorf("attention data parallelism: %q", c.Args)
		}
		r := started{TP: tp / dp, DP: dp, EP: ep, ETP: tp / ep, Layers: []int{len(s.Model.Layers)}, GPUs: make([][]string, pp)}
		if pp > 1 {
			r.Layers = numbers(t, c.Env["SGLANG_PP_LAYER_PARTITION"])
		}
		nodes := flagNumber(t, c, "--nnodes", 1)
		if nodes != len(group) || tp*pp%nodes != 0 {
			t.Fatalf("%d of %d nodes for %d ranks", len(group), nodes, tp*pp)
		}
		for i := range r.GPUs {
			r.GPUs[i] = make([]string, tp)
		}
		stagesOfNode, nodesOfStage := max(pp/nodes, 1), max(nodes/pp, 1)
		ranksOfNode := tp / nodesOfStage
		for rank, c := range group {
			seen := numbers(t, c.Env["CUDA_VISIBLE_DEVICES"])
			for i := range stagesOfNode {
				for j := range ranksOfNode {
					stage := stagesOfNode*(rank/nodesOfStage) + i
					gpu := flagNumber(t, c, "--base-gpu-id", 0) + stage%stagesOfNode*ranksOfNode + j
					r.GPUs[stage][ranksOfNode*(rank%nodesOfStage)+j] = gpuAt(c.host, fmt.Sprint(seen[gpu]))
				}
			}
		}
		out = append(out, r)
	}
	return out
}
