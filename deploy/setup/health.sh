# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# health.sh - where deploybot-setup has an application asked whether it is healthy: its port on a host, and in its container.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh behind questions.sh, never run.

# Is it this machine, by one of its addresses?  What is behind a jump host is none of ours.
is_here() { # HOST
	local address own
	shared_value_of SSH_JUMP ''
	[[ -z $said ]] || return 1
	own=" $(hostname -I 2>/dev/null) "
	while read -r address _; do
		[[ $address != 127.* && $address != ::1 && $own != *" $address "* ]] || return 0
	done < <(getent ahosts "$1")
	return 1
}

check_health() { # NAME
	local port host
	if ! [[ $said =~ ^([1-9][0-9]{0,4})(:([1-9][0-9]{0,4}))?/[A-Za-z0-9._~/?=\&%-]*$ ]] ||
		((BASH_REMATCH[1] > 65535 || ${BASH_REMATCH[3]:-0} > 65535)); then
		warn "$1: ${said@Q} is not PORT/PATH, as 8080/health, nor PORT:CONTAINERPORT/PATH, as 8081:8080/health"
		return 1
	fi
	port=${BASH_REMATCH[1]}
	setting_there API_SERVER_PORT "$conf"
	[[ $port == "${want[API_SERVER_PORT]:-${said:-8080}}" ]] || return 0
	for host in "${hosts[@]}"; do
		is_here "$host" || continue
		warn "$1: $host is this machine, whose port $port is deploybot's own (API_SERVER_PORT): another one, by which the \
application is reached here, as 8081/health, or 8081:$port/health where it listens on $port in its container"
		return 1
	done
}

# A health URL for each host, where the settings have none.
set_health() { # ENV
	local setting entry i urls='' list
	setting=$(name_of "$1" HEALTH_URL)
	value_of "$setting" ''
	[[ -z $said ]] || return 0
	value_for "$1" SSH_JUMP
	if [[ -n $said ]]; then # nor does the server reach them
		setting=$(name_of "$1" SMOKE_URL)
		value_of "$setting" "http://127.0.0.1:$health"
		check_setting "$setting" || fail "$EXIT_CONFIG" "$setting: set it in a file of answers"
		say '  It is asked on each host itself (%s), as they are behind SSH_JUMP' "$setting"
		warn "between deployments nobody looks at $1, and no alert says that it is down: watch it from elsewhere, or set \
$(name_of "$1" HEALTH_URL) to a load balancer that this machine reaches"
		return 0
	fi
	value_of "$(name_of "$1" HOST)" ''
	hosts=() ports=()
	add_hosts "$said"
	for i in "${!hosts[@]}"; do
		entry=${hosts[$i]}
		[[ $entry != *:* ]] || entry="[$entry]"
		urls+=${urls:+,}http://$entry:$health
	done
	said=$urls
	check_setting "$setting" || fail "$EXIT_CONFIG" "$setting: no address can be made of the hosts: set it in a file of answers"
}

# Fills setting and `said` with an environment's health URL, or what is asked on hosts behind a jump host; empty: none yet.
health_there() { # ENV
	setting=$(name_of "$1" HEALTH_URL)
	value_of "$setting" ''
	[[ -z $said ]] || return 0
	value_for "$1" SSH_JUMP
	[[ -n $said ]] || return 0
	setting=$(name_of "$1" SMOKE_URL)
	value_of "$setting" ''
}

