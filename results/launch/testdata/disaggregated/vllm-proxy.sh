#!/usr/bin/env bash
# Sends each request to a prefill server and then to a decode server of the
# plan, round and round, with the proxy of vLLM's repository. On port 8000 of
# the machine that it runs on.
# Written from the plan of "by hand": prefill 4 replicas × PP 1 × TP 1 of
# "Llama-3.1-70B" on 4 GPUs; decode 1 replica × PP 1 × TP 4 of "Llama-3.1-70B"
# on 4 GPUs.
set -euo pipefail

# A copy of tests/v1/kv_connector/nixl_integration/toy_proxy_server.py of the
# vLLM version in use.
missing='set PROXY to the path of toy_proxy_server.py'
PROXY=${PROXY:?"$missing"}
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
prefill=${PREFILL_PORT:-8100} # as for vllm-prefill.sh
decode=${DECODE_PORT:-8200} # as for vllm-decode.sh
exec python3 "$PROXY" --host 0.0.0.0 \
	--port 8000 \
	--prefiller-hosts 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 \
	--prefiller-ports $((prefill + 0)) $((prefill + 1)) $((prefill + 2)) $((prefill + 3)) \
	--decoder-hosts 127.0.0.1 \
	--decoder-ports $((decode + 0))
