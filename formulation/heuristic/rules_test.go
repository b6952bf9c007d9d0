package heuristic

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"partita/formulation/cost"
)

var (
	h100 = card{"h100", 1, 8, 80, 989}
	a100 = card{"a100", 1, 8, 80, 312}
	l40s = card{"l40s", 1, 8, 48, 362}
	t4   = card{"t4", 2, 8, 16, 65}
)

// on is a card on other nodes.
func (c card) on(nodes, gpus int) card {
	c.nodes, c.gpus = nodes, gpus
	return c
}

func layers(p Proposal) []int { return open(p).layers }

func pools(p Proposal) []int {
	var out []int
	for _, s := range open(p).stations {
		out = append(out, s.pool)
	}
	return out
}

func tensorDegrees(p Proposal) []int {
	var out []int
	for _, s := range open(p).stations {
		out = append(out, s.shape.TP)
	}
	return out
}

// TestVLLMDefault: degree, stages and cut on clusters for which vLLM's documentation
// says what to set.
func TestVLLMDefault(t *testing.T) {
	for _, x := range []struct {
		name          string
		layers, heads int
		batch         int
		cards         []card
		replicas      int
		tp, cut       []int
	}{
		{"two nodes", 80, 64, 64, []card{h100.on(2, 8)}, 1, []int{8, 8}, []int{40, 40}},
		{"one node", 80, 64, 64, []card{h100}, 1, []int{8}, []int{80}},
		{"seven GPUs do not divide 32 heads", 32, 32, 64, []card{h100.on(1, 7)}, 1, []int{1, 1, 1, 1, 1, 1, 1}, []int{4, 4, 5, 5, 5, 5, 4}},
		{"six GPUs and 32 heads", 32, 32, 64, []card{h100.on(1, 6)}, 1, []int{2, 2, 2}, []int{11, 11, 10}},
		{"uniform over unlike pools", 32, 32, 64, []card{a100, t4.on(1, 4)}, 1, []int{4, 4, 4}, []int{11, 11, 10}},
		{"more stages than layers", 4, 32, 64, []card{h100.on(8, 8)}, 2, []int{8, 8, 8, 8}, []int{1, 1, 1, 1}},
	} {
		t.Run(x.name, func(t *testing.T) {
			env := environment(t, condition(dense(x.layers, x.heads), x.batch, x.cards...))
			list := vllmDefault(t.Context(), env)
			if len(list) != 1 || list[0].Replicas != x.replicas {
				t.Fatalf("proposals %+v, want one of %d replicas", list, x.replicas)
			}
			cut := layers(list[0])
			if !slices.Equal(tensorDegrees(list[0]), x.tp) || !slices.Equal(cut, x.cut) {
				t.Errorf("TP %v layers %v, want %v %v", tensorDegrees(list[0]), cut, x.tp, x.cut)
			}
		})
	}
}

// TestVLLMLayers: the cut of get_pp_indices, from its own rule and from threads where
// it surprised people (30 layers on four stages).
func TestVLLMLayers(t *testing.T) {
	for _, x := range []struct {
		n    int
		want []int
	}{
		{80, []int{20, 20, 20, 20}},
		{30, []int{7, 8, 8, 7}},
		{31, []int{8, 8, 8, 7}},
		{5, []int{1, 1, 2, 1}},
		{61, []int{15, 15, 16, 15}},
		{126, []int{31, 32, 32, 31}},
	} {
		if got := EngineCut(x.n, len(x.want)); !slices.Equal(got, x.want) {
			t.Errorf("%d layers on %d stages: %v, want %v", x.n, len(x.want), got, x.want)
		}
	}
}

// TestMegatron: the least model parallelism that fits, then replicas.
func TestMegatron(t *testing.T) {
	for _, x := range []struct {
		name     string
		env      Env
		replicas int
		shape    cost.Shape
		stages   int
	}{
		{"fits one GPU", environment(t, condition(dense(32, 32), 64, h100)), 8, tensor(1), 1},
		// 72 GiB a GPU. 70 billion parameters are 131 GiB: two GPUs.
		{"needs TP2", environment(t, condition(dense(80, 64), 64, h100)), 4, tensor(2), 1},
		// 405 billion are 756 GiB: more than a node's 576.
		{"needs two nodes", environment(t, condition(dense(126, 128), 16, h100.on(8, 8))), 4, tensor(8), 2},
		// 60 layers of 64 experts of 25 million: 180 GiB, four GPUs.
		{"experts over the tensor group", environment(t, condition(sparse(60, 32), 64, h100)), 2, cost.Shape{TP: 4, CP: 1, DPAttention: 1, EP: 4, ETP: 1}, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			list := megatron(t.Context(), x.env)
			if len(list) != 1 {
				t.Fatalf("%d proposals", len(list))
			}
			p := list[0]
			if x.env.Judge(p).Rule != RuleMet {
				t.Fatalf("%s does not fit", p.Why)
			}
			if p.Replicas != x.replicas || p.Parts[0].Shape != x.shape || len(p.Parts) != x.stages {
				t.Errorf("%d replicas of %d stages %+v, want %d of %d %+v", p.Replicas, len(p.Parts), p.Parts[0].Shape, x.replicas, x.stages, x.shape)
			}
		})
	}
}

