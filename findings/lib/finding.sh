# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What all findings share. A finding fetches pinned packages into a temporary folder, runs them, and compares
# what they print with what it describes: exit 0 if they are the same, 1 if the behaviour has changed, 2 if it cannot be tried.
set -euo pipefail

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/debs" "$tmp/root"
export TMPDIR=$tmp PYTHONPATH=$lib PYTHONDONTWRITEBYTECODE=1 ROOT=$tmp/root LIBRARIES=''

cannot() {
	echo "cannot be tried: $*"
	exit 2
}

needs() {
	local tool
	for tool; do
		command -v "$tool" >"$tmp/which" || cannot "there is no $tool on this machine"
	done
}

# debian PACKAGE=VERSION…: unpacks them below $ROOT; their folders of libraries are in $LIBRARIES then.
debian() {
	needs apt-get dpkg
	(cd "$tmp/debs" && apt-get download -qq -o APT::Sandbox::User=root "$@") >"$tmp/log" 2>&1 ||
		cannot "apt-get download says (is it Debian 12, after apt-get update?): $(tail -n 1 "$tmp/log")"
	local deb
	for deb in "$tmp/debs"/*.deb; do
		dpkg -x "$deb" "$ROOT"
	done
	LIBRARIES=$(find "$ROOT" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
	echo "version: $*"
}

# npm_packages NAME@VERSION…: installs them below $tmp, for node to find from there.
npm_packages() {
	needs node npm
	npm install --prefix "$tmp" --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error "$@" >"$tmp/log" 2>&1 ||
		cannot "npm install says: $(tail -n 1 "$tmp/log")"
	echo "version: $* (node $(node --version))"
}

this_kernel() { echo "version: Linux $(uname -r)"; }

guess() { echo "guess:   $*"; }

# observe COMMAND…: what it prints is what happens. The time limit is there for a machine that is stuck.
observe() {
	echo 'happens:'
	timeout 240 "$@" >"$tmp/seen" || cannot "the attempt itself failed (exit $?)"
	sed 's/^/  /' "$tmp/seen"
}

# as_described <<TEXT: ends the finding; TEXT is what was observed when it was written.
as_described() {
	if diff -u --label described --label 'seen now' - "$tmp/seen" >"$tmp/difference"; then
		echo 'It is as described.'
		exit 0
	fi
	echo 'The behaviour has changed:'
	cat "$tmp/difference"
	exit 1
}
