# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: one way to fail, scratch space, ordinary-user tools.
set -eu
PATH=$PATH:/usr/sbin:/sbin

die() { # message, next thing to do
	printf '%s\n' "$1" >&2
	[ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
	exit 4
}

# scratch: an own directory beside the result, gone on every way out; a result appears whole or not at all.
scratch() {
	work=$(mktemp -d "$1.XXXXXX")
	trap 'as_root rm -rf "$work" 2>/dev/null || rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM HUP
}

# Root inside a user namespace is enough to own the files of an image.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else unshare --user --map-root-user --map-auto -- "$@"; fi
}

# bootstrap: a tar of Debian 12 packages, from the Debian part of this machine's own apt configuration.
bootstrap() { # result.tar variant packages, extra mmdebstrap options
	tar=$1 variant=$2 packages=$3
	shift 3
	sources=$(for c in bookworm bookworm-updates bookworm-security; do
		apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' "Codename: $c"
	done)
	[ -n "$sources" ] || die 'apt knows no Debian 12 packages' 'run "apt-get update" (as root) and try again'
	[ "$(id -u)" = 0 ] && mode=root || mode=unshare
	# No device nodes: only real root could unpack them, and the guest's /dev is the kernel's.
	# A private umask would make the image unreadable for everybody but its root.
	(umask 022 && printf '%s\n' "$sources" | mmdebstrap --quiet --mode=$mode --variant="$variant" --include="$packages" \
		--skip=output/dev \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		"$@" bookworm "$tar" -) ||
		die 'mmdebstrap could not install the Debian packages (its messages are above)' \
			'check the network and the apt sources with "apt-get update", then try again'
}