// TestFLOPProportional: 80 layers in proportion to peak × GPUs: 8 A100 to 8 L40S to
// two nodes of 8 T4 are 312 : 362 : 65 : 65.
func TestFLOPProportional(t *testing.T) {
	env := environment(t, condition(dense(80, 64), 16, a100, l40s, t4))
	list := flopProportional(t.Context(), env)
	if len(list) != 1 || list[0].Replicas != 1 {
		t.Fatalf("%+v", list)
	}
	if got, want := layers(list[0]), []int{31, 36, 7, 6}; !slices.Equal(got, want) {
		t.Errorf("layers %v, want %v", got, want)
	}
	alike := flopProportional(t.Context(), environment(t, condition(dense(80, 64), 16, h100.on(4, 8))))
	if got, want := layers(alike[0]), []int{20, 20, 20, 20}; !slices.Equal(got, want) {
		t.Errorf("equal GPUs: layers %v, want %v", got, want)
	}
}

// TestMemoryGreedy: the largest memory comes first and takes what it can; a layer is
// kept for every stage behind.
func TestMemoryGreedy(t *testing.T) {
	env := environment(t, condition(dense(80, 64), 8, t4.on(1, 8), a100))
	for _, p := range memoryGreedy(t.Context(), env) {
		order := pools(p)
		if !slices.IsSortedFunc(order, func(a, b int) int { return b - a }) {
			t.Errorf("%s: pools in the order %v, want the A100 (1) before the T4 (0)", p.Why, order)
		}
		if p.Parts[0].Shape.TP != 8 {
			continue
		}
		// 8 × 72 GiB hold all 80 layers of 1.6 GiB; the T4s keep one stage's layer.
		if got, want := layers(p), []int{79, 1}; !slices.Equal(got, want) {
			t.Errorf("%d replicas: layers %v, want %v", p.Replicas, got, want)
		}
	}
	small := environment(t, condition(dense(80, 64), 8, l40s))
	found := false
	for _, p := range memoryGreedy(t.Context(), small) {
		if p.Replicas == 1 && p.Parts[0].Shape.TP == 2 && small.Judge(p).Feasible() {
			found = true
			if got := layers(p); len(got) != 4 || got[0] <= got[3] {
				t.Errorf("layers %v: the first groups are to be full, the last takes the rest", got)
			}
		}
	}
	if !found {
		t.Error("no proposal of four groups of two fits")
	}
}

// TestGrid: one stage, groups of 1, 2, 4 and 8, as many replicas as the GPUs give.
func TestGrid(t *testing.T) {
	for _, p := range grid(t.Context(), environment(t, condition(dense(32, 32), 64, h100.on(2, 8)))) {
		q := p.Parts[0].Shape.GPUs()
		if len(p.Parts) != 1 || p.Replicas != 16/q || !inGrid(q) {
			t.Errorf("%d replicas of %d stages of %d GPUs", p.Replicas, len(p.Parts), q)
		}
	}
	kinds := map[string]bool{}
	for _, p := range grid(t.Context(), environment(t, condition(sparse(32, 32), 64, h100))) {
		sh := p.Parts[0].Shape
		kinds["experts"] = kinds["experts"] || sh.EP == 8 && sh.TP == 8
		kinds["attention"] = kinds["attention"] || sh.EP == 8 && sh.DPAttention == 8
		kinds["tensor"] = kinds["tensor"] || sh.EP == 1 && sh.TP == 8
	}
	if !reflect.DeepEqual(kinds, map[string]bool{"experts": true, "attention": true, "tensor": true}) {
		t.Errorf("splits of experts tried: %v", kinds)
	}
}

// TestFewSequences: no rule that chooses replicas makes more of them than there are
// sequences.
func TestFewSequences(t *testing.T) {
	env := environment(t, condition(dense(8, 32), 3, h100.on(2, 8)))
	for _, h := range All() {
		for _, p := range h.Propose(t.Context(), env) {
			if p.Replicas > 3 {
				t.Errorf("%s: %d replicas for 3 sequences", h.Name, p.Replicas)
			}
		}
	}
}

// TestProposalsAreBounded: a cluster of 16,384 GPUs does not make long lists.
func TestProposalsAreBounded(t *testing.T) {
	c := condition(dense(126, 128), 4096, card{"h100", 0, 8, 80, 989})
	c.Cluster.Pools[0].Count.Min, c.Cluster.Pools[0].Count.Max = 16384, 16384
	env := environment(t, c)
	for _, h := range All() {
		list := h.Propose(t.Context(), env)
		if len(list) == 0 || len(list) > 200 {
			t.Errorf("%s: %d proposals", h.Name, len(list))
		}
		for _, p := range list {
			if len(p.Parts) > 126 {
				t.Errorf("%s: %d stages for 126 layers", h.Name, len(p.Parts))
			}
		}
	}
}

// TestNoAnswer: a rule that cannot propose says why.
func TestNoAnswer(t *testing.T) {
	// One sequence allows one replica; 64 GPUs in it are more stages than 2 layers.
	env := environment(t, condition(dense(2, 32), 1, h100.on(8, 8)))
	for _, h := range All() {
		list := h.Propose(context.Background(), env)
		for _, p := range list {
			if len(p.Parts) == 0 && p.Why == "" {
				t.Errorf("%s: no stages and no reason", h.Name)
			}
		}
		if len(list) == 0 {
			t.Errorf("%s: nothing at all", h.Name)
		}
	}
}
