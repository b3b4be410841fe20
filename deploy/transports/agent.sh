# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# agent.sh - the transport to hosts with docker compose and deploybot-agent: what ssh.sh does, by calls of deploybot-link.
# SPDX-License-Identifier: ISC
# Sourced, never run.  <ENV>_HOST names agents.  RELEASE_TICKET, which comes with the server's order, is what an agent looks at;
# what is done there is release-on-host.sh of that host's own deploybot.  Everything else stands in ssh.sh and ssh/.

# shellcheck source=deploy/transports/ssh.sh
. "$here/transports/ssh.sh"

agent_ticket=${RELEASE_TICKET:-}
unset RELEASE_TICKET # whoever has it may call: no child but deploybot-link is given it
ssh_shares=no REMOTE_LOGIN=false # a host has its own docker login

ssh_find_way() {
	ssh_options=() ssh_jump_host=''
}

ssh_check_files() {
	local runner
	[[ ${COMPOSE_SOURCE:-host} == host ]] ||
		fail "$EXIT_CONFIG" "COMPOSE_SOURCE is $COMPOSE_SOURCE, and through an agent a host's own compose file is released"
	[[ -n $agent_ticket ]] || fail "$EXIT_CONFIG" "a release through an agent is ordered by deploybot's server alone: there is \
no RELEASE_TICKET (is LINK_ADDRESS set?)"
	find_runner
	[[ $runner != /proc/*/exe ]] || runner=$(readlink -- "$runner") ||
		fail "$EXIT_CONFIG" "it is not known where deploybot-runner lies"
	agent_link=${runner%/*}/deploybot-link
	[[ -x $agent_link ]] || fail "$EXIT_CONFIG" "no program deploybot-link is beside ${runner@Q}: install deploybot again"
}

# Of a job, which no order names hosts for: those of its ticket.
ssh_find_agents() {
	local agents
	[[ $act == job && -n $agent_ticket ]] ||
		fail "$EXIT_CONFIG" "$hosts_setting has a pattern, and which agents it stands for only deploybot's server knows"
	read -r _ _ _ _ _ agents _ <<<"$agent_ticket"
	list=$(sed 's/=[^,]*//g; s/,*$//' <<<"$agents")
	[[ -n $list ]] || fail "$EXIT_CONFIG" "no agent that the pattern in $hosts_setting stands for may be called"
}

ssh_write_program() { :; } # it is there

# As ssh.sh's, in a subshell of its own.  Behind the settings stdin goes on as long as `life`, whose end says there that we are
# gone.
ssh_call() { # INDEX SECONDS ACT WORD...
	local i=$1 seconds=$2 what=$3 settings=$ssh_folder/settings feeder status=0 signed
	[[ $what != pull ]] || settings=$ssh_folder/settings.pull
	shift 3
	signed=$(sha256sum <"$settings")
	exec {ssh_life}>&-
	cat -- "$settings" "$ssh_folder/life" >"$ssh_pipes$i.in" 2>/dev/null &
	feeder=$!
	exec <"$ssh_pipes$i.in"
	RELEASE_TICKET=$agent_ticket LINK_CALLS=${TRANSPORT_LINK_CALLS:-/run/deploybot-calls/calls.sock} \
		limited $((seconds + SSH_CONNECT_SECONDS)) "$what on ${ssh_hosts[$i]}" \
		"$agent_link" call "${ssh_hosts[$i]}" "$seconds" "$what" program=3 "settings=${signed%% *}" \
		"$@" || status=$?
	kill "$feeder" 2>/dev/null || true # it has ended where all was read
	exit "$status"
}

# 69 and 255 are deploybot-link's own.
ssh_answers() { # INDEX
	local status=0
	RELEASE_TICKET=$agent_ticket LINK_CALLS=${TRANSPORT_LINK_CALLS:-/run/deploybot-calls/calls.sock} \
		bounded "$SSH_CONNECT_SECONDS" "$agent_link" call "${ssh_hosts[$1]}" 10 none </dev/null >/dev/null 2>&1 || status=$?
	((status != EXIT_UNREACHABLE && status != 255))
}

# By deploybot-link's own words: a rollback can go without it.
ssh_is_away() { # WHAT-IT-SAID
	[[ $1 == 'nothing was begun: '*@(' is not connected'|' does not answer') ]]
}

ssh_was_killed() { return 1; }
ssh_was_restarted() { return 1; }

ssh_explain_lost() { # INDEX OWN-WORDS JUMP-WORDS STDERR
	local said
	ssh_last_line "$4"
	ssh_said="${ssh_hosts[$1]}: ${said:-the connection to its agent broke}"
}
