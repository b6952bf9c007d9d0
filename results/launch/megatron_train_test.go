package launch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/launch/launchtest"
)

// trainingFlags are the flags of Megatron-LM's arguments.py at 000c4ac that scripts may give,
// with what follows each: "" nothing, "n" a number above zero, "w" a word, or one of several.
var trainingFlags = map[string]string{
	"--tensor-model-parallel-size": "n", "--pipeline-model-parallel-size": "n", "--context-parallel-size": "n", "--pipeline-model-parallel-layout": "w",
	"--expert-model-parallel-size": "n", "--expert-tensor-parallel-size": "n", "--sequence-parallel": "", "--micro-batch-size": "n", "--global-batch-size": "n",
	"--use-distributed-optimizer": "", "--use-megatron-fsdp": "", "--data-parallel-sharding-strategy": "no_shard|optim|optim_grads|optim_grads_params",
	"--no-gradient-accumulation-fusion": "", "--ckpt-format": "torch|torch_dist|zarr|torch_dcp|fsdp_dtensor", "--overlap-grad-reduce": "", "--overlap-param-gather": "",
	"--recompute-granularity": "full|selective", "--recompute-method": "uniform|block", "--recompute-num-layers": "n",
	"--num-layers": "n", "--hidden-size": "n", "--ffn-hidden-size": "n", "--num-attention-heads": "n", "--kv-channels": "n", "--group-query-attention": "", "--num-query-groups": "n",
	"--multi-latent-attention": "", "--q-lora-rank": "n", "--kv-lora-rank": "n", "--qk-head-dim": "n", "--qk-pos-emb-head-dim": "n", "--v-head-dim": "n",
	"--swiglu": "", "--untie-embeddings-and-output-weights": "", "--num-experts": "n", "--moe-router-topk": "n", "--moe-ffn-hidden-size": "n",
	"--moe-shared-expert-intermediate-size": "n", "--moe-layer-freq": "w", "--moe-token-dispatcher-type": "allgather|alltoall|flex", "--moe-grouped-gemm": "",
	"--seq-length": "n", "--max-position-embeddings": "n", "--bf16": "", "--fp16": "", "--fp8-format": "e4m3|hybrid", "--grad-reduce-in-bf16": "", "--optimizer": "adam|sgd|muon|dist_muon",
	"--normalization": "LayerNorm|RMSNorm", "--position-embedding-type": "learned_absolute|rope|mrope|relative|none", "--disable-bias-linear": "",
	"--attention-dropout": "w", "--hidden-dropout": "w", "--make-vocab-size-divisible-by": "n", "--vocab-size": "n", "--mock-data": "", "--data-path": "w", "--split": "w",
	"--tokenizer-type": "HuggingFaceTokenizer|NullTokenizer", "--tokenizer-model": "w", "--train-iters": "n", "--lr": "w", "--eval-iters": "w", "--log-interval": "n", "--log-throughput": "",
}

