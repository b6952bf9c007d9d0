#!/usr/bin/env bash
# Starts one node's part of a plan on SGLang (version 0.5.6 or later), and stays
# until a server ends.
# Written from the plan of "by hand": 4 replicas × PP 1 × TP 1 of
# "Llama-3.1-70B" on 4 GPUs.
#
# On the node: bash sglang-prefill.sh
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - These are the prefill servers of the plan; those that decode have a script
#   of their own, and the same engine, version, model and format of the KV
#   cache. Requests go to the proxy, which has a third.
# - NIXL is installed (pip install nixl).
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
port=${PREFILL_PORT:-30100} # of the first process of a node

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
		--served-model-name=Llama-3.1-70B \
		--host 0.0.0.0 \
		--port $((port + $3)) \
		--tp-size 1 \
		--pp-size 1 \
		--max-running-requests 1 \
		--mem-fraction-static "$2" \
		--context-length 4608 \
		--chunked-prefill-size 4096 \
		--dtype bfloat16 \
		--kv-cache-dtype fp8_e4m3 \
		--quantization fp8 \
		--disaggregation-mode prefill \
		--disaggregation-transfer-backend nixl \
		--disaggregation-bootstrap-port $((8998 + $3)) &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0: answers requests on port 30100
	server 0 0.8914 0
	# replica 1: answers requests on port 30101
	server 1 0.8914 1
	# replica 2: answers requests on port 30102
	server 2 0.8914 2
	# replica 3: answers requests on port 30103
	server 3 0.8914 3
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 0" >&2
	exit 2
	;;
esac
wait -n
