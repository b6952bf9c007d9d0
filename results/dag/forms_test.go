package dag

import (
	"strings"
	"testing"
)

// phaseOf cuts the graph of a phase out of a file.
func phaseOf(s, phase string) string {
	_, rest, _ := strings.Cut(s, `digraph "`+phase+`"`)
	rest, _, _ = strings.Cut(rest, "digraph")
	return rest
}

// Counts and sizes of each form, worked out by hand from the plans in plans().
func TestWhatIsDrawn(t *testing.T) {
	for _, tc := range []struct {
		form, phase string
		counts      map[Op]int
		tensors     map[Op]string // a part of the label that each node of the op has
	}{
		{"tensor parallel", "prefill", // 4 layers on 4 ranks; 2 micro-batches of 2 sequences
			map[Op]int{AllReduce: 1 + 2*4, QKVProjection: 16, KVWrite: 16, KVRead: 16, ResidualAdd: 32, FFNGate: 16, LastToken: 4, LMHead: 4, Sampling: 1, Split: 0, Send: 0},
			map[Op]string{QKVProjection: "[batch_size=2, seq_len=40, heads=2, d_k=16]; [batch_size=2, seq_len=40, kv_heads=1, d_k=16]",
				LMHead: "vocab=25]", Sampling: `Input: [batch_size=2, seq_len=1, vocab=100]\nOutput: [batch_size=2, seq_len=1]`, FFNUp: "ffn=12]"}},
		{"tensor parallel", "decode", // one group of 4; context 40 + 10/2 + 1
			map[Op]int{LastToken: 0, AllReduce: 9},
			map[Op]string{KVRead: "[batch_size=4, kv_len=46, kv_heads=1, d_k=16]", AttentionScores: "Output: [batch_size=4, heads=2, seq_len=1, kv_len=46]"}},
		{"more ranks than KV heads", "prefill", // 2 KV heads on 8 ranks: one on each
			map[Op]int{KVWrite: 32}, map[Op]string{KVWrite: "kv_heads=1, d_k=16]", AttentionScores: "heads=1,"}},
		{"uneven replicas", "decode", // 7 sequences on 2 replicas: 4 and 3; the first of 2 groups: 2 and 2
			map[Op]int{Input: 1, Output: 1, Split: 1, Concat: 1, Embedding: 4},
			map[Op]string{Input: "batch_size=4,", Split: "Output: [batch_size=2, seq_len=1]; [batch_size=2, seq_len=1]"}},
		{"unlike stages", "prefill", // TP 8 → 2 → 4: slices of 64/4, then the same to two ranks each
			map[Op]int{Slice: 8, Send: 8 + 2, Receive: 8 + 4, Concat: 2, Split: 0},
			map[Op]string{Slice: "Output: [batch_size=2, seq_len=40, hidden=16]", Concat: "Output: [batch_size=2, seq_len=40, hidden=64]"}},
		{"context parallel", "prefill", // 41 tokens on 4 and then 2 context ranks: 11, 10, 10, 10 and 21, 20
			map[Op]int{AllGather: 2*2 + 2*4 + 1, LastTokenGather: 4, Sampling: 1, Send: 2 * 4, Receive: 4 * 2 * 2, Concat: 4 * 2},
			map[Op]string{LastTokenGather: "Output: [batch_size=2, seq_len=1, hidden=64]"}},
		{"windows", "decode", // 6 layers on 2 ranks, half of them see 8 tokens
			map[Op]int{KVRead: 12}, map[Op]string{KVRead: "kv_len="}},
		{"experts on all ranks", "prefill", // 3 layers of 8 experts, EP 2 × ETP 2: each on 2 GPUs; 4·40·2/8 tokens
			map[Op]int{ExpertUp: 3 * 8 * 2, ExpertDown: 3 * 8 * 2, Gate: 12, TopK: 12, Dispatch: 12, Combine: 12, SharedUp: 12, AllReduce: 1 + 2*4, AllToAllDispatch: 0},
			map[Op]string{ExpertUp: `Input: [tokens=40, hidden=64]\nOutput: [tokens=40, ffn=12]`, SharedUp: "ffn=12]"}},
		{"ranks without sequences", "decode", // 3 sequences: one of 4 ranks is idle, and its experts are at work
			map[Op]int{ExpertDown: 1*8 + 2*8, Embedding: 3},
			map[Op]string{ExpertDown: "tokens=1,"}},
	} {
		d, ok := plans()[tc.form]
		if !ok {
			t.Fatalf("no form %q", tc.form)
		}
		out := phaseOf(text(t, d.plan(), Options{}), tc.phase)
		for op, want := range tc.counts {
			if got := len(lines(out, "[op="+string(op)+",")); got != want {
				t.Errorf("%s, %s: %d nodes %s, want %d", tc.form, tc.phase, got, op, want)
			}
		}
		for op, want := range tc.tensors {
			nodes := lines(out, "[op="+string(op)+",")
			if with := lines(out, "[op="+string(op)+",", want); len(nodes) == 0 || len(with) != len(nodes) {
				t.Errorf("%s, %s: %d of %d nodes %s have %q; the first is %.300q", tc.form, tc.phase, len(with), len(nodes), op, want, append(nodes, "")[0])
			}
		}
	}
}

// A window bounds what a layer sees, and only where it has one.
func TestWindowsBoundTheContext(t *testing.T) {
	out := text(t, plans()["windows"].plan(), Options{})
	if full, near := len(lines(out, "op=kv_read", "kv_len=46")), len(lines(out, "op=kv_read", "kv_len=8,")); full != 6 || near != 6 {
		t.Errorf("%d layers' ranks see all, %d a window: want 6 and 6", full, near)
	}
}

// Each expert is at home where EP puts it: in order, as many on each rank.
func TestHomesOfExperts(t *testing.T) {
	out := phaseOf(text(t, plans()["attention data parallel"].plan(), Options{}), "prefill")
	for expert, gpu := range []string{"gpu-0", "gpu-0", "gpu-1", "gpu-1", "gpu-2", "gpu-2", "gpu-3", "gpu-3"} {
		id := string(rune('0' + expert))
		for _, node := range []string{"node-0/", "node-1/"} { // a replica each
			if n := len(lines(out, "op=expert_up,", ",expert="+id+",", "GPU: "+node+gpu+`\n`)); n != 3 {
				t.Errorf("expert %d has %d layers on %s%s, want 3", expert, n, node, gpu)
			}
		}
	}
}