// checkTrainingFlags fails where a call of pretrain_gpt.py has flags that Megatron-LM does not
// take, or together breaks what validate_args asserts.
func checkTrainingFlags(t testing.TB, c hostCall) {
	t.Helper()
	at := slices.IndexFunc(c.Args, func(a string) bool { return strings.HasSuffix(a, "/pretrain_gpt.py") })
	if at < 0 {
		t.Fatalf("no pretrain_gpt.py: %q", c.Args)
	}
	seen := map[string]bool{}
	for i := at + 1; i < len(c.Args); i++ {
		flag := c.Args[i]
		value, known := trainingFlags[flag]
		if !known || seen[flag] {
			t.Errorf("flag %q: known %v, twice %v", flag, known, seen[flag])
			continue
		}
		seen[flag] = true
		if value == "" {
			continue
		}
		i++
		n, err := strconv.Atoi(c.Args[i])
		if value == "n" && (err != nil || n < 1) || strings.Contains(value, "|") && !slices.Contains(strings.Split(value, "|"), c.Args[i]) {
			t.Errorf("%s %q, want %s", flag, c.Args[i], value)
		}
	}
	number := func(flag string) int { return flagNumber(t, c, flag, 0) }
	for _, flag := range []string{"--num-layers", "--hidden-size", "--num-attention-heads", "--max-position-embeddings", "--seq-length", "--micro-batch-size", "--global-batch-size", "--train-iters"} {
		if number(flag) < 1 {
			t.Errorf("no %s", flag)
		}
	}
	granularity, _ := c.Flag("--recompute-granularity")
	connections := c.Env["CUDA_DEVICE_MAX_CONNECTIONS"]
	for what, broken := range map[string]bool{
		"full recompute has a method, selective none":   (granularity == "full") != seen["--recompute-method"],
		"weights are gathered beside what shards them":  seen["--overlap-param-gather"] && !(seen["--use-distributed-optimizer"] && seen["--overlap-grad-reduce"]),
		"positions reach as far as sequences":           number("--max-position-embeddings") < number("--seq-length"),
		"layers divide over stages without a layout":    number("--pipeline-model-parallel-size") > 1 && !seen["--pipeline-model-parallel-layout"],
		"sequence parallelism needs tensor parallelism": seen["--sequence-parallel"] && number("--tensor-model-parallel-size") < 2,
		"one number format":                             seen["--bf16"] == seen["--fp16"],
		"FSDP has its checkpoints":                      seen["--use-megatron-fsdp"] != seen["--ckpt-format"],
		"FSDP without one connection, others with it":   seen["--use-megatron-fsdp"] == (connections == "1"),
		"the vocabulary of the tokenizer":               seen["--mock-data"] != seen["--vocab-size"],
	} {
		if broken {
			t.Errorf("%s: %q", what, c.Args)
		}
	}
}

// trainedAs holds a script against a plan of training: what each node starts, put together by
// Megatron's order of ranks, is the plan's GPUs, and a layout its layers.
func trainedAs(t testing.TB, p *results.Plan, script []byte) {
	t.Helper()
	s, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.nodesOf(s.trainingRanks())
	if err != nil {
		t.Fatal(err)
	}
	calls := runNodes(t, s, script, []string{"torchrun"}, byHost(all, func(node) bool { return true }))
	nodes := make([]hostCall, len(calls))
	for _, c := range calls {
		nodes[flagNumber(t, c, "--node-rank", 0)] = c
	}
	var world []string // GPUs by their global ranks
	for _, c := range nodes {
		checkTrainingFlags(t, c)
		seen := numbers(t, c.Env["CUDA_VISIBLE_DEVICES"])
		if n := flagNumber(t, c, "--nproc-per-node", 0); n != len(seen) || flagNumber(t, c, "--nnodes", 0) != len(calls) {
			t.Fatalf("%d processes on %d GPUs of %d nodes: %q", n, len(seen), len(calls), c.Args)
		}
		address, _ := c.Flag("--master-addr")
		if first, _ := nodes[0].Flag("--master-addr"); address != first {
			t.Errorf("nodes meet at %q and %q", first, address)
		}
		for _, n := range seen {
			world = append(world, gpuAt(c.host, fmt.Sprint(n)))
		}
	}
	c, st := nodes[0], &p.Phases[0].Strategy
	tp, pp, cp := flagNumber(t, c, "--tensor-model-parallel-size", 1), flagNumber(t, c, "--pipeline-model-parallel-size", 1), flagNumber(t, c, "--context-parallel-size", 1)
	inner := tp * cp
	dp := len(world) / (inner * pp)
	micro, global := flagNumber(t, c, "--micro-batch-size", 0), flagNumber(t, c, "--global-batch-size", 0)
	if dp*inner*pp != len(world) || dp != st.Replicas || pp != st.PP || micro != st.MicroBatchSequences || global != micro*dp*st.MicroBatches || global != p.Deployment.Workload.Batch {
		t.Fatalf("TP %d, PP %d, CP %d, DP %d, micro-batches of %d, %d sequences on %d ranks: %+v", tp, pp, cp, dp, micro, global, len(world), st)
	}
	layers := []int{len(p.Deployment.Model.Layers)}
	if pp > 1 {
		layout, _ := c.Flag("--pipeline-model-parallel-layout")
		layers = stagesOfLayout(t, layout)
	}
	if diff := cmp.Diff(st.Layers, layers); diff != "" {
		t.Errorf("layers (- plan, + script): %s", diff)
	}
	for _, x := range p.Phases[0].Stages {
		if x.TP != tp || x.CP != cp || s.experts() && (x.EP != flagNumber(t, c, "--expert-model-parallel-size", 0) || x.ETP != flagNumber(t, c, "--expert-tensor-parallel-size", 0)) {
			t.Errorf("stage %+v has other degrees than %q", x, c.Args)
		}
		for i, id := range x.GPUs { // rank = i + tp·cp·(replica + dp·pipeline rank)
			at := strings.LastIndex(id, "/gpu-")
			if want, got := gpuAt(id[:at], id[at+len("/gpu-"):]), world[i+inner*(x.Replica+dp*(x.Index%pp))]; got != want {
				t.Errorf("replica %d, stage %d, GPU %d: %s, want %s", x.Replica, x.Index, i, got, want)
			}
		}
	}
}

