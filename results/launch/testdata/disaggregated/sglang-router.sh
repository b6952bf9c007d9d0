#!/usr/bin/env bash
# Sends each request to a prefill and a decode server of the plan, with SGLang's
# router (package sglang-router), on port 8000 of the machine that it runs on.
# Written from the plan of "by hand": prefill 4 replicas × PP 1 × TP 1 of
# "Llama-3.1-70B" on 4 GPUs; decode 1 replica × PP 1 × TP 4 of "Llama-3.1-70B"
# on 4 GPUs.
set -euo pipefail

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
prefill=${PREFILL_PORT:-30100} # as for sglang-prefill.sh
decode=${DECODE_PORT:-30200} # as for sglang-decode.sh
exec python3 -m sglang_router.launch_router --pd-disaggregation \
	--host 0.0.0.0 --port 8000 \
	--prefill "http://127.0.0.1:$((prefill + 0))" 8998 \
	--prefill "http://127.0.0.1:$((prefill + 1))" 8999 \
	--prefill "http://127.0.0.1:$((prefill + 2))" 9000 \
	--prefill "http://127.0.0.1:$((prefill + 3))" 9001 \
	--decode "http://127.0.0.1:$((decode + 0))"
