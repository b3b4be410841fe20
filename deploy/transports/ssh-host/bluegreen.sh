# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# bluegreen.sh - the new container starts beside the old one, and nginx is led from one to the other.
# SPDX-License-Identifier: ISC

# nginx reads its configuration and starts workers; and what is waited where its processes cannot be seen.
readonly RELOAD_SECONDS=15 BLIND_SECONDS=3

# The port that the upstream file names; none when it is none of ours.
live_port() {
	local text
	read_file text "$upstream"
	[[ $text =~ server[[:space:]]+127\.0\.0\.1:([0-9]+) ]] || return 0
	[[ ${BASH_REMATCH[1]} != "$port_a" && ${BASH_REMATCH[1]} != "$port_b" ]] || printf '%s' "${BASH_REMATCH[1]}"
}

# Whose the upstream file is: point_at() writes it.  Nothing where nobody has pointed it yet.
owner_of_upstream() {
	local text
	read_file text "$upstream"
	[[ ! $text =~ '# deploybot: '([a-z][a-z0-9./-]*) ]] || printf '%s' "${BASH_REMATCH[1]}"
}

# Two environments at one file would take each other's requests: nginx would lead one's to the other's container.
check_owner() {
	local owner
	owner=$(owner_of_upstream)
	[[ -z $owner || $owner == "$environment" || $owner == "$former" ]] ||
		die 78 "$upstream is $owner's, not $environment's: with bluegreen an environment needs a host of its own \
(where $owner has left this one, remove its name from that file)"
}

other_port() { # PORT
	if [[ $1 == "$port_a" ]]; then printf '%s' "$port_b"; else printf '%s' "$port_a"; fi
}

