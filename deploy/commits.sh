#!/bin/bash
# commits.sh - answers questions about the repository; starts and changes nothing but its own mirror.
# SPDX-License-Identifier: ISC
#   commits.sh commits REF BRANCH BASE AFTER   REF or, when empty, the newest commit of BRANCH; BASE may be empty, and
#                                              AFTER, the commit that a push announced
#   commits.sh heads BRANCH...           where these branches are
# The form of the answers stands in runner/protocol.h.  Exit codes: 64 no such ref, 69 unreachable, 78 settings.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"
# shellcheck source=deploy/git.sh
. "$here/git.sh"

readonly SHOWN=10

# What git said, as the answer's error, and the status of the question: its first `fatal:`, behind which often comes
# advice that says nothing alone; else its last line.
give_up() { # STATUS WORDS
	local words
	words=$(printf '%s\n' "$2" | grep -m 1 '^fatal:' || printf '%s\n' "$2" | grep -v '^[[:space:]]*$' | tail -n 1)
	words=$(printf '%s' "$words" | tr -d '\000-\010\013-\037\177')
	printf 'error %s\n' "${words:-git failed}"
	exit "$1"
}

# What common.sh refuses is an answer here.
fail() { # STATUS TEXT
	give_up "$1" "$2"
}

# Questions have their supervisor's deadline.
limited() { # SECONDS WHAT CMD...
	shift 2
	"$@"
}

# What git says on stderr is the answer's error, and on stdout nothing of the answer.
quoted() { # SECONDS WHAT CMD...
	limited "$@" >/dev/null
}

quote() {
	:
}

unquote() {
	:
}

# Each of these lines puts the deadline off.
tell_progress() { # HOW-FAR
	step "git fetch $1"
}

no_such_ref() { # WHY
	printf 'error %s\n' "$1"
	in_mirror for-each-ref --sort=-creatordate --count="$SHOWN" \
		--format='possible %(if:equals=refs/tags)%(refname:rstrip=-2)%(then)tag%(else)branch%(end) %(refname:lstrip=2)' \
		refs/heads refs/tags
	echo end
	exit "$EXIT_INPUT"
}

# Fills kind, name and commit.
resolve() { # REF
	name=$1
	[[ $name != -* ]] || no_such_ref "a ref does not begin with -"
	git check-ref-format "refs/heads/$name" || no_such_ref "not a name that git allows"
	if commit=$(in_mirror rev-parse --verify --quiet --end-of-options "refs/heads/$name^{commit}"); then
		kind=branch
	elif commit=$(in_mirror rev-parse --verify --quiet --end-of-options "refs/tags/$name^{commit}"); then
		kind=tag
	elif [[ $name =~ ^[0-9A-Fa-f]{7,64}$ ]] && commit=$(mirror_commit "${name,,}"); then
		kind=commit
	else
		no_such_ref "no branch, tag or commit of the repository: $name"
	fi
}

# Removes control characters, all but tab and newline, which git puts between fields.
printable() {
	tr -d '\000-\010\013-\037\177'
}

tell_branch() { # BRANCH
	local branch_commit in_branch=0
	if [[ -n $1 ]]; then
		printf 'branch %s\n' "$1"
		if branch_commit=$(in_mirror rev-parse --verify --quiet --end-of-options "refs/heads/$1^{commit}"); then
			printf 'branch_commit %s\n' "$branch_commit"
			if in_mirror merge-base --is-ancestor "$commit" "$branch_commit"; then
				in_branch=1
			fi
		fi
	fi
	printf 'in_branch %s\n' "$in_branch"
}

tell_base() { # BASE
	local base forced=0
	if [[ -z $1 ]] || ! base=$(mirror_commit "$1"); then
		printf 'forced 0\ncount 0\n'
		return "$?"
	fi
	in_mirror merge-base --is-ancestor "$base" "$commit" || forced=1
	printf 'base %s\nforced %s\ncount %s\n' "$base" "$forced" "$(in_mirror rev-list --count "$base..$commit")"
	in_mirror log --no-show-signature --encoding=UTF-8 --max-count="$SHOWN" \
		--format='change %H %<(60,trunc)%an%x09%<(200,trunc)%s' "$base..$commit" -- | sed 's/ *\t/\t/; s/ *$//' | printable
}

# Who asks for a commit that is there does not wait for somebody else's fetch.
is_there_already() { # REF
	[[ $1 =~ ^[0-9A-Fa-f]{7,64}$ && -e ${mirror%.git}.lock ]] &&
		! flock -n "${mirror%.git}.lock" true && mirror_commit "${1,,}" >/dev/null
}

tell_after() { # AFTER
	local lacks=1
	[[ -n $1 ]] || return 0
	[[ $(mirror_commit "$1") != "$1" ]] || lacks=0
	printf 'lacks_after %s\n' "$lacks"
}

answer_commits() { # REF BRANCH BASE AFTER
	local ref=${1:-$2} said
	[[ -n $ref ]] || give_up "$EXIT_INPUT" "neither a ref nor a branch was given"
	[[ -z $3 ]] || [[ $3 =~ ^[0-9a-f]{7,64}$ ]] || give_up "$EXIT_INPUT" "the base is no commit"
	if ! is_there_already "$ref"; then
		exec 3>&1
		said=$(mirror_update 2>&1 >&3) || give_up "$EXIT_UNREACHABLE" "$said"
		exec 3>&-
	fi
	resolve "$ref"
	printf 'ref %s\nkind %s\ncommit %s\n' "$name" "$kind" "$commit"
	in_mirror log --no-show-signature --encoding=UTF-8 --max-count=1 \
		--format='author %<(60,trunc)%an%nat %ct%nsubject %<(200,trunc)%s' "$commit" -- | sed 's/ *$//' | printable
	tell_branch "$2"
	tell_after "$4"
	tell_base "$3"
	echo end
}

answer_heads() { # BRANCH...
	local found line branch
	found=$(safe_git ls-remote --quiet --refs --end-of-options "$repository" 'refs/heads/*' 2>&1) ||
		give_up "$EXIT_UNREACHABLE" "$found"
	while IFS= read -r line; do
		for branch in "$@"; do
			if [[ $line == *$'\trefs/heads/'"$branch" && ${line#*$'\t'} == "refs/heads/$branch" ]]; then
				printf 'head %s %s\n' "${line%%$'\t'*}" "$branch"
			fi
		done
	done <<<"$found"
	echo end
}

main() {
	check_settings
	git_setup "$here"
	case ${1:-} in
	commits)
		[[ $# -eq 5 ]] || give_up "$EXIT_INPUT" "commits REF BRANCH BASE AFTER"
		answer_commits "$2" "$3" "$4" "$5"
		;;
	heads)
		shift
		answer_heads "$@"
		;;
	*) give_up "$EXIT_INPUT" "unknown git query" ;;
	esac
}

main "$@"
