#!/usr/bin/env bash
# Starts one node's part of a plan on vLLM (vllm serve, version 0.12 or later),
# and stays until a server ends.
# Written from the plan of "deepseek-v3-fp8-4x8-h200": 4 replicas × PP 1 × TP 4
# × EP 8 × attention DP 2 of "DeepSeek-V3" on 32 GPUs.
#
# On every node, with its number: bash vllm.sh NODE
# The 4 replicas are servers that know nothing of each other: spread requests
# evenly over them. Each takes 128 requests at once by the plan.
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - The nodes have the same vLLM and the same weights under MODEL, and reach
#   each other by the addresses below.
# - Once started, vLLM logs "GPU KV cache size": the plan needs 196608 tokens of
#   each data-parallel rank and counts on room for 2456274 in a replica.
set -euo pipefail

# What is loaded: a Hugging Face id or the path of a copy that every node has.
MODEL=${MODEL:-deepseek-ai/DeepSeek-V3}
# Addresses of the nodes by their numbers: as the plan names them, or as the
# variable HOSTS says, separated by spaces.
hosts=(
	node-0
	node-1
	node-2
	node-3
)
if [ -n "${HOSTS:-}" ]; then read -r -a hosts <<<"$HOSTS"; fi
if [ ${#hosts[@]} -ne 4 ]; then
	echo "HOSTS has ${#hosts[@]} addresses, the plan 4 nodes" >&2
	exit 2
fi
if [ $# -ne 1 ]; then
	echo "usage: bash $0 NODE   (0 to 3: the number of this node)" >&2
	exit 2
fi
node=$1
port=${PORT:-8000} # of the first replica of a node

flags=(
	--tensor-parallel-size 4
	--pipeline-parallel-size 1
	--data-parallel-size 2
	--enable-expert-parallel
	--dtype bfloat16
	--kv-cache-dtype fp8
	--max-model-len 3072
	--max-num-seqs 64
	--max-num-batched-tokens 4096
	--served-model-name=DeepSeek-V3
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

# serve GPUS FLAGS…: start a part of a replica on some GPUs of this node
serve() {
	local gpus=$1
	shift
	CUDA_VISIBLE_DEVICES=$gpus vllm serve "$MODEL" "${flags[@]}" "$@" &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0: answers requests on port 8000
	serve 0,1,2,3,4,5,6,7 --gpu-memory-utilization 0.9 --distributed-executor-backend mp --port $((port + 0))
	;;
1) # node-1
	# replica 1: answers requests on port 8000
	serve 0,1,2,3,4,5,6,7 --gpu-memory-utilization 0.9 --distributed-executor-backend mp --port $((port + 0))
	;;
2) # node-2
	# replica 2: answers requests on port 8000
	serve 0,1,2,3,4,5,6,7 --gpu-memory-utilization 0.9 --distributed-executor-backend mp --port $((port + 0))
	;;
3) # node-3
	# replica 3: answers requests on port 8000
	serve 0,1,2,3,4,5,6,7 --gpu-memory-utilization 0.9 --distributed-executor-backend mp --port $((port + 0))
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 3" >&2
	exit 2
	;;
esac
wait -n
