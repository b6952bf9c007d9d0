#!/usr/bin/env bash
# Starts one node's part of a plan on TensorRT-LLM (trtllm-serve, version 1.2 or
# later), and stays until a server ends.
# Written from the plan of "deepseek-v3-fp8-4x8-h200": 4 replicas × PP 1 × TP 8
# × EP 8 of "DeepSeek-V3" on 32 GPUs.
#
# On every node, with its number: bash trtllm.sh NODE
# The 4 replicas are servers that know nothing of each other: spread requests
# evenly over them. Each takes 128 requests at once by the plan.
#
# Check first:
# - nvidia-smi counts the GPUs of a node as the plan does, and nothing else
#   holds memory on them.
# - trtllm.yaml lies beside this script.
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
beside=.
if [[ $0 == */* ]]; then beside=${0%/*}; fi
serve=(
	trtllm-serve "$MODEL"
	--backend pytorch
	--tp_size 8
	--pp_size 1
	--ep_size 8
	--max_batch_size 128
	--max_num_tokens 8192
	--max_seq_len 3072
	--extra_llm_api_options "$beside/trtllm.yaml"
	--host 0.0.0.0
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

# server NUMBER GPUS: start a replica on this node. NUMBER counts the servers of
# this node.
server() {
	CUDA_VISIBLE_DEVICES=$2 \
		"${serve[@]}" --port $((port + $1)) &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0: answers requests on port 8000
	server 0 0,1,2,3,4,5,6,7
	;;
1) # node-1
	# replica 1: answers requests on port 8000
	server 0 0,1,2,3,4,5,6,7
	;;
2) # node-2
	# replica 2: answers requests on port 8000
	server 0 0,1,2,3,4,5,6,7
	;;
3) # node-3
	# replica 3: answers requests on port 8000
	server 0 0,1,2,3,4,5,6,7
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 3" >&2
	exit 2
	;;
esac
wait -n
