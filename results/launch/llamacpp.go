package launch

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
	"partita/results"
)

// llama.cpp's flags and limits are read off github.com/ggml-org/llama.cpp: docs/multi-gpu.md
// at commit 5815cb8, tools/server/README.md at 00dc805, tools/rpc/README.md at 038514c,
// common/arg.cpp, src/llama-model.cpp (load_tensors) and ggml/src/ggml-rpc/ggml-rpc.cpp.
//
//   - --split-mode layer puts layer l of L, counted from 0, on the first device whose share of
//     the sum of --tensor-split, added up in order, is above l/(L+1); the output layer counts
//     as layer L, the input layer stays on the CPU (load_tensors). Proportions of as many as
//     the layers, one more for the last device, give each its own and the output layer to the
//     last: layerSplit.
//   - L counts every block of the file: a GGUF with layers for multi-token prediction has more
//     of them than the plan (n_layer_all). NEXTN_LAYERS says how many.
//   - --tensor-split takes fewer than llama_max_devices() = 16 numbers (common/arg.cpp).
//   - --parallel is at most LLAMA_MAX_SEQ = 256, and --ctx-size is of all slots together.
//   - devices of rpc-servers are called RPC0, RPC1 … through the list of --rpc, each server's in
//     the order of its own --device (ggml_backend_rpc_add_server).
const (
	llamaPort    = 8080
	llamaRPCPort = 50052
)

func writeLlamaCpp(s *Serving) ([]File, error) {
	reasons, err := s.limits("llamacpp")
	if err != nil {
		return nil, err
	}
	if reasons = append(reasons, s.unlike()...); len(reasons) > 0 {
		return nil, &Refusal{"llama.cpp", reasons}
	}
	var servers []llamaServer
	for _, stages := range s.Replicas {
		v, err := s.llamaServer(stages)
		if err != nil {
			return nil, err
		}
		servers = append(servers, v)
	}
	return []File{s.llamaScript(servers)}, nil
}

// llamaServer is one replica: a llama-server on its first host, and an rpc-server on every
// other one.
type llamaServer struct {
	shares  []llamaShare // by host, the server's first
	devices []string     // --device, in the order of the stages
}

// llamaShare are the GPUs of one host for one replica.
type llamaShare struct {
	host    string
	devices []Device
}

// visible are the words that show a process these GPUs alone, by the variables of their makers.
func (x llamaShare) visible() []string {
	var out []string
	for _, v := range x.makers() {
		var numbers []string
		for _, d := range x.devices {
			if visible(d.Pool.Accelerator.Vendor) == v {
				numbers = append(numbers, d.Index)
			}
		}
		out = append(out, v+"="+strings.Join(numbers, ","))
	}
	return out
}

