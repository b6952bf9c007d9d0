#!/usr/bin/env bash
# Runs every fuzz target of the module for the time given (default 10m), one
# after the other. GO and TAGS come from the Makefile. Inputs that widen the coverage
# are not minimised first: that would take most of the time.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10m}
go=${GO:-go}
tags=${TAGS:-}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What Go's fuzzer prints when its own clock ends the run while an input is under way.
# It is then no finding: a finding names the failing input.
over_time() { grep -qx ' *context deadline exceeded' "$log" && ! grep -qE 'Failing input|panic:' "$log"; }

for package in $($go list ./...); do
	# shellcheck disable=SC2086  # tags may be empty
	for target in $($go test $tags -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $target for $time"
		# shellcheck disable=SC2086
		if ! $go test $tags -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime=1x "$package" 2>&1 | tee "$log"; then
			over_time || exit 1
			echo "   (the clock ended it; nothing was found)"
		fi
	done
done
