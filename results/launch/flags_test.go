package launch

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
	"partita/results/launch/launchtest"
)

// programs are what the scripts of the engines start.
func programs() []string {
	return []string{"python3", "trtllm-serve", "mpirun", "torchrun", "llama-server", "rpc-server"}
}

// calledWith is what one engine is given for a plan on its first node, and its files.
func calledWith(t testing.TB, engine string, p *results.Plan) (launchtest.Call, []File) {
	t.Helper()
	files, err := Files(engine, p)
	if err != nil {
		t.Fatal(err)
	}
	r := launchtest.Run(t, files[0].Data, launchtest.Options{Stubs: programs(), Args: []string{"0"},
		Env: []string{"MODEL=m", "MEGATRON=m", "CHECKPOINT=m", "TOKENIZER=m"}})
	if r.Exit != 0 || len(r.Calls) == 0 {
		t.Fatalf("exit %d, %s\n%s", r.Exit, r.Stderr, files[0].Data)
	}
	return r.Calls[0], files
}

// onOneGPUEach makes the stages of a plan one GPU wide, as llama.cpp takes them.
func onOneGPUEach(p *results.Plan) {
	for i := range p.Phases[0].Stages {
		st := &p.Phases[0].Stages[i]
		st.GPUs, st.TP, st.ETP = st.GPUs[:1], 1, 1
	}
}

// latent gives a plan's model latent attention, experts behind a dense layer, and shared ones.
func latent(p *results.Plan) {
	m := &p.Deployment.Model
	a := inputs.Attention{Kind: inputs.MLA, Heads: 16, KVHeads: 16, HeadDim: 192, VHeadDim: 128, QLoraRank: 1536, KVLoraRank: 512, RopeDim: 64}
	m.Kinds = []inputs.LayerKind{{Name: "dense", Attention: a, FFN: inputs.FFN{Intermediate: 4096, Gated: true}},
		{Name: "moe", Attention: a, FFN: inputs.FFN{Intermediate: 512, Gated: true, Experts: 16, TopK: 2, Shared: 1024}}}
	for i := range m.Layers {
		m.Layers[i] = min(i, 1)
	}
}

