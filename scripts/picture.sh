#!/usr/bin/env bash
# Makes docs/images/report.png, the picture of a report that README shows, anew with
# headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin/partita solve examples/gpus-7.yaml -o "$work/seven" >/dev/null
mkdir -p docs/images
chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
	--disable-component-update --disable-sync --user-data-dir="$work/chromium" --hide-scrollbars \
	--window-size=1000,1840 --screenshot="$PWD/docs/images/report.png" "file://$work/seven/report.html" 2>/dev/null
