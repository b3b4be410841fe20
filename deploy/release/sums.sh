#!/usr/bin/env bash
# sums.sh FOLDER KEY - SHA256SUMS of all files in FOLDER, signed by KEY (a fingerprint in gpg's keyring), and that key.
# SPDX-License-Identifier: ISC
set -euo pipefail
export LC_ALL=C

fail() { printf 'sums.sh: %s\n' "$1" >&2; exit 1; }

[[ $# -eq 2 && -d $1 && $2 =~ ^[0-9A-F]{40}$ ]] || fail "usage: sums.sh FOLDER KEY, a key by its whole fingerprint"
cd -- "$1"
rm -f -- SHA256SUMS SHA256SUMS.asc
gpg --batch --yes --export --export-options export-minimal --output deploybot-archive-keyring.gpg "$2"
[[ -s deploybot-archive-keyring.gpg ]] || fail "gpg has no key $2: gpg --import FILE"
for name in *; do
	[[ -f $name && $name =~ ^[A-Za-z0-9][A-Za-z0-9._+~-]*$ ]] || fail "no plain file: ${name@Q}"
done
sha256sum -- * >.sums.new
mv -- .sums.new SHA256SUMS
gpg --batch --yes --local-user "$2" --armor --detach-sign --output SHA256SUMS.asc SHA256SUMS
gpgv --quiet --keyring ./deploybot-archive-keyring.gpg SHA256SUMS.asc SHA256SUMS
