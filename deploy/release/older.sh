#!/usr/bin/env bash
# older.sh KEY FOLDER... - prints the packages of earlier releases that KEY (a fingerprint in gpg's keyring) has signed.
# SPDX-License-Identifier: ISC
# A folder has a release's name, v0.2.0, with its packages, SHA256SUMS and SHA256SUMS.asc.  Who may change the files of a
# release could else have a package of his own signed with the next one's repository.
set -euo pipefail
export LC_ALL=C
shopt -s extglob

fail() { printf 'older.sh: %s\n' "$1" >&2; exit 1; }

[[ $# -ge 1 && $1 =~ ^[0-9A-F]{40}$ ]] || fail "usage: older.sh KEY FOLDER..., a key by its whole fingerprint"
key=$1
shift
ring=$(mktemp)
trap 'rm -f -- "$ring"' EXIT
gpg --batch --yes --export --export-options export-minimal --output "$ring" "$key"
for folder; do
	tag=${folder%/}
	tag=${tag##*/}
	gpgv --quiet --keyring "$ring" "$folder/SHA256SUMS.asc" "$folder/SHA256SUMS" 2>/dev/null ||
		fail "$tag: its SHA256SUMS is not signed by $key: who has changed that release? (or CONTRIBUTING.md, A new key)"
	for deb in "$folder"/*.deb; do
		[[ ${deb##*/} == "deploybot_${tag#v}"_+([a-z0-9]).deb ]] || fail "$tag: ${deb##*/} is no package of that release"
		line=$(sha256sum -- "$deb")
		grep -qxF -- "${line%% *}  ${deb##*/}" "$folder/SHA256SUMS" ||
			fail "$tag: ${deb##*/} is not what was signed: look who has changed that release"
		# shellcheck disable=SC2016 # those words are dpkg-deb's
		[[ $(dpkg-deb --show --showformat '${Package}_${Version}' "$deb") == "deploybot_${tag#v}" ]] ||
			fail "$tag: what is in ${deb##*/} is no package of that release"
		printf '%s\n' "$deb"
	done
done
