#!/usr/bin/env bash
# release_throw_away.sh - `make release` of a package, signed by a key that is made for it and kept nowhere.
# SPDX-License-Identifier: ISC
set -euo pipefail
cd "$(dirname "$0")/../.."

GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill gpg-agent; rm -rf "$GNUPGHOME"' EXIT
gpg --batch --quiet --passphrase '' --quick-generate-key throw-away@example.org ed25519 sign never
key=$(gpg --batch --list-keys --with-colons | awk -F: '/^fpr/ { print $10; exit }')
compgen -G 'build/deb/deploybot_*.deb' >/dev/null || make deb
make release KEY="$key"
ls build/release build/apt
