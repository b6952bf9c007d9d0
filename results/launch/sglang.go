package launch

import (
	"fmt"

	"partita/inputs"
	"partita/results"
)

// SGLang's flags and limits are read off its source at commits 001067f (python/sglang/srt/
// server_args.py), 1107be1 (srt/distributed/utils.py), 008b79d and 018669d (srt/arg_groups/
// parallel_hook.py, validation_hook.py) of github.com/sgl-project/sglang:
//
//   - --tp-size counts all GPUs of a stage. --dp-size of them share the sequences with
//     --enable-dp-attention (later spelt --attn-dp-size, pull request 41818, which still takes
//     this), so that attention has tp-size/dp-size tensor ranks; experts have
//     tp-size/ep-size.
//   - SGLANG_PP_LAYER_PARTITION gives each stage its layers and must add up to the model's
//     (get_pp_indices).
//   - nodes have equal shares of the ranks, tp-size·pp-size/nnodes, whole stages or parts of
//     one (entrypoints/engine.py, _calculate_rank_ranges; check_server_args): nodesOf.
//   - --base-gpu-id is the first of a node's GPUs among those that it sees. Nodes on one host
//     see all of the replica's there, so that tensor ranks find each other's memory.
//   - a node of rank 1 and up answers health checks on its own --port, and the first one binds
//     ports above that of --dist-init-addr: processes on one host must be given others.
//   - --chunked-prefill-size and --max-running-requests are of all attention data-parallel
//     ranks together; each has its share (handle_data_parallelism, model_runner.py).
//   - --moe-dense-tp-size 1 keeps the dense layers beside attention data parallelism whole on
//     every rank, which is what a plan of TP 1 counts on; with TP above 1 they are split over
//     all ranks, which takes less than the plan.
//   - --enable-dp-lm-head splits the head over the attention tensor ranks, as plans do.

// Ports of SGLang: processes answer on sglangPort and up, and replicas meet on sglangMeeting
// and up, by their number on a host. Attention data parallelism takes some ports, and one a
// rank, above the meeting's (PortArgs.init_new).
const (
	sglangPort    = 30000
	sglangMeeting = 20000
	sglangApart   = 200
)

