# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# ssh.sh - the transport to hosts with docker compose: one ssh call per host and act, which carries ssh-host/ there.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.  It takes from all of ssh/, and
# none of them from it; systemd.sh has connect.sh, hosts.sh, calls.sh and switch.sh too.

transport_needs=image

# shellcheck source=deploy/transports/ssh/connect.sh
. "$here/transports/ssh/connect.sh"
# shellcheck source=deploy/transports/ssh/hosts.sh
. "$here/transports/ssh/hosts.sh"
# shellcheck source=deploy/transports/ssh/waves.sh
. "$here/transports/ssh/waves.sh"
# shellcheck source=deploy/transports/ssh/calls.sh
. "$here/transports/ssh/calls.sh"
# shellcheck source=deploy/transports/ssh/switch.sh
. "$here/transports/ssh/switch.sh"
# shellcheck source=deploy/transports/ssh/judge.sh
. "$here/transports/ssh/judge.sh"
# shellcheck source=deploy/transports/ssh/compose.sh
. "$here/transports/ssh/compose.sh"
# shellcheck source=deploy/transports/ssh/check.sh
. "$here/transports/ssh/check.sh"
# shellcheck source=deploy/transports/ssh/bluegreen.sh
. "$here/transports/ssh/bluegreen.sh"

: "${SSH_PULL_SECONDS:=1300}" # wait for the lock, pull

# ---- what runs -----------------------------------------------------------------------------------

transport_preflight() {
	local goes_to='' back='' ssh_most=''
	ssh_find_settings
	ssh_check_files
	ssh_started=() ssh_at_work=no ssh_migrating=() ssh_grace=0 ssh_others=() ssh_found=() ssh_runs=()
	ssh_ids=() ssh_interrupted=() ssh_cut=() ssh_boots=()
	ssh_quiet=no ssh_stops=()
	[[ $reads != logs ]] || return 0 # the call that reads finds out by itself
	ssh_check_smoke
	ssh_name_gone
	ssh_find_file
	ssh_prepare
	ssh_leave_out
	[[ -z $ssh_origin ]] || ssh_most=$SSH_CONFIGS_MAX
	ssh_quiet=yes
	ssh_choose
	[[ $act != rollback ]] || back=rollback=yes
	[[ $act != rollback ]] || goes_to=$release
	ssh_everywhere "$SSH_ASK_SECONDS" check "${ssh_common[@]}" "image=$image" ${ssh_origin:+"origin=$ssh_origin"} \
		${goes_to:+"release=$goes_to"} ${back:+"$back"} ${ssh_judged:+"judged=$ssh_judged"} \
		${migration_name:+"migration=$migration_name" "migrator=${MIGRATE_SERVICE:-$COMPOSE_SERVICE}"} ||
		true # ssh_status, below
	ssh_quiet=no
	ssh_take_configs
	ssh_show_check
	ssh_name_way_out
	((ssh_status == 0)) || fail "$ssh_status" "$ssh_said"
	ssh_choose
	[[ -z $ssh_origin ]] || ssh_judge_configs
}

# What runs on the first host, as preflight has found it; where others run something else, that is said.  By hand the
# release before is the one that a host comes back to.
transport_current() {
	local i first='' found
	ssh_choose
	for i in "${ssh_only[@]}"; do
		for found in "${ssh_interrupted[$i]:-}" "${ssh_runs[$i]:-}"; do
			[[ -z $found || $found =~ ^[0-9a-f]{40,64}@sha256:[0-9a-f]{64}$ ]] ||
				fail "$EXIT_REFUSED" "${ssh_hosts[$i]} says nonsense of what runs there: ${found@Q}"
			[[ -z $found ]] || ran_there+=("$found")
		done
		[[ $act != deploy || -z ${ssh_interrupted[$i]:-} ]] || : "${PREVIOUS_RELEASE=${ssh_interrupted[$i]}}"
		[[ $i != "${ssh_only[0]}" ]] || first=$found
		ssh_look_for_stray "$i" "$found"
		[[ $found == "$first" ]] || warn "${ssh_hosts[$i]} runs ${found:-no known release}, $ssh_first runs \
${first:-no known release}"
	done
	ssh_judge_strays >&2 # what is printed is the answer
	[[ -z $first ]] || printf '%s\n' "$first"
}

