package read

import (
	"reflect"
	"strings"
	"testing"

	"partita/inputs"
)

const trainingBase = "cluster: {accelerator: H100, count: 64}\nmodel: Llama-3.1-70B\n"

// trained is the condition that a text of any form states.
func trained(t *testing.T, text string) *inputs.Condition {
	t.Helper()
	c, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader(text)})
	if err != nil {
		t.Fatal(text, err)
	}
	return c
}

func whole(n int) *int { return &n }

// TestTrainingForms: the structured form, bullets, a sentence and a flag say the same.
func TestTrainingForms(t *testing.T) {
	sp := true
	want := inputs.Workload{
		Phase: inputs.Training, Batch: 512, Input: inputs.Range{Min: 8192, Max: 8192},
		Training: &inputs.TrainingStep{OptimizerBytes: 12, GradientBytes: 4, MicroBatch: 2, VirtualStages: 5, ZeRO: whole(1),
			Recompute: []inputs.Recompute{inputs.SelectiveRecompute}, SequenceParallel: &sp},
	}
	md := "## Environment Condition\n* GPUs: 64 H100-80GB\n## Model Configuration\n* Model: Llama-3.1-70B\n"
	for name, text := range map[string]string{
		"yaml":        trainingBase + "workload: {phase: training, global_batch: 512, sequence: 8192, training: {micro_batch: 2, virtual_stages: 5, zero: 1, recompute: selective, sequence_parallel: yes, optimizer: adamw, gradient_precision: fp32}}\n",
		"other words": trainingBase + "workload: {phase: pre-training, batch: 512, input: 8k, training: {micro_batch: 2, virtual_stages: 5, zero: distributed optimizer, recompute: selective, sequence_parallel: true, optimizer: 12 bytes/param}}\n",
		"tokens":      trainingBase + "workload: {global_batch: 4194304 tokens, sequence: 8192, training: {micro_batch: 2, virtual_stages: 5, zero: 1, recompute: selective, sequence_parallel: yes}}\n",
		"units of 2":  trainingBase + "workload: {global_batch: 4M tokens, sequence: 8192, training: {micro_batch: 2, virtual_stages: 5, zero: 1, recompute: selective, sequence_parallel: yes}}\n",
		"bullets": md + "## Training Configuration\n* **Phase**: pre-training\n* **Global batch size**: 512 sequences\n* **Sequence length**: 8,192 tokens\n* **Micro-batch size**: 2\n" +
			"* **Optimizer**: AdamW, fp32 master weights\n* **Gradients**: fp32\n* **Distributed optimizer**: yes\n* **Activation recomputation**: selective\n* **Virtual pipeline stages**: 5\n* **Sequence parallelism**: enabled\n",
		"other bullets": md + "## Training hyperparameters\n- Phase: training\n- Global batch size (tokens): 4M\n- Sequence length: 8k\n- mbs: 2\n- Adam, 12 bytes per parameter\n- Gradient accumulation in fp32\n- ZeRO stage: 1\n- Selective activation checkpointing\n" +
			"- Interleaved schedule with 5 virtual stages\n- With sequence parallelism\n## Basic Performance Requirements\n- MFU: none\n",
		"sentence": md + "## Input Data\n* Pre-training with 512 sequences of 8,192 tokens each, micro-batch 2, AdamW with fp32 gradients, ZeRO-1, selective activation recomputation, 5 virtual stages per rank, with sequence parallelism\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := trained(t, text)
			if !reflect.DeepEqual(c.Workload, want) {
				t.Errorf("got  %+v %+v\nwant %+v %+v", c.Workload, c.Workload.Training, want, want.Training)
			}
			for _, s := range c.Statements {
				if s.UsedAs == "" {
					t.Errorf("%q was used as nothing", s.Text)
				}
			}
		})
	}
}