// trainingPlan makes a plan of training: GPUs in Megatron's order on hosts of so many.
func trainingPlan(dp, pp, virtual, tp, cp, host int, name string) *results.Plan {
	zero, sp := 1, tp > 1
	one := func(n int) results.PerStage { return results.PerStage{n} }
	p := plain()
	ph := &p.Phases[0]
	ph.Phase, ph.Stages = inputs.Training, nil
	layers := make([]int, pp*virtual)
	total := 0
	for k := range layers {
		layers[k] = 1 + k*k%3
		total += layers[k]
	}
	ph.Strategy = results.Strategy{Replicas: dp, PP: pp, TP: one(tp), EP: one(1), CP: one(cp), ETP: one(tp), DPAttention: one(1), Layers: layers, VirtualStages: virtual,
		MicroBatches: 2 * pp, MicroBatchSequences: 2, SequencesPerReplica: 4 * pp, ZeRO: &zero, SequenceParallel: &sp, Recompute: results.Recomputes{inputs.NoRecompute}}
	pool := &p.Deployment.Cluster.Pools[0]
	pool.Nodes, pool.GPUsPerNode = nil, host
	gpu := func(rank int) string { return fmt.Sprintf("%s-%d/gpu-%d", name, rank/host, rank%host) }
	for n := 0; n*host < dp*pp*tp*cp; n++ {
		node := inputs.Node{Host: fmt.Sprintf("%s-%d", name, n)}
		for i := range host {
			node.GPUs = append(node.GPUs, gpu(n*host+i))
		}
		pool.Nodes = append(pool.Nodes, node)
	}
	for r := range dp {
		first := 0
		for k, n := range layers {
			rank, chunk := k%pp, k/pp
			x := results.Stage{Replica: r, Index: k, FirstLayer: first, LastLayer: first + n - 1, Pool: pool.Name, TP: tp, EP: 1, ETP: tp, CP: cp, DPAttention: 1, Rank: &rank, Chunk: &chunk, Recompute: inputs.NoRecompute, CapacityGiB: 70}
			for i := range tp * cp {
				x.GPUs = append(x.GPUs, gpu(i+tp*cp*(r+dp*rank)))
			}
			ph.Stages, first = append(ph.Stages, x), first+n
		}
	}
	ph.GPUs = results.GPUCount{Used: dp * pp * tp * cp, Parts: dp * pp * tp * cp, Match: true}
	m := &p.Deployment.Model
	m.Layers = make([]int, total)
	m.Kinds[0].FFN.Experts = 0
	p.Deployment.Workload = inputs.Workload{Phase: inputs.Training, Batch: 4 * pp * dp, Input: inputs.Range{Min: 4096, Max: 4096}, Training: &inputs.TrainingStep{OptimizerBytes: 12, GradientBytes: 4}}
	return p
}

// TestTrainingIsThePlan: random splits over random hosts, with hostile names among them.
func TestTrainingIsThePlan(t *testing.T) {
	type split struct {
		dp, pp, virtual, tp, cp, host int
		name                          string
	}
	gen := rapid.Custom(func(t *rapid.T) split {
		one := func(name string, of ...int) int { return rapid.SampledFrom(of).Draw(t, name) }
		s := split{dp: one("dp", 1, 2, 3), pp: one("pp", 1, 2, 4), virtual: 1, tp: one("tp", 1, 2, 4), cp: one("cp", 1, 2), host: one("host", 1, 2, 3, 4, 8), name: launchtest.Name().Draw(t, "host")}
		if s.pp > 1 {
			s.virtual = one("virtual", 1, 2, 5)
		}
		return s
	})
	for seed := range 12 {
		x := gen.Example(seed)
		p := trainingPlan(x.dp, x.pp, x.virtual, x.tp, x.cp, x.host, x.name)
		files, err := Files("megatron", p)
		if err != nil {
			t.Fatalf("%+v: %v", x, err)
		}
		launchtest.Lint(t, files[0].Data)
		trainedAs(t, p, files[0].Data)
	}
}