# ---- a release -----------------------------------------------------------------------------------

transport_ship() { # RELEASE
	ssh_ship "$1" "lock=$SSH_LOCK_SECONDS" "missing=$EXIT_REGISTRY" renew=yes
}

transport_rollback() { # RELEASE
	if [[ $1 == none ]]; then
		release_begins
		ssh_switch "${ssh_common[@]}" "image=$image" release=none "lock=$SSH_LOCK_ROLLBACK_SECONDS" rollback=yes
		return "$?"
	fi
	ssh_ship "$1" "lock=$SSH_LOCK_ROLLBACK_SECONDS" "missing=$EXIT_INPUT" rollback=yes
}

ssh_ship() { # RELEASE WORD...
	local words=("${ssh_common[@]}") of=deploybot-before:${1#target:} # the name that `pull` gave it
	[[ $1 == target:* ]] || of=$(image_of "$1")
	words+=("image=$of" "release=$1" "${@:2}")
	ssh_add_before
	[[ $DEPLOY_STRATEGY != bluegreen ]] || words+=("deployment=$DEPLOYMENT_ID")
	step pull
	ssh_all "$SSH_PULL_SECONDS" pull "${words[@]}" ${ssh_origin:+"origin=$ssh_origin"}
	ssh_write_settings ''
	[[ -z $ssh_origin ]] || ssh_judge_real "${words[@]}"
	start_begins
	if [[ $DEPLOY_STRATEGY == bluegreen ]]; then
		# What an interrupted release has left has to be put in order before, and that changes what serves.
		if ((${#ssh_interrupted[@]} > 0)); then
			release_begins
			words+=(settle=yes)
		fi
		ssh_start "${words[@]}"
	fi
	[[ -n $release_began ]] || release_begins
	ssh_name_others "$1"
	ssh_switch "${words[@]}"
	[[ $DEPLOY_STRATEGY != bluegreen ]] || drain_later
}

# Names for chat which of them do not run what is shipped.
ssh_name_others() { # RELEASE
	local line seen=' '
	for line in ${ssh_others[@]+"${ssh_others[@]}"}; do
		[[ $line != *"@${1#*@}" && $seen != *" ${line%% *} "* ]] || continue
		seen+="${line%% *} "
		step "stays-old ${line%% *}"
	done
}

# ---- beside a release ----------------------------------------------------------------------------

# On the first host, in a container of its own beside what serves.
transport_job() { # RELEASE WORD...
	local words=("${@:2}")
	ssh_choose_first
	ssh_everywhere "$JOB_SECONDS" job "${ssh_common[@]}" "image=$(image_of "$1")" "release=$1" "lock=$SSH_LOCK_SECONDS" \
		"${words[@]/#/job=}" || fail "$ssh_status" "$ssh_said"
}

# On the first host too, in a container whose name tells it from all others: one that a killed run has left is found by it.
transport_migrate() { # RELEASE WORD...
	local words=("${@:2}")
	ssh_migrate "image=$(image_of "$1")" "release=$1" "migration=$migration_name" \
		"migrator=${MIGRATE_SERVICE:-$COMPOSE_SERVICE}" "${words[@]/#/job=}"
}

transport_await_migration() {
	ssh_await_migration "as $migration_name" "migration=$migration_name"
}

# In a subshell of its own.  It waits for the host's own end of it, by the lock.
transport_end_migration() {
	ssh_end_migration "migration=$migration_name"
}

transport_logs() { # LINES [RELEASE]
	local of=()
	[[ ${2:-} != *@sha256:* ]] || of=("image=$(image_of "$2")")
	ssh_prepare
	ssh_all "$SSH_ASK_SECONDS" logs "${ssh_common[@]}" "lines=$1" ${of[@]+"${of[@]}"}
}

transport_clean() { # DIGEST...
	local keep words
	printf -v keep ',%s' "$@"
	words=("image=$image" "keep=${keep#,}")
	ssh_add_before
	ssh_prepare
	ssh_only=("${!ssh_hosts[@]}")
	ssh_everywhere "$SSH_ASK_SECONDS" clean "${ssh_common[@]}" "${words[@]}" || warn "$ssh_said"
}
