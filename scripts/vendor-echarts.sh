#!/usr/bin/env bash
# Bundles the parts of Apache ECharts that report.html draws with into
# results/export/html/charts.min.js, and puts its licence and notice beside it. What
# is fetched is pinned with its digest in results/export/html/charts/package-lock.json:
# npm refuses anything else. The same lock gives the same bytes.
#
#   scripts/vendor-echarts.sh           write the files
#   scripts/vendor-echarts.sh check     fail where the files differ from what the lock gives
set -euo pipefail
cd "$(dirname "$0")/.."

html=results/export/html
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$html"/charts/{charts.js,package.json,package-lock.json} "$work"
cd "$work"
npm ci --ignore-scripts --no-audit --no-fund --silent
out=$work/out
mkdir "$out"
# A report names the licence once, in a line; the texts lie beside the bundle.
npx --no-install esbuild charts.js --bundle --minify --format=iife --global-name=echarts --target=es2020 --charset=ascii \
	--legal-comments=none --banner:js="/*! Apache ECharts $(node -p 'require("echarts/package.json").version'), Apache-2.0, and zrender, BSD-3-Clause: see https://echarts.apache.org */" \
	--log-level=warning --outfile="$out/charts.min.js"
if grep -q '</script\|<!--' "$out/charts.min.js"; then
	echo "the bundle cannot stand inside a script element" >&2
	exit 1
fi
{
	cat node_modules/echarts/LICENSE
	printf '\n\nd3, parts of which Apache ECharts contains:\n\n'
	cat node_modules/echarts/licenses/LICENSE-d3
	printf '\n\nzrender, part of the bundle:\n\n'
	cat node_modules/zrender/LICENSE
	printf '\n\ntslib, part of the bundle:\n\n'
	cat node_modules/tslib/LICENSE.txt
} >"$out/LICENSE-charts.txt"
cp node_modules/echarts/NOTICE "$out/NOTICE-charts.txt"
cd - >/dev/null
for file in "$out"/*; do
	if [ "${1:-}" = check ]; then
		cmp "$file" "$html/${file##*/}"
	else
		cp "$file" "$html/"
	fi
done