// TestTrainingFlags holds single flags against what they are made from.
func TestTrainingFlags(t *testing.T) {
	zero := func(n int) func(p *results.Plan) {
		return func(p *results.Plan) { p.Phases[0].Strategy.ZeRO = &n }
	}
	recompute := func(r inputs.Recompute) func(p *results.Plan) {
		return func(p *results.Plan) { p.Phases[0].Strategy.Recompute = results.Recomputes{r} }
	}
	for _, row := range []struct {
		name   string
		pp     int
		change func(p *results.Plan)
		want   []string
	}{
		{"as it is", 2, func(*results.Plan) {}, []string{"--use-distributed-optimizer", "+", "--overlap-grad-reduce", "+", "--overlap-param-gather", "+", "--recompute-granularity", "-", "--bf16", "+", "--sequence-parallel", "+",
			"--make-vocab-size-divisible-by", "128", "--vocab-size", "31999", "--train-iters", "20"}},
		{"nothing sharded", 2, zero(0), []string{"--use-distributed-optimizer", "-", "--overlap-param-gather", "-", "--overlap-grad-reduce", "+"}},
		{"gradients sharded", 1, zero(2), []string{"--use-megatron-fsdp", "+", "--data-parallel-sharding-strategy", "optim_grads", "--ckpt-format", "fsdp_dtensor"}},
		{"weights sharded", 1, zero(3), []string{"--use-megatron-fsdp", "+", "--data-parallel-sharding-strategy", "optim_grads_params"}},
		{"full recompute", 2, recompute(inputs.FullRecompute), []string{"--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"}},
		{"selective recompute", 2, recompute(inputs.SelectiveRecompute), []string{"--recompute-granularity", "selective", "--recompute-method", "-"}},
		{"gradients in BF16", 2, func(p *results.Plan) { p.Deployment.Workload.Training.GradientBytes = 2 }, []string{"--grad-reduce-in-bf16", "+"}},
		{"products in FP8", 2, func(p *results.Plan) { p.Deployment.Model.Weights = inputs.FP8 }, []string{"--bf16", "+", "--fp8-format", "hybrid"}},
		{"an odd vocabulary", 2, func(p *results.Plan) { p.Deployment.Model.Vocab = 32002 }, []string{"--make-vocab-size-divisible-by", "1"}},
		{"a vocabulary that is padded", 2, func(p *results.Plan) { p.Deployment.Model.Vocab = 32001 }, []string{"--make-vocab-size-divisible-by", "-"}},
		{"experts", 2, func(p *results.Plan) {
			p.Deployment.Model.Kinds[0].FFN.Experts, p.Deployment.Model.Kinds[0].FFN.TopK = 16, 2
			for i := range p.Phases[0].Stages {
				p.Phases[0].Stages[i].EP, p.Phases[0].Stages[i].ETP = 4, 1
			}
		}, []string{"--expert-model-parallel-size", "4", "--expert-tensor-parallel-size", "1", "--num-experts", "16", "--moe-router-topk", "2"}},
	} {
		p := trainingPlan(2, row.pp, 1, 2, 1, 8, "node")
		row.change(p)
		c, _ := calledWith(t, "megatron", p)
		checkTrainingFlags(t, hostCall{Call: c})
		for i := 0; i < len(row.want); i += 2 {
			flag, want := row.want[i], row.want[i+1]
			if got, _ := c.Flag(flag); want == "-" && c.Has(flag) || want == "+" && !c.Has(flag) || want != "-" && want != "+" && got != want {
				t.Errorf("%s: %s %q, want %s", row.name, flag, got, want)
			}
		}
	}
}

