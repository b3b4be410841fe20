#!/usr/bin/env bash
# reproduce.sh DEB - builds the package of HEAD again, elsewhere and otherwise, and compares: the same bytes, or exit 1.
# SPDX-License-Identifier: ISC
# With it anybody can say of a release's package that it is from these sources (on the Debian that it was built on).
set -euo pipefail
[[ $# -eq 1 && -f $1 ]] || { echo "usage: reproduce.sh DEB, as build/deb/deploybot_0.2.0_amd64.deb" >&2; exit 1; }
deb=$(readlink -f -- "$1")
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf --one-file-system -- "$folder"' EXIT
git clone --quiet --no-hardlinks . "$folder/quite-another-folder"
cd "$folder/quite-another-folder"
(umask 077 && LANG=de_DE.UTF-8 TZ=Pacific/Kiritimati make deb VERSION="$(sh lib/version.sh)") >"$folder/said" 2>&1 ||
	{ tail -n 40 -- "$folder/said"; exit 1; }
if ! cmp -- build/deb/deploybot_*.deb "$deb"; then
	diff <(dpkg-deb --contents build/deb/deploybot_*.deb) <(dpkg-deb --contents "$deb") || true
	exit 1
fi
echo "the same bytes: ${deb##*/}"
