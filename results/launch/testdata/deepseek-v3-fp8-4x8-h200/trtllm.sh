#!/usr/bin/env bash
# Starts one node's part of a plan on TensorRT-LLM (trtllm-serve, version 1.2 or
# later), and stays until a server ends.
# Written from the plan of "deepseek-v3-fp8-4x8-h200": 2 replicas × PP 1 × TP 1
# × EP 16 × attention DP 16 of "DeepSeek-V3" on 32 GPUs.
#
# On every node, with its number: bash trtllm.sh NODE
# The 2 replicas are servers that know nothing of each other: spread requests
# evenly over them. Each takes 256 requests at once by the plan.
#
# Check first:
# - nvidia-smi counts the GPUs of a node as the plan does, and nothing else
#   holds memory on them.
# - trtllm.yaml lies beside this script.
# - A replica on several nodes is one MPI world, which mpirun (Open MPI) starts
#   over ssh from its first node: TensorRT-LLM, the weights and trtllm.yaml are
#   on all of them under the same paths. MPIRUN_OPTIONS are passed on, such as
#   '--allow-run-as-root -x HF_TOKEN'. Under Slurm, srun --mpi=pmix with as many
#   tasks in the same order does the same.
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
	--tp_size 16
	--pp_size 1
	--ep_size 16
	--max_batch_size 16
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

# world NUMBER RANKS, then ADDRESS SLOTS GPUS for each part: start a replica of
# parts with RANKS ranks each, which see GPUS. SLOTS are the ranks of the
# replica at that address.
world() {
	# trtllm-llmapi-launch splits the words that it is given at spaces.
	if [[ $MODEL$beside == *[[:space:]]* ]]; then
		echo 'MODEL and the folder of this script must be paths without spaces' >&2
		exit 2
	fi
	local number=$1 ranks=$2
	local -a options=() parts=()
	shift 2
	read -r -a options <<<"${MPIRUN_OPTIONS:-}"
	while [ $# -gt 0 ]; do
		if [ ${#parts[@]} -gt 0 ]; then parts+=(:); fi
		parts+=(-n "$ranks" --host "$1:$2" env "CUDA_VISIBLE_DEVICES=$3")
		parts+=(trtllm-llmapi-launch "${serve[@]}" --gpus_per_node "$ranks" --port $((port + number)))
		shift 3
	done
	mpirun "${options[@]}" "${parts[@]}" &
	servers+=($!)
}

case $node in
0) # node-0
	# replica 0: answers requests on port 8000
	world 0 8 \
		"${hosts[0]}" 8 0,1,2,3,4,5,6,7 \
		"${hosts[1]}" 8 0,1,2,3,4,5,6,7
	;;
1) # node-1
	echo 'mpirun on the first node of a replica starts the ranks of this node'
	exit 0
	;;
2) # node-2
	# replica 1: answers requests on port 8000
	world 0 8 \
		"${hosts[2]}" 8 0,1,2,3,4,5,6,7 \
		"${hosts[3]}" 8 0,1,2,3,4,5,6,7
	;;
3) # node-3
	echo 'mpirun on the first node of a replica starts the ranks of this node'
	exit 0
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 3" >&2
	exit 2
	;;
esac
wait -n