// TestFlags holds single flags against what they are made from, a row a change of a plan of
// two stages of TP 4 on two nodes.
func TestFlags(t *testing.T) {
	kv := func(d inputs.DType) func(p *results.Plan) {
		return func(p *results.Plan) { p.Deployment.Model.KV = d }
	}
	whole := func(change func(m *inputs.Model)) func(p *results.Plan) {
		return func(p *results.Plan) { change(&p.Deployment.Model) }
	}
	one := func(more ...func(p *results.Plan)) func(p *results.Plan) {
		return func(p *results.Plan) {
			onOneGPUEach(p)
			for _, f := range more {
				f(p)
			}
		}
	}
	for _, row := range []struct {
		engine, name string
		change       func(p *results.Plan)
		want         []string // flag and value; a value "-": the flag is absent; "+": it is there, without one
	}{
		{"sglang", "two nodes", nil, []string{"--tp-size", "4", "--pp-size", "2", "--nnodes", "2", "--dtype", "bfloat16", "--dp-size", "-", "--ep-size", "-", "--quantization", "-", "--kv-cache-dtype", "-"}},
		{"sglang", "FP8 that SGLang makes", whole(func(m *inputs.Model) { m.Weights = inputs.FP8 }), []string{"--quantization", "fp8", "--dtype", "bfloat16"}},
		{"sglang", "FP8 KV", kv(inputs.FP8), []string{"--kv-cache-dtype", "fp8_e4m3"}},
		{"sglang", "FP4 KV", kv(inputs.FP4), []string{"--kv-cache-dtype", "fp4_e2m1"}},
		{"sglang", "FP32 with a 16-bit cache", whole(func(m *inputs.Model) { m.Weights, m.Activation = inputs.FP32, inputs.FP32 }), []string{"--dtype", "float32", "--kv-cache-dtype", "bf16"}},
		{"sglang", "a colon in the name", whole(func(m *inputs.Model) { m.Name = "a:b" }), []string{"--served-model-name", "a-b"}},
		{"sglang", "long prompts in chunks", func(p *results.Plan) { p.Deployment.Workload.Input.Max = 32000 }, []string{"--chunked-prefill-size", "8192", "--context-length", "-"}},
		{"sglang", "decode alone", func(p *results.Plan) { p.Phases[0].Phase = inputs.Decode }, []string{"--chunked-prefill-size", "-"}},
		{"sglang", "attention data parallelism", func(p *results.Plan) {
			latent(p)
			for i := range p.Phases[0].Stages {
				st := &p.Phases[0].Stages[i]
				st.TP, st.DPAttention, st.EP, st.ETP = 1, 4, 4, 1
			}
			p.Phases[0].Strategy.SequencesPerReplica, p.Deployment.Workload.Input.Max = 30, 32000
		}, []string{"--tp-size", "4", "--dp-size", "4", "--ep-size", "4", "--enable-dp-attention", "+", "--enable-dp-lm-head", "+", "--moe-dense-tp-size", "1",
			"--max-running-requests", "32", "--chunked-prefill-size", "32768"}},

		{"trtllm", "two nodes", nil, []string{"--tp_size", "4", "--pp_size", "2", "--gpus_per_node", "4", "--ep_size", "-", "--backend", "pytorch"}},
		{"trtllm", "prefill of whole micro-batches", func(p *results.Plan) {
			p.Phases[0].Phase, p.Deployment.Workload.Input.Max, p.Phases[0].Strategy.MicroBatchSequences = inputs.Prefill, 5000, 3
		}, []string{"--max_num_tokens", "15000"}},

		{"megatron", "two nodes", nil, []string{"--tensor-model-parallel-size", "4", "--pipeline-model-parallel-size", "2", "--context-parallel-size", "1", "--nnodes", "2", "--nproc-per-node", "4",
			"--hidden-size", "1024", "--num-attention-heads", "16", "--kv-channels", "64", "--num-query-groups", "8", "--ffn-hidden-size", "4096",
			"--swiglu", "+", "--bf16", "+", "--untie-embeddings-and-output-weights", "+", "--num-experts", "-", "--sequence-parallel", "-", "--expert-model-parallel-size", "-"}},
		{"megatron", "FP16, tied, plain widths", whole(func(m *inputs.Model) {
			m.Weights, m.Tied, m.Kinds[0].FFN.Gated, m.Kinds[0].Attention.KVHeads = inputs.FP16, true, false, 16
		}),
			[]string{"--fp16", "+", "--bf16", "-", "--swiglu", "-", "--untie-embeddings-and-output-weights", "-", "--group-query-attention", "-"}},
		{"megatron", "widths that do not add up", whole(func(m *inputs.Model) { m.FFNScale = 1.1 }), []string{"--ffn-hidden-size", "-", "--hidden-size", "1024"}},
		{"megatron", "latent attention and experts", func(p *results.Plan) {
			latent(p)
			for i := range p.Phases[0].Stages {
				st := &p.Phases[0].Stages[i]
				st.EP, st.ETP = 2, 2
			}
		}, []string{"--multi-latent-attention", "+", "--q-lora-rank", "1536", "--kv-lora-rank", "512", "--qk-head-dim", "128", "--qk-pos-emb-head-dim", "64", "--v-head-dim", "128", "--kv-channels", "-",
			"--num-experts", "16", "--moe-router-topk", "2", "--moe-ffn-hidden-size", "512", "--moe-shared-expert-intermediate-size", "1024", "--ffn-hidden-size", "4096",
			"--expert-model-parallel-size", "2", "--expert-tensor-parallel-size", "2", "--sequence-parallel", "+",
			"--cache-mla-latents", "+", "--inference-dynamic-batching-block-size", "64", "--no-rope-fusion", "+"}},

		{"llamacpp", "a GPU a stage", one(), []string{"--split-mode", "layer", "--n-gpu-layers", "999", "--device", "CUDA0,RPC0", "--cache-type-k", "bf16", "--flash-attn", "on", "--fit", "off"}},
		{"llamacpp", "INT8 KV", one(kv(inputs.INT8)), []string{"--cache-type-k", "q8_0", "--cache-type-v", "q8_0"}},
		{"llamacpp", "INT4 KV", one(kv(inputs.INT4)), []string{"--cache-type-k", "q4_0"}},
		{"llamacpp", "FP32 KV", one(kv(inputs.FP32)), []string{"--cache-type-k", "f32"}},
		{"llamacpp", "AMD", one(func(p *results.Plan) { p.Deployment.Cluster.Pools[0].Accelerator.Vendor = "AMD" }), []string{"--device", "ROCm0,RPC0"}},
	} {
		p := plain()
		if row.change != nil {
			row.change(p)
		}
		c, _ := calledWith(t, row.engine, p)
		for i := 0; i < len(row.want); i += 2 {
			flag, want := row.want[i], row.want[i+1]
			got, given := c.Flag(flag)
			switch {
			case flag == "--context-length": // whatever the workload holds
			case want == "-" && (given || c.Has(flag)), want == "+" && !c.Has(flag), want != "-" && want != "+" && (!given || got != want):
				t.Errorf("%s, %s: %s %q (%v), want %s", row.engine, row.name, flag, got, given, want)
			}
		}
	}
}

