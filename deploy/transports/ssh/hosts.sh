# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# hosts.sh - which hosts an environment has: how many of them at a time, what opens them, and which one is in it no more.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh and systemd.sh.  Takes the way there from connect.sh, and the hosts of RUN_HOSTS from waves.sh.

# What changes nothing that serves is done on so many hosts at a time where they are released to one after the other: an
# sshd on the way there lets 10 log in at a time.
readonly SSH_ASIDE_AT_ONCE=8

# Fills ssh_hosts and, in the same order, ssh_ports.  A run that is for some hosts alone has those of RUN_HOSTS, as it
# spells them: waves.sh.
ssh_find_hosts() {
	local list hosts=() ports=()
	ssh_out=() ssh_names=()
	find_hosts list
	[[ -z ${RUN_HOSTS:-} ]] || ssh_read_run_hosts
	[[ $list != *\** ]] || ssh_find_agents
	[[ -n $list ]] ||
		fail "$EXIT_CONFIG" "$hosts_setting is not set: which hosts does $environment run on? \
(HOST[:PORT],…)"
	add_hosts "$list"
	ssh_hosts=("${hosts[@]}") ssh_ports=("${ports[@]}")
}

# Which agents a pattern stands for only the server knows.
ssh_find_agents() {
	fail "$EXIT_CONFIG" "$hosts_setting has a pattern, and which agents it stands for only deploybot's server knows"
}

# Fills ssh_at_once, on how many hosts something is done at a time, and ssh_aside, the same of what changes nothing that
# serves.  A number bounds all.
ssh_find_at_once() { # SETTING
	local number=${!1}
	ssh_aside=
	case ${number,,} in
	true | yes | on) ssh_at_once=${#ssh_hosts[@]} ;;
	false | no | off | 0) ssh_at_once=1 ssh_aside=$SSH_ASIDE_AT_ONCE ;;
	*)
		[[ $number =~ ^[1-9][0-9]?$ ]] ||
			fail "$EXIT_CONFIG" "$1 is no number of hosts, 1 to 99, and neither true nor false: ${number@Q}"
		ssh_at_once=$number
		;;
	esac
	: "${ssh_aside:=$ssh_at_once}"
}

