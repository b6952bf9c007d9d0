#!/usr/bin/env bash
# Runs a batch on a real Slurm: one node on the loopback, set up here and taken down at
# the end, beside whatever else the machine runs (folders, ports and keys of its own).
# The job is the one that `partita batch --to slurm` prints. One task is killed
# (SIGKILL) and one is preempted while they work; the joined results must be, byte for
# byte, those of one machine. Needs root and Debian's packages slurm-wlm and munge, which
# it installs where they are absent.
#
#   scripts/slurm.sh           the binary is bin/partita
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$PWD
binary=$tree/bin/partita

fail() {
	echo "slurm.sh: $1" >&2
	for log in "${lab:-/nonexistent}"/log/* "${lab:-/nonexistent}"/work/*.log; do
		[ -s "$log" ] && { echo "--- ${log##*/}"; tail -n 20 "$log"; } >&2
	done
	exit 1
}
[ -x "$binary" ] || fail "bin/partita is missing: make build"
[ "$(id -u)" -eq 0 ] || fail "root is needed: Slurm starts jobs as their users"
if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
	command -v apt-get >/dev/null || fail "slurm-wlm and munge are missing, and there is no apt-get"
	# Services of the packages stay down: this script starts its own.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
		trap 'rm -f $policy' EXIT
	fi
	install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends slurm-wlm munge >&2; }
	install || { apt-get update -q >&2 && install; } || fail "the packages slurm-wlm and munge cannot be installed"
	[ -z "$(trap -p EXIT)" ] || rm -f $policy # one that was there stays
	trap - EXIT
fi

lab=$(mktemp -d /tmp/partita-slurm.XXXXXX)
chmod 755 "$lab"
mkdir "$lab"/{log,state,spool,work}
pids=()
cleanup() {
	if [ -n "${started:-}" ]; then scancel --user=root >/dev/null 2>&1 || true; fi
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	rm -rf --one-file-system "$lab"
}
trap cleanup EXIT

echo "== a Slurm of one node in $lab"
head -c 1024 /dev/urandom >"$lab/munge.key"
chmod 600 "$lab/munge.key"
munged --foreground --force --num-threads=2 --key-file="$lab/munge.key" --socket="$lab/munge.socket" \
	--pid-file="$lab/munged.pid" --log-file="$lab/log/munged" --seed-file="$lab/munge.seed" 2>"$lab/log/munged.err" &
pids+=($!)

host=$(hostname -s)
cores=$(nproc)
port=$((20000 + RANDOM % 20000))
cat >"$lab/slurm.conf" <<CONF
ClusterName=partita
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$lab/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool
SlurmctldPidFile=$lab/slurmctld.pid
SlurmdPidFile=$lab/slurmd.pid
SlurmctldLogFile=$lab/log/slurmctld
SlurmdLogFile=$lab/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2
MpiDefault=none
KillWait=2
MinJobAge=600
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores RealMemory=2000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
# Nothing here needs control groups, and slurmd must not ask systemd for one.
printf "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\nCgroupMountpoint=%s\n" "$lab/cgroup" >"$lab/cgroup.conf"
export SLURM_CONF=$lab/slurm.conf

until_true() { # SECONDS WHAT COMMAND…
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "$what did not happen in time"
		sleep 0.2
	done
}
until_true 20 "munged's start" test -S "$lab/munge.socket"
slurmctld -D -i 2>/dev/null & # they log to their files
pids+=($!)
started=1
until_true 30 "slurmctld's start" scontrol ping
slurmd -D 2>/dev/null &
pids+=($!)
idle() { sinfo --noheader --format=%T | grep -qE '^(idle|mixed|allocated)'; }
until_true 60 "slurmd's start" idle
sinfo

