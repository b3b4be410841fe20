# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # variables go from file to file
# bluegreen.sh - a release starts beside what serves, is tidied where it comes to nothing, and what was replaced drains.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh.  Takes calls from calls.sh; a drain, which nothing came before, settings from
# compose.sh and what opens the hosts from hosts.sh.

: "${SSH_DRAIN_SECONDS:=2400}" # wait for the lock, and stop what has drained, however long its stop_grace_period
# A drain looks at the hosts so often; one that it cannot look at is asked for so long behind DRAIN_SECONDS.
readonly SSH_LOOK_SECONDS=15 SSH_DRAIN_MORE_SECONDS=600

# ---- start ---------------------------------------------------------------------------------------

# Beside what serves.
ssh_start() { # WORD...
	local status=0
	step start
	ssh_choose
	ssh_begun=() ssh_at_work=yes
	at_exit ssh_name_cut # what tidying has found
	at_exit ssh_tidy
	at_exit ssh_name_cut # who is killed while that tidies has said what it knew
	ssh_everywhere $((SSH_START_SECONDS + ssh_grace)) start "$@" || status=$?
	ssh_started=(${ssh_done[@]+"${ssh_done[@]}"} ${ssh_lost[@]+"${ssh_lost[@]}"}) ssh_begun=() ssh_at_work=no
	((status == 0)) || fail "$ssh_status" "$ssh_said"
}

# Where no release begins it is said that nothing was changed: of what serves that is true.
ssh_name_cut() {
	local i cut_on=''
	[[ -z ${release_began:-} ]] || return 0
	for i in "${!ssh_cut[@]}"; do
		cut_on+=${ssh_cut[$i]:+", ${ssh_cut[$i]}"}
		ssh_cut[i]='' # once
	done
	[[ -n $cut_on ]] || return 0
	unquote
	warn_people "${cut_on#, }: what serves is as it was; what drained beside it was ended to make room, and its open \
connections are closed"
}

# What was started beside what serves and is not switched to any more; where a signal ends the start, wherever that began:
# a host that is at it still notices that we are gone.  One that lost us is asked too, or named.  A host where the
# switch has begun puts itself in order.
ssh_tidy() {
	local i
	if [[ $ssh_at_work == yes ]]; then
		unquote
		((${#ssh_started[@]} > 0)) ||
			ssh_started=(${ssh_begun[@]+"${ssh_begun[@]}"} ${ssh_lost[@]+"${ssh_lost[@]}"}) ssh_begun=()
		ssh_at_work=no
		exec {ssh_life}>&-
	fi
	ssh_only=()
	for i in ${ssh_started[@]+"${ssh_started[@]}"}; do
		[[ -n ${ssh_begun[$i]:-} ]] || ssh_only+=("$i")
	done
	ssh_started=()
	((${#ssh_only[@]} > 0)) || return 0
	ssh_everywhere $((SSH_ASK_SECONDS + ssh_grace)) tidy "${ssh_common[@]}" ||
		warn_people "$ssh_said; what was started there may run on beside what serves, until the next release or rollback"
}

# ---- drain ---------------------------------------------------------------------------------------

# Looks at each host until nobody has a connection to what that deployment has left there, and it has ended.
transport_drain() { # DEPLOYMENT: "" by hand, whichever it was
	local began=$SECONDS i left ssh_still ssh_pause ssh_undrained='' ssh_undrained_status=$EXIT_REFUSED ssh_seen=()
	REMOTE_LOGIN=false # nothing is pulled
	ssh_find_settings
	[[ $DEPLOY_STRATEGY == bluegreen ]] || return 0
	ssh_check_files
	ssh_prepare
	ssh_leave_out
	left=("${!ssh_hosts[@]}")
	while :; do
		ssh_still=() ssh_pause=$SSH_LOOK_SECONDS
		for i in "${left[@]}"; do
			ssh_look "$i" "$1" "$began"
		done
		left=(${ssh_still[@]+"${ssh_still[@]}"})
		((${#left[@]} > 0)) || break
		limited 60 "a look" sleep "$ssh_pause"
	done
	[[ -z $ssh_undrained ]] || fail "$ssh_undrained_status" "${ssh_undrained#; }"
}

# One look: fills ssh_still, ssh_pause and, of what failed for good, ssh_undrained.
ssh_look() { # INDEX DEPLOYMENT BEGAN
	local word=''
	ssh_only=("$1") ssh_quiet=yes
	if ssh_everywhere "$SSH_DRAIN_SECONDS" drain "${ssh_common[@]}" "lock=$SSH_LOCK_SECONDS" ${2:+"deployment=$2"}; then
		read_all word "$ssh_folder/out.$1"
		word=${word%$'\n'} word=${word##*$'\n'}
		if [[ ! $word =~ ^draining\ ([0-9]{1,5})$ ]]; then
			quote
			cat -- "$ssh_folder/out.$1"
			unquote
			return "$?"
		fi
		((10#${BASH_REMATCH[1]} + 1 > ssh_pause)) || ssh_pause=$((10#${BASH_REMATCH[1]} + 1))
		ssh_status=$EXIT_BUSY ssh_said="${ssh_hosts[$1]}: what drains there is not ended: something else may switch to it"
	elif ((ssh_status == EXIT_UNREACHABLE || ssh_status == EXIT_BUSY)) && [[ ${ssh_seen[$1]:-} != "$ssh_said" ]]; then
		ssh_seen[$1]=$ssh_said
		warn "$ssh_said"
	fi
	rm -f -- "$ssh_pipes"*.{in,out,err,own,jump} # a drain may look for a day
	if ((ssh_status == EXIT_UNREACHABLE || ssh_status == EXIT_BUSY)) &&
		((SECONDS - $3 < DRAIN_SECONDS + SSH_DRAIN_MORE_SECONDS)); then
		ssh_still+=("$1")
	else
		ssh_undrained+="; $ssh_said" ssh_undrained_status=$ssh_status
	fi
}
