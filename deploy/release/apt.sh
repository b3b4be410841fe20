#!/usr/bin/env bash
# apt.sh FOLDER KEY DEB... - an apt repository as static files in FOLDER, signed by KEY (a fingerprint in gpg's keyring).
# SPDX-License-Identifier: ISC
# Whatever serves files serves it.  All versions that are given stay in it, so that an older one can be installed again.
# Release has no Valid-Until, on purpose: it is signed when somebody has looked at a release (CONTRIBUTING.md), which is no
# date that anybody could promise, and behind it `apt-get update` would fail on each machine that has this source.
set -euo pipefail
export LC_ALL=C

fail() { printf 'apt.sh: %s\n' "$1" >&2; exit 1; }

[[ $# -ge 3 && $2 =~ ^[0-9A-F]{40}$ ]] || fail "usage: apt.sh FOLDER KEY DEB..., a key by its whole fingerprint"
for tool in apt-ftparchive gpg gzip; do
	command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install apt-utils gpg gzip"
done
folder=$1 key=$2
shift 2
[[ ! -e $folder ]] || fail "$folder is there already: name a folder that is new"
mkdir -p -- "$folder/pool"
architectures=()
for deb; do
	# shellcheck disable=SC2016 # those words are dpkg-deb's
	name=$(dpkg-deb --show --showformat '${Package}_${Version}_${Architecture}.deb' "$deb") || fail "$deb is no package"
	[[ $name =~ ^deploybot_[0-9A-Za-z.+~-]+_([a-z0-9]+)\.deb$ ]] || fail "$deb is $name, no package of deploybot"
	architecture=${BASH_REMATCH[1]}
	[[ ! -e $folder/pool/$name ]] || fail "$name is given twice: which of two builds of one version it is, nobody would know"
	cp -- "$deb" "$folder/pool/$name"
	[[ " ${architectures[*]} " == *" $architecture "* ]] || architectures+=("$architecture")
done
cd -- "$folder"
for architecture in "${architectures[@]}"; do
	index=dists/stable/main/binary-$architecture
	mkdir -p -- "$index"
	apt-ftparchive --arch "$architecture" packages pool >"$index/Packages"
	gzip --keep --no-name --best "$index/Packages"
done
apt-ftparchive -o APT::FTPArchive::Release::Origin=deploybot -o APT::FTPArchive::Release::Label=deploybot \
	-o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \
	-o APT::FTPArchive::Release::Architectures="${architectures[*]}" -o APT::FTPArchive::Release::Components=main \
	release dists/stable >Release.new
mv -- Release.new dists/stable/Release
gpg --batch --local-user "$key" --clearsign --output dists/stable/InRelease dists/stable/Release
gpg --batch --local-user "$key" --armor --detach-sign --output dists/stable/Release.gpg dists/stable/Release
gpg --batch --export --export-options export-minimal --output deploybot-archive-keyring.gpg "$key"
printf '%s: %s\n' "$folder" "$(printf '%s ' pool/*)"
