#!/usr/bin/env bash
# notes.sh TAG - prints what CHANGES.md says of the release TAG; fails where tag, tree and CHANGES.md are not of one release.
# SPDX-License-Identifier: ISC
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { printf 'notes.sh: %s\n' "$1" >&2; exit 1; }

[[ $# -eq 1 && $1 =~ ^v[0-9]+(\.[0-9]+)*$ ]] || fail "usage: notes.sh TAG, as v0.2.0: a release has numbers and points alone"
release=${1#v}
heading=$(grep -m 1 '^## ' CHANGES.md) || fail "CHANGES.md has no heading"
[[ $heading == "## $release - "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] ]] ||
	fail "CHANGES.md begins with \"$heading\", not with \"## $release - YEAR-MONTH-DAY\": see CONTRIBUTING.md, A release"
version=$(sh lib/version.sh)
[[ $version == "$release" ]] ||
	fail "this tree is $version, not $release: is the tag on this commit, and are the tags here (git fetch --tags)?"
awk '/^## / { if (++seen == 2) exit; next } seen == 1' CHANGES.md | sed -e '/./,$!d'
