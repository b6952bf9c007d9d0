#!/usr/bin/env bash
# Runs every fuzz target of the module for the time given (default 10m), one
# after the other. GO and TAGS come from the Makefile. Inputs that widen the coverage
# are not minimised first: that would take most of the time.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10m}
go=${GO:-go}
tags=${TAGS:-}

for package in $($go list ./...); do
	# shellcheck disable=SC2086  # tags may be empty
	for target in $($go test $tags -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $target for $time"
		# shellcheck disable=SC2086
		$go test $tags -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime=1x "$package"
	done
done
