package validate

import (
	"strings"
	"testing"

	"partita/formulation/cost"
	"partita/inputs/catalog"
	"partita/inputs/measured"
	"partita/inputs/read"
)

// Models without a public identifier have as many parameters as their tables say.
func TestModelsBySizes(t *testing.T) {
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		row    measured.Row
		params float64 // 1e9, of the source
		tol    float64
	}{
		{measured.Row{Model: "GPT-3 175B", Shape: "L96 h12288 a96 s2048 V51200"}, 174.6, 0.002},
		{measured.Row{Model: "GPT-1008.0B", Shape: "L128 h25600 a160 s2048 V51200"}, 1008, 0.002},
		{measured.Row{Model: "MPT-30b", Shape: "L48 h7168 a56 V50368 N29964204032"}, 29.96, 0.002},
		{measured.Row{Model: "GPT2-XL 1.56B", Shape: "L48 h1600 a25 s1024"}, 1.5576, 0.004},
		{measured.Row{Model: "BLOOM-sweep 187B", Shape: "L80 h13824 a s2048 V250k", TP: 8}, 187, 0.002},
		{measured.Row{Model: "BLOOM-sweep 200B", Shape: "h14400 a96 s2048 V250k", TP: 8}, 200, 0.006},
		{measured.Row{Model: "proxy", HuggingFace: "meta-llama/Llama-3.1-405B", Shape: "L21"}, 2*2.1 + 21*3.188, 0.002},
		{measured.Row{Model: "Llama-2-7B", HuggingFace: "meta-llama/Llama-2-7b-hf", Shape: "L32 h4096 a32 ffn11008 V32000"}, 6.738, 0.001},
	} {
		s, reason := known{lib}.modelOf(&c.row)
		if reason != "" {
			t.Errorf("%s: %s", c.row.Model, reason)
			continue
		}
		out := []read.Override{{Key: "cluster.accelerator", Value: "A100-SXM-80GB"}, {Key: "cluster.count", Value: "8"}, {Key: "workload.phase", Value: "prefill"}, {Key: "workload.input", Value: "128"}}
		cond, err := read.Load(read.Options{Overrides: append(out, s.settings()...)})
		if err != nil {
			t.Errorf("%s: %v", c.row.Model, err)
			continue
		}
		if got := cost.Parameters(&cond.Model) / 1e9; got < c.params*(1-c.tol) || got > c.params*(1+c.tol) {
			t.Errorf("%s: %g billion parameters, want %g", c.row.Model, got, c.params)
		}
		if c.row.TP > 0 && cond.Model.Kinds[0].Attention.Heads%c.row.TP != 0 {
			t.Errorf("%s: %d heads over %d ranks", c.row.Model, cond.Model.Kinds[0].Attention.Heads, c.row.TP)
		}
	}
}

func TestModelsWithoutSizes(t *testing.T) {
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		row  measured.Row
		want string
	}{
		{measured.Row{Model: "Nobody's"}, "not in the catalogue"},
		{measured.Row{Model: "Nobody's", Shape: "L96"}, "not in the catalogue"},
		{measured.Row{Model: "Nobody's", Shape: "h4096 a32"}, "layers is not stated"},
		{measured.Row{Model: "Nobody's", Shape: "L4 h4096 a33"}, "do not fit together"},
		{measured.Row{Model: "DeepSeek-V3", Shape: "L10"}, "not all of one kind"},
	} {
		if _, reason := (known{lib}).modelOf(&c.row); !strings.Contains(reason, c.want) {
			t.Errorf("%+v: %q, want %q", c.row, reason, c.want)
		}
	}
}