func writeSGLang(s *Serving) ([]File, error) {
	r, err := s.ready("sglang", "SGLang")
	if err != nil {
		return nil, err
	}
	all := r.nodes
	checks := []string{"nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and nothing else holds memory on them."}
	if spread(all) {
		checks = append(checks, fmt.Sprintf("The nodes have the same SGLang and the same weights under MODEL, and reach each other by the addresses below, on ports %d and up.", s.meeting()))
	}
	if st := s.Replicas[0][0]; st.EP > 1 && st.EP == len(st.GPUs) {
		checks = append(checks, "Without more flags the ranks gather all tokens for their experts. Where the package deep_ep is installed, --moe-a2a-backend deepep sends each token to its experts alone, which the plan counts on.")
	}
	for _, stages := range s.Replicas {
		if _, held := s.sglangShare(stages); held < 1 {
			checks = append(checks, fmt.Sprintf("SGLang sizes the KV cache of all stages by the GPU that has the least memory free: it holds about %d %% of the sequences that the plan counts on, and the others wait.", int(held*100)))
			break // replicas are alike
		}
	}
	if n := s.Model.MaxContext; n > 0 && n < s.contextLength() {
		checks = append(checks, "SGLang takes sequences longer than the model's only where SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1.")
	}
	checks = append(checks, s.handoverChecks()...)
	x := s.start(s.script("sglang"), "Starts one node's part of a plan on SGLang (version 0.5.6 or later), and stays until a server ends.", checks...)
	x.modelVariable(r.checkpoint)
	x.hostVariables(x.hosts)
	x.line("port=%s # of the first process of a node", s.portWord(sglangPort))
	if spread(all) {
		x.line("meeting=${MEETING_PORT:-%d} # of the first replica of a node", s.meeting())
	}
	if len(s.Replicas[0]) > 1 {
		x.line("export SGLANG_PP_LAYER_PARTITION=%s", join(s.layers(), ","))
	}
	x.line("")
	x.background()
	about := "server GPUS MEMORY_SHARE NUMBER: start a replica. NUMBER counts the processes of this node."
	if spread(all) {
		about = "server GPUS MEMORY_SHARE NUMBER NODES RANK ADDRESS MEETING BASE: start a part of a replica. NUMBER counts the processes of this node; the replica meets at ADDRESS; its part runs on GPUS from the place BASE on."
	}
	x.function(about, "server", nil, append([]string{visible(r.vendor) + "=$1", "python3 -m sglang.launch_server"}, s.sglangFlags(r.checkpoint, spread(all))...)...)
	number, of := map[string]int{}, counts(all)
	var head node
	meeting := 0
	for _, n := range all {
		if n.Rank == 0 {
			head, meeting = n, number[n.Host]
		}
		together, base := beside(all, n)
		memory, _ := s.sglangShare(s.Replicas[n.Replica])
		words := fmt.Sprintf("server %s %v %d", together.gpus(), memory, number[n.Host])
		if spread(all) {
			words += fmt.Sprintf(` %d %d "%s" $((meeting + %d)) %d`, of[n.Replica], n.Rank, x.address(head.Host), sglangApart*meeting, base)
		}
		what := part(n.Replica, n.Rank, of[n.Replica])
		if n.Rank == 0 {
			what += fmt.Sprintf(": answers requests on port %d", s.port(sglangPort)+number[n.Host])
		}
		x.call(n.Host, what, words)
		number[n.Host]++
	}
	files := []File{x.end(s.script("sglang"), s.idle())}
	if len(s.Replicas) > 1 && s.apart == nil {
		files = append(files, s.sglangRouter(all))
	}
	return files, nil
}

// sglangFlags are the words of one process, with $1 … as in server().
func (s *Serving) sglangFlags(checkpoint Checkpoint, spread bool) []string {
	stage := s.Replicas[0][0]
	dp := stage.DPAttention
	sequences := divideUp(s.Phase.Strategy.SequencesPerReplica, dp)
	var out []string
	add := func(flag string, value any) { out = append(out, fmt.Sprintf("%s %v", flag, value)) }
	add("--model-path", `"$MODEL"`)
	out = append(out, "--served-model-name="+Word(sglangName(s.Model.Name)))
	add("--host", "0.0.0.0")
	add("--port", "$((port + $3))")
	add("--tp-size", len(stage.GPUs))
	add("--pp-size", len(s.Replicas[0]))
	if dp > 1 {
		add("--dp-size", dp)
		out = append(out, "--enable-dp-attention", "--enable-dp-lm-head")
		if stage.TP == 1 {
			add("--moe-dense-tp-size", 1)
		}
	}
	if stage.EP > 1 {
		add("--ep-size", stage.EP)
	}
	if spread {
		add("--nnodes", `"$4"`)
		add("--node-rank", `"$5"`)
		add("--dist-init-addr", `"$6:$7"`)
		add("--base-gpu-id", `"$8"`)
	}
	add("--max-running-requests", sequences*dp)
	if g := s.Phase.Strategy.GroupSequences; len(s.Replicas[0]) > 1 && g > 0 {
		add("--pp-max-micro-batch-size", divideUp(g, dp))
	}
	add("--mem-fraction-static", `"$2"`)
	add("--context-length", s.contextLength())
	if s.Phase.Phase != inputs.Decode {
		add("--chunked-prefill-size", wholePages(s.batchedTokens(1, dp))*dp)
	}
	add("--dtype", s.sglangDType())
	if kv := s.sglangKV(); kv != "" {
		add("--kv-cache-dtype", kv)
	}
	if s.Model.Weights == inputs.FP8 && checkpoint.Format != inputs.FP8 {
		add("--quantization", "fp8")
	}
	return append(out, s.sglangHandover()...)
}

