#!/usr/bin/env bash
# Spreads requests over the replicas that sglang.sh starts, with SGLang's router
# (package sglang-router), on port 8000 of the machine that it runs on.
# Written from the plan of "deepseek-v3-fp8-4x8-h200": 4 replicas × PP 1 × TP 4
# × EP 8 × attention DP 2 of "DeepSeek-V3" on 32 GPUs.
set -euo pipefail

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
port=${PORT:-30000} # as for sglang.sh
workers=(
	"http://${hosts[0]}:$((port + 0))"
	"http://${hosts[1]}:$((port + 0))"
	"http://${hosts[2]}:$((port + 0))"
	"http://${hosts[3]}:$((port + 0))"
)
exec python3 -m sglang_router.launch_router --host 0.0.0.0 --port 8000 --worker-urls "${workers[@]}"
