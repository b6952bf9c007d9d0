package read

// guide tells a reader of a commented condition what a field is.
type guide struct {
	about   string // what it means and how it is written
	example string // where nothing is stated and nothing is assumed
}

// guides are by path of the key. A test holds that every key has one and that every
// example reads.
func guides() map[string]guide {
	return map[string]guide{
		"name": {"Names the output folder.", "my-condition"},

		"cluster.name":                  {"Name of the pool, as plans call it.", "pool-a"},
		"cluster.accelerator":           {"Name of the GPU; `partita catalog gpus` lists those known. Else state flops, memory and memory_bandwidth.", "H100"},
		"cluster.count":                 {"Number of GPUs: 8, 4..16, or unlimited where the search is to decide.", "8"},
		"cluster.nodes":                 {"Number of machines; all hold as many GPUs.", "2"},
		"cluster.gpus_per_node":         {"GPUs of one machine.", "8"},
		"cluster.host":                  {"Pools that share one machine name the same host.", "server-a"},
		"cluster.hosts":                 {"Which GPUs of which machines, by the driver's index.", "[node-0/0..7, node-1/0..7]"},
		"cluster.flops":                 {"Dense peak compute of one GPU: one figure, or one for each number format.", "400 TFLOP/s"},
		"cluster.memory":                {"Memory of one GPU.", "80GB"},
		"cluster.free_memory":           {"Memory that is free: one size for all, or one for each GPU.", "70GB"},
		"cluster.memory_utilization":    {"Share of the free memory that a plan may fill.", "90 %"},
		"cluster.memory_bandwidth":      {"Memory bandwidth of one GPU.", "1.8 TB/s"},
		"cluster.mfu":                   {"Share of the peak compute that is reached. Without it the cost model knows each kind of GPU; a stated share is the law.", "60 %"},
		"cluster.bandwidth_utilization": {"Share of the memory bandwidth that is reached; as mfu.", "80 %"},
		"cluster.intra_link":            {"Link between GPUs of one machine, per GPU and direction: NVLink 450GB/s, PCIe 32GB/s.", "NVLink 450 GB/s"},
		"cluster.pcie":                  {"PCIe of one GPU, per direction.", "64 GB/s"},
		"cluster.usd_per_hour":          {"Price of one GPU in US dollars an hour; needed where the goal is about cost.", "2.5"},
		"cluster.network":               {"Network between machines, per GPU and direction: 400Gb/s is bits, 50GB/s bytes; `per node` is shared by the GPUs of one.", "400Gb/s"},

		"model.catalog":              {"The model by name; `partita catalog models` lists those known. Else a config, or all shapes below.", "Llama-3.1-8B"},
		"model.config":               {"Path of a Hugging Face config.json, from this file's folder; in place of the name.", "config.json"},
		"model.graph":                {"Path of an operator graph (JSON), from this file's folder; in place of the name, for models that are no chain of layers.", "graph.json"},
		"model.name":                 {"What plans call the model. The shapes below follow from catalog or config; where stated they must agree.", "my-model"},
		"model.layers":               {"Number of layers.", "32"},
		"model.hidden":               {"Hidden size.", "4096"},
		"model.attention":            {"Form of attention: mha, gqa, mqa or mla.", "gqa"},
		"model.heads":                {"Query heads.", "32"},
		"model.kv_heads":             {"KV heads.", "8"},
		"model.head_dim":             {"Width of one head; for mla the part without position.", "128"},
		"model.v_head_dim":           {"Width of one head's values, where it differs.", "128"},
		"model.q_lora_rank":          {"mla: rank of the query projection.", "1536"},
		"model.kv_lora_rank":         {"mla: rank of the KV projection.", "512"},
		"model.rope_dim":             {"mla: rotary width.", "64"},
		"model.window":               {"Sliding window of all layers, in tokens.", "4096"},
		"model.ffn":                  {"Feed-forward block: dense or moe.", "dense"},
		"model.intermediate":         {"Width of the feed-forward block; of one expert where there are experts.", "14336"},
		"model.gated":                {"Three matrices instead of two (SwiGLU): yes or no.", "yes"},
		"model.experts":              {"Routed experts of a layer.", "8"},
		"model.top_k":                {"Experts that a token is sent to.", "2"},
		"model.shared_experts":       {"Experts that every token is sent to.", "0"},
		"model.shared_width":         {"Width of all shared experts together, where it is no multiple.", "0"},
		"model.dense_layers":         {"Leading layers without experts.", "0"},
		"model.dense_intermediate":   {"Feed-forward width of those.", "14336"},
		"model.vocab":                {"Vocabulary size; without it embedding and output head are left out.", "128256"},
		"model.tied":                 {"Embedding and output head share their weights: yes or no.", "no"},
		"model.max_context":          {"Longest context in tokens; longer sequences give a warning.", "131072"},
		"model.parameters":           {"Declared number of parameters; where the shapes add up to another, feed-forward widths are scaled to it.", "8B"},
		"model.precision":            {"Number format of the weights: fp32, bf16, fp16, fp8, int8, fp4 or int4.", "bf16"},
		"model.activation_precision": {"Number format of the activations.", "bf16"},
		"model.kv_precision":         {"Number format of the KV cache.", "bf16"},

		"workload.phase":    {"prefill, decode or mixed (both on the same GPUs).", "mixed"},
		"workload.batch":    {"Sequences in flight over all replicas.", "64"},
		"workload.input":    {"Prompt length in tokens: 2048, or a range 128..10240.", "2048"},
		"workload.output":   {"Generated tokens of a sequence: 512, or a range.", "512"},
		"workload.sequence": {"Prompt and generated tokens together, where they are not told apart.", "2560"},

		"knowledge": {"Packs of accelerators, models, efficiencies and binding rules: files, folders or built-in ones (docs/knowledge.md).", "practice"},
		"engine":    {"Serving engine whose limits bind the plan: vllm, sglang, trtllm, megatron or llamacpp.", "vllm"},

		"goal.objective":          {"What is minimised: balanced (latency and cost of a token), latency, throughput, gpus or cost.", "balanced"},
		"goal.weights.latency":    {"Weight of latency in the balanced objective.", "1"},
		"goal.weights.throughput": {"Weight of throughput in the balanced objective.", "1"},
		"goal.balance":            {"Binding: the shortest stage takes at least 1 - this of the longest. Not stated: 25 %, and it gives way where no plan has it.", "25 %"},
		"goal.allow_idle":         {"GPUs of a stated number may stay unused: yes or no.", "no"},
		"goal.placement":          {"pipeline: stages one after another. lanes: single GPUs that may hold the same layers, for clusters of unlike machines (docs/lanes.md).", "pipeline"},
		"goal.margin":             {"Share by which a requirement must be beaten to count as met. Not stated: 10 %; 0 where utilisations are stated.", "10 %"},

		"goal.requirements.ttft":                      {"Longest time to the first token: 2s, 500ms, none.", "2 s"},
		"goal.requirements.tpot":                      {"Longest time of one output token: 50ms.", "50 ms"},
		"goal.requirements.throughput":                {"Tokens per second, prompt and generated, of all GPUs together.", "5000 tokens/s"},
		"goal.requirements.throughput_per_gpu":        {"The same for each GPU that is used.", "500 tokens/s"},
		"goal.requirements.output_throughput":         {"Generated tokens per second.", "1000 tokens/s"},
		"goal.requirements.output_throughput_per_gpu": {"The same for each GPU that is used.", "100 tokens/s"},
		"goal.requirements.cost_per_hour":             {"Highest price of all GPUs used, in US dollars an hour.", "100 USD/h"},
		"goal.requirements.samples_per_s":             {"Samples per second of an operator graph (model.graph).", "100 samples/s"},
		"goal.requirements.e2e":                       {"Longest time of a whole request.", "60 s"},

		"strategy.gpus":          {"A strategy in use or proposed: `partita evaluate` judges it, solve does not follow it. GPUs it has.", "8"},
		"strategy.tp":            {"Tensor parallelism: one degree, or one a stage: [8, 4].", "4"},
		"strategy.pp":            {"Pipeline parallelism.", "2"},
		"strategy.ep":            {"Expert parallelism.", "1"},
		"strategy.cp":            {"Context parallelism.", "1"},
		"strategy.dp":            {"Data parallelism: replicas, dp_attention or both; those two say which.", "1"},
		"strategy.replicas":      {"Replicas.", "1"},
		"strategy.dp_attention":  {"Attention data parallelism of a stage.", "1"},
		"strategy.etp":           {"Tensor parallelism of an expert.", "1"},
		"strategy.sp":            {"Sequence parallelism.", "1"},
		"strategy.layers":        {"Layers of each stage.", "[16, 16]"},
		"strategy.pool":          {"Pool of each stage.", "[pool-a, pool-a]"},
		"strategy.micro_batches": {"Prefill micro-batches of a replica; the best where not stated.", "4"},

		"strategy.micro_batch_size": {"Sequences of a prefill micro-batch, in place of their number.", "16"},
		"strategy.decode_groups":    {"Decode groups of a replica; the best where not stated.", "2"},
	}
}