func (x llamaShare) makers() []string {
	var out []string
	for _, d := range x.devices {
		if v := visible(d.Pool.Accelerator.Vendor); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// names are what the backends call the GPUs: CUDA0, CUDA1, ROCm0.
func (x llamaShare) names() []string {
	next := map[string]int{}
	var out []string
	for _, d := range x.devices {
		b := backend(d.Pool.Accelerator.Vendor)
		out = append(out, fmt.Sprintf("%s%d", b, next[b]))
		next[b]++
	}
	return out
}

// backend is the name that devices of a maker go by.
func backend(vendor string) string {
	switch vendor {
	case "AMD":
		return "ROCm"
	case "Intel":
		return "SYCL"
	case "Huawei":
		return "CANN"
	}
	return "CUDA"
}

func (s *Serving) llamaServer(stages []*results.Stage) (llamaServer, error) {
	var v llamaServer
	at := map[string]int{}
	type place struct{ share, device int }
	var places []place
	for _, stage := range stages {
		devices, err := s.devices(stage)
		if err != nil {
			return v, err
		}
		for _, d := range devices {
			i, known := at[d.Host]
			if !known {
				i = len(v.shares)
				at[d.Host] = i
				v.shares = append(v.shares, llamaShare{host: d.Host})
			}
			v.shares[i].devices = append(v.shares[i].devices, d)
			places = append(places, place{i, len(v.shares[i].devices) - 1})
		}
	}
	remote := map[int]int{} // the number of a share's first device among those of RPC
	next := 0
	for i := 1; i < len(v.shares); i++ {
		remote[i] = next
		next += len(v.shares[i].devices)
	}
	local := v.shares[0].names()
	for _, p := range places {
		if p.share == 0 {
			v.devices = append(v.devices, local[p.device])
			continue
		}
		v.devices = append(v.devices, fmt.Sprintf("RPC%d", remote[p.share]+p.device))
	}
	return v, nil
}

// layerSplit is --tensor-split for the layers of each device: as many, and the output layer
// on the last.
func layerSplit(layers []int) []int {
	out := slices.Clone(layers)
	out[len(out)-1]++
	return out
}

// cacheType is a number format of the KV cache by llama.cpp's name. The rule pack admits no
// other formats.
func cacheType(d inputs.DType) string {
	switch d {
	case inputs.FP32:
		return "f32"
	case inputs.BF16:
		return "bf16"
	case inputs.INT8:
		return "q8_0"
	case inputs.INT4:
		return "q4_0"
	}
	return "f16"
}

func (s *Serving) llamaScript(servers []llamaServer) File {
	remote := slices.ContainsFunc(servers, func(v llamaServer) bool { return len(v.shares) > 1 })
	tensor := s.Replicas[0][0].TP > 1 // tensors are split, not layers
	file := fmt.Sprintf("MODEL is a GGUF file with %s weights.", s.Model.Weights)
	if !tensor {
		file += " Where it holds layers for multi-token prediction, NEXTN_LAYERS must say how many, or the split is off by as many."
	}
	checks := []string{"llama-server --list-devices shows the GPUs of a node as the plan counts them, and nothing else holds memory on them.", file}
	if remote {
		checks = append(checks, fmt.Sprintf("llama.cpp is built with -DGGML_RPC=ON on all nodes. Start those that run rpc-server first. It obeys anyone who reaches its port, %d and up: keep them to a closed network.", llamaRPCPort),
			"Over RPC the stages take turns: nothing is pipelined between nodes, which the plan counts on.")
	}
	if tensor {
		checks = append(checks, "--split-mode tensor is experimental, and not made for every architecture.")
	}
	x := s.start("llamacpp.sh", "Starts one node's part of a plan on llama.cpp (llama-server and rpc-server), and stays until a server ends.", checks...)
	x.line("MODEL=${MODEL:?set MODEL to the path of the model as a GGUF file}")
	if !tensor {
		x.line("nextn=${NEXTN_LAYERS:-0} # layers for multi-token prediction in the file")
	}
	x.hostVariables(x.hosts)
	x.line("port=${PORT:-%d} # of the first replica of a node", llamaPort)
	if remote {
		x.line("rpc=${RPC_PORT:-%d} # of the first rpc-server of a node", llamaRPCPort)
	}
	x.line("")
	x.background()
	about, flags := "server NUMBER DEVICES: start a replica on GPUs that the environment shows. NUMBER counts the servers of this node.", s.llamaFlags()
	if remote {
		about = "server NUMBER DEVICES RPC…: start a replica on GPUs that the environment shows and those of RPC. NUMBER counts the servers of this node."
		flags = append(flags, `"${@:3}"`)
	}
	x.function(about, "server", nil, append([]string{"llama-server"}, flags...)...)
	if remote {
		x.function("remote NUMBER DEVICES: give the GPUs that the environment shows to a server on another node.", "remote", nil,
			`rpc-server --host 0.0.0.0 --port $((rpc + $1)) --device "$2"`)
	}
	number, remotes := map[string]int{}, map[string]int{}
	for r, v := range servers {
		var endpoints []string
		for _, sh := range v.shares[1:] {
			x.call(sh.host, fmt.Sprintf("replica %d: rpc-server", r),
				strings.Join(append(sh.visible(), fmt.Sprintf("remote %d %s", remotes[sh.host], strings.Join(sh.names(), ","))), " "))
			endpoints = append(endpoints, fmt.Sprintf("%s:$((rpc + %d))", x.address(sh.host), remotes[sh.host]))
			remotes[sh.host]++
		}
		first := v.shares[0]
		call := append(first.visible(), fmt.Sprintf("server %d %s", number[first.host], strings.Join(v.devices, ",")))
		if len(endpoints) > 0 {
			call = append(call, `--rpc "`+strings.Join(endpoints, ",")+`"`)
		}
		x.call(first.host, fmt.Sprintf("replica %d: answers requests on port %d", r, llamaPort+number[first.host]), strings.Join(call, " "))
		number[first.host]++
	}
	return x.end("llamacpp.sh", "")
}

// llamaFlags are the words of llama-server, with $1 … as in server().
func (s *Serving) llamaFlags() []string {
	sequences := s.Phase.Strategy.SequencesPerReplica
	tokens := s.batchedTokens(sequences, 1)
	// What a GPU computes at once is a micro-batch; a batch of as many as there are stages
	// fills the pipeline.
	batch := tokens * max(1, min(len(s.Replicas[0]), s.Phase.Strategy.MicroBatches))
	out := []string{`--model "$MODEL"`, "--host 0.0.0.0", "--port $((port + $1))", "--n-gpu-layers 999", `--device "$2"`}
	if stage := s.Replicas[0][0]; stage.TP > 1 {
		out = append(out, "--split-mode tensor")
	} else {
		split := layerSplit(s.layers())
		last := split[len(split)-1]
		before := join(split[:len(split)-1], ",")
		if before != "" {
			before += ","
		}
		out = append(out, "--split-mode layer", fmt.Sprintf(`--tensor-split "%s$((%d + nextn))"`, before, last))
	}
	return append(out,
		fmt.Sprintf("--parallel %d", sequences),
		fmt.Sprintf("--ctx-size %d", sequences*s.contextLength()),
		"--cont-batching",
		fmt.Sprintf("--batch-size %d", batch),
		fmt.Sprintf("--ubatch-size %d", tokens),
		"--flash-attn on",
		"--cache-type-k "+cacheType(s.Model.KV),
		"--cache-type-v "+cacheType(s.Model.KV),
		"--fit off")
}
