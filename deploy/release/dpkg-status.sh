#!/bin/sh
# dpkg-status.sh ROOT [PACKAGE...] - notes in an image without a package manager which packages its files are from.
# SPDX-License-Identifier: ISC
# Scanners read ROOT/var/lib/dpkg/status.d and etc/os-release; without them they find nothing, and say that all is well.
# ROOT's libraries are this system's, by the same paths; PACKAGEs are those of what no package owns, as a bundle of
# certificates.
set -eu
root=$1
shift

# Of merged /usr: dpkg has the path that the package was built with.
owner() { # FILE
	for path in "$1" "$(readlink -f "$1")" "/usr$1" "${1#/usr}"; do
		if said=$(dpkg -S "$path" 2>/dev/null); then
			printf '%s\n' "$said" | head -n 1 | cut -d: -f1
			return 0
		fi
	done
	echo "dpkg-status.sh: no package owns $1, which is in the image: name its package" >&2
	return 1
}

mkdir -p "$root/var/lib/dpkg/status.d" "$root/etc"
names=$*
for file in $(cd "$root" && find . -name '*.so*' -type f | sed 's/^\.//'); do
	name=$(owner "$file")
	names="$names $name"
done
for name in $names; do
	dpkg -s "$name" | sed '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d;/^ /d}' >"$root/var/lib/dpkg/status.d/$name"
done
cp -L /etc/os-release /etc/debian_version "$root/etc/"
