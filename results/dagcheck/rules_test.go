package dagcheck

import (
	"slices"
	"strings"
	"testing"
)

func TestValidGraphsHold(t *testing.T) {
	r := checked(t, valid("prefill").String()+valid("decode").String(), Options{})
	if !r.OK {
		t.Fatal(r.Text())
	}
	for _, g := range r.Graphs {
		for _, rule := range g.Rules {
			applies := rule.Rule != "plan" && (rule.Rule != "decode" || g.Phase == "decode")
			if applies != (rule.Checked > 0) {
				t.Errorf("%s, %s: checked on %d; applies = %v", g.Phase, rule.Rule, rule.Checked, applies)
			}
			if rule.Checked == 0 && rule.Unchecked == "" {
				t.Errorf("%s, %s: does not say why it was not checked", g.Phase, rule.Rule)
			}
		}
	}
}

type mutation struct {
	rule, what, want string
	phase            string // prefill where it is empty
	do               func(d *drawing)
}

// mutations break one thing each; only the rule named may tell.
var mutations = []mutation{
	{"phase", "no phase", `the phase is "mixed"`, "", func(d *drawing) { d.phase = "mixed" }},
	{"shape", "a collective drawn as a box", "is drawn as box; expected ellipse", "", func(d *drawing) { d.node("r0_reduce_0").shape = "box" }},
	{"shape", "a computation drawn as a diamond", "another shape", "", func(d *drawing) { d.node("r0_soft_0").shape = "diamond" }},
	{"shape", "an operator that is none", `the operator "magic"`, "", func(d *drawing) { d.node("r0_soft_0").op = "magic" }},
	{"gpu", "all GPUs", "without naming them", "", func(d *drawing) { d.node("r0_reduce_0").gpus = "GPUs: all GPUs" }},
	{"gpu", "a range", "is a range", "", func(d *drawing) { d.node("r0_reduce_0").gpus = "GPUs: 2-3" }},
	{"gpu", "dots", "leaves GPUs out", "", func(d *drawing) { d.node("in").gpus = "GPUs: n0/gpu-0, ..., n1/gpu-1" }},
	{"gpu", "no GPU", "names no GPU", "", func(d *drawing) { d.node("r0_soft_0").gpus = "" }},
	{"gpu", "another GPU", "lies in the cluster of n0/gpu-0", "", func(d *drawing) { d.node("r0_soft_0").gpus = "GPU: n0/gpu-1" }},
	{"gpu", "a GPU that is not there", "which has no cluster", "", func(d *drawing) { d.node("r0_soft_0").gpus = "GPU: n7/gpu-0" }},
	{"cluster", "a computation outside", "computes outside of every GPU's cluster", "", func(d *drawing) {
		d.node("r0_act_0").cluster, d.node("r0_act_0").gpus = "", "GPUs: n0/gpu-0, n0/gpu-1"
	}},
	{"cluster", "routing outside", "outside of every GPU's cluster; expected combine", "", func(d *drawing) {
		d.node("r0_combine_0").cluster, d.node("r0_combine_0").gpus = "", "GPU: n0/gpu-2"
	}},
	{"dimensions", "no input", "has no Input", "", func(d *drawing) { d.node("in").input = "" }},
	{"dimensions", "a size that is a word", `"many" is no size of batch_size`, "", func(d *drawing) { d.node("out").output = "[batch_size=many]" }},
	{"dimensions", "no brackets", "stands outside of brackets", "", func(d *drawing) { d.node("out").output = "4 x 6" }},
	{"agreement", "another size", "nothing that", "", func(d *drawing) {
		d.node("r0_norm_0").input = "[batch_size=2, seq_len=6, d_model=65]"
		d.node("r0_norm_0").output = "[batch_size=2, seq_len=6, d_model=65]"
		d.node("r0_qkv_0").input = "[batch_size=2, seq_len=6, d_model=65]"
	}},
	{"agreement", "another name", "nothing that", "", func(d *drawing) { d.node("r0_proj_0").input = "[batch_size=2, seq_len=6, queries=4, d_k=8]" }},
	{"agreement", "an input from nowhere", "which no edge brings", "", func(d *drawing) { d.node("r0_norm_0").op = "rotary"; d.node("r0_norm_0").input += "; [angles=8]" }},
	{"agreement", "an output to nowhere", "which no edge takes on", "", func(d *drawing) { d.node("r0_qkv_0").output += "; [gates=8]" }},
	{"traffic", "an edge past the collective", "goes from n0/gpu-0 to n0/gpu-1", "", func(d *drawing) { d.link("r0_soft_0", "r0_sums_1") }},
	{"traffic", "a collective joins a stranger", "which it does not name", "", func(d *drawing) {
		d.link("r0_gather_0", "r1_norm_0")
	}},
	{"participants", "a GPU that takes no part", "which no edge joins to it", "", func(d *drawing) { d.node("r0_logits_0").gpus += ", n0/gpu-0" }},
	{"participants", "an all-reduce that one gives nothing to", "one way only", "", func(d *drawing) {
		d.cut("r0_combine_1", "r0_reduce_0")
		d.link("r0_combine_1", "r0_sum_1")
		d.node("r0_sum_1").op = "activation"
	}},
	{"layers", "a layer that is not the label's", "is of layer 1 by its attribute", "", func(d *drawing) {
		for _, n := range []string{"r0_act_0", "r0_add_0"} {
			d.node(n).layer = "1"
		}
		d.node("r0_act_0").name = "layer 0: activation"
	}},
	{"layers", "a way back to a layer", "leads from layer 1 back to layer 0", "", func(d *drawing) { d.node("r0_norm_0").layer = "1" }},
	{"layers", "an expert that is not the label's", "is of expert 2 by its attribute", "", func(d *drawing) { d.node("r0_expert2_1").name = "up of expert 3" }},
	{"residual", "one input", "has 1 edges to it", "", func(d *drawing) { d.cut("r0_embed_0", "r0_add_0") }},
	{"residual", "one source twice", "adds", "", func(d *drawing) { d.edge("r0_embed_0", "r0_add_0").from = "r0_gather_0" }},
	{"acyclic", "a way back", "a cycle of", "", func(d *drawing) { d.link("r0_proj_0", "r0_norm_0") }},
	{"ends", "a second input", "a second input", "", func(d *drawing) {
		d.between("n0/gpu-0", "in2", "input", d.node("r0_norm_0").input, d.node("r0_norm_0").input)
		d.link("in2", "r0_norm_0")
	}},
	{"ends", "a node that nothing comes to", "has nothing before it", "", func(d *drawing) {
		d.on("n0/gpu-0", "loose", "activation", "0", "[a=1]", d.node("r0_norm_0").input)
		d.link("loose", "r0_norm_0")
	}},
	{"ends", "a node that leads nowhere", "has nothing after it", "", func(d *drawing) {
		d.on("n0/gpu-0", "loose", "activation", "0", d.node("r0_norm_0").input, "[a=1]", "r0_norm_0")
	}},
	{"ends", "a node alone", "stands alone", "", func(d *drawing) { d.on("n0/gpu-0", "loose", "activation", "0", "[a=1]", "[a=1]") }},
	{"decode", "two tokens", "expected seq_len=1", "decode", func(d *drawing) {
		for _, id := range []string{"r0_soft_0", "r0_scores_0"} {
			d.node(id).output = strings.ReplaceAll(d.node(id).output, "seq_len=1", "seq_len=2")
		}
		for _, id := range []string{"r0_soft_0", "r0_sums_0"} {
			d.node(id).input = strings.ReplaceAll(d.node(id).input, "seq_len=1", "seq_len=2")
		}
	}},
	{"decode", "context parallelism by name", "splits sequences", "decode", func(d *drawing) { d.node("r0_soft_0").name = "softmax, context parallel" }},
	{"kv", "a read before the write", "reads KV that was not written", "", func(d *drawing) {
		d.edge("r0_write_0", "r0_read_0").from = "r0_qkv_0"
		d.node("r0_qkv_0").output += "; " + d.node("r0_read_0").input
		d.link("r0_write_0", "r0_scores_0")
	}},
	{"gate", "a solid selection", "is solid", "", func(d *drawing) { d.edge("r0_top_0", "r0_dispatch_0").dashed = false }},
	{"gate", "dashed data", "is dashed", "", func(d *drawing) { d.edge("r0_norm_0", "r0_qkv_0").dashed = true }},
	{"gate", "no selection", "selects nothing", "", func(d *drawing) {
		d.cut("r0_top_0", "r0_dispatch_0")
		d.node("r0_dispatch_0").input = d.node("r0_norm_0").input
	}},
	{"experts", "an expert without a home", "1 have no home: 3", "", func(d *drawing) { d.remove("r0_expert3_1") }},
	{"conservation", "a softmax that changes the shape", "expected softmax to keep the shape", "", func(d *drawing) {
		d.node("r0_soft_0").output = "[half=1]"
		d.node("r0_sums_0").input = strings.ReplaceAll(d.node("r0_sums_0").input, "[batch_size=2, seq_len=6, heads=4, kv_len=6]", "[half=1]")
	}},
	{"conservation", "a gather that gives too much", "1212 elements, but the parts brought hold 1200", "", func(d *drawing) {
		d.node("r0_logits_0").output = "[batch_size=2, seq_len=6, vocabulary=101]"
		d.node("r0_sample_0").input = "[batch_size=2, seq_len=6, vocabulary=101]"
	}},
	{"conservation", "a scatter that loses a part", "768 elements, but the parts handed out hold 756", "", func(d *drawing) {
		for _, n := range []*drawn{d.node("r0_act_0")} {
			n.op, n.input = "rotary", "[batch_size=2, seq_len=6, d_model=31]"
		}
		d.node("r0_scatter_0").output += "; [batch_size=2, seq_len=6, d_model=31]"
	}},
	{"conservation", "a split that loses a part", "takes 24 elements", "", func(d *drawing) { d.node("split").output = "[batch_size=2, seq_len=6]" }},
}

func TestOneRuleTellsOfEachMutation(t *testing.T) {
	for _, m := range mutations {
		t.Run(m.rule+" "+m.what, func(t *testing.T) {
			phase := m.phase
			if phase == "" {
				phase = "prefill"
			}
			d := valid(phase)
			m.do(d)
			r := checked(t, d.String(), Options{})
			if len(r.Findings) == 0 {
				t.Fatal("no rule tells")
			}
			for _, f := range r.Findings {
				if f.Rule != m.rule {
					t.Errorf("another rule tells: %s", f)
				}
			}
			if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return strings.Contains(f.Message, m.want) && f.Line > 0 && f.Col > 0 }) {
				t.Errorf("no finding says %q:\n%s", m.want, r.Text())
			}
		})
	}
	for _, rule := range rules() {
		if rule.name != "plan" && !slices.ContainsFunc(mutations, func(m mutation) bool { return m.rule == rule.name }) {
			t.Errorf("nothing breaks the rule %s", rule.name)
		}
	}
}
