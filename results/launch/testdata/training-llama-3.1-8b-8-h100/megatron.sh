#!/usr/bin/env bash
# Starts one node's part of a training run on Megatron-LM (pretrain_gpt.py), and
# stays until it ends.
# Written from the plan of "training-llama-3.1-8b-8-h100": 2 replicas × PP 2 ×
# TP 2 of "Llama-3.1-8B" on 8 GPUs.
#
# On the node: bash megatron.sh
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - MODEL_FLAGS says of the model what a plan does not know: --rotary-base,
#   --norm-epsilon, --use-rope-scaling, --add-qkv-bias … Flags of it, and of
#   TRAIN_FLAGS, that the plan has given come last and hold.
# - Layers with gated feed-forward blocks are taken to have RMSNorm, rotary
#   positions and no biases.
# - Without DATA it runs 20 steps on made-up data and prints the time of each:
#   the plan predicts 14347 ms.
set -euo pipefail

MEGATRON=${MEGATRON:?set MEGATRON to the path of a checkout of Megatron-LM}
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
meeting=${MEETING_PORT:-29500} # of the first node
export CUDA_DEVICE_MAX_CONNECTIONS=1 # Megatron asks for it: collectives keep the order of kernels

# Data, recipe and checkpoints, in words with spaces between: DATA is what
# --data-path takes, TRAIN_FLAGS the recipe.
read -r -a model <<<"${MODEL_FLAGS:-}"
if [ -n "${DATA:-}" ]; then
	read -r -a data <<<"$DATA"
	data=(--data-path "${data[@]}" --split '99,1,0' --tokenizer-type HuggingFaceTokenizer)
	TOKENIZER=${TOKENIZER:-meta-llama/Llama-3.1-8B}
	data+=(--tokenizer-model "$TOKENIZER")
	read -r -a recipe <<<"${TRAIN_FLAGS:?set TRAIN_FLAGS to the recipe: --train-iters, --lr, --lr-decay-style, --save …}"
else
	data=(--mock-data --tokenizer-type NullTokenizer --vocab-size 128255)
	read -r -a recipe <<<"${TRAIN_FLAGS:---train-iters 20 --lr 1e-5 --eval-iters 0 --log-interval 1 --log-throughput}"
fi

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

# train GPUS NODE: start the ranks of one node, which all meet at the first.
train() {
	CUDA_VISIBLE_DEVICES=$1 \
		torchrun \
		--nnodes 1 \
		--node-rank "$2" \
		--nproc-per-node 8 \
		--master-addr "127.0.0.1" \
		--master-port "$meeting" \
		"$MEGATRON/pretrain_gpt.py" \
		--tensor-model-parallel-size 2 \
		--pipeline-model-parallel-size 2 \
		--context-parallel-size 1 \
		--pipeline-model-parallel-layout 'Et*17|t*15L' \
		--sequence-parallel \
		--micro-batch-size 2 \
		--global-batch-size 128 \
		--use-distributed-optimizer \
		--overlap-grad-reduce \
		--overlap-param-gather \
		--num-layers 32 \
		--hidden-size 4096 \
		--num-attention-heads 32 \
		--kv-channels 128 \
		--group-query-attention \
		--num-query-groups 8 \
		--ffn-hidden-size 14336 \
		--swiglu \
		--untie-embeddings-and-output-weights \
		--seq-length 8192 \
		--max-position-embeddings 131072 \
		--bf16 \
		--optimizer adam \
		--normalization RMSNorm \
		--position-embedding-type rope \
		--disable-bias-linear \
		--attention-dropout 0 \
		--hidden-dropout 0 \
		--make-vocab-size-divisible-by 128 \
		"${data[@]}" \
		"${model[@]}" \
		"${recipe[@]}" &
	servers+=($!)
}

case $node in
0) # node-0
	# ranks 0 to 7, of pipeline ranks 0 to 1
	train 0,1,2,3,4,5,6,7 0
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 0" >&2
	exit 2
	;;
esac
for _ in "${servers[@]}"; do wait -n; done