// TestLayerPattern: dense layers before those with experts, and in between.
func TestLayerPattern(t *testing.T) {
	for want, layers := range map[string][]int{"[0]*3+[1]*2": {0, 0, 0, 1, 1}, "[1]*1": {1}, "[0]*1+[1]*1+[0]*1": {0, 1, 0}} {
		if got := layerPattern(layers); got != want {
			t.Errorf("%v: %q, want %q", layers, got, want)
		}
	}
}

// TestMemoryShares: the shares give each GPU the KV cache that it has room for, by the
// engines' own rules, and never more than its capacity.
func TestMemoryShares(t *testing.T) {
	p := plain()
	s, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		pool := &p.Deployment.Cluster.Pools[0]
		total := float64(pool.MemoryBytes) / (1 << 30)
		capacity := total * rapid.Float64Range(0.5, 0.98).Draw(rt, "utilisation")
		for _, st := range s.Replicas[0] {
			st.CapacityGiB = capacity
			st.Memory = results.Memory{WeightsGiB: capacity * rapid.Float64Range(0.1, 0.7).Draw(rt, "weights"), ActivationsGiB: capacity * rapid.Float64Range(0, 0.1).Draw(rt, "activations"), ReserveGiB: 0}
			st.Memory.KVGiB = room(st) * rapid.Float64Range(0.01, 1).Draw(rt, "kv")
		}
		stages := s.Replicas[0]
		// SGLang: the least free after loading, less the share that stays free of the least
		// before, is the budget of every rank; the tokens of the rank with the fewest hold.
		f, held := s.sglangShare(stages)
		after := least(stages, func(x *results.Stage) float64 { return total - x.Memory.WeightsGiB })
		budget := after - total*(1-f)
		tokens := least(stages, func(x *results.Stage) float64 { return budget / x.Memory.KVGiB }) // of the plan's
		if held < 1 {                                                                              // no share would do: the least that is free is less than one stage needs
			if f < mostShare || math.Abs(tokens-held) > 1e-9 {
				rt.Fatalf("SGLang's share %v holds %v of the plan, and says %v", f, tokens, held)
			}
			tokens = 1
		}
		// TensorRT-LLM: the share of what weights and activations leave free.
		g := s.trtShare(stages)
		blocks := least(stages, func(x *results.Stage) float64 {
			return g * (total - x.Memory.WeightsGiB - x.Memory.ActivationsGiB) / x.Memory.KVGiB
		})
		for _, x := range stages {
			for what, share := range map[string]float64{"SGLang": tokens, "TensorRT-LLM": blocks} {
				held := x.Memory.WeightsGiB + x.Memory.ActivationsGiB + min(share, 1e9)*x.Memory.KVGiB
				// A share is cut to four digits: a ten-thousandth of the memory is what it may miss.
				if share < 1-2e-4*total/x.Memory.KVGiB {
					rt.Fatalf("%s holds %.4f of the plan's KV cache", what, share)
				}
				if share > 1+1e-6 && held > x.CapacityGiB+1e-6 {
					rt.Fatalf("%s fills %.4f GiB of %.4f", what, held, x.CapacityGiB)
				}
			}
		}
	})
}

