package launch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// readMegatron reads replicas back from torchrun: rank r is of the stage r/(tp·cp·dp).
func readMegatron(t testing.TB, s *Serving, files []File) []started {
	t.Helper()
	all, err := s.nodes()
	if err != nil {
		t.Fatal(err)
	}
	calls := runNodes(t, s, files[0].Data, []string{"torchrun"}, byHost(all, func(node) bool { return true }))
	place := func(c hostCall) string {
		address, _ := c.Flag("--master-addr")
		port, _ := c.Flag("--master-port")
		return address + " " + port
	}
	var out []started
	for _, group := range replicaCalls(t, calls, place, "--node-rank") {
		c := group[0]
		tp, pp, cp := flagNumber(t, c, "--tensor-model-parallel-size", 1), flagNumber(t, c, "--pipeline-model-parallel-size", 1), flagNumber(t, c, "--context-parallel-size", 1)
		each := flagNumber(t, c, "--nproc-per-node", 0)
		world := each * flagNumber(t, c, "--nnodes", 0)
		if world != each*len(group) || world%(tp*pp*cp) != 0 || !c.Has("/src/m m/examples/inference/launch_inference_server.py") {
			t.Fatalf("%d ranks for TP %d, PP %d, CP %d: %q", world, tp, pp, cp, c.Args)
		}
		size := world / pp
		r := started{TP: tp, DP: size / tp / cp, EP: flagNumber(t, c, "--expert-model-parallel-size", 1), GPUs: make([][]string, pp)}
		r.ETP = size / r.EP
		if etp := flagNumber(t, c, "--expert-tensor-parallel-size", r.ETP); etp != r.ETP {
			t.Errorf("expert TP %d beside EP %d on %d GPUs", etp, r.EP, size)
		}
		r.Layers = []int{len(s.Model.Layers)}
		if pp > 1 {
			layout, _ := c.Flag("--pipeline-model-parallel-layout")
			r.Layers = stagesOfLayout(t, layout)
		}
		for rank, c := range group {
			seen := numbers(t, c.Env["CUDA_VISIBLE_DEVICES"])
			if len(seen) != each {
				t.Fatalf("%d processes on %d GPUs", each, len(seen))
			}
			for i, gpu := range seen {
				stage := (rank*each + i) / size
				r.GPUs[stage] = append(r.GPUs[stage], gpuAt(c.host, fmt.Sprint(gpu)))
			}
		}
		out = append(out, r)
	}
	return out
}

// stagesOfLayout reads a layout as Megatron does (PipelineParallelLayerLayout): repetitions
// are written out, stages stand between bars, E comes first and L last.
func stagesOfLayout(t testing.TB, layout string) []int {
	t.Helper()
	flat := layout
	for _, times := range []*regexp.Regexp{regexp.MustCompile(`\(([^)]+)\)\*(\d+)`), regexp.MustCompile(`(.)\*(\d+)`)} {
		flat = times.ReplaceAllStringFunc(flat, func(m string) string {
			parts := times.FindStringSubmatch(m)
			n, _ := strconv.Atoi(parts[2])
			return strings.Repeat(parts[1], n)
		})
	}
	if !strings.HasPrefix(flat, "E") || !strings.HasSuffix(flat, "L") {
		t.Fatalf("layout %q", layout)
	}
	var out []int
	for _, stage := range strings.Split(flat[1:len(flat)-1], "|") {
		if strings.Trim(stage, "t") != "" || stage == "" {
			t.Fatalf("layout %q", layout)
		}
		out = append(out, len(stage))
	}
	return out
}