echo "== on one machine"
cp -r examples "$lab/work/"
cd "$lab/work"
config=examples/batch-slurm.yaml
# So many scenarios that a task cannot end before it is killed.
cat >$config <<'CONF'
base: llama-3.1-70b-2x8-h100.yaml
matrix:
  - {field: workload.batch, values: [8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, none]}
  - {field: workload.input, values: [128, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096]}
  - {field: workload.output, values: [64, 128, 256, 512, 1024]}
scenarios:
  - {name: too fast, set: {goal.requirements.tpot: 1ms}}
CONF
"$binary" batch $config -o alone --failed-ok --json 2>/dev/null | tail -n 1

echo "== on Slurm, with one task killed and one preempted"
# The program of the job has a space and a quote in its name, and does to two tasks, the
# first time they run, what a machine and an operator would.
mkdir "it's here"
cat >"it's here/partita" <<PROGRAM
#!/bin/bash
"$binary" "\$@" &
child=\$!
if [ "\${SLURM_RESTART_COUNT:-0}" = 0 ]; then
	results() { cat out/shard-"\$SLURM_ARRAY_TASK_ID"-of-4/journal.jsonl 2>/dev/null | wc -l; }
	case \${SLURM_ARRAY_TASK_ID:-} in
	1) until [ "\$(results)" -gt 2 ]; do sleep 0.01; done; kill -KILL \$child ;;
	2) until [ "\$(results)" -gt 2 ]; do sleep 0.01; done; kill -STOP \$child
	   scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"; sleep 60 ;;
	esac
fi
wait \$child
PROGRAM
chmod +x "it's here/partita"
"$binary" batch $config --to slurm --shards 4 --cpus 1 --memory 400M --walltime 10 \
	--program "$lab/work/it's here/partita" -o out >job.sh
bash -n job.sh
bash job.sh | tee submitted
array=$(sed -nE 's/^array ([0-9]+), .*/\1/p' submitted)
step=$(sed -nE 's/.*then step ([0-9]+)$/\1/p' submitted)
if [ -z "$array" ] || [ -z "$step" ]; then fail "the script did not submit both"; fi

state() { scontrol show job "$1" -o | sed -nE 's/.* JobState=([A-Z_]+) .*/\1/p'; }
last=""
for _ in $(seq 600); do
	now=$(squeue --noheader --array --format='%i %T' | sort | tr '\n' ';')
	[ "$now" = "$last" ] || echo "   ${now:-nothing left in the queue}"
	last=$now
	[ -n "$now" ] || break
	sleep 0.5
done
[ -z "$last" ] || fail "the job did not end in time"
for i in 0 1 2 3; do
	[ "$(state "${array}_$i")" = COMPLETED ] || fail "task $i ended as $(state "${array}_$i")"
done
[ "$(state "$step")" = COMPLETED ] || fail "the step that joins ended as $(state "$step")"
for i in 1 2; do
	restarts=$(scontrol show job "${array}_$i" -o | sed -nE 's/.* Restarts=([0-9]+) .*/\1/p')
	[ "$restarts" = 1 ] || fail "task $i was started again $restarts times, want once"
	grep -q "done by an earlier run" ./*"${array}_$i.log" || fail "task $i began anew instead of continuing"
done

echo "== an array that says the shares itself"
# Without --shards a task takes what Slurm says of its array, here numbered from 3.
sbatch --parsable --wait --array=3-7:2 --mem=400M --output=%x-%A_%a.log --job-name=own \
	--wrap "exec $binary batch $config -o own --failed-ok" >own-id || fail "the array failed"
"$binary" batch --merge own -o own --failed-ok >/dev/null

for name in journal.jsonl results.jsonl summary.csv summary.md scenarios; do
	diff -r "alone/$name" "out/$name" || fail "$name of the array is not that of one machine"
	diff -r "alone/$name" "own/$name" || fail "$name of the array with Slurm's own numbers is not that of one machine"
done
echo "== the same bytes: $(wc -l <out/results.jsonl) scenarios on one machine, in 4 shards with a kill and a preemption, and in 3"