// TestRefusals tells the reasons that are not in the rule packs, and that packs are asked.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		engine, want string
		change       func(p *results.Plan)
	}{
		{"sglang", "takes FP8, FP4 and 16-bit formats", func(p *results.Plan) { p.Deployment.Model.KV = inputs.INT8 }},
		{"sglang", "one --tp-size holds for all stages", func(p *results.Plan) {
			st := &p.Phases[0].Stages[0]
			st.TP, st.ETP, st.GPUs = 2, 2, st.GPUs[:2]
		}},
		{"trtllm", "it is made for them", func(p *results.Plan) { p.Deployment.Cluster.Pools[0].Accelerator.Vendor = "AMD" }},
		{"megatron", "of 8-bit weights it serves MXFP8 alone", func(p *results.Plan) { p.Deployment.Model.Weights = inputs.FP8 }},
		{"megatron", "the model's layers differ in theirs", func(p *results.Plan) {
			m := &p.Deployment.Model
			m.Kinds = append(m.Kinds, m.Kinds[0])
			m.Kinds[1].Attention.Heads = 32
			m.Layers[len(m.Layers)-1] = 1
		}},
		{"megatron", "--ffn-hidden-size is one for all layers", func(p *results.Plan) {
			m := &p.Deployment.Model
			m.Kinds = append(m.Kinds, m.Kinds[0])
			m.Kinds[1].FFN.Intermediate = 8192
			m.Layers[len(m.Layers)-1] = 1
		}},
		{"llamacpp", "one --split-mode holds for all GPUs", func(*results.Plan) {}},
		{"llamacpp", "--parallel is at most LLAMA_MAX_SEQ", func(p *results.Plan) {
			onOneGPUEach(p)
			p.Deployment.Workload.Batch = 257
		}},
	} {
		p := plain()
		row.change(p)
		_, err := Files(row.engine, p)
		var no *Refusal
		if !errors.As(err, &no) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.engine, err, row.want)
		}
	}
	for _, e := range engines() { // a second replica on two of the GPUs, its layers cut elsewhere
		p := plain()
		onOneGPUEach(p)
		free := p.Deployment.Cluster.Pools[0].Nodes
		for i, st := range p.Phases[0].Stages {
			st.Replica, st.GPUs = 1, free[i].GPUs[1:2]
			p.Phases[0].Stages = append(p.Phases[0].Stages, st)
		}
		if _, err := Files(e.name, p); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
		st := p.Phases[0].Stages
		if st[2].LastLayer > st[2].FirstLayer {
			st[2].LastLayer, st[3].FirstLayer = st[2].LastLayer-1, st[3].FirstLayer-1
		} else {
			st[2].LastLayer, st[3].FirstLayer = st[2].LastLayer+1, st[3].FirstLayer+1
		}
		var no *Refusal
		if _, err := Files(e.name, p); !errors.As(err, &no) || !strings.Contains(err.Error(), "replica 1 differs from replica 0") {
			t.Errorf("%s, unlike replicas: %v", e.name, err)
		}
	}
	p := plain()
	p.Phases[0].Stages[0].GPUs[0] = "node-0/gpu-x"
	for _, e := range engines()[:3] {
		if _, err := Files(e.name, p); err == nil || !strings.Contains(err.Error(), "does not end in its number") {
			t.Errorf("%s, a GPU without a number: %v", e.name, err)
		}
	}
}