// TestTrainingDefaults: what is left out is assumed and listed, or open to the search.
func TestTrainingDefaults(t *testing.T) {
	c := trained(t, trainingBase+"workload: {phase: training, global_batch: 256, sequence: 4096}\n")
	if got, want := *c.Workload.Training, (inputs.TrainingStep{OptimizerBytes: 12, GradientBytes: 4}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	seen := map[string]string{}
	for _, a := range c.Assumptions {
		seen[a.What] = a.Value
	}
	for what, value := range map[string]string{"optimizer": "Adam: 12 bytes a parameter", "gradient precision": "fp32", "objective": "the shortest step"} {
		if seen[what] != value {
			t.Errorf("%s is assumed as %q, want %q", what, seen[what], value)
		}
	}
}

// TestTrainingStrategy: what evaluate is given.
func TestTrainingStrategy(t *testing.T) {
	text := trainingBase + "workload: {phase: training, global_batch: 256, sequence: 4096}\n"
	no := false
	want := &inputs.Strategy{PP: 4, DP: 4, TP: inputs.Degrees{4}, VirtualStages: 2, MicroBatchSize: 2, ZeRO: whole(2), SequenceParallel: &no,
		Recompute: []inputs.Recompute{"none", "none", "none", "none", "full", "full", "full", "full"}, Layers: []int{10, 10, 10, 10, 10, 10, 10, 10}}
	for name, opts := range map[string]Options{
		"file": {Stdin: strings.NewReader(text + "strategy: {tp: 4, dp: 4, pp: 4, virtual_stages: 2, micro_batch_size: 2, zero: 2, sequence_parallel: no, recompute: [none, none, none, none, full, full, full, full], layers: [10, 10, 10, 10, 10, 10, 10, 10]}\n")},
		"flag": {Stdin: strings.NewReader(text), Strategy: "tp=4,dp=4,vpp=2,mbs=2,zero=2,sequence_parallel=no,recompute=none/none/none/none/full/full/full/full,layers=10+10+10+10+10+10+10+10"},
	} {
		opts.Paths = []string{"-"}
		c, err := Load(opts)
		if err != nil {
			t.Fatal(name, err)
		}
		if !reflect.DeepEqual(c.Strategy, want) {
			t.Errorf("%s: got %+v\nwant %+v", name, c.Strategy, want)
		}
	}
	c := trained(t, "## Environment Condition\n* GPUs: 64 H100-80GB\n## Model Configuration\n* Model: Llama-3.1-70B\n## Training\n* Phase: training\n* Global batch: 1M tokens\n* Sequence length: 4096\n"+
		"## Parallelism Strategy\n* TP=8, PP=4, DP=2, VPP 2, micro-batch 1, ZeRO-1, full recomputation\n* Sequence parallelism: on\n")
	s := c.Strategy
	if s == nil || s.TP.At(0) != 8 || s.PP != 4 || s.DP != 2 || s.VirtualStages != 2 || s.MicroBatchSize != 1 || s.ZeRO == nil || *s.ZeRO != 1 || len(s.Recompute) != 1 || s.SequenceParallel == nil || !*s.SequenceParallel {
		t.Errorf("strategy in words: %+v", s)
	}
}

// TestTrainingContradictions: each is told where it stands.
func TestTrainingContradictions(t *testing.T) {
	full := func(workload string) string { return trainingBase + "workload: {phase: training, " + workload + "}\n" }
	fine := full("global_batch: 256, sequence: 4096")
	for name, x := range map[string]struct{ text, want string }{
		"no batch":                {full("sequence: 4096"), "-: the global batch of training is not stated"},
		"no length":               {full("global_batch: 256"), "-: the sequence length of training is not stated"},
		"output":                  {full("global_batch: 256, sequence: 4096, output: 128"), "-:3:64: an output length in training"},
		"a range":                 {full("global_batch: 256, sequence: [128, 4096]"), "-:3:48: a range of lengths 128-4096 in training"},
		"two lengths":             {full("global_batch: 256, sequence: 4096, input: 2048"), "-:3:64: input length 2048 contradicts the sequence length 4096"},
		"two batches":             {full("global_batch: 256, batch: 128, sequence: 4096"), "-:3:29: a global batch of 256 sequences contradicts the batch of 128"},
		"broken tokens":           {full("global_batch: 1000000 tokens, sequence: 4096"), "-:3:29: a global batch of 1000000 tokens is no whole number of sequences of 4096 tokens"},
		"micro-batch":             {full("global_batch: 256, sequence: 4096, training: {micro_batch: 3}"), "-:3:75: micro-batches of 3 sequences do not divide the global batch of 256"},
		"a format":                {full("global_batch: 256, sequence: 4096, training: {gradient_precision: int8}"), "int8 is out of bounds, want fp32, bf16 or fp16"},
		"a serving requirement":   {fine + "goal: {requirements: {ttft: 2s}}\n", "-:4:23: requirement ttft in training, which serves no requests"},
		"an engine of serving":    {fine + "engine: vllm\n", "-:4:1: the engine vllm serves requests, the phase is training"},
		"more tokens":             {full("global_batch: 5000 tokens, sequence: 4096"), "state 4096 or 8192 tokens"},
		"fewer tokens":            {full("global_batch: 500 tokens, sequence: 4096"), "state 4096 tokens"},
		"too many virtual stages": {full("global_batch: 256, sequence: 4096, training: {virtual_stages: 41}"), "-:3:75: 41 virtual stages on each of two or more pipeline ranks, and the model has 80 layers, want at most 40"},
		"too many recomputes":     {full("global_batch: 256, sequence: 4096, training: {recompute: [" + strings.Repeat("full, ", 80) + "none]}"), "-:3:75: recompute of 81 stages, and the model has 80 layers"},
		"a cache of prompts":      {full("global_batch: 256, sequence: 4096, prefix_cache_hit: 30%"), "-:3:64: workload.prefix_cache_hit in training, which serves no requests"},
		"a draft":                 {full("global_batch: 256, sequence: 4096, speculative: {draft_tokens: 3, acceptance: 0.7}"), "-:3:78: workload.speculative.draft_tokens in training"},
		"training by a key":       {trainingBase + "workload: {batch: 256, sequence: 4096, output: 128, training: {zero: 1}}\n", "or state workload.phase: mixed: it is read as training because workload.training.zero is stated"},
		"kept apart":              {fine + "goal: {placement: disaggregated}\n", "-:4:8: placement disaggregated in training, which serves no requests, want pipeline; leave it out"},
		"lanes":                   {fine + "goal: {placement: lanes}\n", "-:4:8: placement lanes in training"},
		"dp":                      {fine + "strategy: {dp: 3}\n", "-:4:12: strategy: 3 data-parallel ranks do not divide the global batch of 256"},
		"dp times micro-batch":    {fine + "strategy: {dp: 64, micro_batch_size: 8}\n", "-:4:20: strategy: micro-batches of 8 sequences on 64 data-parallel ranks do not divide"},
		"micro-batches":           {fine + "strategy: {dp: 8, micro_batch_size: 2, micro_batches: 8}\n", "-:4:40: strategy: 8 micro-batches of 2 sequences on 8 data-parallel ranks are 128 sequences, the global batch has 256"},
		"attention DP":            {fine + "strategy: {dp_attention: 2}\n", "-:4:12: strategy.dp_attention is of serving"},
		"unlike stages":           {fine + "strategy: {pp: 2, tp: [4, 8]}\n", "-:4:19: strategy: tp differs from stage to stage"},
		"sp beside tp":            {fine + "strategy: {tp: 4, sp: 8}\n", "-:4:19: strategy: sequence parallelism 8 beside tensor parallelism 4"},
		"stages of virtual ranks": {fine + "strategy: {pp: 2, virtual_stages: 2, recompute: [none, full]}\n", "recompute is listed for 2 stages, but pp 2 with 2 virtual stages makes 4"},
		"training in serving":     {trainingBase + "workload: {phase: prefill, training: {zero: 1}}\n", "-:3:39: workload.training.zero is of training, the phase is prefill"},
		"tokens in serving":       {trainingBase + "workload: {phase: prefill, global_batch: 4M tokens}\n", "-:3:28: workload.global_batch is of training, the phase is prefill"},
		"a step of serving":       {trainingBase + "workload: {phase: prefill}\ngoal: {requirements: {step_time: 2s}}\n", "-:4:23: requirement step_time: serving has no training step"},
		"ZeRO of serving":         {trainingBase + "strategy: {zero: 1}\n", "-:3:12: strategy.zero is of training"},
		"MFU as a requirement":    {"## Basic Performance Requirements\n* MFU: 40%\n", "-:2:3: a utilisation cannot be required"},
	} {
		_, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader(x.text)})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want %s", name, err, x.want)
		}
	}
}