# What is rolled back is down: on more hosts at a time.
ssh_hurry() {
	if [[ -n ${ROLLBACK_PARALLEL:-} ]]; then
		ssh_find_at_once ROLLBACK_PARALLEL
	else
		((ssh_at_once *= 5))
	fi
	((ssh_at_once <= ${#ssh_hosts[@]})) || ssh_at_once=${#ssh_hosts[@]}
	((ssh_aside >= ssh_at_once)) || ssh_aside=$ssh_at_once
}

# Who and how: what systemd.sh needs too.  Fills ssh_run, a word for ssh_common: which run of which installation we are.
ssh_find_reach() {
	: "${DEPLOY_USER:=deploy}" "${SSH_KEY_PATH:=/app/secrets/deploy_key}" "${SSH_KNOWN_HOSTS:=/app/secrets/known_hosts}"
	: "${HOSTS_PARALLEL:=false}" "${START_SECONDS:=120}"
	check_number START_SECONDS "$START_SECONDS"
	# Wait for a drain that stops something, start beside what serves, until it answers.
	: "${SSH_START_SECONDS:=$((880 + START_SECONDS))}"
	# Wait for what was interrupted, replace, wait until it answers, or take back.
	: "${SSH_SWITCH_SECONDS:=$((660 + 2 * START_SECONDS))}"
	# By hand there is neither.
	ssh_run=${RUN_ID:+${INSTALLATION_ID:+run=${RUN_ID%%-*},$INSTALLATION_ID}}
	ssh_find_hosts
	ssh_find_at_once HOSTS_PARALLEL
	[[ -z ${RUN_HOSTS:-} || $act != rollback ]] || ssh_hurry
	ssh_find_way
}

ssh_check_files() {
	local i mode
	need_tool ssh openssh-client
	need_tool ssh-keygen openssh-client
	check_secret SSH_KEY_PATH "$SSH_KEY_PATH"
	ssh_check_known
	mode=$(stat -L -c %a -- "$SSH_KNOWN_HOSTS")
	(((8#$mode & 8#022) == 0)) ||
		fail "$EXIT_CONFIG" "SSH_KNOWN_HOSTS: others may write $SSH_KNOWN_HOSTS (mode $mode): chmod 644 it"
	[[ -z $ssh_jump_host ]] || ssh_check_pinned "$ssh_jump_host" "$ssh_jump_port"
	for i in "${!ssh_hosts[@]}"; do
		! ssh_is_pinned "${ssh_hosts[$i]}" "${ssh_ports[$i]}" || continue
		ssh_status=$EXIT_UNREACHABLE # as nobody knows who answers there
		[[ $act == @(deploy|rollback) ]] && ssh_may_go_on "$i" check || fail "$EXIT_CONFIG" "${ssh_said#*: }"
	done
}

# Fills ssh_only: all hosts but those that are left out, as they have failed; ssh_first is called the first of them.
ssh_choose() {
	local i
	ssh_only=()
	for i in "${!ssh_hosts[@]}"; do
		[[ -n ${ssh_out[$i]:-} ]] || ssh_only+=("$i")
	done
	ssh_first=${ssh_hosts[${ssh_only[0]}]}
}

# The same: the first of them.
ssh_choose_first() {
	ssh_choose
	ssh_only=("${ssh_only[0]}")
}

# Of the last release, for ssh_name_gone.  What hosts run that are released to by some at a time, deploybot's server knows.
ssh_note_hosts() {
	local i lines=()
	[[ -z ${RUN_HOSTS:-} ]] || return 0
	for i in "${!ssh_hosts[@]}"; do
		lines+=("${ssh_hosts[$i]} ${ssh_ports[$i]}")
	done
	lines+=(${ssh_left[@]+"${ssh_left[@]}"})
	printf '%s\n' "${lines[@]}" >"$app/hosts.new" && mv -f -- "$app/hosts.new" "$app/hosts" ||
		warn "$app/hosts cannot be written"
}

# Of a rollback, and of the drain behind it: takes the hosts of WITHOUT_HOSTS out, which a person has named, where they do
# not answer now either.  One that answers again is rolled back too.
ssh_leave_out() {
	local i hosts=() ports=() names=()
	ssh_left=()
	[[ -z ${RUN_HOSTS:-} ]] || return 0 # ssh_may_go_on leaves them out
	[[ ($act == rollback || $act == drain) && -n ${WITHOUT_HOSTS:-} ]] || return 0
	for i in "${!ssh_hosts[@]}"; do
		if [[ ,$WITHOUT_HOSTS, == *,"${ssh_hosts[$i]}",* ]] && ! ssh_answers "$i"; then
			ssh_left+=("${ssh_hosts[$i]} ${ssh_ports[$i]}")
			names+=("${ssh_hosts[$i]}")
		else
			hosts+=("${ssh_hosts[$i]}")
			ports+=("${ssh_ports[$i]}")
		fi
	done
	((${#hosts[@]} > 0)) ||
		fail "$EXIT_UNREACHABLE" "no host of $environment answers: there is none to ${act/rollback/roll back}"
	ssh_hosts=("${hosts[@]}") ssh_ports=("${ports[@]}")
	for i in ${names[@]+"${names[@]}"}; do
		if [[ $act == drain ]]; then
			warn "$i does not answer: nothing was switched there, and nothing is ended there"
			continue
		fi
		step "unreachable $i"
		warn_people "$i does not answer: it keeps what it runs, until a release reaches it"
	done
}

# A rollback that a dead host keeps from the others is wanted at once: which host, and the way out, is said with the reason.
ssh_name_way_out() {
	local i
	[[ $act == rollback && ${#ssh_hosts[@]} -gt 1 && -z ${RUN_HOSTS:-} ]] && ((ssh_status == EXIT_UNREACHABLE)) || return 0
	for i in ${ssh_silent[@]+"${ssh_silent[@]}"}; do
		((${#ssh_silent[@]} == ${#ssh_hosts[@]})) ||
			step "unreachable ${ssh_hosts[$i]}"
	done
	warn_people "to roll back without a host that is dead: take it out of $hosts_setting, and roll back again"
}

# A host that was taken out of the setting runs on, with its workers and schedulers: said until the next release has gone by.
ssh_name_gone() {
	local host port i is_there
	[[ -r $app/hosts && -z ${RUN_HOSTS:-} ]] || return 0
	while read -r host port; do
		is_there=no
		for i in "${!ssh_hosts[@]}"; do
			[[ ${ssh_hosts[$i]} != "$host" || ${ssh_ports[$i]} != "$port" ]] || is_there=yes
		done
		[[ $is_there == yes ]] || warn_people "$host (port $port) is not in $hosts_setting any more: what \
the last release started there runs on, and no release replaces it: stop it there"
	done <"$app/hosts"
}