// TestTrainingRefused tells apart what Megatron-LM cannot train.
func TestTrainingRefused(t *testing.T) {
	two, three, no := 2, 3, false
	for want, change := range map[string]func(p *results.Plan){
		"shards optimizer state alone":     func(p *results.Plan) { p.Phases[0].Strategy.ZeRO = &two },
		"Megatron-FSDP, which shards more": func(p *results.Plan) { p.Phases[0].Strategy.ZeRO = &three },
		"--recompute-granularity is one": func(p *results.Plan) {
			p.Phases[0].Strategy.Recompute = results.Recomputes{"none", "full", "none", "none"}
		},
		"are not the global batch of 17": func(p *results.Plan) { p.Deployment.Workload.Batch = 17 },
		"3 are no multiple of 2":         func(p *results.Plan) { p.Phases[0].Strategy.MicroBatches, p.Deployment.Workload.Batch = 3, 12 },
		"twice the context-parallel degree": func(p *results.Plan) {
			p.Deployment.Workload.Input.Max = 4095
			eachStage(p, func(x *results.Stage) { x.CP = 2 })
		},
		"experts beside tensor parallelism only": func(p *results.Plan) {
			p.Deployment.Model.Kinds[0].FFN.Experts, p.Phases[0].Strategy.SequenceParallel = 8, &no
		},
		"keeps 12 bytes of state a parameter":  func(p *results.Plan) { p.Deployment.Workload.Training.OptimizerBytes = 8 },
		"sums gradients in 4 bytes":            func(p *results.Plan) { p.Deployment.Workload.Training.GradientBytes = 1 },
		"--ffn-hidden-size is a width":         func(p *results.Plan) { p.Deployment.Model.FFNScale = 1.1 },
		"a window of attention":                func(p *results.Plan) { p.Deployment.Model.Kinds[0].Attention.Window = 4096 },
		"does not say what a training step is": func(p *results.Plan) { p.Phases[0].Strategy.VirtualStages = 0 },
		"it multiplies in BF16, FP16 or FP8":   func(p *results.Plan) { p.Deployment.Model.Weights = inputs.INT8 },
		"replica 1 differs from replica 0":     func(p *results.Plan) { p.Phases[0].Stages[len(p.Phases[0].Stages)-1].FirstLayer-- },
		"its grouped products of experts are in BF": func(p *results.Plan) {
			p.Deployment.Model.Kinds[0].FFN.Experts, p.Deployment.Model.Weights = 8, inputs.FP16
		},
	} {
		p := trainingPlan(2, 2, 2, 2, 1, 8, "node")
		if _, err := Files("megatron", p); err != nil {
			t.Fatal(err)
		}
		change(p)
		_, err := Files("megatron", p)
		var refusal *Refusal
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func eachStage(p *results.Plan, change func(*results.Stage)) {
	for i := range p.Phases[0].Stages {
		change(&p.Phases[0].Stages[i])
	}
}

// TestTrainingExamples: the examples of training are started by Megatron-LM where it can, by
// files that are kept; the small one is refused as it is, for its sharding, and started with
// the optimizer alone sharded.
func TestTrainingExamples(t *testing.T) {
	for _, x := range []struct {
		example, golden, refused string
		over                     []read.Override
	}{
		{"training-llama-3.1-405b-1024-h100.yaml", "training-llama-3.1-405b-1024-h100", "", nil},
		{"training-mixtral-8x22b-256-h100.md", "training-mixtral-8x22b-256-h100", "", nil},
		{"training-llama-3.1-8b-8-h100.yaml", "", "Megatron-FSDP", nil},
		{"training-llama-3.1-8b-8-h100.yaml", "training-llama-3.1-8b-8-h100", "", []read.Override{{Key: "workload.training.zero", Value: "1"}}},
	} {
		p := solvedWith(t, []string{"../../examples/" + x.example}, x.over)
		files, err := Files("megatron", p)
		if x.refused != "" {
			if err == nil {
				trainedAs(t, p, files[0].Data) // prices changed, and it can
			} else if !strings.Contains(err.Error(), x.refused) {
				t.Errorf("%s: %v", x.example, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", x.example, err)
			continue
		}
		launchtest.Lint(t, files[0].Data)
		if p.Phases[0].GPUs.Used <= 256 {
			trainedAs(t, p, files[0].Data)
		}
		path := filepath.Join("testdata", x.golden, files[0].Name)
		if *updateGolden {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, files[0].Data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(files[0].Data, want) {
			t.Errorf("%s (-want +got), go test -update where meant:\n%s", path, cmp.Diff(string(want), string(files[0].Data)))
		}
	}
}
