#!/usr/bin/env bash
# Installs what a build with lp_solve needs and this machine lacks: make, a C compiler,
# the header and the shared library. Does nothing where all is there. Without apt
# or the right to install it says so and succeeds: the program then builds
# without its ilp backend.
#
#   scripts/install-deps.sh          what `make run` needs
#   scripts/install-deps.sh test     also the solvers and shells that tests try
#                                    models and completion on; without one its tests
#                                    are skipped, and say so
set -euo pipefail

missing=()
command -v make >/dev/null || missing+=(make)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
[ -e /usr/include/lpsolve/lp_lib.h ] || [ -e /usr/local/include/lpsolve/lp_lib.h ] || missing+=(liblpsolve55-dev)
[ -e /usr/lib/lp_solve/liblpsolve55.so ] || [ -e /usr/local/lib/liblpsolve55.so ] || missing+=(lp-solve)
if [ "${1:-}" = test ]; then
	# command, and the Debian package that has it
	for tool in lp_solve:lp-solve cbc:coinor-cbc glpsol:glpk-utils cadical:cadical minisat:minisat clasp:clasp shellcheck:shellcheck zsh:zsh fish:fish chromium:chromium; do
		command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
	done
	[ -e /usr/share/bash-completion/bash_completion ] || missing+=(bash-completion)
fi
[ ${#missing[@]} -gt 0 ] || exit 0

without() {
	echo "warning: $1; missing: ${missing[*]}. What needs them is left out (see docs/installation.md)" >&2
	exit 0
}
command -v apt-get >/dev/null || without "no apt-get on this machine"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || without "not root and no sudo"
	as_root=(sudo)
fi
echo "installing ${missing[*]}" >&2
install() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}
# The package lists of a fresh machine are empty: fetch them once when the first try finds nothing.
install || { "${as_root[@]}" apt-get update -q >&2 && install; } || without "apt-get could not install"