// meeting is the first port by which parts of a replica meet: those of the decode side are
// beyond what replicas of a host that prefill can take.
func (s *Serving) meeting() int {
	if s.apart != nil && s.apart.role == string(inputs.Decode) {
		return sglangMeeting + 20*sglangApart
	}
	return sglangMeeting
}

// sglangName is a name that a model is served under: a colon in it is taken for an adapter's
// (check_server_args).
func sglangName(name string) string {
	out := []rune(name)
	for i, r := range out {
		if r == ':' {
			out[i] = '-'
		}
	}
	return string(out)
}

// wholePages rounds a number of tokens up to pages of the KV cache, which a chunk must be a
// multiple of; backends have pages of 64 tokens at most, and of fewer that divide 64.
func wholePages(tokens int) int { return divideUp(tokens, 64) * 64 }

// sglangDType is --dtype: what the engine computes in, which holds the weights too where
// they are no smaller.
func (s *Serving) sglangDType() string {
	format := s.Model.Weights
	if format.Bytes() < 2 {
		format = s.Model.Activation
	}
	switch format {
	case inputs.FP32:
		return "float32"
	case inputs.FP16:
		return "float16"
	case inputs.BF16:
		return "bfloat16"
	}
	return "auto" // 8-bit activations: the checkpoint says what it computes in
}

// sglangKV is --kv-cache-dtype; "" leaves it as --dtype. The rule pack admits no other
// formats.
func (s *Serving) sglangKV() string {
	switch kv := s.Model.KV; {
	case kv == inputs.FP8:
		return "fp8_e4m3"
	case kv == inputs.FP4:
		return "fp4_e2m1"
	case kv.Bytes() == 2 && s.sglangDType() == "float32":
		return "bf16"
	}
	return ""
}

// sglangShare is --mem-fraction-static of a replica. SGLang takes the least memory free
// before loading (T) and after (min over the ranks), gives each rank's KV cache
// B = after - T·(1 - share), and then holds as many tokens everywhere as the rank can that
// holds the fewest (model_executor, _profile_available_bytes). B is what every GPU has room
// for, or what the plan's own sequences take of the fullest, where that is more: the token
// count keeps the others below.
//
// B is never more than the least that is free after loading. Where stages differ much in
// their weights, one with few of them may need more than that: held is the share of the
// plan's sequences whose KV cache SGLang then holds, 1 otherwise.
func (s *Serving) sglangShare(stages []*results.Stage) (memory, held float64) {
	kv := max(least(stages, room), most(stages, kvGiB))
	before := least(stages, s.memory)
	after := least(stages, func(x *results.Stage) float64 { return s.memory(x) - x.Memory.WeightsGiB })
	if most := after - before*(1-mostShare); kv > most {
		return mostShare, min(1, most/max(kv, 1e-9))
	}
	return share(1 - (after-kv)/before), 1
}

// sglangRouter is what spreads requests over the replicas: SGLang's router
// (sglang_router.launch_router, sgl-router/README.md).
func (s *Serving) sglangRouter(all []node) File {
	var b bash
	b.head(s, "Spreads requests over the replicas that sglang.sh starts, with SGLang's router (package sglang-router), on port 8000 of the machine that it runs on.")
	b.line("set -euo pipefail")
	b.line("")
	hosts := s.Hosts()
	b.addresses(hosts)
	b.line("port=${PORT:-%d} # as for sglang.sh", sglangPort)
	b.line("workers=(")
	place, number := map[string]int{}, map[string]int{}
	for _, h := range hosts {
		place[h.Name] = h.Number
	}
	for _, n := range all {
		if n.Rank == 0 {
			b.line("\t\"http://${hosts[%d]}:$((port + %d))\"", place[n.Host], number[n.Host])
		}
		number[n.Host]++
	}
	b.line(")")
	b.line(`exec python3 -m sglang_router.launch_router --host 0.0.0.0 --port 8000 --worker-urls "${workers[@]}"`)
	return File{Name: "sglang-router.sh", Data: []byte(b.String()), Executable: true}
}
