package dag

import (
	"strings"
	"testing"

	"partita/inputs"
)

// A folded graph stays one to look at, however many GPUs there are: some hundred nodes a
// phase. Each of its GPUs is listed once.
func TestFoldedGraphsStayReadable(t *testing.T) {
	layers := func(n int) []int { return make([]int, n) }
	dense, experts := grouped(), mixture()
	dense.Attention.Heads, dense.FFN.Intermediate = 64, 64
	experts.Attention.Heads, experts.FFN.Experts, experts.FFN.Shared = 64, 256, 64
	for name, tc := range map[string]struct {
		kind     inputs.LayerKind
		replicas int
		stages   []split
		want     int // nodes of both phases at most
	}{
		"16 GPUs":           {dense, 2, []split{{126, 8, 1, 1, 1}}, 400},
		"16,384 GPUs":       {dense, 1024, []split{{63, 8, 1, 1, 1}, {63, 8, 1, 1, 1}}, 800},
		"a deep pipeline":   {dense, 3, []split{{16, 8, 1, 1, 1}, {16, 8, 1, 1, 1}, {16, 8, 1, 1, 1}, {16, 8, 1, 1, 1}, {16, 8, 1, 1, 1}, {16, 8, 1, 1, 1}, {16, 8, 1, 1, 1}, {14, 8, 1, 1, 1}}, 800},
		"attention on 64":   {experts, 4, []split{{61, 1, 1, 64, 64}}, 200},
		"uneven attention":  {experts, 3, []split{{61, 2, 1, 48, 32}}, 400},
		"unlike neighbours": {experts, 2, []split{{30, 4, 1, 16, 64}, {31, 2, 1, 8, 16}}, 800},
	} {
		d := made{model: model([]inputs.LayerKind{tc.kind}), phase: inputs.Mixed, batch: 100 * tc.replicas, input: 2048, output: 512, replicas: tc.replicas, micro: 1, groups: 1, stages: tc.stages}
		n, gpus := 0, 0
		for _, s := range tc.stages {
			n += s.layers
			gpus += s.tp * s.cp * s.dp * tc.replicas
		}
		d.model.Layers = layers(n)
		p := d.plan()
		nodes, err := Nodes(p, Options{Folded: true})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if nodes > int64(tc.want) {
			t.Errorf("%s: %d nodes in two phases, want at most %d", name, nodes, tc.want)
		}
		valid(t, name, p, Options{Folded: true})
		listed := map[string]int{}
		for _, line := range lines(text(t, p, Options{Folded: true}), `gpus="`) {
			_, rest, _ := strings.Cut(line, `gpus="`)
			rest, _, _ = strings.Cut(rest, `"`)
			for _, id := range strings.Fields(rest) {
				listed[id]++
			}
		}
		for id, times := range listed {
			if times != 2 { // once a phase
				t.Errorf("%s: %s is listed %d times", name, id, times)
			}
		}
		if len(listed) != gpus {
			t.Errorf("%s: %d GPUs are listed, want %d", name, len(listed), gpus)
		}
	}
}
