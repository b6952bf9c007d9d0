#!/usr/bin/env bash
# Starts one node's part of a plan on llama.cpp (llama-server and rpc-server),
# and stays until a server ends.
# Written from the plan of "three-pools-llama-70b-fp16": 4 replicas × PP 8 × TP
# 1 of "Llama-3.1-70B" on 32 GPUs.
#
# On every node, with its number: bash llamacpp.sh NODE
# The 4 replicas are servers that know nothing of each other: spread requests
# evenly over them. Each takes 4 requests at once by the plan.
#
# Check first:
# - llama-server --list-devices shows the GPUs of a node as the plan counts
#   them, and nothing else holds memory on them.
# - MODEL is a GGUF file with fp16 weights. Where it holds layers for
#   multi-token prediction, NEXTN_LAYERS must say how many, or the split is off
#   by as many.
# - llama.cpp is built with -DGGML_RPC=ON on all nodes. Start those that run
#   rpc-server first. It obeys anyone who reaches its port, 50052 and up: keep
#   them to a closed network.
# - Over RPC the stages take turns: nothing is pipelined between nodes, which
#   the plan counts on.
set -euo pipefail

MODEL=${MODEL:?set MODEL to the path of the model as a GGUF file}
nextn=${NEXTN_LAYERS:-0} # layers for multi-token prediction in the file
# Addresses of the nodes by their numbers: as the plan names them, or as the
# variable HOSTS says, separated by spaces.
hosts=(
	node-0
	node-1
	node-2
	node-3
	node-4
	node-5
)
if [ -n "${HOSTS:-}" ]; then read -r -a hosts <<<"$HOSTS"; fi
if [ ${#hosts[@]} -ne 6 ]; then
	echo "HOSTS has ${#hosts[@]} addresses, the plan 6 nodes" >&2
	exit 2
fi
if [ $# -ne 1 ]; then
	echo "usage: bash $0 NODE   (0 to 5: the number of this node)" >&2
	exit 2
fi
node=$1
port=${PORT:-8080} # of the first replica of a node
rpc=${RPC_PORT:-50052} # of the first rpc-server of a node

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

# server NUMBER DEVICES RPC…: start a replica on GPUs that the environment shows
# and those of RPC. NUMBER counts the servers of this node.
server() {
	llama-server \
		--model "$MODEL" \
		--host 0.0.0.0 \
		--port $((port + $1)) \
		--n-gpu-layers 999 \
		--device "$2" \
		--split-mode layer \
		--tensor-split "24,24,10,3,3,3,4,$((10 + nextn))" \
		--parallel 4 \
		--ctx-size 5120 \
		--cont-batching \
		--batch-size 4096 \
		--ubatch-size 4096 \
		--flash-attn on \
		--cache-type-k f16 \
		--cache-type-v f16 \
		--fit off \
		"${@:3}" &
	servers+=($!)
}

# remote NUMBER DEVICES: give the GPUs that the environment shows to a server on
# another node.
remote() {
	rpc-server --host 0.0.0.0 --port $((rpc + $1)) --device "$2" &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0: answers requests on port 8080
	CUDA_VISIBLE_DEVICES=0,1 server 0 CUDA0,CUDA1,RPC0,RPC2,RPC3,RPC4,RPC5,RPC1 --rpc "${hosts[1]}:$((rpc + 0)),${hosts[2]}:$((rpc + 0))"
	# replica 1: answers requests on port 8081
	CUDA_VISIBLE_DEVICES=2,3 server 1 CUDA0,CUDA1,RPC0,RPC2,RPC3,RPC4,RPC5,RPC1 --rpc "${hosts[1]}:$((rpc + 1)),${hosts[3]}:$((rpc + 0))"
	# replica 2: answers requests on port 8082
	CUDA_VISIBLE_DEVICES=4,5 server 2 CUDA0,CUDA1,RPC0,RPC2,RPC3,RPC4,RPC5,RPC1 --rpc "${hosts[1]}:$((rpc + 2)),${hosts[4]}:$((rpc + 0))"
	# replica 3: answers requests on port 8083
	CUDA_VISIBLE_DEVICES=6,7 server 3 CUDA0,CUDA1,RPC0,RPC2,RPC3,RPC4,RPC5,RPC1 --rpc "${hosts[1]}:$((rpc + 3)),${hosts[5]}:$((rpc + 0))"
	;;
1) # node-1
	# replica 0: rpc-server
	CUDA_VISIBLE_DEVICES=0,1 remote 0 CUDA0,CUDA1
	# replica 1: rpc-server
	CUDA_VISIBLE_DEVICES=2,3 remote 1 CUDA0,CUDA1
	# replica 2: rpc-server
	CUDA_VISIBLE_DEVICES=4,5 remote 2 CUDA0,CUDA1
	# replica 3: rpc-server
	CUDA_VISIBLE_DEVICES=6,7 remote 3 CUDA0,CUDA1
	;;
2) # node-2
	# replica 0: rpc-server
	CUDA_VISIBLE_DEVICES=0,1,2,3 remote 0 CUDA0,CUDA1,CUDA2,CUDA3
	;;
3) # node-3
	# replica 1: rpc-server
	CUDA_VISIBLE_DEVICES=0,1,2,3 remote 0 CUDA0,CUDA1,CUDA2,CUDA3
	;;
4) # node-4
	# replica 2: rpc-server
	CUDA_VISIBLE_DEVICES=0,1,2,3 remote 0 CUDA0,CUDA1,CUDA2,CUDA3
	;;
5) # node-5
	# replica 3: rpc-server
	CUDA_VISIBLE_DEVICES=0,1,2,3 remote 0 CUDA0,CUDA1,CUDA2,CUDA3
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 5" >&2
	exit 2
	;;
esac
wait -n
