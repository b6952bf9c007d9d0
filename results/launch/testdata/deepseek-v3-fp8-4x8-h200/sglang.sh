#!/usr/bin/env bash
# Starts one node's part of a plan on SGLang (version 0.5.6 or later), and stays
# until a server ends.
# Written from the plan of "deepseek-v3-fp8-4x8-h200": 4 replicas × PP 1 × TP 4
# × EP 8 × attention DP 2 of "DeepSeek-V3" on 32 GPUs.
#
# On every node, with its number: bash sglang.sh NODE
# The 4 replicas are servers that know nothing of each other: spread requests
# evenly over them. Each takes 128 requests at once by the plan.
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - Without more flags the ranks gather all tokens for their experts. Where the
#   package deep_ep is installed, --moe-a2a-backend deepep sends each token to
#   its experts alone, which the plan counts on.
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
port=${PORT:-30000} # of the first process of a node

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

# server GPUS MEMORY_SHARE NUMBER: start a replica. NUMBER counts the processes
# of this node.
server() {
	CUDA_VISIBLE_DEVICES=$1 \
		python3 -m sglang.launch_server \
		--model-path "$MODEL" \
		--served-model-name=DeepSeek-V3 \
		--host 0.0.0.0 \
		--port $((port + $3)) \
		--tp-size 8 \
		--pp-size 1 \
		--dp-size 2 \
		--enable-dp-attention \
		--enable-dp-lm-head \
		--ep-size 8 \
		--max-running-requests 128 \
		--mem-fraction-static "$2" \
		--context-length 3072 \
		--chunked-prefill-size 8192 \
		--dtype bfloat16 \
		--kv-cache-dtype fp8_e4m3 &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0: answers requests on port 30000
	server 0,1,2,3,4,5,6,7 0.8657 0
	;;
1) # node-1
	# replica 1: answers requests on port 30000
	server 0,1,2,3,4,5,6,7 0.8657 0
	;;
2) # node-2
	# replica 2: answers requests on port 30000
	server 0,1,2,3,4,5,6,7 0.8657 0
	;;
3) # node-3
	# replica 3: answers requests on port 30000
	server 0,1,2,3,4,5,6,7 0.8657 0
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 3" >&2
	exit 2
	;;
esac
wait -n