// TestScriptsGuard: a wrong call starts nothing, and says what it wants.
func TestScriptsGuard(t *testing.T) {
	all := []string{"MODEL=m", "MEGATRON=m", "CHECKPOINT=m", "TOKENIZER=m"}
	for _, e := range engines() {
		p := plain()
		if e.name == "llamacpp" {
			onOneGPUEach(p)
		}
		files, err := Files(e.name, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			want      string
			exit      int
			args, env []string
		}{
			{"usage: bash", 2, nil, all},
			{"no node 2", 2, []string{"2"}, all},
			{"no node $(touch pwned)", 2, []string{"$(touch pwned)"}, all},
			{"HOSTS has 1 addresses", 2, []string{"0"}, append(slices.Clone(all), "HOSTS=a")},
			{": set M", 1, []string{"0"}, nil},
		} {
			r := launchtest.Run(t, files[0].Data, launchtest.Options{Stubs: programs(), Args: row.args, Env: row.env})
			if r.Exit != row.exit || len(r.Calls) > 0 || !strings.Contains(r.Stderr, row.want) {
				t.Errorf("%s, %q %q: exit %d, %d calls, %s", e.name, row.args, row.env, r.Exit, len(r.Calls), r.Stderr)
			}
		}
	}
}

// TestAddresses: HOSTS replaces the names of the plan wherever processes meet.
func TestAddresses(t *testing.T) {
	want := map[string]string{"sglang": "10.0.0.1:20000", "trtllm": "10.0.0.2:4", "megatron": "10.0.0.1", "llamacpp": "10.0.0.2:50052"}
	for _, e := range engines() {
		p := plain()
		if e.name == "llamacpp" {
			onOneGPUEach(p)
		}
		files, err := Files(e.name, p)
		if err != nil {
			t.Fatal(err)
		}
		r := launchtest.Run(t, files[0].Data, launchtest.Options{Stubs: programs(), Args: []string{"0"},
			Env: []string{"MODEL=m", "MEGATRON=m", "CHECKPOINT=m", "TOKENIZER=m", "HOSTS=10.0.0.1 10.0.0.2", "PORT=9000"}})
		if len(r.Calls) != 1 || !slices.Contains(r.Calls[0].Args, want[e.name]) || !strings.Contains(fmt.Sprint(r.Calls[0].Args), "9000") {
			t.Errorf("%s: %q", e.name, r.Calls)
		}
	}
}

// TestRouter: SGLang's router is given the first node of every replica, at its port.
func TestRouter(t *testing.T) {
	p := rapid.Custom(func(rt *rapid.T) *results.Plan {
		return launchtest.Plan(rt, launchtest.Shape{Uniform: true, PlainNames: true})
	}).Filter(func(p *results.Plan) bool {
		st := p.Phases[0].Stages
		return p.Phases[0].Strategy.Replicas == 3 && len(st) == 3 && st[0].TP == 2 && st[0].DPAttention == 1 && p.Deployment.Cluster.Pools[0].GPUsPerNode == 4
	}).Example(2)
	_, files := calledWith(t, "sglang", p)
	if len(files) != 2 || files[1].Name != "sglang-router.sh" {
		t.Fatalf("%d files", len(files))
	}
	launchtest.Lint(t, files[1].Data)
	r := launchtest.Run(t, files[1].Data, launchtest.Options{Stubs: []string{"python3"}, Env: []string{"HOSTS=a b"}})
	if len(r.Calls) != 1 {
		t.Fatalf("%q, %s", r.Calls, r.Stderr)
	}
	at := slices.Index(r.Calls[0].Args, "--worker-urls")
	if got, want := r.Calls[0].Args[at+1:], []string{"http://a:30000", "http://a:30001", "http://b:30000"}; !slices.Equal(got, want) {
		t.Errorf("workers %q, want %q", got, want)
	}
}

// TestScriptsRead has shellcheck read scripts of random plans with hostile names.
func TestScriptsRead(t *testing.T) {
	for _, e := range engines() {
		checked := 0
		plans := rapid.Custom(func(rt *rapid.T) *results.Plan {
			p := launchtest.Plan(rt, launchtest.Shape{Uniform: true})
			suit(rt, e.name, p)
			return p
		})
		for seed := 0; checked < 3 && seed < 60; seed++ {
			files, err := Files(e.name, plans.Example(100+seed))
			var no *Refusal
			if errors.As(err, &no) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			checked++
			launchtest.Lint(t, files[0].Data)
		}
		if checked < 3 {
			t.Errorf("%s: %d scripts", e.name, checked)
		}
	}
}
