# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# waves.sh - a run for some hosts alone (RUN_HOSTS): what it says of each, and how many of them may fail.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh and systemd.sh.  Without RUN_HOSTS none of it says or changes anything.  A line `==> host NAME began`
# stands before the first change of what serves on that host; the run's supervisor keeps it, and writes NAME to the pipe
# HOST_ACKS once it is on disk: until then nothing is changed there.  By hand there is no pipe.

declare -gA ssh_acked=()
ssh_touched=() ssh_should=() ssh_strays=()

# Fills list, ssh_names with how each of them is called, in the order of ssh_hosts, and ssh_should with the commit that is to
# run there, of which the order's lines `= RELEASE` speak: first those of which that is known, since a migration is the first
# one's.
ssh_read_run_hosts() {
	local line should='' unknown=()
	[[ -r $RUN_HOSTS ]] || fail "$EXIT_CONFIG" "RUN_HOSTS: there is no file $RUN_HOSTS that may be read"
	[[ ${WAVE_FAILURES_MAX:=0} =~ ^(0|[1-9][0-9]{0,3})$ ]] ||
		fail "$EXIT_INPUT" "WAVE_FAILURES_MAX is no number: ${WAVE_FAILURES_MAX@Q}"
	while IFS= read -r line || [[ -n $line ]]; do
		if [[ $line == '= '* ]]; then
			should=${line#= }
			check_release "$should"
			continue
		fi
		[[ $line =~ ^([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$ ]] ||
			fail "$EXIT_INPUT" "RUN_HOSTS: no host: ${line@Q}"
		if [[ -n $should ]]; then
			ssh_should[${#ssh_names[@]}]=${should%%@*}
			ssh_names+=("$line")
		else
			unknown+=("$line")
		fi
	done <"$RUN_HOSTS"
	ssh_names+=(${unknown[@]+"${unknown[@]}"})
	((${#ssh_names[@]} > 0)) || fail "$EXIT_INPUT" "RUN_HOSTS: $RUN_HOSTS names no host"
	printf -v list '%s,' "${ssh_names[@]}"
	list=${list%,}
}

# No step: who reads it counts hosts.  Nor is it a part of what a host prints.
ssh_say_host() { # INDEX WORD [WHY]
	local quoting=${quote_word:-}
	[[ -n ${RUN_HOSTS:-} ]] || return 0
	[[ -z $quoting ]] || unquote
	step "host ${ssh_names[$1]} $2${3:+ $3}"
	[[ -z $quoting ]] || quote
}

# Before what serves is changed there: by a switch, or a start that puts in order what was interrupted.
ssh_say_began() { # INDEX ACT
	local name=''
	[[ -n ${RUN_HOSTS:-} && -z ${ssh_touched[$1]:-} && ($2 == switch || ($2 == start && -n $release_began)) ]] || return 0
	ssh_say_host "$1" began
	ssh_touched[$1]=yes
	[[ -n ${HOST_ACKS:-} ]] || return 0
	[[ -n ${ssh_acks:-} ]] || exec {ssh_acks}<>"/proc/self/fd/$HOST_ACKS"
	while [[ -z ${ssh_acked[${ssh_names[$1]}]:-} ]]; do
		! read_within 1 "$ssh_acks" name || ssh_acked[$name]=yes
	done
}

# A host has failed, as ssh_status and ssh_said have it: may the others go on without it?  In a rollback always, as long
# as there is one.  It is left out of all that follows then.
ssh_may_go_on() { # INDEX ACT
	local why=${ssh_said#*: }
	[[ -n ${RUN_HOSTS:-} && $2 == @(check|config|paths|pull|receive|find|start|switch) ]] || return 1
	[[ $2 != find || $act == rollback ]] || return 1 # it asks what is kept
	if [[ -n ${ssh_touched[$1]:-} && " ${ssh_lost[*]-} " == *" $1 "* ]]; then
		why="unknown: $why"
	elif ((ssh_status == EXIT_UNREACHABLE)) || [[ $why == 'connecting to '* ]]; then # or has not answered in time
		why="unreachable: $why"
	fi
	ssh_say_host "$1" failed "$why"
	[[ $act == rollback ]] || ((${#ssh_out[@]} < WAVE_FAILURES_MAX)) || return 1
	((${#ssh_out[@]} + 1 < ${#ssh_hosts[@]})) || return 1
	ssh_out[$1]=$why
}

# What runs on a host is not what deploybot has released there: somebody has changed that, or the machine is another one.
ssh_look_for_stray() { # INDEX RELEASE
	local now=${2%%@*} should=${ssh_should[$1]:-}
	[[ $act == deploy && -n $should && $now != "$should" ]] || return 0
	now=${now:0:7}
	ssh_strays[$1]="it runs ${now:-no known release}, not ${should:0:7}"
}

# Before anything is built or touched: nobody knows what a release would replace there.  A person looks, and lets it go on.
ssh_judge_strays() {
	local i
	((${#ssh_strays[@]} > 0)) || return 0
	for i in "${!ssh_strays[@]}"; do
		ssh_say_host "$i" failed "unknown: ${ssh_strays[$i]}"
	done
	fail "$EXIT_REFUSED" "${#ssh_strays[@]} of the hosts do not run what was released there: see above"
}

# Behind a rollback: what could not be reached keeps what it runs, and is named; one that answers and was not rolled back is
# what failed.
ssh_judge_out() {
	local i said=''
	[[ $act == rollback ]] || return 0
	for i in ${ssh_out[@]+"${!ssh_out[@]}"}; do
		[[ ${ssh_out[$i]} == unreachable:* ]] || said+="; ${ssh_hosts[$i]}: ${ssh_out[$i]}"
	done
	[[ -z $said ]] || fail "$EXIT_REFUSED" "${said#; } (the others are rolled back)"
}
