#!/usr/bin/env bash
# image-sbom.sh IMAGE VERSION - the SBOM of an image that was pushed, NAME@sha256:... which the engine has, on stdout.
# SPDX-License-Identifier: ISC
set -euo pipefail
[[ $# -eq 2 && $1 =~ ^([^@]+)@(sha256:[0-9a-f]{64})$ ]] ||
	{ echo "usage: image-sbom.sh NAME@sha256:DIGEST VERSION" >&2; exit 1; }
name=${BASH_REMATCH[1]} digest=${BASH_REMATCH[2]}
folder=$(mktemp -d)
container=
trap '[[ -z $container ]] || docker rm "$container" >/dev/null; rm -rf --one-file-system -- "$folder"' EXIT
container=$(docker create "$1")
# Of what an image has only these are taken, as plain files.
docker export "$container" | tar -C "$folder" -x --no-same-owner --no-same-permissions --wildcards \
	--exclude='var/lib/dpkg/info*' 'var/lib/dpkg/status*' '*/os-release'
[[ ! -L $folder/etc/os-release ]] || rm -- "$folder/etc/os-release" # the image's own lies in usr/lib
/usr/bin/python3 "$(dirname "$0")/sbom.py" image "$folder" "$name" "$2" "$digest"
