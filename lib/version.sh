#!/bin/sh
# version.sh - prints the version of this tree, for the Makefile: git's in a checkout, elsewhere that of CHANGES.md.
# SPDX-License-Identifier: ISC
#
#	0.2.0			a release: HEAD has the tag v0.2.0 or, where no tag is, gave CHANGES.md that heading
#	0.2.0-14-g0123456789	14 commits after it
#	0.2.0-0-g0123456789	after it; how many is not known, in a clone that is shallow and has no tag
#	0.2.0-0-unreleased	after it, without git: CHANGES.md has `## Unreleased` on top
CDPATH='' cd "$(dirname "$0")/.." || exit
release=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGES.md | head -n 1)
release=${release:-0}

of_git() {
	# Only its own: a tarball may be unpacked in somebody's repository.
	[ -e .git ] && head=$(git rev-parse --verify --short=10 HEAD) || return
	# A name goes into make's commands, and `v1$(id)` may be one.
	! git describe --tags --match 'v[0-9]*' --exclude '*[!0-9A-Za-z._+-]*' --abbrev=10 || return 0
	count=0
	if [ "$(git rev-parse --is-shallow-repository)" = false ]; then
		since=$(git log -1 --format=%H -S"## $release" -- CHANGES.md)
		[ "$since" != "$(git rev-parse HEAD)" ] || { echo "$release"; return; }
		count=$(git rev-list --count "${since:-HEAD}..HEAD")
	fi
	echo "$release-$count-g$head"
}

of_changes() {
	if grep '^## ' CHANGES.md | head -n 1 | grep -q Unreleased; then echo "$release-0-unreleased"; else echo "$release"; fi
}

{ of_git 2>/dev/null || of_changes; } | sed 's/^v//'
