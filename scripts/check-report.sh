#!/usr/bin/env bash
# Looks at report.html with axe-core, which finds what readers with a screen reader or
# with little sight would stumble over. Needs Chromium, npm and its registry; axe-core
# (MPL-2.0) is fetched by version and digest, and not kept.
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.14.1
digest=sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "axe-core@$version" >/dev/null)
got=sha512-$(openssl dgst -sha512 -binary "$work/axe-core-$version.tgz" | base64 -w0)
[ "$got" = "$digest" ] || {
	echo "axe-core $version has the digest $got, want $digest" >&2
	exit 1
}
tar -xzf "$work/axe-core-$version.tgz" -C "$work" package/axe.min.js
PARTITA_TOOLS=all PARTITA_AXE=$work/package/axe.min.js go test -count=1 -run TestReportIsAccessible ./results/export/browsertest