# nginx's workers that take requests, or others: lines MASTER PID START.
workers() { # [PATTERN]
	local file stat
	grep -lzx "${1:-[n]ginx: worker process}" /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
		{ read -r stat <"${file%/cmdline}/stat"; } 2>/dev/null || continue
		# shellcheck disable=SC2086 # a line of words
		set -- ${stat##*) }
		file=${file#/proc/}
		printf '%s %s %s\n' "$2" "${file%/cmdline}" "${20}"
	done
}

# Have all workers of one master, that took requests before, been replaced?
are_replaced() { # BEFORE; fills reloaded, the master
	local now line
	now=$(workers)
	while read -r reloaded _; do
		[[ $'\n'$now == *$'\n'"$reloaded "* ]] || continue
		while read -r line; do
			[[ $line != "$reloaded "* || $'\n'$now$'\n' != *$'\n'"$line"$'\n'* ]] || continue 2
		done <<<"$1"
		return 0
	done <<<"$1"
	return 1
}

# Fills served with the workers of before of the one master that was reloaded; with all, where another one has lost any too:
# then nobody knows which of them NGINX_RELOAD_COMMAND meant.
find_served() { # BEFORE
	local now line
	now=$'\n'$(workers)$'\n'
	served=
	while read -r line; do
		if [[ $line == "$reloaded "* ]]; then
			served+=${served:+$'\n'}$line
		elif [[ $now != *$'\n'"$line"$'\n'* ]]; then
			served=$1
			return 0
		fi
	done <<<"$1"
}

# Which file it is: a new one after every switch.
upstream_stamp() {
	stat -L -c '%d %i %Y %Z' -- "$upstream"
}

# Fills read_stamp and read_port, which file nginx has surely read and what that said; empty: that is not known.
find_read() {
	read_stamp='' read_port=''
	{ IFS= read -r read_stamp && IFS= read -r read_port; } 2>/dev/null <.deploybot.nginx || true
}

# Does the file say another port than the one that nginx has surely read?  Then nobody knows which of them serves.
is_led_elsewhere() {
	local read_stamp read_port
	find_read
	[[ -n $read_stamp && $read_stamp != "$(upstream_stamp)" && $read_port != "$(live_port)" ]]
}

# Was it switched to before, and not only started?
has_served() { # PORT
	local drain_of drain_port='' drain_since drain_workers read_stamp read_port
	find_read
	[[ $read_port == "$1" ]] || { read_drain && [[ $drain_port == "$1" ]]; }
}

# As `running`, of a port that nginx leads to: where no container of ours has it, a word for whatever else answers there.
on_port() { # PORT
	local found
	found=$(running "$1") || return 1
	[[ -n $found ]] || ! http_status "http://127.0.0.1:$1/" >/dev/null || found=answers
	printf '%s' "$found"
}

# Where it is for a process: device and path on it; nothing where a read leaves no mark.
place_of() { # FILE PID
	local device root point options best='' found=''
	while read -r _ _ device root point options _; do
		[[ $1 == "${point%/}"/* ]] && ((${#point} >= ${#best})) || continue
		best=$point found=
		[[ ,$options, == *,ro,* || ,$options, == *,noatime,* ]] || found="$device ${root%/}/${1#"${point%/}"/}"
	done 2>/dev/null <"/proc/$2/mountinfo" || true # it may be gone, or somebody else's: then nothing is found
	printf '%s' "$found"
}

is_unread() {
	[[ $(stat -L -c %X -- "$upstream") == 1 ]]
}

# Makes the upstream file one that was never read; false where a read would not show.
mark_unread() {
	touch -a -d @1 -- "$upstream" && cat -- "$upstream" >/dev/null && ! is_unread && touch -a -d @1 -- "$upstream"
} 2>/dev/null

# Has the nginx that was reloaded surely not read it?  One in a container may see it where reading leaves no mark.
is_passed_over() {
	local file place
	is_unread && file=$(readlink -f -- "$upstream") || return "$?"
	place=$(place_of "$file" self)
	[[ -n $place && $place == "$(place_of "$file" "$reloaded")" ]]
}

# Returns when requests that come from now on go where the upstream file says; else fills said, and untaken with whether nginx
# was seen to have the workers that it had.
reload() {
	local before words began reloaded='' marked=no
	before=$(workers) untaken=no
	if mark_unread; then
		marked=yes
	fi
	# It may start nginx anew: that is not to hold what says that we live.
	# shellcheck disable=SC2086 # its words were checked by ssh.sh
	words=$(timeout -k 5 "$ASK_SECONDS" $reload_command 2>&1 </dev/null 5>&- 9>&-) || {
		show "$words"
		said="\"$reload_command\" failed: $(last_line "$words")"
		find_untaken
		return 1
	}
	began=$SECONDS
	if [[ -z $before ]]; then
		is_blind=yes
		sleep "$BLIND_SECONDS"
	else
		until are_replaced "$before"; do
			((SECONDS - began < RELOAD_SECONDS)) || break
			pause 0.1
		done
	fi
	if [[ $is_blind == yes ]] || are_replaced "$before"; then
		if [[ $is_blind == no && $marked == yes ]] && is_passed_over; then
			said="nginx does not read $upstream: include it inside upstream { } (docs/deploy-scripts.md, bluegreen)"
			return 1
		fi
		# Where that cannot be written the next act reloads again.
		write_file .deploybot.nginx printf '%s\n' "$(upstream_stamp)" "$(live_port)" "$reloaded" || rm -f .deploybot.nginx
		served=blind
		[[ $is_blind == yes ]] || find_served "$before"
		return 0
	fi
	said="nginx did not take its configuration within $RELOAD_SECONDS s: its error log says why"
	find_untaken
	return 1
}

# Of the nginx that was reloaded last, where one is known: there may be others, which come and go.
find_untaken() {
	local now master='' had has
	[[ -n $before ]] || return 0
	now=$(workers)
	{ read -r && read -r && read -r master; } 2>/dev/null <.deploybot.nginx || true # then it is of all
	had=$(grep "^${master:+$master }" <<<"$before") && has=$(grep "^${master:+$master }" <<<"$now") || return 0
	[[ $has != "$had" ]] || untaken=yes
}

point_at() { # PORT
	local file new
	file=$(readlink -f -- "$upstream") || return "$?"
	new=$file.deploybot
	printf 'server 127.0.0.1:%s; # deploybot: %s\n' "$1" "$environment" >"$new" &&
		chmod 644 -- "$new" && put_file "$new" "$file"
}

# How long the service's containers may take to end after TERM: stop_grace_period, the longest of those there.
stop_grace() {
	local ids port longest=$GRACE_SECONDS found
	for port in "$port_a" "$port_b"; do
		ids=$(containers "$port") || ids=
		# shellcheck disable=SC2086 # ids have no blanks
		[[ -z $ids ]] || for found in $("${engine[@]}" inspect --format '{{.Config.StopTimeout}}' $ids 2>/dev/null); do
			[[ ! $found =~ ^[0-9]{1,5}$ ]] || ((found <= longest)) || longest=$found
		done
	done
	printf '%s' "$((longest < GRACE_MAX ? longest : GRACE_MAX))"
}

stop_port() { # PORT
	local ids words seconds
	ids=$(containers "$1") || return 1
	[[ -n $ids ]] || return 0
	write_file .deploybot.ending printf '%s\n' "$ids" ||
		say "warning: what is being stopped cannot be noted in $dir: is its disk full?"
	seconds=$(($(stop_grace) + 30))
	((seconds >= up_seconds)) || seconds=$up_seconds
	words=$(run_compose "$seconds" "$1" rm -s -f "$service" 2>&1) || show "$words"
	ids=$(containers "$1") || return "$?"
	# shellcheck disable=SC2086 # ids have no blanks
	[[ -z $ids ]] || "${engine[@]}" rm -f $ids >/dev/null || return "$?"
	rm -f .deploybot.ending
}

# Was a stop begun there by an act that was killed?  dockerd goes on with it, so what runs there yet will not.
is_ending() { # PORT
	local ids id text
	read_file text .deploybot.ending
	[[ -n $text ]] || return 1
	ids=$(containers "$1") || no_answer "nothing was started there"
	for id in $ids; do
		[[ $'\n'$text$'\n' != *$'\n'"$id"$'\n'* ]] || return 0
	done
	return 1
}

# ---- what a switch has left running --------------------------------------------------------------

uptime_seconds() {
	local up
	read -r up _ </proc/uptime
	printf '%s' "${up%%.*}"
}

# Fills drain_of, drain_port, drain_since and drain_workers; false: nothing drains.
read_drain() {
	local text
	read_file text .deploybot.drain
	[[ ${text%%$'\n'*} =~ ^([0-9]*)\ ([0-9]{1,5})\ ([0-9]{1,10})$ ]] || return 1
	drain_of=${BASH_REMATCH[1]} drain_port=${BASH_REMATCH[2]} drain_since=${BASH_REMATCH[3]}
	drain_workers=${text#*$'\n'}
	[[ $text == *$'\n'* ]] || drain_workers=
	[[ $drain_port == "$port_a" || $drain_port == "$port_b" ]]
}

# Behind a switch; where nginx was reloaded before, by an act that was cut, the workers that are on their way out.
note_drain() { # PORT
	local drain_of drain_port='' drain_since drain_workers
	if [[ -z $served ]] && read_drain && [[ $drain_port == "$1" ]]; then
		served=$drain_workers
	else
		drain_since=$(uptime_seconds)
		[[ -n $served ]] || served=$(workers '[n]ginx: worker process is shutting down') || true # there is none
	fi
	write_file .deploybot.drain printf '%s\n' "${deployment:-0} $1 $drain_since" ${served:+"$served"} || {
		rm -f .deploybot.drain
		say "warning: $dir cannot be written: what ran on port $1 stays until the next release"
	}
}

# Fills passed_by with the masters of drain_workers whose workers all take requests still: those were not reloaded since,
# so it is another one that NGINX_RELOAD_COMMAND has reloaded.  None, where none of all was: then nobody knows which.
find_passed_by() {
	local now master rest reloaded=' '
	now=$'\n'$(workers)$'\n'
	passed_by=' '
	while read -r master rest; do
		[[ $now == *$'\n'"$master $rest"$'\n'* ]] || reloaded+="$master "
	done <<<"$drain_workers"
	[[ $reloaded != ' ' ]] || return 0
	while read -r master rest; do
		[[ $reloaded == *" $master "* ]] || passed_by+="$master "
	done <<<"$drain_workers"
}

# Prints how many seconds it may go on; 0: nobody has a connection to it, or its time is over.
drain_left() {
	local left master pid start stat passed_by
	left=$((drain - ($(uptime_seconds) - drain_since)))
	if ((left <= 0 || left > drain)); then # the host was started anew: nobody has a connection
		printf 0
		return "$?"
	fi
	[[ $drain_workers != blind ]] || {
		printf '%s' "$left"
		return "$?"
	}
	find_passed_by
	while read -r master pid start; do
		[[ -n $pid && $passed_by != *" $master "* ]] && { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
		# shellcheck disable=SC2086 # a line of words
		set -- ${stat##*) }
		[[ ${20} != "$start" ]] || {
			printf '%s' "$left"
			return "$?"
		}
	done <<<"$drain_workers"
	printf 0
}

# The lock is taken only to stop something.  The last line is `draining SECONDS`, or anything else: it is over.
act_drain() {
	local drain_of='' drain_port='' drain_since='' drain_workers='' left
	if ! read_drain || [[ -n $deployment && $drain_of != "$deployment" ]]; then
		say "nothing of this deployment drains here"
		return "$?"
	fi
	left=$(drain_left)
	[[ $left != 0 ]] || guard
	printf 'draining %s\n' "$left"
}

# Somebody may have been faster, or be about to lead nginx there again.
end_drain() {
	local drain_of='' drain_port='' drain_since='' drain_workers=''
	read_drain && [[ -z $deployment || $drain_of == "$deployment" ]] || return 0
	if [[ -e .deploybot.drain.kept ]]; then
		printf 'draining 60\n'
		return "$?"
	fi
	[[ -n $project ]] || find_services
	reconcile_bluegreen
	[[ -n $live && $live != "$drain_port" ]] || die 70 "port $drain_port serves: nothing is ended there"
	stop_port "$drain_port" || die 75 "what ran on port $drain_port could not be stopped (docker ps -a shows it)"
	rm -f .deploybot.drain
	say "what ran on port $drain_port has ended"
}

# Before what runs on the idle port is replaced.
cut_drain() {
	if [[ -e .deploybot.drain ]]; then
		: >.deploybot.drain.cut || true # a full disk: it is said now
		name_cut
	fi
	rm -f .deploybot.drain .deploybot.drain.kept
}

# On stderr: ssh.sh reads it there, and says so in the end where no release comes of it.  As `say`, where nobody reads.
name_cut() {
	printf '%s: what drains there is ended: its open connections are closed\n' "$host" >&2 || true
}

# What drains is to serve again: a drain that comes now leaves it alone.
keep_drain() {
	[[ ! -e .deploybot.drain ]] || : >.deploybot.drain.kept || die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
}

# What a release that was cut has left may be put in order behind `==> release` alone, as that changes what serves.
begin_settling() { # WHAT
	local status=75
	[[ $act != drain ]] || status=70 # another look finds the same
	[[ $settle == yes ]] || die "$status" "$1: the next release or rollback puts that in order"
	say "$1"
}

# Makes nginx and the upstream file say the same, and that what runs; fills live with its port, empty when none does, and
# unrestored with what is said of other services that could not be brought back.
reconcile_bluegreen() {
	local other runs='' read_stamp read_port status=0
	unrestored=
	check_owner
	if is_interrupted; then
		begin_settling "an earlier release was interrupted here"
		was_cut=yes # and dockerd goes on with what it was stopping then
		take_back_bluegreen || status=$?
		((status != 1)) || die 70 "an earlier release was interrupted here$said"
		((status == 0)) || unrestored=$said
	else
		forget_before
	fi
	live=$(live_port)
	[[ -z $live ]] || runs=$(on_port "$live") || no_answer "nginx was left on port $live"
	other=$(other_port "$live")
	if [[ -n $live && -z $runs ]] && has_served "$other"; then
		runs=$(running "$other") || no_answer "nginx was left on port $live"
		if [[ -n $runs ]] && http_status "http://127.0.0.1:$other/" >/dev/null; then
			begin_settling "the upstream file says $live, where nothing runs, and port $other answers"
			point_at "$other" || die 70 "$upstream cannot be written"
			live=$other
		else
			runs=
		fi
	fi
	# A reload may cost a client that keeps its connection open a request: none that is not needed.
	find_read
	if [[ $read_stamp != "$(upstream_stamp)" ]]; then
		! is_led_elsewhere || begin_settling "nginx may not have read that the upstream file says $live"
		reload || die 70 "$said"
	fi
	[[ -n $runs ]] || live=
}

# ---- what is switched to -------------------------------------------------------------------------

line_of_port() { # PORT
	grep "^$1 " .deploybot.made 2>/dev/null | tail -n 1 || true # there is none
}

# Leaves for the switch which port it is and how often docker has started it, and for later releases of what the container
# there was made.
note_ready() { # PORT SUM, or PORT alone: as it was noted
	local found id made=- of=- restarts other
	found=$(running "$1") || no_answer "nothing was switched there"
	read -r id _ _ _ restarts _ <<<"$found" # it may just have ended
	read -r _ made of _ < <(line_of_port "$1") || true # nobody has made it
	[[ $# == 1 ]] || made=$id of=$2 restarts=0
	other=$(line_of_port "$(other_port "$1")")
	write_file .deploybot.made printf '%s\n' ${other:+"$other"} "$1 ${made:--} ${of:--} ${restarts:-0}" ||
		die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
}

# What a start has left for it; nothing where none has.
ready_port() {
	local port=''
	read -r port _ 2>/dev/null < <(tail -n 1 .deploybot.made 2>/dev/null) || true # there is none
	[[ $port != "$port_a" && $port != "$port_b" ]] || printf '%s' "$port"
}

# Was it made of what a release would make it of now?  A rollback takes it as it is: settings are not rolled back.
is_as_made() { # PORT
	local ids id of
	[[ $renew == yes ]] || return 0
	ids=$(containers "$1") || no_answer "nothing was started there"
	read -r _ id of _ < <(line_of_port "$1") || return 1
	[[ $'\n'$ids$'\n' == *$'\n'"$id"$'\n'* && -n $sum && $of == "$sum" ]]
}

# The switch would refuse it.
is_unhealthy() { # PORT
	local found
	found=$(running "$1") || no_answer "nothing was started there"
	[[ $found == *' running unhealthy '* ]]
}

# Before a drain is cut for nothing.
check_free() { # PORT
	local holders name
	find_holders "$1" || no_answer "nothing was started there"
	[[ -n $holders ]] || return 0
	read -r _ _ _ _ _ _ name _ <<<"$holders"
	die 70 "port $1, where the new release would start, is that of ${name#/}, which no release has started: when nobody \
is to be rolled back to it, end it there (docker rm -f ${name#/})"
}

# Others that could not be brought back are no reason to begin none: it replaces them.
reconcile_for_release() {
	reconcile_bluegreen
	[[ -n $unrestored ]] || return 0
	say "warning: ${unrestored#; }"
	forget_before
}

start_bluegreen() {
	local sum
	rm -f .deploybot.drain.cut # of an earlier one
	reconcile_for_release
	image_id wanted "$image" || die 75 "docker has no $image any more, or does not answer: try again"
	sum=$(sum_of_main) || sum='' # what is started says why
	if [[ -n $live ]] && runs_wanted "$live" && is_as_made "$live"; then
		say "${release:0:12} serves already on port $live"
		note_ready "$live"
		return "$?"
	fi
	idle=$(live_port)
	idle=$(other_port "${idle:-$port_b}")
	if runs_wanted "$idle" && is_as_made "$idle" && ! is_ending "$idle" && ! is_unhealthy "$idle" && answers "$idle"; then
		say "${release:0:12} runs still on port $idle"
		keep_drain
		note_ready "$idle"
		return "$?"
	fi
	check_free "$idle"
	cut_drain
	stop_port "$idle" || die 70 "what runs on port $idle cannot be stopped"
	started=$idle
	say "start ${release:0:12} on port $idle"
	bring_up "$idle" "$service"
	wait_up "$idle" || die 70 "$(new_release) does not run: $said"
	note_ready "$idle" "$sum"
	started=
}

# Is what was made ready on a port there yet, and its container, whatever became of it?
is_ready() { # PORT
	local found of want=no
	found=$(states "$1") || no_answer "nothing was switched there"
	while read -r _ of _; do
		[[ -n $of ]] || continue
		[[ $of == "$wanted" ]] || return 1
		want=yes
	done <<<"$found"
	[[ $want == yes ]]
}

# Other hosts and hooks may have taken long: is it up, healthy, not started anew, and does it answer still?
still_up() { # PORT
	local restarts_then='' steady_seconds=0 ended_when="since it was started" start_seconds=$QUICK_SECONDS up_since=$SECONDS
	read -r _ _ _ restarts_then < <(line_of_port "$1") || true # 0
	wait_up "$1"
}

switch_bluegreen() {
	local old new is_there=is_ready has_env=yes found
	image_id wanted "$image" || die 70 "docker has no $image any more, or does not answer"
	check_owner
	copy_own # it was made of that a moment ago
	old=$(live_port) new=$(ready_port)
	[[ $new != "$old" ]] || is_there=runs_wanted
	[[ -n $new ]] && "$is_there" "$new" ||
		die 75 "what was started${new:+ on port $new} is not there any more: something else is being released"
	if [[ $new == "$old" ]]; then
		reconcile_for_release
	else
		still_up "$new" || die 70 "$(new_release) does not run: $said; nothing was switched there"
	fi
	note_switch "$old" || die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
	found=$(serving && running "" ${others[@]+"${others[@]}"}) || no_answer "nothing was switched there"
	note_first "$found"
	make_env "DEPLOY_IMAGE=$image" "DEPLOY_PORT=$new" ${env_words[@]+"${env_words[@]}"} || {
		needs_env && {
			forget_before
			die 70 "$dir/.env cannot be written: $(df -P . | tail -n 1)"
		}
		has_env=no
		say "warning: $dir/.env could not be written"
	}
	if [[ $new != "$old" ]]; then
		point_at "$new" || {
			drop_env
			forget_before
			die 70 "$upstream cannot be written: $(df -P -- "${upstream%/*}" | tail -n 1)"
		}
		if ! reload; then
			point_back "$old" "$new"
			drop_env
			forget_before
			die 70 "$said"
		fi
	fi
	change=begun
	[[ $has_env == no ]] || put_env || {
		needs_env && die 70 "$dir/.env cannot be replaced: $(df -P . | tail -n 1)"
		drop_env
		say "warning: $dir/.env could not be replaced"
	}
	say "${release:0:12} serves on port $new"
	bring_up_others
	keep_own
	change=over
	forget_before
	leave_to_drain "$(other_port "$new")" || true # nothing is there
	rm -f .deploybot.drain.kept .deploybot.drain.cut
}

# It is what the other services start with, and names another compose file; without both the next release writes its own.
needs_env() {
	((${#others[@]} + ${#env_words[@]} > 0))
}

# Behind a switch; false: nothing runs there.
leave_to_drain() { # PORT
	local ids
	if ids=$(containers "$1") && [[ -z $ids ]]; then
		rm -f .deploybot.drain
		return 1
	fi
	note_drain "$1" # or docker does not say: then the drain asks
}

# What was made ready and is not switched to; what drains there was there before, and drains on.
drop_ready() { # PORT
	local drain_of='' drain_port='' drain_since='' drain_workers=''
	rm -f .deploybot.drain.kept
	read_drain && [[ $drain_port == "$1" ]] || stop_port "$1"
}

# Where other services are replaced behind the switch, or .env names another compose file: what they were, and the port that served.
note_switch() { # OLD
	local port='' runs=''
	needs_env || return 0
	[[ -z $1 ]] || runs=$(on_port "$1") || no_answer "nothing was switched there"
	[[ -z $runs ]] || port=$1
	note_before "$port" "${others[@]}"
}

# Fills earlier with what is true of what runs on a port that nginx was led back to.
find_earlier() { # PORT
	local said=''
	earlier="$(earlier_release) serves still"
	answers "$1" || earlier="nginx leads to port $1 again, where $(earlier_release) runs and does not answer ($said)"
}

# Leads nginx back to what served, stops what was to follow it, and brings back the other services; nobody may stop this.
# Status 2: all but the other services is in order.
take_back_bluegreen() {
	local old='' new runs='' earlier
	trap '' TERM HUP INT
	new=$(live_port)
	IFS= read -r old 2>/dev/null <.deploybot.before/port || true # there was none
	if [[ -e .deploybot.before/barrier ]]; then
		# Or who tidies behind us would cut what served.
		[[ -n $old && $old != "$new" ]] && leave_to_drain "$old" || old=
		leave_as_it_is "$new" || return "$?"
		said+=${old:+"; the earlier one drains on port $old"}
		return 0
	fi
	say "rolling back to $(earlier_release)"
	[[ -z $old ]] || runs=$(insist on_port "$old") || {
		said="; docker does not say what runs: nginx serves port $new, and the next release or rollback puts it in order"
		return 1
	}
	if [[ -n $old && -z $runs ]]; then
		keep_new
		return "$?"
	fi
	if [[ -n $old && $old != "$new" ]]; then
		point_at "$old" && reload || {
			said="; nginx could NOT be led back to port $old: ${said:-$upstream cannot be written}"
			return 1
		}
	fi
	[[ -n $old ]] || stop_port "$new" || true # the next act stops it
	said="; as before, nothing runs on port $port_a or $port_b"
	if [[ -n $old ]]; then
		find_earlier "$old"
		said="; $earlier"
		drop_ready "$(other_port "$old")" || true
	fi
	restore_before ${others[@]+"${others[@]}"} && { [[ -z $(ran_before) ]] || stays_up; } || {
		said+=", but ${others[*]} could NOT be restored: docker ps -a on $host shows why"
		return 2
	}
	forget_before
}

# What served before is gone: the other services follow what serves now.
keep_new() {
	local image_now runs env_words
	said="; docker does not say what runs on port $new, where nginx points, and on port $old nothing does"
	runs=$(insist running "$new") || return 1
	read -r _ _ _ _ _ _ _ image_now _ <<<"$runs" # nothing may run
	find_env_words_of "$image_now"
	said="; $(earlier_release) does not run any more on port $old: port $new serves"
	[[ -z $image_now ]] || write_env "DEPLOY_IMAGE=$image_now" "DEPLOY_PORT=$new" ${env_words[@]+"${env_words[@]}"} ||
		return "$?"
	reconcile_others || {
		said+=", but docker does not say what ${others[*]} run"
		return 1
	}
	forget_before
}

# nginx may have the old port still, or nothing that works: the file says so too, and what was seen of it is said.
point_back() { # OLD NEW
	local why=$said runs='' was_untaken=$untaken earlier="nginx leads to port $1, where docker does not say what runs"
	[[ -z $1 ]] || runs=$(insist on_port "$1") || runs=unknown
	if [[ -n $runs ]]; then
		[[ $runs == unknown ]] || find_earlier "$1"
		if point_at "$1" && reload; then
			drop_ready "$2" || true # the next act tries again, here and below
		elif [[ $was_untaken.$untaken != yes.yes ]]; then
			earlier="nginx was asked to lead to port $1 again, and did not say that it does: \
which release serves is not known"
		fi
		why+="; $earlier"
	fi
	said=$why
}

# Takes away what was started beside what serves, or where nothing does.
tidy_bluegreen() {
	local port
	[[ ! -e .deploybot.drain.cut ]] || name_cut
	rm -f .deploybot.drain.cut
	reconcile_bluegreen
	port=$(live_port)
	[[ -n $port ]] || return 0
	port=$(other_port "$port")
	[[ -z $live ]] && has_served "$port" || drop_ready "$port"
}