# Fills health with HOSTPORT/PATH, and inside with the container's port; empty: it is not known.
take_health() { # HOSTPORT[:CONTAINERPORT]/PATH
	local pair=${1%%/*}
	health=${pair%%:*}${1#"$pair"} inside=${pair#*:}
}

# Fills `said` with what is offered: where another application, or deploybot itself, has the port on a host the next one
# leads there to the port that a container has anyway.
offer_health() {
	local port=8080 own host url
	local -A seen=() has=()
	find_health_of_others
	for url in "${!seen[@]}"; do
		url=${url#*://}
		has[${url%%/*}]=yes
	done
	setting_there API_SERVER_PORT "$conf"
	own=${want[API_SERVER_PORT]:-${said:-8080}}
	for host in "${hosts[@]}"; do
		[[ $host != *:* ]] || host="[$host]"
		while [[ -n ${has[$host:$port]:-} ]] || { [[ $port == "$own" ]] && is_here "$host"; }; do
			((port += 1))
		done
	done
	said=$port/health
	[[ $port == 8080 ]] || said=$port:8080/health
}

# Where each environment has one none is asked for.  A docker-compose.yml that is written has the first one's port.
keep_health() {
	local environment setting given_health
	take_health "${given[SETUP_HEALTH]:-}"
	given_health=$health
	for environment in "${by_ssh[@]}"; do
		health_there "$environment"
		[[ -n $said ]] || return 1
	done
	health=''
	for environment in "${by_ssh[@]}"; do
		health_there "$environment"
		say '%s stays as it is: %s' "$setting" "$said"
		[[ -n $health || ! ${said%%,*} =~ ^https?://[^/]*:([0-9]+)/ ]] || health=${BASH_REMATCH[1]}/
		[[ -z $given_health || ${said%%,*} == *":$given_health" ]] ||
			warn "SETUP_HEALTH is ${given[SETUP_HEALTH]}, and $setting stays as it is: change it in $target"
	done
	health=${health:-8080/health}
	[[ ${given_health%%/*} == "${health%%/*}" ]] || inside=''
}

ask_health() {
	local from="from this machine, which the hosts have to let in at that port"
	! keep_health || return 0
	shared_value_of SSH_JUMP ''
	[[ -z $said ]] || from="on each host itself"
	offer_health
	ask SETUP_HEALTH "$said" check_health "PORT/PATH at which the application answers when it is healthy" \
		"Asked after a release, $from; 8081:8080/health where the host's port 8081 leads to the container's 8080"
	take_health "$said"
}

# Adds to seen, by URL, the environments of other applications; of the one without a name by the environment's alone.  With
# OWN, a setting, also those of this one that have not that.
find_health_of_others() { # [OWN]
	local file setting url urls of
	for file in "$conf" "$folder"/apps/*.env; do
		[[ -f $file && (-n ${1:-} || -n $application && $file != "$target") ]] || continue
		of=${file##*/} of=${of%.env}/
		[[ $file != "$conf" ]] || of=
		while IFS= read -r setting; do
			[[ $file != "$target" || $setting != "${1:-}" ]] || continue
			setting_there "$setting" "$file"
			IFS=', ' read -r -a urls <<<"$said"
			setting=${setting%_HEALTH_URL} setting=${setting,,}
			for url in ${urls[@]+"${urls[@]}"}; do
				seen[$url]=$of${setting//_/-}
			done
		done < <(grep -oE '^[A-Z0-9_]+_HEALTH_URL' "$file")
	done
}

# One host has each port once, whatever folders two environments have there.
warn_of_shared_health() {
	local environment setting url urls
	local -A seen=()
	find_health_of_others
	for environment in "${environments[@]}"; do
		setting=$(name_of "$environment" HEALTH_URL)
		value_of "$setting" ''
		IFS=', ' read -r -a urls <<<"$said"
		for url in ${urls[@]+"${urls[@]}"}; do
			[[ -z ${seen[$url]:-} ]] || warn "$setting: $url is ${seen[$url]}'s too: where both run on that host, give \
$environment another port, here and on the left of ports: in its docker-compose.yml, before its first release"
			seen[$url]=$environment
		done
	done
}

# Where a port is another's no release of ours starts, and the other one's answer passes for its health.
need_free_port() { # URL SETTING
	local at=${1#*://} url
	local -A seen=()
	at=${at%%/*}
	find_health_of_others "$2"
	for url in "${!seen[@]}"; do
		[[ ${url#*://} == "$at"/* ]] || continue
		refuse SETUP_HOST
		fail "$EXIT_CONFIG" "$2: $at is ${seen[$url]}'s already ($url): another host, or another port there for one of \
the two. $untouched"
	done
	said=${at##*:}/
	check_health SETUP_HOST && return 0
	refuse SETUP_HOST
	fail "$EXIT_CONFIG" "$2: $at is no address of an application. $untouched"
}
