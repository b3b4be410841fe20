# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# hooks.sh - runs your executables in HOOKS_DIRECTORY/KIND.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh comes first.  What they are given stands in docs/deploy-scripts.md.

: "${HOOK_SECONDS:=300}" # each; DEPLOY_TIMEOUT_SECONDS bounds the whole

# Fills hooks with the executables of a kind, in the order of their names.
find_hooks() { # KIND
	local file LC_ALL=C
	hooks=()
	for file in "$hooks_directory/$1"/*; do
		if [[ -f $file && -x $file ]]; then
			hooks+=("$file")
		fi
	done
}

# Whoever may write a hook, or a folder above it, is executed as us.
check_hooks() {
	local kind hook
	hooks_directory=${HOOKS_DIRECTORY:-$here/hooks.d}
	check_number HOOK_SECONDS "$HOOK_SECONDS"
	if [[ ! -d $hooks_directory ]]; then
		[[ -z ${HOOKS_DIRECTORY:-} ]] || fail "$EXIT_CONFIG" "HOOKS_DIRECTORY: there is no folder $hooks_directory"
		return 0
	fi
	for kind in pre-build pre-start pre-deploy post-deploy pre-rollback post-rollback; do
		find_hooks "$kind"
		for hook in ${hooks[@]+"${hooks[@]}"}; do
			check_hook "$hook"
		done
	done
}

check_hook() { # FILE [ITS-NAME]
	local path said mode
	path=$(readlink -f -- "$1")
	while [[ -n $path ]]; do
		said=$(stat -c '%u %a' -- "$path")
		mode=$((8#${said#* }))
		# In a sticky folder, as /tmp is, nobody can replace what is another's.
		if [[ -d $path ]] && (((mode & 8#1000) != 0)); then
			mode=0
		fi
		if ((${said% *} != 0 && ${said% *} != EUID)) || (((mode & 8#022) != 0)); then
			fail "$EXIT_CONFIG" \
				"${2:-the hook} $1 is not run, as others may write $path: chown root and chmod go-w that"
		fi
		path=${path%/*}
	done
}

# What was shown and approved is run, or nothing: HOOKS_BOUND is of the hooks as they were when the run was let go, and the
# program that made it looks again.
check_bound() { # KIND STATUS
	local runner answer
	[[ -n ${HOOKS_BOUND:-} ]] || return 0
	find_runner
	asked "$HOOK_SECONDS" "a look at the hooks" "$runner" --hooks "$hooks_directory" || answer=
	[[ $answer =~ (^|[[:space:]])($1=[^[:space:]]+) && " $HOOKS_BOUND " == *" ${BASH_REMATCH[2]} "* ]] ||
		fail "$2" "the hooks of $1 changed since this run was let go, and are not run: deploy again"
}

hook_is_due() { # KIND
	case $1 in
	pre-start | pre-deploy) is_first_wave ;;
	post-deploy) is_last_wave ;;
	esac
}

# Runs all hooks of a kind; the first that fails is our failure with STATUS.
run_hooks() { # KIND STATUS [FOLDER]
	local hook status hosts
	hook_is_due "$1" || return 0
	check_bound "$1" "$2" # also that none is gone
	[[ -d $hooks_directory ]] || return 0
	find_hooks "$1"
	find_hosts hosts
	[[ $hosts != *\** || -z ${RUN_HOSTS:-} ]] || hosts=$(sed 's/:22$//' -- "$RUN_HOSTS" | paste -sd, -)
	((${#hosts} < 100000)) || hosts= # more than fits into a variable
	for hook in ${hooks[@]+"${hooks[@]}"}; do
		check_hook "$hook" # again: it may be new
		check_bound "$1" "$2"
		step "hook ${hook##*/}"
		status=0
		quoted "$HOOK_SECONDS" "the hook $1/${hook##*/}" env "${WITHOUT_GIT_LOGIN[@]}" --chdir="${3:-/}" \
			COMMIT="${release%%@*}" \
			RELEASE="$release" IMAGE="$(hook_image)" PREVIOUS_RELEASE="$PREVIOUS_RELEASE" REF="${REF:-}" \
			DEPLOYMENT_ID="$DEPLOYMENT_ID" HOSTS="$hosts" HOOK="$1" WAVE="$WAVE" \
			"$hook" </dev/null 7>&- 8>&- || status=$?
		((status == 0)) || hook_failed "$1" "${hook##*/}" "$status" "$2"
	done
}

hook_image() {
	[[ $release != *@* ]] || image_of "$release"
}

# Of a run of deploybot's it is the server that rolls back, where that can be.
what_rolls_back() {
	by_hand ', and the release runs'
	[[ -z $PREVIOUS_RELEASE ]] ||
		by_hand ' (deploy/rollback.sh %s %s%s rolls it back)' "$environment" "$PREVIOUS_RELEASE" "$(past_barriers)"
}

hook_failed() { # KIND NAME STATUS OURS
	case $1${migration:+.migrated} in
	pre-rollback) fail "$4" "the hook $1/$2 failed with status $3, so nothing was rolled back: its last lines are in the log" ;;
	pre-*.migrated) fail "$4" "the hook $1/$2 failed with status $3, behind the migration: its last lines are in the log" ;;
	pre-*) fail "$4" "the hook $1/$2 failed with status $3, so nothing was changed: its last lines are in the log" ;;
	post-deploy*) fail "$4" "the hook $1/$2 failed with status $3$(what_rolls_back): its last lines are in the log" ;;
	*) fail "$4" "the hook $1/$2 failed with status $3; the earlier release runs: look after what the hook is for" ;;
	esac
}
