# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# switch.sh - the units run another release, and what ran before comes back when that fails.
# SPDX-License-Identifier: ISC

# What was ordered to stop is looked at for so long.
readonly DOWN_SECONDS=5

# Writes down what runs, before anything changes.
note_before() {
	local unit link=''
	[[ ! -L current ]] || link=$(readlink -- current) || return "$?"
	rm -rf .deploybot.before.new && mkdir .deploybot.before.new || return "$?"
	printf '%s\n' "$link" >.deploybot.before.new/link || return "$?"
	for unit in "${units[@]}"; do
		look "$unit" || return "$?"
		printf '%s %s %s\n' "$unit" "${field[ActiveState]}" "${field[InvocationID]:-}" >>.deploybot.before.new/units ||
			return "$?"
	done
	note_act || return "$?"
	flush .deploybot.before.new/* .deploybot.before.new
	mv -T -- .deploybot.before.new .deploybot.before
}

# Was a release interrupted?  Whoever has the lock is at it.
is_interrupted() {
	[[ -d .deploybot.before ]] && flock -s -n .deploybot.lock true
}

# What a bad release is rolled back to: what runs, or what does once an interrupted one is put in order; behind a barrier
# that is what is up.
to_come_back() {
	local link=''
	if [[ -e .deploybot.before/link && ! -e .deploybot.before/barrier ]]; then
		IFS= read -r link <.deploybot.before/link || true # it may be empty
		printf '%s' "$link"
	else
		runs_now
	fi
}

# A unit that we have touched is restarted or stopped when it is brought back; one that we have not runs on.
restart() { # UNIT
	was_touched "$1" || { add_line .deploybot.before/touched "$1" && flush .deploybot.before; } || {
		said="$dir cannot be written: $(df -P . | tail -n 1)"
		return 1
	}
	order reset-failed "$1" || true # where it has not failed; what counts is that it can be started
	order --no-block restart "$1"
}

# Behind a barrier: how the units are is left so, and said.
leave_as_it_is() {
	local unit of is=''
	for unit in "${units[@]}"; do
		look "$unit" || field=([ActiveState]=unknown)
		was_touched "$unit" && of=new || of=earlier
		is+="; $unit ($of) is ${field[ActiveState]:-unknown}"
	done
	said="; not rolled back ($BARRIER)$is"
	forget_before
}

# Brings back what ran before a change that was not finished; nobody may stop this.
take_back() {
	local unit state link='' left_up='' up=() status=0 until sum longest endless
	trap '' TERM HUP INT
	told=no
	if [[ -e .deploybot.before/barrier ]]; then
		leave_as_it_is
		return "$?"
	fi
	find_grace
	until=$((SECONDS + up_seconds + steady))
	say "rolling back to $(earlier_release)"
	IFS= read -r link <.deploybot.before/link || true # it may be empty
	point_to "$link" || status=1
	while read -r unit state _; do
		case $state in
		active | reloading | activating)
			[[ $state == activating ]] || up+=("$unit") # of one that did not come up nobody knows
			! was_touched "$unit" || restart "$unit" || status=1
			;;
		*)
			was_touched "$unit" || continue
			order --no-block stop "$unit" || status=1
			order reset-failed "$unit" || true
			;;
		esac
	done <.deploybot.before/units
	if ((status == 0 && ${#up[@]} == 0)); then
		find_left_up
		said="; as before, none is up of ${units[*]}"
		[[ -z $left_up ]] || said="; none was up before, and still there is:$left_up"
	elif ((status == 0)) && wait_up "$steady" "${up[@]}"; then
		said="; $(earlier_release) runs again"
	else
		said="; $(earlier_release) could NOT be restored ($said): \"systemctl status ${units[*]}\" on $host shows why"
		return 1
	fi
	forget_before
}

# Fills left_up with the units that are there yet: a stop is ordered, and takes as long as TimeoutStopSec says.
find_left_up() {
	local unit by=$((SECONDS + DOWN_SECONDS))
	while :; do
		left_up=
		for unit in "${units[@]}"; do
			look "$unit" || field=([ActiveState]=unknown)
			[[ ${field[ActiveState]:-unknown} == @(inactive|failed) ]] ||
				left_up+=" $unit (${field[ActiveState]:-unknown})"
		done
		[[ -n $left_up ]] && ((SECONDS < by)) || return 0
		pause 0.3
	done
}

was_touched() { # UNIT
	grep -qxF -- "$1" .deploybot.before/touched 2>/dev/null
}

# What an earlier act could not finish, as it was killed together with its guard, or the host was.
reconcile() {
	[[ -d .deploybot.before ]] || return 0
	say "an earlier release was interrupted here"
	take_back || {
		say "warning: ${said#; }"
		forget_before # the next release is what helps
	}
	trap on_told TERM
}

act_switch() {
	local to unit until sum longest endless
	reconcile
	[[ $told == no ]] || die 75 "was asked to stop"
	to=$(folder_of "$release") || die "$missing" "the release ${release:0:12} is not kept there any more"
	note_before || die 70 "what runs there cannot be written down: ${said:-$(df -P . | tail -n 1)}"
	note_first
	change=begun
	point_to "$to" || die 70 "$dir/current cannot be switched: $(df -P . | tail -n 1)"
	find_grace
	until=$((SECONDS + up_seconds + steady))
	for unit in "${units[@]}"; do
		say "restart $unit"
		restart "$unit" || die 70 "$unit cannot be restarted: $said"
		wait_up 0 "$unit" || die 70 "$(new_release) does not run: $said"
	done
	wait_answer || die 70 "$(new_release) does not run: $said"
	wait_up "$steady" "${units[@]}" || die 70 "$(new_release) does not run: $said"
	forget_before
	change=over
	say "${release:0:12} runs"
}

wait_answer() {
	[[ -n $smoke_url ]] || return 0
	while wait_up 0 "${units[@]}"; do
		! answers "" || return 0
		((SECONDS < until)) || return 1
		pause 0.3
	done
	return 1
}

# Notes a release that comes where no unit is up; one that replaces another takes the note away.
note_first() {
	local first
	read_file first .deploybot.first
	if ! grep -qE ' (active|reloading|activating|deactivating) ' .deploybot.before/units; then
		write_file .deploybot.first printf '%s\n' "$release" || rm -f .deploybot.first
	elif [[ $first != "$release" ]]; then
		rm -f .deploybot.first
	fi
}

# Nothing is brought back of the release that came where nothing ran: its units end, and no link names it.
end_first() {
	local first live unit left_up
	reconcile
	read_file first .deploybot.first
	live=$(readlink -- current) || live=
	[[ -n $first && (-z $live || $(commit_of "$live") == "$first") ]] ||
		die 70 "nothing is ended: what ran there before the release is not known (ls -l $dir on $host)"
	for unit in "${units[@]}"; do
		order --no-block stop "$unit" || die 70 "$unit cannot be stopped: $said"
		order reset-failed "$unit" || true # where it has not failed
	done
	find_left_up
	[[ -z $left_up ]] || die 70 "still there is:$left_up"
	point_to '' || die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
	say "nothing ran there before: ${units[*]} is stopped"
}
