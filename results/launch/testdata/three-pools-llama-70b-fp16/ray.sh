#!/usr/bin/env bash
# Starts a plan with vLLM on a Ray cluster of its nodes: node 0, the head,
# first; when all have joined, on node 0: bash ray.sh serve. To end: ray stop on
# every node.
# Written from the plan of "three-pools-llama-70b-fp16": 1 replica × PP 4 × TP 8
# of "Llama-3.1-70B" on 32 GPUs.
#
# On every node, with its number: bash ray.sh NODE
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - The nodes have the same vLLM and the same weights under MODEL, and reach
#   each other by the addresses below.
# - A node of several network cards: set VLLM_HOST_IP to the address that the
#   others reach it by.
# - Once started, vLLM logs "GPU KV cache size": the plan needs 20480 tokens and
#   counts on room for 1803248 in a replica.
# - The plan lets 3 groups of sequences take turns in the pipeline; vLLM forms
#   its batches itself, up to one a stage.
# - Ray and a vLLM with vllm/v1/executor/ray_executor_v2.py are installed, in
#   the same versions on all nodes. ray_serve.py and ray_replicas.json lie
#   beside this script.
# - Ray chooses which of a node's GPUs a rank gets, among those of the plan;
#   they are of one pool, and so alike.
set -euo pipefail

# What is loaded: a Hugging Face id or the path of a copy that every node has.
MODEL=${MODEL:-meta-llama/Llama-3.1-70B}
export MODEL
if [ "${1:-}" = serve ]; then
	case ${BASH_SOURCE[0]} in */*) here=${BASH_SOURCE[0]%/*} ;; *) here=. ;; esac
	exec python3 "$here/ray_serve.py" "$here/ray_replicas.json"
fi
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
port=${PORT:-6379} # of the head

# join GPUS COUNT RESOURCES: start Ray on this node with some of its GPUs
join() {
	local role=(--address "${hosts[0]}:$port")
	if [ "$node" = 0 ]; then role=(--head --port "$port"); fi
	CUDA_VISIBLE_DEVICES=$1 ray start "${role[@]}" --num-gpus "$2" --resources "$3"
}

case $node in
0) # node-0
	# pool "a100": stage 1 of replica 0
	join 0,1,2,3,4,5,6,7 8 '{"partita-node-0":8,"partita-pool-a100-0":8}'
	;;
1) # node-1
	# pool "l40s": stage 0 of replica 0
	join 0,1,2,3,4,5,6,7 8 '{"partita-node-1":8,"partita-pool-l40s-1":8}'
	;;
2) # node-2
	# pool "t4": stage 2 of replica 0
	join 0,1,2,3 4 '{"partita-node-2":4,"partita-pool-t4-2":4}'
	;;
3) # node-3
	# pool "t4": stage 2 of replica 0
	join 0,1,2,3 4 '{"partita-node-3":4,"partita-pool-t4-2":4}'
	;;
4) # node-4
	# pool "t4": stage 3 of replica 0
	join 0,1,2,3 4 '{"partita-node-4":4,"partita-pool-t4-2":4}'
	;;
5) # node-5
	# pool "t4": stage 3 of replica 0
	join 0,1,2,3 4 '{"partita-node-5":4,"partita-pool-t4-2":4}'
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 5" >&2
	exit 2
	;;
esac