// TestContradictsTheWorkload: a given strategy keeps what the workload fixes.
func TestContradictsTheWorkload(t *testing.T) {
	for strategy, want := range map[string]string{
		"zero=3":                "--strategy: strategy: zero 3 contradicts the 1 of the workload",
		"mbs=2":                 "--strategy: strategy: micro batch size 2 contradicts the 1 of the workload",
		"vpp=2":                 "--strategy: strategy: virtual stages 2 contradicts the 1 of the workload",
		"sequence_parallel=yes": "--strategy: strategy: sequence parallel yes contradicts the no of the workload",
		"zero=1,mbs=1,vpp=1":    "",
	} {
		_, err := Load(Options{Paths: []string{"-"}, Strategy: strategy, Stdin: strings.NewReader(trainingBase +
			"workload: {phase: training, global_batch: 256, sequence: 4096, training: {zero: 1, micro_batch: 1, virtual_stages: 1, sequence_parallel: no}}\n")})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", strategy, err, want)
		}
	}
}

// TestServingKeepsItsWords: a global batch and a micro-batch mean in serving what they did.
func TestServingKeepsItsWords(t *testing.T) {
	for _, a := range trained(t, trainingBase+"workload: {phase: training, global_batch: 256, sequence: 4096, training: {zero: 1}}\n").Assumptions {
		if strings.Contains(a.Because, "serving") {
			t.Errorf("assumed of a training step: %+v", a)
		}
	}
	c := trained(t, "## Environment Condition\n* GPUs: 8 H100-80GB\n## Model Configuration\n* Model: Llama-3.1-8B\n## Input Data\n* Global batch size: 96\n* Micro-batch size: 4\n* Sequence In: 512\n")
	if c.Workload.Training != nil || c.Workload.Batch != 96 || c.Strategy == nil || c.Strategy.MicroBatchSize != 4 {
		t.Errorf("%+v, strategy %+v", c.Workload, c.Strategy)
	}
}
