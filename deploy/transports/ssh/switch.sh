# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# switch.sh - what compose and systemd have alike: what ran before is kept, a migration, the switch, and where it failed.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh and systemd.sh.  Takes calls from calls.sh, what is noted of the hosts from hosts.sh, and who may fail
# from waves.sh.

ssh_grace=0 ssh_switches=no

# ---- what ran before -----------------------------------------------------------------------------

# A name for what runs there now, whatever it is: `pull` keeps it on each host under that name.
transport_before() {
	local i ids=$environment
	for i in "${!ssh_hosts[@]}"; do
		[[ -z ${ssh_out[$i]:-} ]] || continue
		[[ -n ${ssh_ids[$i]:-} ]] || return 0
		ids+=" ${ssh_ids[$i]}"
	done
	ids=$(sha256sum <<<"$ids")
	printf 'before-%s' "${ids:0:16}"
}

# Adds to `words` what makes a host keep what ran before deploybot.
ssh_add_before() {
	[[ $act != @(deploy|clean) || $PREVIOUS_RELEASE != target:* ]] || words+=("before=${PREVIOUS_RELEASE#target:}")
}

# ---- switch --------------------------------------------------------------------------------------

# Is it a line `grace SUM LONGEST [SLOW]`?  What is replaced may take so long to end, and once more where it is brought back;
# and a stop may take effect late.  Leaves both in BASH_REMATCH, and in ssh_stops what slow ones may take.
ssh_take_grace() { # LINE INDEX
	local most
	[[ $1 =~ ^grace\ (0|[1-9][0-9]{0,5})\ (0|[1-9][0-9]{0,3})(\ (0|[1-9][0-9]{0,5}))?$ ]] || return 1
	most=$((2 * BASH_REMATCH[1] + BASH_REMATCH[2]))
	((most <= ssh_grace)) || ssh_grace=$most
	ssh_stops[$2]=${BASH_REMATCH[4]:-0}
}

ssh_switch() { # WORD...
	ssh_choose
	[[ $ssh_at_once == 1 && -z ${RUN_HOSTS:-} ]] || step switch
	ssh_begun=() ssh_done=() ssh_lost=() ssh_at_work=yes ssh_switches=yes
	[[ $barred == no ]] || set -- "$@" barrier=yes
	ssh_everywhere $((SSH_SWITCH_SECONDS + ssh_grace)) switch "$@" || ssh_switch_failed
	ssh_started=() ssh_at_work=no ssh_switches=no
	ssh_note_hosts
	ssh_judge_out
}

ssh_unknown() { # HOSTS, each behind a blank
	local or='rolled back'
	[[ ${act:-} != rollback ]] || or=undone # or it would be taken for done
	[[ $barred == no ]] || or='left as it was then'
	printf 'what runs on%s is not known: a switch that loses us is finished there, or %s' "$1" "$or"
}

# In the middle of a switch.
transport_reached() {
	local i done_on='' unknown=''
	[[ $ssh_switches == yes ]] || return 0
	for i in "${!ssh_hosts[@]}"; do
		if [[ " ${ssh_done[*]-} " == *" $i "* ]]; then
			done_on+=" ${ssh_hosts[$i]}"
		elif [[ -n ${ssh_begun[$i]:-} || " ${ssh_lost[*]-} " == *" $i "* ]]; then
			unknown+=" ${ssh_hosts[$i]}"
		fi
	done
	printf 'it runs on%s' "${done_on:- no host yet}"
	[[ -z $unknown ]] || printf '; %s' "$(ssh_unknown "$unknown")"
}

# From here on no status may say that the target is untouched.  What runs on a host is what it said when its switch ended.
ssh_switch_failed() {
	local i done_on='' unknown=''
	ssh_at_work=no
	((ssh_status == EXIT_BUSY)) || ssh_status=$EXIT_REFUSED
	for i in ${ssh_done[@]+"${ssh_done[@]}"}; do
		done_on+=" ${ssh_hosts[$i]}"
	done
	for i in ${ssh_lost[@]+"${ssh_lost[@]}"}; do
		unknown+=" ${ssh_hosts[$i]}"
	done
	[[ -z $unknown ]] || ssh_said+="; $(ssh_unknown "$unknown")"
	# A first release: all hosts that had begun are as they were.
	[[ $act != deploy || -n $PREVIOUS_RELEASE || -n $before || -n $done_on || ${#ssh_undone[@]} -lt $ssh_failures ]] ||
		step nothing-runs
	if [[ -n $done_on && $act == rollback ]]; then
		ssh_said+="; rolled back on$done_on"
		ssh_said+=$(by_hand ': deploy/rollback.sh %s %s%s goes on with the others' "$environment" "$release" \
			"$(past_barriers)")
	elif [[ -n $done_on ]]; then
		ssh_said+="; switched to the new release on$done_on"
		[[ -z $PREVIOUS_RELEASE ]] ||
			ssh_said+=$(by_hand ': deploy/rollback.sh %s %s%s rolls it back' "$environment" "$PREVIOUS_RELEASE" \
				"$(past_barriers)")
	fi
	fail "$ssh_status" "$ssh_said"
}

# ---- a migration ---------------------------------------------------------------------------------

# On whichever host it is: another one may have been the first.  Not in ssh_migrate: who ends this has not ended a migration.
ssh_await_migration() { # WHAT-IT-IS-KNOWN-BY WORD...
	local i migration_at="$1 on"
	((${#ssh_migrating[@]} > 0)) || return 0
	for i in "${ssh_migrating[@]}"; do
		migration_at+=" ${ssh_hosts[$i]}"
	done
	migration_is_left
	ssh_only=("${ssh_migrating[@]}")
	ssh_everywhere $((MIGRATE_TIMEOUT_SECONDS + SSH_ASK_SECONDS)) await-migration "${ssh_common[@]}" \
		"lock=$SSH_LOCK_SECONDS" "seconds=$MIGRATE_TIMEOUT_SECONDS" "${@:2}" ||
		migration_not_begun "$ssh_status" "$ssh_said"
}

# What a host does not say itself did begin, or may have: of a connection that broke, and of one who was killed.
ssh_migrate() { # WORD...
	local status=0
	ssh_choose_first
	ssh_everywhere $((2 * MIGRATE_TIMEOUT_SECONDS + SSH_ASK_SECONDS)) migrate "${ssh_common[@]}" \
		"lock=$SSH_LOCK_SECONDS" "seconds=$MIGRATE_TIMEOUT_SECONDS" "$@" || status=$?
	((status != 0)) || return 0
	[[ ! $ssh_said =~ ': the migration failed (exit '([0-9]+)')'$ ]] || migration_failed "${BASH_REMATCH[1]}"
	[[ $ssh_never_came == no && $ssh_said != "$ssh_first: "@(the migration did not begin|nothing was begun)": "* ]] || {
		migration_not_started
		fail "$ssh_status" "$ssh_said"
	}
	fail "$ssh_status" "the migration was cut: $ssh_said"
}

ssh_end_migration() { # WORD...
	ssh_choose_first
	ssh_everywhere "$SSH_ASK_SECONDS" end-migration "${ssh_common[@]}" "lock=$SSH_LOCK_SECONDS" "$@" ||
		fail "$ssh_status" "$ssh_said"
}
