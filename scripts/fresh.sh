#!/usr/bin/env bash
# Tries both README commands where nothing is installed: a fresh Debian root made
# by debootstrap, with the Go toolchain bound in read-only and this tree's
# committed files copied in. Needs root and debootstrap.
#
#   scripts/fresh.sh [FOLDER]      FOLDER keeps the root for the next run
#
# Mirrors, proxies and certificates are those of the host: nothing is fixed here.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$PWD

[ "$(id -u)" -eq 0 ] || { echo "fresh.sh needs root (debootstrap and chroot)" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 2; }
command -v go >/dev/null || { echo "no go toolchain on PATH" >&2; exit 2; }
goroot=$(go env GOROOT)

suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
# The first Debian archive of the host's apt configuration, old or deb822 style.
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
	sed -nE 's#^(deb|URIs:)( .*)? ((https?|file):[^ ]*/debian/?)( .*)?$#\3#p' | head -n1)
[ -n "$mirror" ] || { echo "no Debian mirror in /etc/apt/sources.list*" >&2; exit 2; }

keep=${1:-}
root=${keep:-$(mktemp -d)}/root
mkdir -p "$root"
cleanup() {
	for mount in "$root/usr/local/go" "$root/proc" "$root/dev"; do
		if mountpoint -q "$mount"; then umount "$mount" || umount -l "$mount"; fi # lazily where an interrupted test still runs
	done
	if [ -z "$keep" ]; then rm -rf --one-file-system "$(dirname "$root")"; fi
}
trap cleanup EXIT

if [ ! -e "$root/etc/debian_version" ]; then
	echo "== debootstrap $suite from $mirror"
	# make and certificates are what README asks for besides Go.
	debootstrap --variant=minbase --include=make,ca-certificates "$suite" "$root" "$mirror"
fi

echo "== the host's network settings"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts"
for folder in apt.conf.d auth.conf.d; do
	if [ -d "/etc/apt/$folder" ]; then
		mkdir -p "$root/etc/apt/$folder"
		cp -a "/etc/apt/$folder/." "$root/etc/apt/$folder/"
	fi
done
rm -f "$root"/etc/apt/apt.conf.d/{20packagekit,50appstream} # hooks of programs that are not there
if [ -d /usr/local/share/ca-certificates ]; then
	cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
	chroot "$root" update-ca-certificates >/dev/null
fi

echo "== the toolchain and the tree"
mkdir -p "$root/usr/local/go" "$root/src" "$root/root"
mount --bind "$goroot" "$root/usr/local/go"
mount -o remount,ro,bind "$root/usr/local/go" || true # some sandboxes refuse the second step
mount -t proc proc "$root/proc" 2>/dev/null || mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
rm -rf "$root/src/partita"
mkdir -p "$root/src/partita"
git -C "$tree" archive HEAD | tar -x -C "$root/src/partita"

# Settings of the host's Go and shell that decide where modules come from.
settings=(HOME=/root PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin GOTOOLCHAIN=local)
for name in GOPROXY GOSUMDB GONOSUMDB GOPRIVATE GOFLAGS; do
	value=$(go env "$name")
	if [ -n "$value" ]; then settings+=("$name=$value"); fi
done
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
	if [ -n "${!name:-}" ]; then settings+=("$name=${!name}"); fi
done

inside() {
	echo "== $*"
	env -i "${settings[@]}" chroot "$root" /bin/sh -c "cd /src/partita && $*"
}
inside make run
inside make test
echo "fresh root: both commands pass"
