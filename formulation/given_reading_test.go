package formulation

import (
	"testing"

	"partita/inputs"
)

// TestReadings: how degrees are read as a mapping onto GPUs. Expected are the readings
// in order: replicas, TP, attention DP, EP, expert TP, and GPUs; a minus marks one that
// cannot be.
func TestReadings(t *testing.T) {
	d := func(n ...int) inputs.Degrees { return n }
	moe := testModel(8, 64, true)
	moe.Kinds[0].FFN.Experts, moe.Kinds[0].FFN.Intermediate = 128, 1536
	dense := testModel(8, 64, false)
	type want struct{ replicas, tp, dpa, ep, etp, gpus int }
	for _, x := range []struct {
		name  string
		m     inputs.Model
		given int
		s     inputs.Strategy
		want  []want
	}{
		// The published case: however DP is read it takes 256 GPUs, and EP 32 needs two
		// tensor groups.
		{"TP16 PP4 DP4 EP32 on 128", moe, 128, inputs.Strategy{TP: d(16), PP: 4, DP: 4, EP: d(32)},
			[]want{{2, 16, 2, 32, 1, 256}, {1, 16, 4, 32, 2, 256}, {-4, 16, 1, 32, 1, 256}}},
		{"the same with DP 2", moe, 128, inputs.Strategy{TP: d(16), PP: 4, DP: 2, EP: d(32)},
			[]want{{1, 16, 2, 32, 1, 128}, {-2, 16, 1, 32, 1, 128}}},
		{"DP left open", moe, 128, inputs.Strategy{TP: d(16), PP: 4, EP: d(32)},
			[]want{{1, 16, 2, 32, 1, 128}, {-2, 16, 1, 32, 1, 128}}},
		{"nothing but EP", moe, 0, inputs.Strategy{EP: d(32)}, []want{{1, 1, 32, 32, 1, 32}, {-32, 1, 1, 32, 1, 32}, {-16, 1, 2, 32, 1, 32}, {-8, 1, 4, 32, 1, 32}, {-4, 1, 8, 32, 1, 32}, {-2, 1, 16, 32, 1, 32}}},
		{"as SGLang counts", moe, 32, inputs.Strategy{TP: d(32), DP: 32, EP: d(32)}, []want{{1, 1, 32, 32, 1, 32}}},
		{"said in full", moe, 64, inputs.Strategy{TP: d(4), Replicas: 2, DPAttention: d(8), EP: d(16)}, []want{{2, 4, 8, 16, 2, 64}}},
		{"replicas said", moe, 64, inputs.Strategy{TP: d(4), Replicas: 2, DP: 16, EP: d(32)}, []want{{2, 4, 8, 32, 1, 64}}},
		{"attention DP said", moe, 64, inputs.Strategy{TP: d(4), DPAttention: d(8), DP: 16}, []want{{2, 4, 8, 1, 32, 64}}},
		{"dense: DP is replicas", dense, 16, inputs.Strategy{TP: d(8), DP: 2}, []want{{2, 8, 1, 1, 8, 16}}},
		{"dense: DP left open", dense, 16, inputs.Strategy{TP: d(4)}, []want{{4, 4, 1, 1, 4, 16}}},
		{"dense: nothing fills the GPUs", dense, 16, inputs.Strategy{TP: d(3)}, []want{{-1, 3, 1, 1, 3, 3}}},
		{"sequence parallelism over the tensor group takes no GPUs", dense, 0, inputs.Strategy{TP: d(8), SP: 8}, []want{{1, 8, 1, 1, 8, 8}}},
		{"expert TP said", moe, 32, inputs.Strategy{TP: d(8), DP: 4, EP: d(8), ETP: d(4)}, []want{{1, 8, 4, 8, 4, 32}}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := testCondition(x.m, inputs.Mixed, 256, testPool("pool", hosts(1), 8, 64, 4e14, 3e11))
			got := newReader(c, &x.s, x.given).readings()
			if len(got) < len(x.want) {
				t.Fatalf("%d readings %+v", len(got), got)
			}
			for i, w := range x.want {
				r := &got[i]
				sh := r.shapes[0]
				possible := w.replicas > 0
				w.replicas = max(w.replicas, -w.replicas)
				if g := (want{r.replicas, sh.TP, sh.DPAttention, sh.EP, sh.ETP, r.gpus()}); g != w || (r.why == "") != possible {
					t.Errorf("reading %d (%s): %+v %q, want %+v, possible %v", i, r.how, g, r.why, w, possible)
				}
			}
		})
	}
}

// TestReadingsByPool: where pools are stated, DP that is left open fills each of them or
// none.
func TestReadingsByPool(t *testing.T) {
	two := func(a, b int) *inputs.Condition {
		return testCondition(testModel(8, 8, false), inputs.Mixed, 8, testPool("a", hosts(1), a, 8, 4e14, 3e11), testPool("b", []string{"other"}, b, 8, 4e14, 3e11))
	}
	for _, x := range []struct{ a, b, replicas int }{{8, 4, 2}, {8, 8, 1}, {4, 2, 1}} {
		s := inputs.Strategy{TP: inputs.Degrees{4, 2}, PP: 2, Pools: []string{"a", "b"}}
		if r := newReader(two(x.a, x.b), &s, x.a+x.b).readings()[0]; r.replicas != x.replicas {
			t.Errorf("%d and %d GPUs: %d replicas, want %d", x.a, x.b, r.replicas, x.replicas)
		}
	}
	v := mustEvaluate(t, two(4, 4), Given{Strategy: &inputs.Strategy{TP: inputs.Degrees{4}, PP: 2}})
	if len(v.Stages) != 2 || v.Stages[0].Pool != "a" || v.Stages[1].Pool != "b" || v.Assumptions[len(v.Assumptions)-1].Value != "a/b" {
		t.Errorf("pools that are not stated: %+v", v.Assumptions)
	}
}
