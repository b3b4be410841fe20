# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# recreate.sh - containers are replaced by others, and what ran before comes back when that fails.
# SPDX-License-Identifier: ISC

# Writes down what there is of these services, before anything changes.
note_before() { # PORT-THAT-SERVES SERVICE...
	local found
	found=$(states "" "${@:2}") || no_answer "the release was not begun there"
	[[ ! -e .deploybot.before.new ]] || rm -rf .deploybot.before.new
	mkdir .deploybot.before.new && printf '%s\n' "$1" >.deploybot.before.new/port &&
		printf '%s' "${found:+"$found"$'\n'}" >.deploybot.before.new/containers || return "$?"
	if [[ -e .env ]]; then
		cp -p -- .env .deploybot.before.new/env || return "$?"
	else
		: >.deploybot.before.new/no-env || return "$?"
	fi
	note_act || return "$?"
	flush .deploybot.before.new/* .deploybot.before.new
	mv -T -- .deploybot.before.new .deploybot.before
}

# Was a release interrupted?  Half a note, which earlier versions could leave, is of one that was over.
is_interrupted() {
	[[ -e .deploybot.before/containers && ($strategy != bluegreen || -e .deploybot.before/port) ]]
}

# Those that ran then: lines ID NAME SERVICE IMAGE-ID IMAGE.
ran_before() {
	local id of state health restarts code name image_then part
	while read -r id of state health restarts code name image_then part; do
		# An earlier version noted no service.
		! is_up "$state" || printf '%s\n' "$id ${name#/} ${part:-$service} $of $image_then"
	done <.deploybot.before/containers
}

# Behind a barrier: what is up is left so, and said.
leave_as_it_is() { # PORT-THAT-SERVES, which may be none
	local found up='' of state name
	said="; not rolled back ($BARRIER)"
	[[ -z $1 ]] || said+="; nginx leads to port $1"
	found=$(insist what_is_up "$1") || {
		said+="; docker does not say what runs"
		return 1
	}
	[[ -n $wanted ]] || image_id wanted "$image" || wanted='' # then nobody knows which it is
	while read -r _ of state _ _ _ _ _ name; do
		[[ -n $name ]] || continue
		if [[ -z $wanted ]]; then
			of="of which release is not known"
		else
			[[ $of == "$wanted" ]] && of=new || of=earlier
		fi
		[[ $state == running ]] || of+=", $state"
		up+=", $name ($of)"
	done <<<"$found"
	said+="; up is: ${up#, }"
	[[ -n $up ]] || said="${said%; *}; nothing is up"
	forget_before
}

what_is_up() { # PORT
	running "$1" "$service" || return 1
	((${#others[@]} == 0)) || { printf '\n' && running "" "${others[@]}"; }
}

# Brings back what ran before a change that was not finished; nobody may stop this.
take_back_recreate() {
	local status=0
	trap '' TERM HUP INT
	if [[ -e .deploybot.before/barrier ]]; then
		leave_as_it_is ""
		return "$?"
	fi
	say "rolling back to $(earlier_release)"
	restore_before "$service" ${others[@]+"${others[@]}"} || status=$?
	if ((status == 2)); then
		said="; docker does not say what runs: the next act puts it in order (docker ps -a on $host shows why)"
		return 1
	elif [[ -z $(ran_before) ]]; then
		said="; as before, no container of $(printf '%s, ' "$service" ${others[@]+"${others[@]}"})"
		said="${said%, } runs in the compose project $project"
		((status == 0)) || said="; what was started could NOT be removed: docker ps -a on $host shows why"
	elif stays_up; then
		said="; $(earlier_release) runs again"
	else
		said="; $(earlier_release) could NOT be restored: docker ps -a on $host shows why"
		return 1
	fi
	forget_before
	return "$status"
}

# .env as it was noted.  On a full disk what was not changed needs no room, and the note takes its place.
restore_env() {
	local file
	[[ ! -e .deploybot.before/no-env ]] || rm -f .env
	[[ -e .deploybot.before/env ]] || return 0
	file=$(env_file) || return "$?"
	! cmp -s .deploybot.before/env "$file" || return 0
	cp -p -- .deploybot.before/env "$file.deploybot" && put_file "$file.deploybot" "$file" && return 0
	rm -f -- "$file.deploybot"
	[[ $file == .env ]] && mv -f -- .deploybot.before/env .env
}

# .env and the containers of these services as they were noted.  Status 2: docker does not say which there are.  Fills `unsure`
# with those that run as before: a stop that was begun may end them yet.
restore_before() { # SERVICE...
	local id name part of image_then rest is there='' new=() status=0 compose_file='' # .env says it
	restore_env || status=1
	[[ $# == 0 ]] || there=$(insist states "" "$@") || return 2
	while read -r id rest; do
		[[ -z $id ]] || grep -q "^$id " .deploybot.before/containers || new+=("$id")
	done <<<"$there"
	((${#new[@]} == 0)) || end_new "${new[@]}" || status=1
	while read -r id name part of image_then; do
		if ! is=$("${engine[@]}" inspect --format '{{.Name}} {{.State.Running}}' "$id" 2>/dev/null); then
			make_anew "$part" "$of" "$image_then"
			continue
		fi
		[[ ${is% *} == "/$name" ]] || "${engine[@]}" rename "$id" "$name" || true # it can run under another
		if [[ ${is#* } == true ]]; then
			unsure+=" $id"
		else
			"${engine[@]}" start "$id" >/dev/null || make_anew "$part" "$of" "$image_then"
		fi
	done < <(ran_before)
	return "$status"
}

# What was brought up gets its stop_grace_period too, all at once.  Noted, as dockerd goes on with a stop when we are killed.
end_new() { # ID...
	[[ ! -e .deploybot.before ]] || printf '%s\n' "$@" >.deploybot.before/ending || true # a full disk
	timeout -k 10 "$up_seconds" docker stop "$@" >/dev/null || true # what it could not stop goes now
	"${engine[@]}" rm -f "$@" >/dev/null
}

# With its image of then: before the first release that stood in no .env, and each service had its own.
make_anew() { # SERVICE ID IMAGE
	local up_image=$3 id compose_file from_folder
	image_id id "$3" && [[ $id == "$2" ]] || up_image=$2
	use_again "$3" || return 0 # who looks whether it runs sees that it does not
	show "$(run_compose "$up_seconds" "" up -d --no-deps --no-build "$1" 2>&1 </dev/null)"
}

# Do those that ran run still when a stop that is in progress has taken effect?  Started again if not.  Behind that no stop
# is in progress any more.
stays_up() {
	local began=$SECONDS seconds=$STEADY_SECONDS parts part up status
	[[ $was_cut == no || -z $unsure ]] || seconds=$late_seconds
	parts=$(ran_before | cut -d ' ' -f 3 | sort -u)
	while :; do
		up=yes
		for part in $parts; do
			status=0
			keeps_running "$part" || status=$?
			case $up.$status in
			*.1) up=no ;;
			yes.2) up=unknown ;;
			esac
		done
		if [[ -z $unsure ]] && ((seconds > SECONDS - began + STEADY_SECONDS)); then
			seconds=$((SECONDS - began + STEADY_SECONDS))
		fi
		((SECONDS - began < seconds)) || { [[ $up == unknown ]] && ((SECONDS - began < ASK_SECONDS)); } || break
		pause 0.3
	done
	[[ $up == yes ]]
}

keeps_running() { # SERVICE; status 2: docker does not say
	local id state up=no found
	found=$(states "" "$1") || return 2
	while read -r id _ state _; do
		[[ -n $id ]] || continue
		up=yes
		[[ $state != running ]] || continue
		unsure=${unsure/" $id"/}
		"${engine[@]}" start "$id" >/dev/null || up=no
	done <<<"$found"
	[[ $up == yes ]]
}

# What an earlier act could not finish, as it was killed together with its guard, or the host was.
reconcile_recreate() {
	local found id of image_now there env_words
	is_interrupted || {
		forget_before
		return "$?"
	}
	say "an earlier release was interrupted here"
	was_cut=yes # and dockerd goes on with what it was stopping then
	there=$(states "") || no_answer "nothing was changed there"
	found=$(only_up "$there")
	if [[ -z $found ]]; then
		take_back_recreate || die 70 "an earlier release was interrupted here$said"
		return "$?"
	fi
	while read -r id _; do
		[[ -z $id || $found == *"$id"* ]] || "${engine[@]}" rm -f "$id" >/dev/null || true # it does not run
	done <<<"$there"
	read -r _ of _ _ _ _ _ image_now _ <<<"$found"
	find_env_words_of "$image_now"
	write_env "DEPLOY_IMAGE=$image_now" ${env_words[@]+"${env_words[@]}"} || die 70 ".env in $dir cannot be written"
	reconcile_others || no_answer "${others[*]} may be of another release than $service"
	# What another image replaces may end; what is to run on may not.
	image_id wanted "$image" && [[ $wanted != "$of" ]] || outlast_stops
	forget_before
}

# What ran before the interrupted release and runs yet may be about to end, and so may what was being ended again: docker
# does not say so.
outlast_stops() {
	local found id
	found=$(running "" "$service" ${others[@]+"${others[@]}"}) || no_answer "whether it goes on to run is not known"
	while read -r id _; do
		[[ -z $id ]] || ! grep -qsE "^$id( |\$)" .deploybot.before/{containers,ending} || unsure+=" $id"
	done <<<"$found"
	[[ -n $unsure ]] || return 0
	say "it may have begun to stop what runs: that is looked at for $late_seconds s, and started again where it ends"
	stays_up || die 70 "an earlier release was interrupted here; what ran could NOT be kept running: docker ps -a shows why"
}

# Those that ran, or were being replaced, run what the main service does.  Fails where docker does not say which those are.
reconcile_others() {
	local name found words parts=() compose_file from_folder up_image=$image_now
	((${#others[@]} > 0)) || return 0
	found=$(ran_before && states "" "${others[@]}") || return 1
	for name in "${others[@]}"; do
		[[ " ${found//$'\n'/ } " != *" $name "* ]] || parts+=("$name")
	done
	((${#parts[@]} > 0)) || return 0
	use_again "$image_now" || return 0 # said
	words=$(run_compose "$up_seconds" "" up -d --no-deps --no-build "${parts[@]}" 2>&1) ||
		say "warning: ${parts[*]} could not be started: $(last_line "$words")"
}

switch_recreate() {
	reconcile_recreate
	[[ $told == no ]] || die 75 "was asked to stop"
	image_id wanted "$image" || die 70 "docker has no $image any more, or does not answer"
	copy_own
	note_before "" "$service" ${others[@]+"${others[@]}"} || die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
	note_first "$(ran_before)"
	change=begun
	write_env "DEPLOY_IMAGE=$image" ${env_words[@]+"${env_words[@]}"} ||
		die 70 "$dir/.env cannot be written: $(df -P . | tail -n 1)"
	bring_up "" "$service" # never cut short by us: between its stop and its start nothing runs
	wait_up "" || die 70 "$(new_release) does not run: $said"
	[[ -n $(ran_before) ]] || name_unpublished || true # a hint: the release runs
	bring_up_others
	forget_before
	change=over
	say "${release:0:12} runs"
	keep_own
}

# Notes a release that comes where nothing runs; one that replaces another takes the note away.
note_first() { # WHAT-RUNS
	local first
	read_file first .deploybot.first
	if [[ -z $1 ]]; then
		write_file .deploybot.first printf '%s\n' "$release" || rm -f .deploybot.first
	elif [[ $first != "$release" ]]; then
		rm -f .deploybot.first
	fi
}

# Nothing is brought back of the release that came where nothing ran: what it has started goes, and its lines in .env.
end_first() {
	local first found='' id of ids=() names=("$service" ${others[@]+"${others[@]}"})
	"reconcile_$strategy"
	read_file first .deploybot.first
	image_id wanted "$image@${first##*@}" || wanted=unknown
	found=$(serving) || no_answer "what it has started was not ended"
	read -r _ of _ <<<"$found"
	[[ -n $first && (-z $found || $of == "$wanted") ]] ||
		die 70 "nothing is ended: what ran there before the release is not known (docker ps -a on $host)"
	if [[ $strategy == bluegreen ]]; then
		names=(${others[@]+"${others[@]}"})
		stop_port "$port_a" && stop_port "$port_b" || die 70 "what it has started could not be ended: docker ps -a on $host"
	fi
	found=
	((${#names[@]} == 0)) || found=$(states "" "${names[@]}") || no_answer "what it has started was not ended"
	while read -r id _; do
		[[ -z $id ]] || ids+=("$id")
	done <<<"$found"
	((${#ids[@]} == 0)) || end_new "${ids[@]}" || die 70 "what it has started could not be ended: docker ps -a on $host"
	write_env DEPLOY_IMAGE DEPLOY_PORT || die 70 "$dir/.env cannot be written: $(df -P . | tail -n 1)"
	say "nothing ran there before: what the release has started is ended"
}
