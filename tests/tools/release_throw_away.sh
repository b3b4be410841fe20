#!/usr/bin/env bash
# release_throw_away.sh - `make release` of this tree's package, signed by a key that is made for it and kept nowhere.
# SPDX-License-Identifier: ISC
# A package of another commit that lies in build/deb is built anew.
set -euo pipefail
cd "$(dirname "$0")/../.."

GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill gpg-agent; rm -rf "$GNUPGHOME"' EXIT
gpg --batch --quiet --passphrase '' --quick-generate-key throw-away@example.org ed25519 sign never
key=$(gpg --batch --list-keys --with-colons | awk -F: '/^fpr/ { print $10; exit }')
version=$(sh lib/version.sh | sed 's/-/+/; s/-/./g') # as deploy/install.mk names a package
compgen -G "build/deb/deploybot_${version}_*.deb" >/dev/null || make deb
make release KEY="$key"
ls build/release build/apt
