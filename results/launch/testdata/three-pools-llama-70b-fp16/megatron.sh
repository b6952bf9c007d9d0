#!/usr/bin/env bash
# Starts one node's part of a plan on Megatron-LM's inference server, and stays
# until a server ends.
# Written from the plan of "three-pools-llama-70b-fp16": 1 replica × PP 4 × TP 8
# of "Llama-3.1-70B" on 32 GPUs.
#
# On every node, with its number: bash megatron.sh NODE
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - CHECKPOINT is a Megatron checkpoint of the model in the format torch_dist.
#   What a plan does not know of the model (rotary base, norms, scores of
#   routers, windows) is taken from there.
# - The nodes have the same Megatron-LM and the same checkpoint, and reach each
#   other by the addresses below, on ports 29500 and up.
set -euo pipefail

MEGATRON=${MEGATRON:?set MEGATRON to the path of a checkout of Megatron-LM}
CHECKPOINT=${CHECKPOINT:?set CHECKPOINT to the path of a Megatron checkpoint of the model}
TOKENIZER=${TOKENIZER:-meta-llama/Llama-3.1-70B}
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
port=${PORT:-5000} # of the first process of a node
meeting=${MEETING_PORT:-29500} # of the first replica of a node
export CUDA_DEVICE_MAX_CONNECTIONS=1 # Megatron asks for it: collectives keep the order of kernels

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

# server GPUS RANKS NUMBER NODES RANK ADDRESS MEETING: start a replica, or a
# part of one with RANKS ranks. NUMBER counts the processes of this node; the
# replica meets at ADDRESS.
server() {
	CUDA_VISIBLE_DEVICES=$1 \
		torchrun \
		--nnodes "$4" \
		--node-rank "$5" \
		--nproc-per-node "$2" \
		--master-addr "$6" \
		--master-port "$7" \
		"$MEGATRON/examples/inference/launch_inference_server.py" \
		--load "$CHECKPOINT" \
		--ckpt-format torch_dist \
		--dist-ckpt-strictness log_unexpected \
		--use-checkpoint-args \
		--tensor-model-parallel-size 8 \
		--pipeline-model-parallel-size 4 \
		--context-parallel-size 1 \
		--pipeline-model-parallel-layout 'Et*5|t*62|t*7|t*6L' \
		--num-layers 80 \
		--hidden-size 8192 \
		--num-attention-heads 64 \
		--kv-channels 128 \
		--group-query-attention \
		--num-query-groups 8 \
		--ffn-hidden-size 28672 \
		--swiglu \
		--untie-embeddings-and-output-weights \
		--micro-batch-size 1 \
		--seq-length 1280 \
		--max-position-embeddings 131072 \
		--inference-max-seq-length 1280 \
		--inference-dynamic-batching-max-requests 16 \
		--inference-dynamic-batching-max-tokens 8192 \
		--inference-dynamic-batching-buffer-size-gb 8.97 \
		--attention-backend flash \
		--enable-chunked-prefill \
		--fp16 \
		--tokenizer-type HuggingFaceTokenizer \
		--tokenizer-model "$TOKENIZER" \
		--no-use-tokenizer-model-from-checkpoint-args \
		--host 0.0.0.0 \
		--port $((port + $3)) &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0, part 3 of 8
	server 0,1,2,3 4 0 8 2 "${hosts[1]}" $((meeting + 0))
	# replica 0, part 4 of 8
	server 4,5,6,7 4 1 8 3 "${hosts[1]}" $((meeting + 0))
	;;
1) # node-1
	# replica 0, part 1 of 8: answers requests on port 5000
	server 0,1,2,3 4 0 8 0 "${hosts[1]}" $((meeting + 0))
	# replica 0, part 2 of 8
	server 4,5,6,7 4 1 8 1 "${hosts[1]}" $((meeting + 0))
	;;
2) # node-2
	# replica 0, part 5 of 8
	server 0,1,2,3 4 0 8 4 "${hosts[1]}" $((meeting + 0))
	;;
3) # node-3
	# replica 0, part 6 of 8
	server 0,1,2,3 4 0 8 5 "${hosts[1]}" $((meeting + 0))
	;;
4) # node-4
	# replica 0, part 7 of 8
	server 0,1,2,3 4 0 8 6 "${hosts[1]}" $((meeting + 0))
	;;
5) # node-5
	# replica 0, part 8 of 8
	server 0,1,2,3 4 0 8 7 "${hosts[1]}" $((meeting + 0))
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 5" >&2
	exit 2
	;;
esac
wait -n
