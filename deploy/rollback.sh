#!/bin/bash
# rollback.sh ENV [RELEASE] [--past] - brings an earlier release back, without building anything.
# SPDX-License-Identifier: ISC
# RELEASE is its commit, or COMMIT@sha256:DIGEST where it has an image, or target:WORD, what ran before deploybot;
# left out: the one that was live before, by the state files; none: of hosts where nothing ran before, it ends what does.
# Works by hand too, and believes nothing it was given.
# By hand it goes past no barrier (.deploybot/no-rollback) without --past; of a run of the server's that one has asked.
# The contract stands in docs/deploy-scripts.md.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/act.sh
. "$here/act.sh"

readonly act=rollback

# The release that was live before, of the state file that the server writes; in `release`.
find_previous() {
	local text=''
	[[ -r $state_file ]] || fail "$EXIT_INPUT" "no RELEASE was given, and there is no $state_file that would name one"
	read_all text "$state_file"
	[[ $text =~ \"previous\":\ *\{[^}]*\"commit\":\ *\"([0-9a-f]+)\"[^}]*\} ]] ||
		fail "$EXIT_INPUT" "no RELEASE was given, and $state_file names no previous one"
	release=${BASH_REMATCH[1]}
	if [[ ${BASH_REMATCH[0]} =~ \"image\":\ *\"(sha256:[0-9a-f]{64})\" ]]; then
		release+=@${BASH_REMATCH[1]}
	fi
	check_release "$release"
	printf 'the release that was live before: %s\n' "$release"
}

# Makes sure that what is asked for is there.
find_image_of_release() { # server|hand
	local found=0 by=$1
	add_digest "$release" || found=$?
	((found != 2)) || fail "$EXIT_REGISTRY" "$why"
	((found == 0)) && image_is_kept "$release" ||
		fail "$EXIT_INPUT" "the image of ${release%%@*} is not there any more, or was not pushed from here: take another \
release, or deploy that commit"
	[[ $is_of_tag == no ]] || by=tag
	verify_rollback "$release" "$by"
}

# Who asks by hand is told what a rollback leaves as it is, and stopped before a barrier.
check_past() {
	local word from reason answer='' n=0 how of since=''
	{ read -r how of since <"$app/migrated"; } 2>/dev/null || true # none ran here
	if [[ -n $since && $of != "${release%%@*}" ]]; then
		[[ $how != began ]] || how='began, and did not end well'
		warn "the migration of ${of:0:12} $how ($since): a rollback does not undo it, the database stays as it is"
	fi
	[[ $past == no ]] || return 0
	[[ -z ${before%%@*} || $release == target:* || ${before%%@*} == "${release%%@*}" ]] ||
		is_upload || is_noted_upload "${before%%@*}" ||
		ask_commits past "${release%%@*}" "${before%%@*}"
	while read -r word from reason; do
		[[ $word == past ]] || continue
		n=$((n + 1))
		warn "a rollback to ${release:0:12} goes past ${from:0:12}: $reason ($BARRIER)"
	done <<<"$answer"
	((n == 0)) ||
		fail "$EXIT_INPUT" "nothing was rolled back: barriers are in the way, see above (add --past where that is meant)"
	[[ ${before%%@*} == "${release%%@*}" || ($answer == *end && $answer != unknown*) ]] ||
		warn "whether a $BARRIER lies between was not looked at: what runs, or its history, is not known here"
}

# Of some hosts, each to what it ran before: one run of ours for each group of RUN_HOSTS, whatever became of the one
# before.  What could not be reached is named; that all others are rolled back is no failure.
roll_back_groups() { # ENV [--past]
	local line group=0 releases=() status worst=0 done_any=no none_alone=yes file
	while IFS= read -r line; do
		if [[ $line == '= '* ]]; then
			releases+=("${line#= }")
			((++group))
			: >"$RUN_HOSTS.$group"
		else
			printf '%s\n' "$line" >>"$RUN_HOSTS.$group"
		fi
	done <"$RUN_HOSTS"
	for ((group = 1; group <= ${#releases[@]}; group++)); do
		file=$RUN_HOSTS.$group status=0
		RUN_HOSTS=$file "$here/rollback.sh" "$1" "${releases[group - 1]}" "${@:2}" || status=$?
		[[ ${releases[group - 1]} != none ]] || continue # nobody was served there before
		none_alone=no
		case $status in
		0) done_any=yes ;;
		"$EXIT_UNREACHABLE") ;;
		*) worst=$EXIT_REFUSED ;;
		esac
	done
	((worst == 0)) || fail "$worst" "not all hosts that answer are rolled back: see above"
	[[ $done_any == yes || $none_alone == yes ]] ||
		fail "$EXIT_UNREACHABLE" "no host answers: there is none to roll back"
}

past=no
if [[ $# -gt 1 && ${!#} == --past ]]; then
	past=yes
	set -- "${@:1:$#-1}"
fi
[[ $# -eq 1 || $# -eq 2 ]] || fail "$EXIT_INPUT" "usage: rollback.sh ENV [RELEASE] [--past]"
check_environment "$1"
if [[ ${2:-} == none ]]; then
	[[ -n ${RUN_HOSTS:-} ]] || fail "$EXIT_INPUT" "none is for hosts alone (RUN_HOSTS) where nothing ran before"
elif [[ $# -eq 2 ]]; then
	check_release "$2"
fi
if [[ -n ${RUN_HOSTS:-} ]] && grep -q '^= ' -- "$RUN_HOSTS"; then
	if [[ $past == yes ]]; then
		roll_back_groups "$1" --past
	else
		roll_back_groups "$1"
	fi
	exit
fi
check_run
load_transport "$here"
find_place "$1"
take_lock "rollback $DEPLOYMENT_ID"

named_by=hand
if [[ $# -eq 1 ]]; then
	find_previous
	named_by=server
else
	release=$2
	[[ -z ${RUN_ID:-} ]] || named_by=server
fi
[[ $release == @(target:*|none) ]] || commit=${release%%@*}
find_source "$commit"
preflight
take_application_log
note_current
[[ -n ${RUN_ID:-} || $release == none ]] || check_past
if [[ $release == none ]]; then
	:
elif [[ $release == target:* ]]; then
	has_function transport_before ||
		fail "$EXIT_INPUT" "the transport $transport keeps nothing from before deploybot: take a release's commit"
elif [[ $transport_needs == image ]]; then
	find_image_of_release "$named_by"
else
	release=${release%%@*}
fi
transport_rollback "$release"
check_release_began
run_hooks post-rollback "$EXIT_REFUSED"
drain_by_hand
