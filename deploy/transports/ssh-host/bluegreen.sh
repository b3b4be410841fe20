# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# bluegreen.sh - the new container starts beside the old one, and nginx is led from one to the other.
# SPDX-License-Identifier: ISC

# The port that the upstream file names; none when it is none of ours.
live_port() {
	local text
	text=$(cat -- "$upstream" 2>/dev/null) || return 0
	[[ $text =~ server[[:space:]]+127\.0\.0\.1:([0-9]+) ]] || return 0
	[[ ${BASH_REMATCH[1]} != "$port_a" && ${BASH_REMATCH[1]} != "$port_b" ]] || printf '%s' "${BASH_REMATCH[1]}"
}

# Whose the upstream file is: point_at() writes it.  Nothing where nobody has pointed it yet.
owner_of_upstream() {
	local text
	text=$(cat -- "$upstream" 2>/dev/null) || return 0
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

# nginx's workers that take requests: lines MASTER PID.
workers() {
	local file stat
	grep -lzx '[n]ginx: worker process' /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
		{ read -r stat <"${file%/cmdline}/stat"; } 2>/dev/null || continue
		# shellcheck disable=SC2086 # a line of words
		set -- ${stat##*) }
		file=${file#/proc/}
		printf '%s %s\n' "$2" "${file%/cmdline}"
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

# Which file it is: a new one after every switch.
upstream_stamp() {
	stat -L -c '%d %i %Y %Z' -- "$upstream"
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

# Returns when requests that come from now on go where the upstream file says; else fills said.
reload() {
	local before words began reloaded='' marked=no
	before=$(workers)
	if mark_unread; then
		marked=yes
	fi
	# It may start nginx anew: that is not to hold what says that we live.
	# shellcheck disable=SC2086 # its words were checked by ssh.sh
	words=$(timeout -k 5 "$ASK_SECONDS" $reload_command 2>&1 </dev/null 5>&- 9>&-) || {
		show "$words"
		said="\"$reload_command\" failed: $(last_line "$words")"
		return 1
	}
	began=$SECONDS
	if [[ -z $before ]]; then
		is_blind=yes
		sleep "$BLIND_SECONDS"
	else
		until are_replaced "$before"; do
			((SECONDS - began < RELOAD_SECONDS)) || break
			sleep 0.1
		done
	fi
	if [[ $is_blind == yes ]] || are_replaced "$before"; then
		if [[ $is_blind == no && $marked == yes ]] && is_passed_over; then
			said="nginx does not read $upstream: include it inside upstream { } (docs/deploy-scripts.md, bluegreen)"
			return 1
		fi
		upstream_stamp >.deploybot.nginx || true # where that cannot be written the next act reloads again
		return 0
	fi
	said="nginx did not take its configuration within $RELOAD_SECONDS s: its error log says why"
	return 1
}

# Until nginx's earlier workers have answered their last requests, DRAIN_SECONDS at most; where they cannot be seen, all
# of those.
drain_old() {
	local began=$SECONDS
	while ((SECONDS - began < drain)); do
		[[ $told == no ]] || return 0
		[[ $is_blind == yes ]] || grep -qz '^[n]ginx: worker .* shutting' /proc/[0-9]*/cmdline 2>/dev/null || return 0
		sleep 0.2
	done
}

point_at() { # PORT
	local file new
	file=$(readlink -f -- "$upstream") || return "$?"
	new=$file.deploybot
	printf 'server 127.0.0.1:%s; # deploybot: %s\n' "$1" "$environment" >"$new" &&
		chmod 644 -- "$new" && put_file "$new" "$file"
}

stop_port() { # PORT
	local ids words
	ids=$(containers "$1") && [[ -n $ids ]] || return 0
	words=$(run_compose "$UP_SECONDS" "$1" rm -s -f "$service" 2>&1) || show "$words"
	ids=$(containers "$1") || return "$?"
	# shellcheck disable=SC2086 # ids have no blanks
	[[ -z $ids ]] || engine rm -f $ids >/dev/null
}

# Makes nginx and the upstream file say the same, and that what runs; fills live with its port, empty when none does.
settle_bluegreen() {
	local other
	check_owner
	live=$(live_port)
	if [[ -n $live && -z $(running "$live") ]]; then
		other=$(other_port "$live")
		if [[ -n $(running "$other") ]] && http_status "http://127.0.0.1:$other/" >/dev/null; then
			say "the upstream file says $live, where nothing runs: back to $other"
			point_at "$other" || die 70 "$upstream cannot be written"
			live=$other
		fi
	fi
	# A reload may cost a client that keeps its connection open a request: none that is not needed.
	if [[ $(cat .deploybot.nginx 2>/dev/null) != "$(upstream_stamp)" ]]; then
		reload || die 70 "$said"
	fi
	[[ -n $live && -n $(running "$live") ]] || live=
}

prepare_bluegreen() {
	local words status=0
	settle_bluegreen
	keep_before
	pull
	if [[ -n $live ]] && runs_wanted "$live"; then
		say "${release:0:12} serves already on port $live"
		return "$?"
	fi
	idle=$(live_port)
	idle=$(other_port "${idle:-$port_b}")
	if runs_wanted "$idle" && answers "$idle"; then
		say "${release:0:12} runs still on port $idle"
		return "$?"
	fi
	[[ -z $(running "$idle") ]] || drain_old # an interrupted switch may have left requests there
	stop_port "$idle" || die 70 "what runs on port $idle cannot be stopped"
	started=$idle
	say "start ${release:0:12} on port $idle"
	run_compose "$UP_SECONDS" "$idle" up -d --no-deps "$service" >"$private/words" 2>&1 || status=$?
	words=$(<"$private/words")
	show "$words"
	((status == 0)) || die 70 "compose up failed: $(last_line "$words")"
	[[ $told == no ]] || die 75 "was asked to stop"
	wait_up "$idle" || die 70 "the new release does not run: $said"
	started=
}

switch_bluegreen() {
	local old new
	wanted=$(image_id "$image") || die 70 "docker has no $image any more, or does not answer"
	check_owner
	old=$(live_port)
	if [[ -n $old ]] && runs_wanted "$old"; then
		new=$old
		old=$(other_port "$new")
		settle_bluegreen
	else
		new=$(other_port "${old:-$port_b}")
		runs_wanted "$new" || die 75 "what was started on port $new is not there any more: something else is being released"
		point_at "$new" || die 70 "$upstream cannot be written: $(df -P -- "${upstream%/*}" | tail -n 1)"
		if ! reload; then
			point_back "$old" "$new"
			die 70 "$said"
		fi
	fi
	write_env "DEPLOY_IMAGE=$image" "DEPLOY_PORT=$new" || say "warning: $dir/.env could not be written"
	say "${release:0:12} serves on port $new"
	old=$(other_port "$new")
	if [[ -n $(containers "$old") ]]; then
		drain_old
		[[ $told == no ]] || die 75 "was asked to stop; what ran before runs still, on port $old"
		stop_port "$old" || say "warning: what ran on port $old could not be stopped"
	fi
}

# nginx has the old port still, or nothing that works: the file says so too.
point_back() { # OLD NEW
	local why=$said
	if [[ -n $1 && -n $(running "$1") ]]; then
		point_at "$1" && reload && stop_port "$2" || true # nginx never left the old port; the next act tries again
		why+="; the earlier release serves still"
	fi
	said=$why
}

# Takes away what was started beside what serves.
tidy_bluegreen() {
	settle_bluegreen
	[[ -n $live ]] || return 0
	drain_old
	stop_port "$(other_port "$live")"
}
