#!/usr/bin/env bash
# Runs the benchmarks and prints them as a table: first the figures of
# docs/performance.md, then the parts they are made of.
#
#   scripts/bench.sh [PATTERN]     only benchmarks that match (default: all)
#
# GO and TAGS come from the Makefile. A benchmark runs for a second, or once where
# that takes longer; the raw output of go test goes to stderr for benchstat.
set -euo pipefail
cd "$(dirname "$0")/.."
pattern=${1:-.}
go=${GO:-go}
tags=${TAGS:-}

table() {
	awk '
	function time(ns) {
		if (ns >= 1e9) return sprintf("%.2f s", ns / 1e9)
		if (ns >= 1e6) return sprintf("%.1f ms", ns / 1e6)
		if (ns >= 1e3) return sprintf("%.1f µs", ns / 1e3)
		return sprintf("%.0f ns", ns)
	}
	/^cpu:/ { sub(/^cpu: */, ""); cpu = $0 }
	/^Benchmark/ && $4 == "ns/op" {
		name = $1; sub(/^Benchmark/, "", name); cores = name; sub(/.*-/, "", cores); sub(/-[0-9]+$/, "", name); gsub(/_/, " ", name)
		printf "  %-68s %12s   %d runs\n", name, time($3), $2
		n++
	}
	/^ +[a-z_]+\.go:[0-9]+: / { why = $0; sub(/^ *[^ ]*: /, "", why) }
	/^ *--- SKIP: Benchmark/ {
		name = $3; sub(/^Benchmark/, "", name); gsub(/_/, " ", name)
		printf "  %-68s %12s   %s\n", name, "skipped", why
	}
	/^(FAIL|---? FAIL|panic:)/ { bad = 1 }
	END { if (n) printf "  on %s, %s threads\n", cpu, cores; exit bad }'
}

part() {
	local title=$1
	shift
	printf '\n%s\n' "$title"
	# shellcheck disable=SC2086  # tags may be empty
	$go test $tags -run '^$' -bench "$pattern" -v -timeout 60m "$@" 2>&1 | tee /dev/stderr | table
}

part "whole searches with proof" ./formulation
part "each example with --backend auto: read, search, prove twice, verify, write" ./cmd/internal/cli
part "reading, pricing, verifying" ./inputs/read ./formulation/cost ./results/verify
part "exact solvers on families of instances" ./solver/path ./formulation/encode ./solver/lpsolve ./solver/sat
part "operator graphs: contiguous stages, and the latency of one sample" ./formulation/ideals ./formulation/makespan
