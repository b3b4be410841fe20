# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# recreate.sh - one container is replaced by another, and what ran before comes back when that fails.
# SPDX-License-Identifier: ISC

# Writes down what runs, before anything changes.
note_before() {
	rm -rf .deploybot.before.new
	mkdir .deploybot.before.new && running "" >.deploybot.before.new/containers || return "$?"
	[[ ! -e .env ]] || cp -p -- .env .deploybot.before.new/env || return "$?"
	sync -f .deploybot.before.new 2>/dev/null || sync
	mv -T -- .deploybot.before.new .deploybot.before
}

# Brings back what ran before a change that was not finished; nobody may stop this.
take_back() {
	local id of state name rest is there missing=no status=0
	trap '' TERM HUP INT
	say "rolling back to the earlier release"
	if [[ -e .deploybot.before/env ]]; then
		cp -p .deploybot.before/env .env.deploybot && put_file .env.deploybot "$(readlink -f .env)" || status=1
	else
		rm -f .env
	fi
	there=$(states "") || there=
	while read -r id of state rest; do
		[[ -z $id ]] || grep -q "^$id " .deploybot.before/containers || engine rm -f "$id" >/dev/null || status=1
	done <<<"$there"
	while read -r id of state _ _ _ name _; do
		if ! is=$(engine inspect --format '{{.Name}} {{.State.Running}}' "$id" 2>/dev/null); then
			missing=yes
			continue
		fi
		[[ ${is% *} == "$name" ]] || engine rename "$id" "${name#/}" || true # it can run under another
		[[ ${is#* } == true ]] || engine start "$id" >/dev/null || missing=yes
	done <.deploybot.before/containers
	if [[ $missing == yes ]]; then
		show "$(run_compose "$UP_SECONDS" "" up -d --no-deps "$service" 2>&1)"
	fi
	if [[ ! -s .deploybot.before/containers ]]; then
		said="; as before, nothing runs"
	elif stays_up; then
		said="; the earlier release runs again"
	else
		said="; the earlier release could NOT be restored: docker ps -a on $host shows why"
		return 1
	fi
	rm -rf .deploybot.before
	return "$status"
}

# Runs still when a stop that is under way has come through; started again if not.
stays_up() {
	local began=$SECONDS seconds=$STEADY_SECONDS line id state up
	[[ $was_cut == no ]] || seconds=$LATE_STOP_SECONDS
	while :; do
		up=no
		while read -r id _ state _; do
			[[ -n $id ]] || continue
			up=yes
			[[ $state == running ]] || engine start "$id" >/dev/null || up=no
		done < <(states "")
		((SECONDS - began < seconds)) || break
		sleep 0.3
	done
	[[ $up == yes ]]
}

# What an earlier act could not finish, as it was killed together with its guard, or the host was.
settle_recreate() {
	local found id image_now
	[[ -d .deploybot.before ]] || return 0
	say "an earlier release was interrupted here"
	found=$(running "") || die 70 "docker does not say what runs"
	if [[ -z $found ]]; then
		take_back || die 70 "an earlier release was interrupted here$said"
		return "$?"
	fi
	while read -r id _; do
		[[ -z $id || $found == *"$id"* ]] || engine rm -f "$id" >/dev/null || true # it does not run
	done < <(states "")
	read -r _ _ _ _ _ _ _ image_now <<<"$found"
	write_env "DEPLOY_IMAGE=$image_now" || die 70 ".env in $dir cannot be written"
	rm -rf .deploybot.before
}

prepare_recreate() {
	settle_recreate
	keep_before
	pull
}

switch_recreate() {
	local status=0 words
	settle_recreate
	[[ $told == no ]] || die 75 "was asked to stop"
	wanted=$(image_id "$image") || die 70 "docker has no $image any more, or does not answer"
	note_before || die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
	change=begun
	write_env "DEPLOY_IMAGE=$image" || die 70 "$dir/.env cannot be written: $(df -P . | tail -n 1)"
	# Never cut short by us: between its stop and its start nothing runs.  What it says goes to a file, as those who
	# read may be gone.
	run_compose "$UP_SECONDS" "" up -d --no-deps "$service" >"$private/words" 2>&1 || status=$?
	words=$(<"$private/words")
	show "$words"
	if ((status > 123)); then
		was_cut=yes
	fi
	((status == 0)) || die 70 "compose up failed: $(last_line "$words")"
	[[ $told == no ]] || die 75 "was asked to stop"
	wait_up "" || die 70 "the new release does not run: $said"
	rm -rf .deploybot.before
	change=over
	say "${release:0:12} runs"
}
