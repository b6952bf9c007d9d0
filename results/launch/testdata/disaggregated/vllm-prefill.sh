#!/usr/bin/env bash
# Starts one node's part of a plan on vLLM (vllm serve, version 0.12 or later),
# and stays until a server ends.
# Written from the plan of "by hand": 4 replicas × PP 1 × TP 1 of
# "Llama-3.1-70B" on 4 GPUs.
#
# On the node: bash vllm-prefill.sh
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - These are the prefill servers of the plan; those that decode have a script
#   of their own, and the same engine, version, model and format of the KV
#   cache. Requests go to the proxy, which has a third.
# - NIXL is installed (pip install nixl).
# - Once started, vLLM logs "GPU KV cache size": the plan needs 4608 tokens.
set -euo pipefail

# What is loaded: a Hugging Face id or the path of a copy that every node has.
MODEL=${MODEL:-meta-llama/Llama-3.1-70B}
# Addresses of the nodes by their numbers: as the plan names them, or as the
# variable HOSTS says, separated by spaces.
hosts=(
	node-0
)
if [ -n "${HOSTS:-}" ]; then read -r -a hosts <<<"$HOSTS"; fi
if [ ${#hosts[@]} -ne 1 ]; then
	echo "HOSTS has ${#hosts[@]} addresses, the plan 1 nodes" >&2
	exit 2
fi
node=${1:-0}
port=${PREFILL_PORT:-8100} # of the first replica of a node
channel=5600 # by which the first replica of a node is asked for its KV cache

flags=(
	--tensor-parallel-size 1
	--pipeline-parallel-size 1
	--dtype bfloat16
	--quantization fp8
	--kv-cache-dtype fp8
	--max-model-len 4608
	--max-num-seqs 1
	--max-num-batched-tokens 4096
	--kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}'
	--served-model-name=Llama-3.1-70B
)

servers=()
# When a server ends, or this script is stopped, the others of the node are too.
stop() {
	trap - EXIT INT TERM
	kill "${servers[@]}" 2>/dev/null || true
	wait || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# serve NUMBER GPUS FLAGS…: start a replica on some GPUs of this node; NUMBER
# counts its ports for the KV cache
serve() {
	local number=$1 gpus=$2
	shift 2
	VLLM_NIXL_SIDE_CHANNEL_PORT=$((channel + number)) CUDA_VISIBLE_DEVICES=$gpus vllm serve "$MODEL" "${flags[@]}" "$@" &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0: answers requests on port 8100
	serve 0 0 --gpu-memory-utilization 0.9 --port $((port + 0))
	# replica 1: answers requests on port 8101
	serve 1 1 --gpu-memory-utilization 0.9 --port $((port + 1))
	# replica 2: answers requests on port 8102
	serve 2 2 --gpu-memory-utilization 0.9 --port $((port + 2))
	# replica 3: answers requests on port 8103
	serve 3 3 --gpu-memory-utilization 0.9 --port $((port + 3))
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 0" >&2
	exit 2
	;;
esac
wait -n
