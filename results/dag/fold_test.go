package dag

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
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

// A collective that is drawn once for several GPUs' groups is no larger one.
func TestFoldedCollectivesSayHowManyTheyAre(t *testing.T) {
	d := plans()["many ranks"] // 3 replicas of unlike batches; 8 TP groups of 2 on the second stage
	out := text(t, d.plan(), Options{Folded: true})
	if n := len(lines(out, "op=all_reduce", "GPUs each)")); n == 0 {
		t.Fatal("no all-reduce stands for several")
	}
	for _, line := range lines(out, "op=all_reduce", "GPUs each)") {
		if !strings.Contains(line, ", 2 GPUs each)") {
			t.Errorf("an all-reduce over TP 2: %s", line)
		}
	}
}

// standFor counts by operator what the nodes inside of layers stand for: layers, GPUs,
// experts, groups of GPUs. In a complete graph each stands for itself.
func standFor(out string) map[string]int {
	lists := map[string]int{} // GPUs of a cluster, by its first
	for _, line := range lines(out, `gpus="`) {
		_, rest, _ := strings.Cut(line, `gpus="`)
		rest, _, _ = strings.Cut(rest, `"`)
		ids := strings.Fields(rest)
		lists[ids[0]] = len(ids)
	}
	count := map[string]int{}
	for _, line := range lines(out, "[op=", ",layer=") {
		_, op, _ := strings.Cut(line, "[op=")
		op, _, _ = strings.Cut(op, ",")
		n := multiple(line, ",times=", ",") * multiple(line, "(×", ", ") * multiple(line, "(×", " a GPU)")
		if !strings.Contains(line, "shape=ellipse") { // on a GPU: the first of its cluster
			_, id, _ := strings.Cut(line, `\nGPU`)
			id = strings.TrimLeft(id, "s: ")
			id = id[:strings.IndexAny(id, `,\`)]
			n *= max(1, lists[id])
		}
		count[op] += n
	}
	return count
}

// multiple is the number between two marks of a line, 1 where there is none.
func multiple(line, from, to string) int {
	for _, rest := range strings.Split(line, from)[1:] {
		number, _, ok := strings.Cut(rest, to)
		if n, err := strconv.Atoi(number); ok && err == nil {
			return n
		}
	}
	return 1
}

// What a folded graph says it stands for is what the complete one draws.
func TestFoldedGraphsStandForTheWhole(t *testing.T) {
	for name, d := range plans() {
		same(t, name, d.plan())
	}
}

func same(t rapid.TB, name string, p *results.Plan) {
	t.Helper()
	want, got := text(t, p, Options{}), text(t, p, Options{Folded: true})
	for i, g := range strings.Split(got, "digraph")[1:] {
		w := strings.Split(want, "digraph")[1:][i]
		if diff := cmp.Diff(standFor(w), standFor(g)); diff != "" {
			t.Errorf("%s, graph %d: -complete +folded\n%s", name, i, diff)
		}
	}
}
