#!/usr/bin/env bash
# Starts one node's part of a training run on Megatron-LM (pretrain_gpt.py), and
# stays until it ends.
# Written from the plan of "training-mixtral-8x22b-256-h100": 8 replicas × PP 8
# × TP 4 × EP 8 × 7 virtual stages of "Mixtral-8x22B" on 256 GPUs.
#
# On every node, with its number: bash megatron.sh NODE
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
#   the plan predicts 9454 ms.
# - The nodes have the same Megatron-LM and reach each other by the addresses
#   below, on port 29500.
set -euo pipefail

MEGATRON=${MEGATRON:?set MEGATRON to the path of a checkout of Megatron-LM}
# Addresses of the nodes by their numbers: as the plan names them, or as the
# variable HOSTS says, separated by spaces.
hosts=(
	node-0
	node-1
	node-2
	node-3
	node-4
	node-5
	node-6
	node-7
	node-8
	node-9
	node-10
	node-11
	node-12
	node-13
	node-14
	node-15
	node-16
	node-17
	node-18
	node-19
	node-20
	node-21
	node-22
	node-23
	node-24
	node-25
	node-26
	node-27
	node-28
	node-29
	node-30
	node-31
)
if [ -n "${HOSTS:-}" ]; then read -r -a hosts <<<"$HOSTS"; fi
if [ ${#hosts[@]} -ne 32 ]; then
	echo "HOSTS has ${#hosts[@]} addresses, the plan 32 nodes" >&2
	exit 2
fi
if [ $# -ne 1 ]; then
	echo "usage: bash $0 NODE   (0 to 31: the number of this node)" >&2
	exit 2
fi
node=$1
meeting=${MEETING_PORT:-29500} # of the first node
export CUDA_DEVICE_MAX_CONNECTIONS=1 # Megatron asks for it: collectives keep the order of kernels

# Data, recipe and checkpoints, in words with spaces between: DATA is what
# --data-path takes, TRAIN_FLAGS the recipe.
read -r -a model <<<"${MODEL_FLAGS:-}"
if [ -n "${DATA:-}" ]; then
	read -r -a data <<<"$DATA"
	data=(--data-path "${data[@]}" --split '99,1,0' --tokenizer-type HuggingFaceTokenizer)
	TOKENIZER=${TOKENIZER:-mistralai/Mixtral-8x22B-v0.1}
	data+=(--tokenizer-model "$TOKENIZER")
	read -r -a recipe <<<"${TRAIN_FLAGS:?set TRAIN_FLAGS to the recipe: --train-iters, --lr, --lr-decay-style, --save …}"
else
	data=(--mock-data --tokenizer-type NullTokenizer --vocab-size 31999)
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
		--nnodes 32 \
		--node-rank "$2" \
		--nproc-per-node 8 \
		--master-addr "${hosts[0]}" \
		--master-port "$meeting" \
		"$MEGATRON/pretrain_gpt.py" \
		--tensor-model-parallel-size 4 \
		--pipeline-model-parallel-size 8 \
		--context-parallel-size 1 \
		--pipeline-model-parallel-layout 'Et*1|(t*1|)*54t*1L' \
		--expert-model-parallel-size 8 \
		--expert-tensor-parallel-size 1 \
		--sequence-parallel \
		--micro-batch-size 2 \
		--global-batch-size 1024 \
		--use-distributed-optimizer \
		--overlap-grad-reduce \
		--overlap-param-gather \
		--num-layers 56 \
		--hidden-size 6144 \
		--num-attention-heads 48 \
		--kv-channels 128 \
		--group-query-attention \
		--num-query-groups 8 \
		--swiglu \
		--untie-embeddings-and-output-weights \
		--num-experts 8 \
		--moe-router-topk 2 \
		--moe-ffn-hidden-size 16384 \
		--moe-layer-freq '[1]*56' \
		--moe-token-dispatcher-type alltoall \
		--moe-grouped-gemm \
		--seq-length 4096 \
		--max-position-embeddings 65536 \
		--bf16 \
		--optimizer adam \
		--normalization RMSNorm \
		--position-embedding-type rope \
		--disable-bias-linear \
		--attention-dropout 0 \
		--hidden-dropout 0 \
		--make-vocab-size-divisible-by 64 \
		"${data[@]}" \
		"${model[@]}" \
		"${recipe[@]}" &
	servers+=($!)
}

case $node in
0) # node-0
	# ranks 0 to 7, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 0
	;;
1) # node-1
	# ranks 8 to 15, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 1
	;;
2) # node-2
	# ranks 16 to 23, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 2
	;;
3) # node-3
	# ranks 24 to 31, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 3
	;;
4) # node-4
	# ranks 32 to 39, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 4
	;;
5) # node-5
	# ranks 40 to 47, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 5
	;;
6) # node-6
	# ranks 48 to 55, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 6
	;;
7) # node-7
	# ranks 56 to 63, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 7
	;;
8) # node-8
	# ranks 64 to 71, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 8
	;;
9) # node-9
	# ranks 72 to 79, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 9
	;;
10) # node-10
	# ranks 80 to 87, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 10
	;;
11) # node-11
	# ranks 88 to 95, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 11
	;;
12) # node-12
	# ranks 96 to 103, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 12
	;;
13) # node-13
	# ranks 104 to 111, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 13
	;;
14) # node-14
	# ranks 112 to 119, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 14
	;;
15) # node-15
	# ranks 120 to 127, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 15
	;;
16) # node-16
	# ranks 128 to 135, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 16
	;;
17) # node-17
	# ranks 136 to 143, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 17
	;;
18) # node-18
	# ranks 144 to 151, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 18
	;;
19) # node-19
	# ranks 152 to 159, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 19
	;;
20) # node-20
	# ranks 160 to 167, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 20
	;;
21) # node-21
	# ranks 168 to 175, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 21
	;;
22) # node-22
	# ranks 176 to 183, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 22
	;;
23) # node-23
	# ranks 184 to 191, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 23
	;;
24) # node-24
	# ranks 192 to 199, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 24
	;;
25) # node-25
	# ranks 200 to 207, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 25
	;;
26) # node-26
	# ranks 208 to 215, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 26
	;;
27) # node-27
	# ranks 216 to 223, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 27
	;;
28) # node-28
	# ranks 224 to 231, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 28
	;;
29) # node-29
	# ranks 232 to 239, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 29
	;;
30) # node-30
	# ranks 240 to 247, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 30
	;;
31) # node-31
	# ranks 248 to 255, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 31
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 31" >&2
	exit 2
	;;
esac
for _ in "${servers[@]}"; do wait -n; done
